"""This file, the other probes and runs_lib change together: what each says is in the description."""

from __future__ import annotations

import pendulum
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

from runs_lib.release import RELEASE as LIBRARY

RELEASE = "000"

with DAG(
    dag_id="probe_BUNDLE_NUMBER",
    description=f"{RELEASE}/{LIBRARY}",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
):
    EmptyOperator(task_id="load")
