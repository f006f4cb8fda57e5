"""Builds mart.daily_sales from yesterday's orders."""

from __future__ import annotations

import pendulum
from airflow.providers.common.sql.operators.sql import SQLColumnCheckOperator, SQLExecuteQueryOperator
from airflow.sdk import DAG

from common.defaults import default_args
from common.paths import DAILY_SALES

with DAG(
    dag_id="daily_sales",
    schedule="30 3 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args=default_args("analytics"),
    template_searchpath=["/opt/airflow/dags/sql"],
    tags=["analytics", "mart"],
    doc_md=__doc__,
):
    build = SQLExecuteQueryOperator(task_id="build", conn_id="warehouse", sql="daily_sales.sql")
    check = SQLColumnCheckOperator(
        task_id="check",
        conn_id="warehouse",
        table=DAILY_SALES,
        column_mapping={"gross": {"null_check": {"equal_to": 0}, "min": {"geq_to": 0}}},
    )
    build >> check
