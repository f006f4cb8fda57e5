"""A DAG bundle for Airflow 3 over a mount of dagmount."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_dagmount.bundle import DagmountBundle
    from airflow_dagmount.errors import MountUnavailable, VersionUnavailable

__all__ = ["DagmountBundle", "MountUnavailable", "VersionUnavailable"]

_MODULES = {
    "DagmountBundle": "airflow_dagmount.bundle",
    "MountUnavailable": "airflow_dagmount.errors",
    "VersionUnavailable": "airflow_dagmount.errors",
}


def __getattr__(name: str) -> object:
    # Airflow loads the entry point of this package, and so this file, while it reads its configuration: importing
    # Airflow here would be an import cycle, which ends every process of Airflow.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
