"""Merges changed customers into the warehouse, every hour."""

from __future__ import annotations

import pendulum
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG

from common.defaults import default_args

with DAG(
    dag_id="refresh_customers",
    schedule="@hourly",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=default_args("crm"),
    template_searchpath=["/opt/airflow/dags/sql"],
    tags=["crm"],
    doc_md=__doc__,
):
    SQLExecuteQueryOperator(task_id="merge", conn_id="warehouse", sql="refresh_customers.sql")
