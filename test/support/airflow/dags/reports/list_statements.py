"""Reads files of the DAGs folder while it runs, and imports a shared module in its task."""

from __future__ import annotations

from pathlib import Path

import pendulum
from airflow.sdk import dag, task

from common.paths import DAILY_SALES

FOLDER = Path(__file__).parent.parent


@dag(schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=False, tags=["reports"])
def list_statements():
    @task
    def read() -> list[str]:
        from common.alerts import CHANNELS

        names = sorted(path.name for path in (FOLDER / "sql").glob("*.sql"))
        sizes = [len((FOLDER / "sql" / name).read_bytes()) for name in names]
        print(f"{len(CHANNELS)} channels, {DAILY_SALES}, {sum(sizes)} bytes")
        return names

    @task
    def check(names: list[str]) -> None:
        if names != ["daily_sales.sql", "refresh_customers.sql"]:
            raise ValueError(f"the statements are {names}")

    check(read())


list_statements()
