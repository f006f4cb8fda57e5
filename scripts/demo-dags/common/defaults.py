"""What every DAG of this folder starts from."""

from __future__ import annotations

from datetime import timedelta

from common.alerts import on_failure


def default_args(owner: str, retries: int = 3) -> dict:
    return {
        "owner": owner,
        "retries": retries,
        "retry_delay": timedelta(minutes=2),
        "retry_exponential_backoff": True,
        "on_failure_callback": on_failure,
    }
