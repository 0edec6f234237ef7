"""Noticing that the machine slept or that somebody set its clock."""

from __future__ import annotations

from typing import Final

from tui.clock import NS, Clock

MAX_DRIFT_S: Final = 5.0


class JumpWatch:
    """Tells once for every jump of the wall clock against the monotonic clock.

    Each feed has its own watch: the first that notices takes the wall clock anew, the others see that it was taken.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_s = self._measure()

    def jumped(self) -> bool:
        """Whether the wall clock has jumped by more than `MAX_DRIFT_S` since the last jump, or since the start."""
        if abs(self._clock.drift_s()) > MAX_DRIFT_S:
            self._clock.resync()
        offset_s = self._measure()
        if abs(offset_s - self._offset_s) <= MAX_DRIFT_S:
            return False
        self._offset_s = offset_s
        return True

    def _measure(self) -> float:
        return self._clock.now_ns() / NS - self._clock.monotonic()
