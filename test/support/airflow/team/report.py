"""Sends the report of TEAM_NAME."""

from __future__ import annotations

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
from airflow.sdk import DAG

from common.defaults import default_args
from team_TEAM_NAME.settings import TARGET, TEAM

with DAG(
    dag_id=f"{TEAM}_report",
    schedule="0 6 * * 1-5",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args=default_args(TEAM, retries=1),
    tags=[TEAM],
):
    wait = TimeDeltaSensor(task_id="wait", delta=pendulum.duration(minutes=15), mode="reschedule")
    wait >> BashOperator(task_id="send", bash_command=f"echo report of {TARGET}")
