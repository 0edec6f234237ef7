"""How often to draw: as often as wanted while there is time, less often before keys get slow."""

from __future__ import annotations

from collections import deque
from typing import Final

from tui.clock import Clock

STEP_S: Final = 0.03
"""For each of these by which the loop is late, one beat goes without a frame ..."""
MOST_SKIPPED: Final = 3
"""... but no more than these."""
LASTING: Final = 3
"""So many late beats in a row count: a single hiccup slows nothing down."""


class FramePace:
    """Watches how late the frame timer fires, which is how long a key would have had to wait.

    Args:
        interval_s: Between two beats of the timer.
        clock: Measures.
    """

    def __init__(self, interval_s: float, clock: Clock) -> None:
        self._interval_s = interval_s
        self._clock = clock
        self._before = clock.monotonic()
        self._late: deque[float] = deque(maxlen=max(LASTING, round(1 / interval_s)))
        self._to_skip = 0

    def restart(self) -> None:
        """The timer starts again after a pause, which was not lateness."""
        self._before = self._clock.monotonic()

    @property
    def lag_s(self) -> float:
        """The longest that the loop was held up in the last second."""
        return max(self._late, default=0.0)

    def beat(self) -> bool:
        """The timer fired: whether this beat draws."""
        now = self._clock.monotonic()
        self._late.append(max(0.0, now - self._before - self._interval_s))
        self._before = now
        if self._to_skip:
            self._to_skip -= 1
            return False
        lasting = min(list(self._late)[-LASTING:]) if len(self._late) >= LASTING else 0.0
        self._to_skip = min(int(lasting / STEP_S), MOST_SKIPPED)
        return True
