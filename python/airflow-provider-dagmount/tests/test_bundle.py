from __future__ import annotations

import errno
import multiprocessing
import os
import pickle
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.bundles import base
from airflow.exceptions import AirflowRescheduleException

from airflow_dagmount import DagmountBundle, MountUnavailable, VersionUnavailable
from fake_mount import R1, R2, FakeMount


@pytest.fixture
def mount(tmp_path: Path) -> FakeMount:
    root = tmp_path / "mount"
    root.mkdir()
    return FakeMount(root)


def version_of(bundle: DagmountBundle) -> str | None:
    current = bundle.get_current_version()
    return current if current is None or isinstance(current, str) else current.version


def failing_look_up(monkeypatch: pytest.MonkeyPatch, path: Path, number: int) -> None:
    real = Path.stat

    def stat(self: Path, **kwargs: Any) -> os.stat_result:
        if self == path:
            raise OSError(number, os.strerror(number), os.fspath(path))
        return real(self, **kwargs)

    monkeypatch.setattr(Path, "stat", stat)


class TestTree:
    def test_is_the_root_without_a_version(self, mount: FakeMount) -> None:
        bundle = mount.tree().bundle()
        bundle.initialize()
        bundle.refresh()
        assert bundle.is_initialized
        assert bundle.path == mount.root
        assert bundle.get_current_version() is None
        assert bundle.supports_versioning is False

    def test_is_not_versioned_where_the_release_is_known_but_no_versions_are_shown(self, mount: FakeMount) -> None:
        mount.tree().attributes["release"] = R1
        bundle = mount.bundle()
        bundle.initialize()
        assert (bundle.path, bundle.get_current_version(), bundle.supports_versioning) == (
            mount.root,
            None,
            False,
        )

    def test_is_not_mistaken_for_versions_by_folders_of_that_name(self, mount: FakeMount) -> None:
        mount.with_versions(R1).attributes.pop("layout")
        bundle = mount.bundle()
        bundle.initialize()
        assert bundle.path == mount.root

    def test_is_a_directory_below_it_where_subdir_says_so(self, mount: FakeMount) -> None:
        mount.tree().root.joinpath("team").mkdir()
        bundle = mount.bundle(subdir="team")
        bundle.initialize()
        assert bundle.path == mount.root / "team"

    def test_refuses_a_subdir_that_is_gone_instead_of_showing_no_dags(self, mount: FakeMount) -> None:
        mount.tree().root.joinpath("team").mkdir()
        bundle = mount.bundle(subdir="team")
        bundle.initialize()
        mount.root.joinpath("team").rmdir()
        with pytest.raises(MountUnavailable) as caught:
            bundle.refresh()
        assert caught.value.code == "no-subdir"

    def test_has_no_version_of_a_run_that_was_pinned(self, mount: FakeMount) -> None:
        with pytest.raises(VersionUnavailable) as caught:
            mount.tree().bundle(version=R1).initialize()
        assert caught.value.code == "no-versions"


class TestVersions:
    def test_pins_the_release_that_is_shown_until_the_next_refresh(self, mount: FakeMount) -> None:
        bundle = mount.with_versions(R1).bundle()
        bundle.initialize()
        assert bundle.supports_versioning is True
        mount.with_versions(R1, R2)
        assert (bundle.path, version_of(bundle)) == (mount.root / "versions" / R1, R1)
        bundle.refresh()
        assert (bundle.path, version_of(bundle)) == (mount.root / "versions" / R2, R2)

    def test_keeps_the_release_before_when_a_refresh_fails(self, mount: FakeMount) -> None:
        bundle = mount.with_versions(R1).bundle()
        bundle.initialize()
        mount.attributes["release"] = R2
        with pytest.raises(VersionUnavailable):
            bundle.refresh()
        assert (bundle.path, version_of(bundle)) == (mount.root / "versions" / R1, R1)

    def test_is_the_version_that_airflow_names(self, mount: FakeMount) -> None:
        bundle = mount.with_versions(R1, R2).bundle(version=R1)
        assert bundle.supports_versioning is True
        bundle.initialize()
        bundle.refresh()
        assert (bundle.path, version_of(bundle)) == (mount.root / "versions" / R1, R1)

    def test_gives_a_version_whose_data_never_changes(self, mount: FakeMount) -> None:
        bundle = mount.with_versions(R1).bundle()
        bundle.initialize()
        current = bundle.get_current_version()
        if hasattr(base, "BundleVersion"):
            assert current == base.BundleVersion(version=R1, data=None)
        else:
            assert current == R1

    def test_serves_a_version_however_stale_the_mount_is(self, mount: FakeMount) -> None:
        mount.with_versions(R1, R2).attributes.update(staleness="9000", ready="false")
        bundle = mount.bundle(version=R1, max_staleness=60)
        bundle.initialize()
        assert bundle.path == mount.root / "versions" / R1

    def test_fails_the_task_for_a_version_that_is_not_there(self, mount: FakeMount) -> None:
        with pytest.raises(VersionUnavailable) as caught:
            mount.with_versions(R2).bundle(version=R1).initialize()
        assert caught.value.code == "no-such-version"
        assert R1 in str(caught.value)
        assert not isinstance(caught.value, AirflowRescheduleException)

    def test_fails_the_task_for_a_version_without_the_subdir(self, mount: FakeMount) -> None:
        with pytest.raises(VersionUnavailable) as caught:
            mount.with_versions(R1).bundle(version=R1, subdir="team").initialize()
        assert caught.value.code == "no-subdir-in-version"

    @pytest.mark.parametrize("number", [errno.EIO, errno.ETIMEDOUT, errno.EAGAIN, errno.ENOTCONN])
    def test_reschedules_where_the_version_may_come_later(
        self, mount: FakeMount, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        bundle = mount.with_versions(R1).bundle(version=R1)
        failing_look_up(monkeypatch, mount.root / "versions" / R1, number)
        with pytest.raises(MountUnavailable) as caught:
            bundle.initialize()
        assert caught.value.code == "unreadable"
        assert R1 in str(caught.value)
        assert not bundle.is_initialized

    @pytest.mark.parametrize("number", [errno.EBADMSG, errno.EFBIG, errno.EACCES])
    def test_fails_the_task_where_the_version_stays_damaged(
        self, mount: FakeMount, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        bundle = mount.with_versions(R1).bundle(version=R1)
        failing_look_up(monkeypatch, mount.root / "versions" / R1, number)
        with pytest.raises(VersionUnavailable) as caught:
            bundle.initialize()
        assert caught.value.code == "version-damaged"

    @pytest.mark.parametrize(
        "version", ["", ".", "..", "../../etc", "0d1f", "sha256-" + "A" * 64, R1 + "\n", "a\0b", "x" * 5000]
    )
    def test_looks_up_no_path_for_text_that_is_no_id(self, mount: FakeMount, version: str) -> None:
        bundle = mount.with_versions(R1).bundle(version=version)
        assert bundle.path == mount.root / "versions" / "not-a-release"
        with pytest.raises(VersionUnavailable) as caught:
            bundle.initialize()
        assert caught.value.code == "not-an-id"

    @pytest.mark.parametrize("release", [None, "", "../../etc"])
    def test_refuses_a_mount_that_does_not_tell_its_release(self, mount: FakeMount, release: str | None) -> None:
        attributes = mount.with_versions(R1).attributes
        attributes.pop("release") if release is None else attributes.update(release=release)
        with pytest.raises(MountUnavailable) as caught:
            mount.bundle().initialize()
        assert caught.value.code == "no-release"

    def test_refuses_to_change_its_kind_under_a_processor(self, mount: FakeMount) -> None:
        bundle = mount.with_versions(R1).bundle()
        bundle.initialize()
        mount.attributes.pop("layout")
        with pytest.raises(MountUnavailable) as caught:
            bundle.refresh()
        assert caught.value.code == "changed-layout"
        assert bundle.supports_versioning is True


class TestBeforeItIsInitialized:
    def test_does_not_ask_the_mount(self, mount: FakeMount) -> None:
        mount.failure = errno.ENOTCONN
        bundle = mount.bundle()
        assert bundle.supports_versioning is False
        assert bundle.path == mount.root
        assert bundle.get_current_version() is None
        assert bundle.view_url_template() is None


class TestUnavailable:
    @pytest.mark.parametrize(
        ("number", "code"),
        [
            (errno.ENOTCONN, "server-gone"),
            (errno.EACCES, "not-permitted"),
            (errno.ENODATA, "not-mounted"),
            (errno.EOPNOTSUPP, "not-mounted"),
            (errno.ENOENT, "not-mounted"),
            (errno.EIO, "unreadable"),
        ],
    )
    def test_keeps_its_state_and_names_the_mend(self, mount: FakeMount, number: int, code: str) -> None:
        bundle = mount.with_versions(R1).bundle()
        bundle.initialize()
        mount.failure = number
        with pytest.raises(MountUnavailable) as caught:
            bundle.refresh()
        assert caught.value.code == code
        assert os.fspath(mount.root) in caught.value.problem
        assert caught.value.hint
        assert (bundle.path, version_of(bundle)) == (mount.root / "versions" / R1, R1)

    def test_is_said_at_the_first_look_too(self, mount: FakeMount) -> None:
        mount.tree().failure = errno.ENOTCONN
        bundle = mount.bundle()
        with pytest.raises(MountUnavailable):
            bundle.initialize()
        assert not bundle.is_initialized

    def test_is_said_where_the_server_dies_between_two_answers(self, mount: FakeMount) -> None:
        def die(name: str) -> None:
            mount.failure = errno.ENOTCONN

        mount.with_versions(R1).after_read = die
        with pytest.raises(MountUnavailable) as caught:
            mount.bundle().initialize()
        assert caught.value.code == "server-gone"

    def test_reschedules_a_task_after_the_time_that_is_set(self, mount: FakeMount) -> None:
        mount.failure = errno.ENOTCONN
        with pytest.raises(AirflowRescheduleException) as caught:
            mount.bundle(version=R1, retry_after=300).initialize()
        seconds = (caught.value.reschedule_date - datetime.now(tz=timezone.utc)).total_seconds()
        assert 200 < seconds <= 300

    def test_is_refused_where_it_is_not_ready(self, mount: FakeMount) -> None:
        mount.tree().attributes["ready"] = "false"
        with pytest.raises(MountUnavailable) as caught:
            mount.bundle().initialize()
        assert caught.value.code == "not-ready"
        mount.attributes["ready"] = "true"
        mount.bundle().initialize()

    @pytest.mark.parametrize(
        ("staleness", "code"),
        [("60.1", "stale"), (None, "staleness-unknown"), ("?", "staleness-unknown"), ("59", None)],
    )
    def test_is_refused_where_it_is_staler_than_may_be(
        self, mount: FakeMount, staleness: str | None, code: str | None
    ) -> None:
        if staleness is not None:
            mount.tree().attributes["staleness"] = staleness
        else:
            mount.tree()
        mount.bundle().initialize()
        bundle = mount.bundle(max_staleness=60)
        if code is None:
            bundle.initialize()
            return
        with pytest.raises(MountUnavailable) as caught:
            bundle.initialize()
        assert caught.value.code == code

    @pytest.mark.parametrize(
        "make",
        [
            lambda: MountUnavailable("stale", "It is stale.", "Wait.", 60),
            lambda: VersionUnavailable("not-an-id", "It is none.", "Clear it."),
        ],
    )
    def test_says_the_same_in_another_process(self, make: Callable[[], MountUnavailable | VersionUnavailable]) -> None:
        error = make()
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301
        assert (copy.code, str(copy)) == (error.code, str(error))
        _, arguments, keywords = error.serialize()
        assert str(type(error)(*arguments, **keywords)) == str(error)


class TestConfiguration:
    @pytest.mark.parametrize(
        "kwargs",
        [
            {"mount": "dags"},
            {"subdir": "/etc"},
            {"subdir": "a/../.."},
            {"max_staleness": 0},
            {"max_staleness": float("nan")},
            {"retry_after": -1},
        ],
    )
    def test_refuses_values_that_cannot_be_meant(self, kwargs: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="must be"):
            DagmountBundle(**{"name": "dags", "mount": "/opt/dags", **kwargs})

    def test_hands_what_it_does_not_know_to_airflow(self) -> None:
        bundle = DagmountBundle(name="dags", mount="/opt/dags", refresh_interval=7)
        assert bundle.refresh_interval == 7


def _initialize(root: str, barrier: Any, results: Any) -> None:
    barrier.wait()
    bundle = FakeMount(Path(root)).with_versions(R1).bundle(version=R1)
    bundle.initialize()
    results.put(os.fspath(bundle.path))


def test_is_initialized_by_many_processes_at_once(mount: FakeMount) -> None:
    mount.with_versions(R1)
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(8), context.Queue()
    root = os.fspath(mount.root)
    children = [context.Process(target=_initialize, args=(root, barrier, results)) for _ in range(8)]
    for child in children:
        child.start()
    paths = [results.get(timeout=60) for _ in children]
    for child in children:
        child.join()
    assert paths == [os.fspath(mount.root / "versions" / R1)] * 8
