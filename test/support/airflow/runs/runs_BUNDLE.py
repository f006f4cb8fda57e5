"""A run of this DAG tells which release each of its tasks saw. This file, probe files and runs_lib change together."""

from __future__ import annotations

import json
import os

import pendulum
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.sdk import DAG, get_current_context, task

from runs_lib.release import RELEASE as LIBRARY

RELEASE = "000"


def tell(step: str) -> None:
    # The task imports this only when it runs, so at another instant than the DAG processor read this file.
    from runs_lib.late import RELEASE as LATE

    run = get_current_context()["dag_run"].run_id
    with open(os.environ["DAGMOUNT_TEST_SEEN"], "a") as seen:
        seen.write(json.dumps({"run": run, "task": step, "saw": f"{RELEASE}/{LIBRARY}/{LATE}"}) + "\n")


with DAG(
    dag_id="runs_BUNDLE",
    description=f"{RELEASE}/{LIBRARY}",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
):

    @task
    def begin() -> None:
        tell("begin")

    @task
    def finish() -> None:
        tell("finish")

    gate = FileSensor(
        task_id="gate",
        filepath="{{ dag_run.conf['gate'] }}",
        deferrable=True,
        poke_interval=1,
    )
    begin() >> gate >> finish()
