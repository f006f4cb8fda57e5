"""What Airflow notes on a host of the versions that were used there."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from pathlib import Path

from airflow.configuration import conf

log = logging.getLogger(__name__)


class VersionRecords:
    """The files, one for each version of a bundle that a task of this host has used, dated by the last use.

    A bundle over a mount makes no copies, so Airflow's clean-up has nothing to do: it would end by FileNotFoundError
    where it finds no copy, or where the clean-up of another process removes it, and the scheduler with it. The bundle
    hides its versions from the clean-up, and removes these files itself, by the same settings.
    """

    def __init__(self, bundle: str) -> None:
        self._bundle = bundle
        self._due = 0.0

    def remove_old(self) -> None:
        """Never raises: what could not be removed costs some bytes, and is tried again."""
        try:
            interval = conf.getint("dag_processor", "stale_bundle_cleanup_interval", fallback=1800)
            if interval <= 0 or time.monotonic() < self._due:
                return
            self._due = time.monotonic() + interval
            age = conf.getint("dag_processor", "stale_bundle_cleanup_age_threshold", fallback=6 * 3600)
            self._remove_before(time.time() - age)
        except Exception as error:
            log.warning("Could not remove old records of versions of the bundle %s: %s", self._bundle, error)

    def _remove_before(self, moment: float) -> None:
        from airflow.dag_processing.bundles.base import get_bundle_tracking_dir

        folder = get_bundle_tracking_dir(self._bundle)
        if not folder.is_dir():
            return
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    if entry.stat().st_mtime < moment:
                        _remove_unused(Path(entry.path))
                except OSError:
                    # In use, or removed or replaced by another process.
                    continue


def _remove_unused(record: Path) -> None:
    """Raises OSError if a task holds the file's lock, or the file is gone."""
    # Not created: it is nothing that another process has removed meanwhile.
    with record.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(file.fileno()).st_ino == record.stat().st_ino:
            record.unlink()
