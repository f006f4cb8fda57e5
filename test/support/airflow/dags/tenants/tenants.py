"""One DAG a tenant, from a file that lies beside this one."""

from __future__ import annotations

import json
from pathlib import Path

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

from common.defaults import default_args

for tenant in json.loads(Path(__file__).with_name("tenants.json").read_text()):
    with DAG(
        dag_id=f"tenant_{tenant['name']}",
        schedule=tenant["schedule"],
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        catchup=False,
        default_args=default_args("crm"),
        tags=["tenants", *tenant["regions"]],
    ) as dag:
        exports = [
            BashOperator(task_id=f"export_{region}", bash_command=f"echo export {region}")
            for region in tenant["regions"]
        ]
        exports >> BashOperator(task_id="notify", bash_command="echo done")
    globals()[dag.dag_id] = dag
