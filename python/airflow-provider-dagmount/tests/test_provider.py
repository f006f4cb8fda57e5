from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

import airflow_dagmount
from airflow_dagmount.provider import get_provider_info


def test_what_airflow_lists_has_the_shape_that_it_asks_for() -> None:
    schema = json.loads(files("airflow").joinpath("provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)


def test_airflow_finds_it_by_its_entry_point() -> None:
    points = entry_points(group="apache_airflow_provider")
    found = [point for point in points if point.value == "airflow_dagmount.provider:get_provider_info"]
    assert found, "the package is installed"
    assert found[0].load()() == get_provider_info()


def test_airflow_starts_where_the_package_is_installed(tmp_path: Path) -> None:
    """Airflow loads the entry point while it is itself half imported."""
    program = "import sys, airflow_dagmount.provider; assert 'airflow' not in sys.modules; import airflow.configuration"
    environment = {**os.environ, "AIRFLOW_HOME": os.fspath(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_the_class_path_of_the_documentation_names_the_bundle() -> None:
    from airflow_dagmount.bundle import DagmountBundle

    assert airflow_dagmount.DagmountBundle is DagmountBundle
    with pytest.raises(AttributeError):
        _ = airflow_dagmount.nothing
