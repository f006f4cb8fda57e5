"""What is published: the wheel."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


def build(source: Path, destination: Path) -> Path:
    # As scripts/package does.
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", os.fspath(destination)]
    subprocess.run(command, cwd=source, env=environment, check=True, capture_output=True)
    (wheel,) = destination.glob("*.whl")
    return wheel


def copied(to: Path, *, mode: int, date: int) -> Path:
    """The same sources as another clone has them."""
    shutil.copytree(PROJECT, to, ignore=shutil.ignore_patterns("__pycache__", "dist"))
    for path in to.rglob("*"):
        if path.is_file():
            path.chmod(mode)
        os.utime(path, (date, date))
    return to


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    return build(copied(directory / "source", mode=0o644, date=1_700_000_000), directory / "built")


def test_is_the_same_from_every_clone(wheel: Path, tmp_path: Path) -> None:
    other = build(copied(tmp_path / "elsewhere" / "clone", mode=0o600, date=1_600_000_000), tmp_path / "built")
    assert other.name == wheel.name
    assert hashlib.sha256(other.read_bytes()).hexdigest() == hashlib.sha256(wheel.read_bytes()).hexdigest()


def test_holds_the_package_its_types_and_its_licence(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    files = [path.relative_to(PROJECT / "src") for path in (PROJECT / "src").rglob("*") if path.is_file()]
    package = {path.as_posix() for path in files if "__pycache__" not in path.parts}
    assert "airflow_dagmount/py.typed" in package
    assert {name for name in names if ".dist-info/" not in name} == package
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_is_installed_with_its_entry_point(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site-packages"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", os.fspath(target), os.fspath(wheel)], check=True, capture_output=True)
    program = (
        "import airflow_dagmount, importlib.metadata as m\n"
        "dist = next(iter(m.distributions(name='airflow-provider-dagmount')))\n"
        "(point,) = [p for p in dist.entry_points if p.group == 'apache_airflow_provider']\n"
        "print(airflow_dagmount.__file__, dist.version, point.load()()['package-name'])"
    )
    environment = {**os.environ, "PYTHONPATH": os.fspath(target)}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    file, _, name = ran.stdout.split()
    assert Path(file).is_relative_to(target)
    assert name == "airflow-provider-dagmount"
