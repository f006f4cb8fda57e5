"""What Airflow lists of this package: the entry point `apache_airflow_provider`."""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    return {
        "package-name": "airflow-provider-dagmount",
        "name": "dagmount",
        "description": "A DAG bundle over a dagmount mount.",
        "integrations": [{"integration-name": "dagmount", "tags": ["software"]}],
        "bundles": [{"integration-name": "dagmount", "python-modules": ["airflow_dagmount.bundle"]}],
    }
