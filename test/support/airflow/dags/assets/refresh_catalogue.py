"""Runs whenever the price list has changed."""

from __future__ import annotations

import pendulum
from airflow.sdk import Asset, dag, task

from common.defaults import default_args


@dag(
    schedule=[Asset("s3://acme-mart/prices/latest.parquet")],
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args=default_args("analytics"),
    tags=["assets"],
)
def refresh_catalogue():
    @task
    def refresh() -> None:
        print("the catalogue is rebuilt")

    refresh()


refresh_catalogue()
