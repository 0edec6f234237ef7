"""How fast we may speak and dial: budgets that several connections share."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from tui.clock import Clock
from tui.providers.base import Limits

MINUTE_S: Final = 60.0


class SendLimiter:
    """The budget of subscribe frames of one key: so many in any 60 s, with a least gap, none during a pause.

    All connections that log in with the key share one limiter; each brings its channel's limits.

    Attributes:
        sharers: Programs that use the key, as far as we know: each keeps to its part of the minute.
    """

    def __init__(self, clock: Clock) -> None:
        self.sharers = 1
        self._clock = clock
        self._sent: deque[float] = deque()
        self._paused_until = 0.0

    def wait_s(self, limits: Limits) -> float:
        """Seconds until the next subscribe frame may go; 0.0 when it may go now."""
        now = self._clock.monotonic()
        while self._sent and now - self._sent[0] >= MINUTE_S:
            self._sent.popleft()
        free_at = self._paused_until
        if self._sent:
            free_at = max(free_at, self._sent[-1] + limits.subscribe_gap_s)
        most = max(1, limits.subscribes_per_minute // self.sharers)
        if len(self._sent) >= most:
            free_at = max(free_at, self._sent[-most] + MINUTE_S)
        return max(0.0, free_at - now)

    def spend(self) -> None:
        """A subscribe frame goes out now."""
        self._sent.append(self._clock.monotonic())

    def pause(self, seconds: float) -> None:
        """The server asked for silence: nothing but pings until then."""
        self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)

    @property
    def paused_s(self) -> float:
        """Seconds of the pause that are left; 0.0 when there is none."""
        return max(0.0, self._paused_until - self._clock.monotonic())

    @property
    def spent(self) -> int:
        """Subscribe frames sent in the last 60 s."""
        now = self._clock.monotonic()
        return sum(now - at < MINUTE_S for at in self._sent)


class DialLimiter:
    """At most so many dials a second over all providers, so that a network that comes back is not stormed."""

    def __init__(self, clock: Clock, per_second: int = 5) -> None:
        self._clock = clock
        self._starts: deque[float] = deque(maxlen=per_second)

    def reserve(self) -> float:
        """Take the next free start and say in how many seconds it is."""
        now = self._clock.monotonic()
        start = max(now, self._starts[0] + 1.0) if len(self._starts) == self._starts.maxlen else now
        self._starts.append(start)
        return start - now

    async def acquire(self) -> None:
        """Wait for the next free start."""
        if delay := self.reserve():
            await asyncio.sleep(delay)
