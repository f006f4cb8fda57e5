"""Same-size edits are made here: the tag is always of three digits."""

from __future__ import annotations

import pendulum
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

EDIT = "000"

with DAG(
    dag_id="prices",
    description=EDIT,
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["reports"],
):
    EmptyOperator(task_id="build")
