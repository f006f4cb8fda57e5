"""Transforms what TEAM_NAME has extracted, step by step."""

from __future__ import annotations

import pendulum
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, chain

from common.alerts import on_failure
from common.defaults import default_args
from team_TEAM_NAME.settings import TARGET, TEAM


def step(name: str) -> str:
    return f"{TARGET}: {name}"


with DAG(
    dag_id=f"{TEAM}_transform",
    schedule="20 * * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args=default_args(TEAM),
    on_failure_callback=on_failure,
    tags=[TEAM],
):
    chain(
        *(
            PythonOperator(task_id=name, python_callable=step, op_args=[name])
            for name in ("clean", "join", "aggregate", "swap")
        )
    )
