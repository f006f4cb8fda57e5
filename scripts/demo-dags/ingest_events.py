"""Loads the event files that have landed since the last run."""

from __future__ import annotations

import pendulum
from airflow.sdk import dag, task

from common.defaults import default_args
from common.paths import RAW_EVENTS


@dag(
    schedule="*/15 * * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args=default_args("platform", retries=5),
    tags=["platform", "raw"],
)
def ingest_events():
    @task
    def list_files(prefix: str) -> list[str]:
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook

        bucket, key = S3Hook.parse_s3_url(prefix)
        return S3Hook("aws_raw").list_keys(bucket, prefix=key) or []

    @task(max_active_tis_per_dag=8)
    def load(key: str) -> int:
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook

        lines = S3Hook("aws_raw").read_key(key, bucket_name="acme-raw").splitlines()
        return len(lines)

    @task
    def report(counts: list[int]) -> None:
        print(f"{sum(counts)} events from {len(counts)} files")

    report(load.expand(key=list_files(RAW_EVENTS)))


ingest_events()
