"""What a reader of a mount can tell about it, by the extended attributes of its root and by look-ups."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from airflow_dagmount.errors import MountUnavailable, UnavailableCode, VersionUnavailable

ReadAttribute = Callable[[str, str], bytes]
"""os.getxattr(2), or what stands in for it in a test."""

Layout = Literal["tree", "versions"]

_PREFIX = "user.dagmount."
_RELEASE_ID = re.compile(r"sha256-[0-9a-f]{64}")
# What the file system answers where it has no such attribute, or none at all.
_NO_ATTRIBUTE = frozenset({errno.ENODATA, errno.ENOTSUP, errno.EOPNOTSUPP})
# A version for which the mount answers one of these stays as it is; every other error may pass.
_DAMAGED = frozenset({errno.EBADMSG, errno.EFBIG, errno.EACCES, errno.EPERM})


def is_release_id(text: str) -> bool:
    """Whether this names a release, and so is safe as a name in a path."""
    return _RELEASE_ID.fullmatch(text) is not None


def read_attribute(path: str, name: str) -> bytes:
    return os.getxattr(path, name)


@dataclass(frozen=True)
class MountState:
    """What the root said of itself at one look."""

    layout: Layout
    """`versions`: the root has `current/` and `versions/<id>/`. `tree`: the root is the tree."""
    release: str | None
    """The id of the release that is shown, where the source is a release."""
    ready: bool
    staleness: float | None
    """Seconds since the start of the last look at the store that succeeded; None where the mount does not tell."""


class DagmountMount:
    """A mount, as any reader sees it. Nothing is cached: each question is answered by the server of the mount."""

    def __init__(self, root: Path, *, retry_after: float, read: ReadAttribute = read_attribute) -> None:
        self.root = root
        self._retry_after = retry_after
        self._read = read

    def look(self) -> MountState:
        """Raises MountUnavailable where no server of dagmount answers for the root."""
        # A mount point on which nothing is mounted is an empty directory, which has no attribute of dagmount: had
        # Airflow walked it, it would have deactivated every DAG. Copies do not carry the attribute: it is not listed.
        try:
            self._read(os.fspath(self.root), f"{_PREFIX}generation")
        except OSError as error:
            raise self._not_served(error) from error
        return MountState(
            layout="versions" if self._attribute("layout") == "versions" else "tree",
            release=self._attribute("release"),
            ready=self._attribute("ready") != "false",
            staleness=self._seconds("staleness"),
        )

    def look_up_version(self, version: str, subdir: str) -> None:
        """Looks up the directory of a release, which the mount fetches first and waits for."""
        path = self.root / "versions" / version
        try:
            self._open_directory(path)
            self._look_up_subdir(path, subdir)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise VersionUnavailable(
                "no-such-version",
                f"The mount {self.root} has no version {version}: it was never deployed to this root, or has been "
                "collected since.",
                "Clear the run with the latest bundle version, or deploy that release again.",
            ) from error
        except OSError as error:
            if error.errno in _DAMAGED:
                raise VersionUnavailable(
                    "version-damaged",
                    f"The mount {self.root} refuses version {version} ({_name(error)}).",
                    "`dagmount status` and the log of the mount name the object.",
                ) from error
            raise self.unavailable(
                "unreadable",
                f"Version {version} cannot be read from the mount {self.root} now ({_name(error)}).",
                "The log of the mount says why (version-unavailable, version-held or version-refused).",
            ) from error

    def _look_up_subdir(self, version: Path, subdir: str) -> None:
        if subdir == "":
            return
        try:
            self._open_directory(version / subdir)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise VersionUnavailable(
                "no-subdir-in-version",
                f"Version {version.name} of the mount {self.root} has no directory {subdir}.",
                "Correct `subdir` of the bundle, or deploy a release that has it.",
            ) from error

    def look_up_folder(self, path: Path) -> None:
        """Raises MountUnavailable where this is no directory that can be listed now."""
        try:
            self._open_directory(path)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise self.unavailable(
                "no-subdir",
                f"The tree that the mount {self.root} shows has no directory {path}.",
                "Correct `subdir` of the bundle, or deploy the directory.",
            ) from error
        except OSError as error:
            raise self.unavailable(
                "unreadable",
                f"The directory {path} cannot be listed now ({_name(error)}).",
                "`dagmount status` says what is wrong with the mount.",
            ) from error

    def unavailable(self, code: UnavailableCode, problem: str, hint: str) -> MountUnavailable:
        return MountUnavailable(code, problem, hint, self._retry_after)

    @staticmethod
    def _open_directory(path: Path) -> None:
        if not stat.S_ISDIR(path.stat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fspath(path))
        with os.scandir(path) as entries:
            next(entries, None)

    def _attribute(self, name: str) -> str | None:
        try:
            return self._read(os.fspath(self.root), _PREFIX + name).decode("utf-8", "replace")
        except OSError as error:
            if error.errno in _NO_ATTRIBUTE:
                return None
            raise self._not_served(error) from error

    def _seconds(self, name: str) -> float | None:
        text = self._attribute(name)
        try:
            return None if text is None else float(text)
        except ValueError:
            return None

    def _not_served(self, error: OSError) -> MountUnavailable:
        mend = f"Mount it (dagmount mount SOURCE {self.root}), or correct `mount` of the bundle."
        if error.errno == errno.ENOENT:
            return self.unavailable("not-mounted", f"There is no directory {self.root}.", mend)
        if error.errno in _NO_ATTRIBUTE or error.errno == errno.ENOTDIR:
            there = "another filesystem is" if os.path.ismount(self.root) else "nothing is"
            return self.unavailable(
                "not-mounted", f"dagmount is not mounted at {self.root}: {there} mounted there.", mend
            )
        if error.errno == errno.ENOTCONN:
            return self.unavailable(
                "server-gone",
                f"The mount {self.root} has no server any more (ENOTCONN).",
                f"Free it (dagmount unmount {self.root}), and mount again.",
            )
        if error.errno in (errno.EACCES, errno.EPERM):
            return self.unavailable(
                "not-permitted",
                f"This user (uid {os.geteuid()}) may not read the mount {self.root} ({_name(error)}).",
                "Mount as root, or as the user that runs Airflow, or with --allow-other.",
            )
        return self.unavailable(
            "unreadable",
            f"The mount {self.root} does not answer ({_name(error)}).",
            "`dagmount status` says what is wrong with the mount.",
        )


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, str(error))
