"""README.md says what holds: each block that one copies, and each table."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import pytest

from airflow_dagmount import DagmountBundle, errors

README = Path(__file__).parent.parent.joinpath("README.md").read_text()


def block(beginning: str) -> str:
    found: list[str] = [
        text for text in re.findall(r"```\w*\n(.*?)```", README, re.DOTALL) if text.startswith(beginning)
    ]
    assert len(found) == 1, f"one block begins with {beginning}"
    return found[0]


def rows(heading: str) -> list[list[str]]:
    """Of the table whose first column has this heading, without it and the line below."""
    lines = README.split("\n")
    first = next(at for at, line in enumerate(lines) if re.match(rf"\| {heading} +\|", line))
    table = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def test_installs_the_wheel_that_is_built() -> None:
    assert block("pip install").split() == [
        "pip",
        "install",
        f"airflow_provider_dagmount-{version('airflow-provider-dagmount')}-py3-none-any.whl",
    ]


def test_configures_the_bundle(tmp_path: Path) -> None:
    tmp_path.joinpath("airflow.cfg").write_text(block("[dag_processor]"))
    program = (
        "import json\n"
        "from airflow.dag_processing.bundles.manager import DagBundlesManager\n"
        "bundles = list(DagBundlesManager().get_all_dag_bundles())\n"
        "print(json.dumps([[b.name, type(b).__qualname__, str(b.mount), str(b.path)] for b in bundles]))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**environment, "AIRFLOW_HOME": os.fspath(tmp_path), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    mount = "/opt/airflow/dagmount"
    assert json.loads(ran.stdout.splitlines()[-1]) == [["dags", "DagmountBundle", mount, mount]]


def test_names_each_option_with_its_default() -> None:
    said = {name.strip("`"): default.strip("`") for name, default, _ in rows("kwarg")}
    own = {
        name: parameter.default
        for name, parameter in inspect.signature(DagmountBundle).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name != "read"
    }
    assert set(said) == {*own, "refresh_interval", "view_url_template"}
    assert own["mount"] is inspect.Parameter.empty
    assert said["mount"] == "required"
    assert (own["subdir"], own["max_staleness"], str(own["retry_after"])) == ("", None, said["retry_after"])


@pytest.mark.parametrize(
    ("exception", "codes"), [("MountUnavailable", errors.UnavailableCode), ("VersionUnavailable", errors.VersionCode)]
)
def test_names_each_code_of_an_exception(exception: str, codes: object) -> None:
    cells = {name.strip("`"): cell for name, cell, *_ in rows("exception")}
    assert re.findall(r"`([a-z-]+)`", cells[exception]) == list(get_args(codes))
