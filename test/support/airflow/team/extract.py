"""Extracts what has landed for TEAM_NAME."""

from __future__ import annotations

import pendulum
from airflow.sdk import dag, task

from common.defaults import default_args
from team_TEAM_NAME.settings import SOURCE, TEAM


@dag(
    dag_id=f"{TEAM}_extract",
    schedule="0 * * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args=default_args(TEAM, retries=5),
    tags=[TEAM],
)
def extract():
    @task
    def parts() -> list[int]:
        return [1, 2, 3]

    @task
    def load(part: int) -> str:
        return f"{SOURCE}{part}"

    load.expand(part=parts())


extract()
