"""Tells Airflow that the price list has changed."""

from __future__ import annotations

import pendulum
from airflow.sdk import Asset, dag, task

from common.defaults import default_args

PRICES = Asset("s3://acme-mart/prices/latest.parquet")


@dag(
    schedule="10 * * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args=default_args("analytics"),
    tags=["assets"],
)
def publish_prices():
    @task(outlets=[PRICES])
    def publish() -> int:
        return 1

    publish()


publish_prices()
