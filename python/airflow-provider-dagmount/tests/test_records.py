"""What Airflow notes on a host of the versions that were used there, and who removes it."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.bundles import base

from airflow_dagmount.records import VersionRecords
from fake_mount import R1, R2, FakeMount

OLD = 10 * 24 * 3600.0
IDS = [f"sha256-{number:064x}" for number in range(200)]


@pytest.fixture
def mount(tmp_path: Path) -> FakeMount:
    root = tmp_path / "mount"
    root.mkdir()
    return FakeMount(root)


@pytest.fixture
def cleaning(monkeypatch: pytest.MonkeyPatch, mount: FakeMount) -> None:
    """Airflow removes whatever is not in use."""
    kwargs = {"mount": os.fspath(mount.root)}
    bundles = [{"name": "dags", "classpath": "airflow_dagmount.DagmountBundle", "kwargs": kwargs}]
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(bundles))
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__STALE_BUNDLE_CLEANUP_AGE_THRESHOLD", "60")
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__STALE_BUNDLE_CLEANUP_MIN_VERSIONS", "0")


def use(mount: FakeMount, *versions: str, ago: float = 0) -> list[Path]:
    """As a task does that runs on a version; returns what is noted of it."""
    records = []
    for version in versions:
        mount.with_versions(version).bundle(version=version).initialize()
        with base.BundleVersionLock("dags", version):  # type: ignore[no-untyped-call]
            pass
        record = base.get_bundle_tracking_file("dags", version)
        then = time.time() - ago
        text = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(then))
        record.write_text(text)
        os.utime(record, (then, then))
        records.append(record)
    return records


def together(work: Callable[[], None]) -> list[str]:
    """Runs this in two processes at once; returns what they raised."""
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(2), context.Queue()

    def run() -> None:
        barrier.wait()
        try:
            work()
        except BaseException:
            results.put(traceback.format_exc())
        else:
            results.put("")

    children = [context.Process(target=run) for _ in range(2)]
    for child in children:
        child.start()
    raised: list[Any] = [results.get(timeout=60) for _ in children]
    for child in children:
        child.join()
    return [each for each in raised if each]


def clean_up() -> None:
    base.BundleUsageTrackingManager().remove_stale_bundle_versions()  # type: ignore[no-untyped-call]


class TestCleanUpOfAirflow:
    """With a LocalExecutor, scheduler and DAG processor clean up on the same host."""

    @pytest.mark.usefixtures("cleaning")
    def test_ends_no_process_where_two_clean_up_at_once(self, mount: FakeMount) -> None:
        use(mount, *IDS, ago=OLD)
        assert together(clean_up) == []

    @pytest.mark.usefixtures("cleaning")
    def test_finds_nothing_to_remove(self, mount: FakeMount) -> None:
        [record] = use(mount, R1, ago=OLD)
        clean_up()
        assert record.exists()
        assert (mount.root / "versions" / R1 / "a.py").exists()


@pytest.mark.usefixtures("cleaning")
class TestRecords:
    def test_are_removed_when_they_are_old(self, mount: FakeMount) -> None:
        [old, young] = [*use(mount, R1, ago=OLD), *use(mount, R2)]
        mount.bundle().initialize()
        assert [old.exists(), young.exists()] == [False, True]

    def test_are_removed_at_a_refresh_once_in_the_interval(
        self, mount: FakeMount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bundle = mount.with_versions(R1).bundle()
        bundle.initialize()
        [record] = use(mount, R1, ago=OLD)
        bundle.refresh()
        assert record.exists()
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + 1801)
        bundle.refresh()
        assert not record.exists()

    def test_stay_while_a_task_uses_the_version(self, mount: FakeMount) -> None:
        [record] = use(mount, R1, ago=OLD)
        with record.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            VersionRecords("dags").remove_old()
            assert record.exists()
        VersionRecords("dags").remove_old()
        assert not record.exists()

    def test_are_removed_by_two_processes_at_once(self, mount: FakeMount) -> None:
        records = use(mount, *IDS, ago=OLD)
        assert together(lambda: VersionRecords("dags").remove_old()) == []
        # Each may have left to the other what that one was about to remove.
        VersionRecords("dags").remove_old()
        assert [record for record in records if record.exists()] == []

    @pytest.mark.parametrize("interval", ["0", "-1", "soon"])
    def test_stay_where_the_clean_up_is_off_or_set_to_nonsense(
        self, mount: FakeMount, monkeypatch: pytest.MonkeyPatch, interval: str
    ) -> None:
        [record] = use(mount, R1, ago=OLD)
        monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__STALE_BUNDLE_CLEANUP_INTERVAL", interval)
        bundle = mount.bundle()
        bundle.initialize()
        assert bundle.is_initialized
        assert record.exists()

    def test_are_no_reason_to_fail_a_task(self, mount: FakeMount) -> None:
        folder = base.get_bundle_tracking_dir("dags")
        folder.parent.mkdir(parents=True)
        folder.write_text("")
        bundle = mount.with_versions(R1).bundle(version=R1)
        bundle.initialize()
        assert bundle.is_initialized
