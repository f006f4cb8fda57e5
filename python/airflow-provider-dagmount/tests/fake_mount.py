"""A directory in the place of a mount, with what the server of a mount would answer for its root."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from airflow_dagmount import DagmountBundle

R1 = "sha256-" + "1" * 64
R2 = "sha256-" + "2" * 64


class FakeMount:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.attributes: dict[str, str] = {}
        self.failure: int | None = None
        self.after_read: Callable[[str], None] = lambda name: None

    def tree(self) -> FakeMount:
        self.attributes = {"generation": "1:0123456789ab"}
        self.root.joinpath("a.py").write_text("")
        return self

    def with_versions(self, *releases: str) -> FakeMount:
        """The last is the one that is shown."""
        for release in releases:
            folder = self.root / "versions" / release
            folder.mkdir(parents=True, exist_ok=True)
            folder.joinpath("a.py").write_text(release)
        self.root.joinpath("current").mkdir(exist_ok=True)
        self.attributes = {"generation": "1:0123456789ab", "layout": "versions", "release": releases[-1]}
        return self

    def read(self, path: str, name: str) -> bytes:
        assert path == os.fspath(self.root)
        if self.failure is not None:
            raise OSError(self.failure, os.strerror(self.failure))
        value = self.attributes.get(name.removeprefix("user.dagmount."))
        if value is None:
            raise OSError(errno.ENODATA, os.strerror(errno.ENODATA))
        self.after_read(name)
        return value.encode()

    def bundle(self, **kwargs: Any) -> DagmountBundle:
        return DagmountBundle(name="dags", mount=os.fspath(self.root), read=self.read, **kwargs)
