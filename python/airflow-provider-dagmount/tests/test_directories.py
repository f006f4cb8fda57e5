"""Directories that are no mount of dagmount, asked by the real getxattr(2)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_dagmount import DagmountBundle, MountUnavailable


def refused(path: Path) -> MountUnavailable:
    bundle = DagmountBundle(name="dags", mount=os.fspath(path))
    with pytest.raises(MountUnavailable) as caught:
        bundle.initialize()
    assert caught.value.code == "not-mounted"
    assert not bundle.is_initialized
    return caught.value


def test_a_bare_directory_is_no_mount(tmp_path: Path) -> None:
    tmp_path.joinpath("a.py").write_text("")
    assert "nothing is mounted" in refused(tmp_path).problem


def test_a_directory_that_is_missing_is_no_mount(tmp_path: Path) -> None:
    refused(tmp_path / "missing")


def test_a_file_is_no_mount(tmp_path: Path) -> None:
    tmp_path.joinpath("file").write_text("")
    refused(tmp_path / "file")


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Path]:
    target = tmp_path / "tmpfs"
    target.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", target], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting a tmpfs needs root")
    yield target
    subprocess.run(["umount", "-l", target], check=True)


def test_another_filesystem_is_no_mount(tmpfs: Path) -> None:
    assert "another filesystem" in refused(tmpfs).problem
