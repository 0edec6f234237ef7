"""What time it is: one steady clock for stamps, ages and timers, replaced in tests."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

NS: Final = 1_000_000_000


class Clock:
    """UTC nanoseconds that never jump: the wall clock read once, then carried on by the monotonic clock.

    Stamps made by it can be subtracted to get true ages even when somebody sets the system's clock. A suspend
    stops the monotonic clock on most systems: `drift_s` shows it, `resync` takes the wall clock anew.
    """

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """UTC now, in nanoseconds since the epoch."""
        return self._offset_ns + time.monotonic_ns()

    def monotonic(self) -> float:
        """Seconds for measuring how long something takes."""
        return time.monotonic()

    def drift_s(self) -> float:
        """Seconds by which the wall clock has left this one; large after a suspend or a clock change."""
        return (time.time_ns() - self.now_ns()) / NS

    def resync(self) -> None:
        """Take the wall clock anew."""
        self._offset_ns = time.time_ns() - time.monotonic_ns()


class ManualClock(Clock):
    """A clock for tests: stands still until told to move."""

    def __init__(self, now_ns: int = 1_767_623_871_204_000_000) -> None:
        self._now_ns = now_ns
        self._monotonic = 1000.0
        self._drift_s = 0.0

    def now_ns(self) -> int:
        """The time it was set to."""
        return self._now_ns

    def monotonic(self) -> float:
        """Seconds, moved together with `now_ns`."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move time forward."""
        self._now_ns += int(seconds * NS)
        self._monotonic += seconds

    def drift_s(self) -> float:
        """What `set_drift` said."""
        return self._drift_s

    def set_drift(self, seconds: float) -> None:
        """Pretend that the wall clock has jumped."""
        self._drift_s = seconds

    def resync(self) -> None:
        """Take the pretended wall clock."""
        self._now_ns += int(self._drift_s * NS)
        self._drift_s = 0.0


def to_datetime(ns: int) -> datetime:
    """UTC datetime of a stamp, cut to microseconds.

    Raises:
        OverflowError, ValueError: the stamp lies outside of years 1 to 9999.
    """
    return datetime.fromtimestamp(ns // NS, UTC).replace(microsecond=ns % NS // 1000)


def to_iso(ns: int) -> str:
    """ISO 8601 in UTC with `Z`, microseconds kept: `2026-01-05T14:37:51.204871Z`."""
    return to_datetime(ns).isoformat(timespec="microseconds").replace("+00:00", "Z")
