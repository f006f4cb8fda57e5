"""A DAG in an archive, with a package beside it."""

from __future__ import annotations

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

from warehouse_lib.statements import LOAD

with DAG(
    dag_id="warehouse_load",
    schedule="@daily",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["warehouse"],
):
    BashOperator(task_id="load", bash_command=f"echo \"{LOAD}\"")
