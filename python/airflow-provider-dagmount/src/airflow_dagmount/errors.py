"""The two ways in which a bundle cannot be had: not now, and never."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Literal

# Every Airflow since 3.0 has both here; newer ones import them from the task SDK without declaring the export.
from airflow.exceptions import AirflowException, AirflowRescheduleException  # type: ignore[attr-defined,unused-ignore]

UnavailableCode = Literal[
    "not-mounted",
    "server-gone",
    "not-permitted",
    "not-ready",
    "stale",
    "staleness-unknown",
    "changed-layout",
    "no-release",
    "no-subdir",
    "unreadable",
]
VersionCode = Literal["not-an-id", "no-versions", "no-such-version", "no-subdir-in-version", "version-damaged"]


class MountUnavailable(AirflowRescheduleException):
    """The mount cannot be used now.

    The DAG processor logs it and keeps what it has. A task that starts is rescheduled, which uses up no retry: Airflow
    fails a task for every other exception of `initialize`.
    """

    def __init__(self, code: UnavailableCode, problem: str, hint: str, retry_after: float) -> None:
        date = datetime.now(tz=timezone.utc) + timedelta(seconds=retry_after)
        super().__init__(reschedule_date=date)  # type: ignore[no-untyped-call,unused-ignore]
        self.code: UnavailableCode = code
        self.problem = problem
        self.hint = hint
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.problem} {self.hint}"

    # Both of the base take the date alone.
    def serialize(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        cls = type(self)
        arguments = (self.code, self.problem, self.hint, self.retry_after)
        return f"{cls.__module__}.{cls.__name__}", arguments, {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.problem, self.hint, self.retry_after)


class VersionUnavailable(AirflowException):
    """The version cannot be had from this mount, and waiting does not help: the task fails."""

    def __init__(self, code: VersionCode, problem: str, hint: str) -> None:
        super().__init__(f"{problem} {hint}")
        self.code: VersionCode = code
        self.problem = problem
        self.hint = hint

    def serialize(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        cls = type(self)
        return f"{cls.__module__}.{cls.__name__}", (self.code, self.problem, self.hint), {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.problem, self.hint)
