"""A DAG that no release changes: its serialized form stays the same while the version of its bundle goes on."""

from __future__ import annotations

import pendulum
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

with DAG(
    dag_id="steady_BUNDLE",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
):
    EmptyOperator(task_id="load")
