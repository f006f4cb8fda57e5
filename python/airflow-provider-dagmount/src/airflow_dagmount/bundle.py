"""The bundle that Airflow reads DAGs from."""

from __future__ import annotations

import math
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from airflow.dag_processing.bundles.base import BaseDagBundle

from airflow_dagmount.errors import VersionUnavailable
from airflow_dagmount.mount import DagmountMount, MountState, ReadAttribute, is_release_id, read_attribute
from airflow_dagmount.records import VersionRecords

if TYPE_CHECKING:
    from airflow.dag_processing.bundles.base import BundleVersion


class DagmountBundle(BaseDagBundle):
    """DAGs from a mount of dagmount.

    Over a mount with `--versions` each refresh pins the release that is shown, and the bundle's version is its id: a
    run finishes, retries and is rerun on the release that it started on. Over any other mount the bundle is the tree
    that is shown, without a version: nodes poll the store at different instants, so the tree on which a run started
    may never have been on the node that runs its next task.

    Airflow reads `path`, `supports_versioning` and `get_current_version()` where an exception would end the DAG
    processor, and constructs bundles where one would deactivate their DAGs: only `initialize()` and `refresh()` ask
    the mount and raise.

    :param mount: absolute path of the mount point.
    :param subdir: a directory of the tree that holds the DAGs; the whole tree if empty.
    :param max_staleness: seconds since the mount last heard from the store, beyond which the tree is not used; None:
        any. A version that Airflow names is immutable, and never stale.
    :param retry_after: seconds after which a task is tried again that found the mount unavailable.
    :param read: for tests: answers in the place of getxattr(2).
    """

    def __init__(
        self,
        *,
        mount: str,
        subdir: str = "",
        max_staleness: float | None = None,
        retry_after: float = 60,
        read: ReadAttribute = read_attribute,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not PurePosixPath(mount).is_absolute():
            raise ValueError(f"mount must be an absolute path, not {mount!r}.")
        if PurePosixPath(subdir).is_absolute() or ".." in PurePosixPath(subdir).parts:
            raise ValueError(f"subdir must be a path below the tree, not {subdir!r}.")
        if max_staleness is not None and not 0 < max_staleness < math.inf:
            raise ValueError(f"max_staleness must be a number of seconds above 0, not {max_staleness!r}.")
        if not 0 < retry_after < math.inf:
            raise ValueError(f"retry_after must be a number of seconds above 0, not {retry_after!r}.")
        self.mount = Path(mount)
        self.subdir = subdir
        self.max_staleness = max_staleness
        self._mount = DagmountMount(self.mount, retry_after=retry_after, read=read)
        self._pinned: str | None = None
        self._records = VersionRecords(self.name)
        # Before initialize() this is asked for by Airflow's clean-up alone: it has nothing to remove.
        self.supports_versioning = self.version is not None

    @property
    def path(self) -> Path:
        version = self.version if self.version is not None else self._pinned
        if version is None:
            return self.mount / self.subdir
        # Airflow may ask for the path of any text that its database has.
        name = version if is_release_id(version) else "not-a-release"
        return self.mount / "versions" / name / self.subdir

    def get_current_version(self) -> str | BundleVersion | None:
        version = self.version if self.version is not None else self._pinned
        return None if version is None else _bundle_version(version)

    def initialize(self) -> None:
        self._records.remove_old()
        state = self._mount.look()
        if self.version is None:
            self.supports_versioning = state.layout == "versions"
            self._pin(state)
        else:
            self._look_up(self.version, state)
        try:
            super().initialize()
        except OSError as error:
            # Airflow marks the bundle as initialized before it looks at the path.
            self.is_initialized = False
            raise self._mount.unavailable(
                "unreadable",
                f"The mount {self.mount} does not answer ({error.strerror}).",
                "`dagmount status` says what is wrong with the mount.",
            ) from error

    def refresh(self) -> None:
        if self.version is not None:
            return
        self._records.remove_old()
        state = self._mount.look()
        # The DAG processor asks whether there are versions before a refresh and after it, and ends where the answers
        # differ.
        if (state.layout == "versions") != self.supports_versioning:
            raise self._mount.unavailable(
                "changed-layout",
                f"The mount {self.mount} was mounted again {'with' if state.layout == 'versions' else 'without'} "
                "--versions.",
                "Restart the DAG processor.",
            )
        self._pin(state)

    def _pin(self, state: MountState) -> None:
        """Decides on the tree that is used until the next refresh. If it raises, the one before stays."""
        self._check_usable(state)
        if state.layout == "tree":
            self._mount.look_up_folder(self.mount / self.subdir)
            self._pinned = None
            return
        release = state.release
        if release is None or not is_release_id(release):
            raise self._mount.unavailable(
                "no-release",
                f"The mount {self.mount} does not tell which release it shows.",
                "`dagmount status` says what it shows.",
            )
        self._mount.look_up_version(release, self.subdir)
        self._pinned = release

    def _check_usable(self, state: MountState) -> None:
        if not state.ready:
            raise self._mount.unavailable(
                "not-ready",
                f"The mount {self.mount} is still fetching its first tree.",
                "`dagmount status` says how far it is.",
            )
        if self.max_staleness is None:
            return
        if state.staleness is None:
            raise self._mount.unavailable(
                "staleness-unknown",
                f"The mount {self.mount} does not tell since when it has not heard from the store.",
                "Update dagmount, or leave max_staleness away.",
            )
        if state.staleness > self.max_staleness:
            raise self._mount.unavailable(
                "stale",
                f"The mount {self.mount} has not heard from the store for {state.staleness:.0f} s, more than the "
                f"{self.max_staleness:g} s of max_staleness.",
                "`dagmount status` says why the store does not answer.",
            )

    def _look_up(self, version: str, state: MountState) -> None:
        if not is_release_id(version):
            raise VersionUnavailable(
                "not-an-id",
                f"{version!r} is not the id of a release.",
                "The run started over another bundle: clear it with the latest bundle version.",
            )
        if state.layout != "versions":
            raise VersionUnavailable(
                "no-versions",
                f"The mount {self.mount} shows no versions, so not {version}.",
                "Mount a release with --versions on every node, or clear the run with the latest bundle version.",
            )
        self._mount.look_up_version(version, self.subdir)


def _bundle_version(version: str) -> str | BundleVersion:
    """Since Airflow 3.3 a BundleVersion: strings are deprecated there."""
    try:
        from airflow.dag_processing.bundles.base import BundleVersion
    except ImportError:
        return version
    return BundleVersion(version=version)
