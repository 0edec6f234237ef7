"""Delays between attempts to connect."""

from __future__ import annotations

from random import Random

from tui.providers.base import Limits


class Backoff:
    """Delays that double up to a cap, each drawn from the upper half of its range.

    A draw from the whole range would now and then be close to zero several times in a row. From the upper half, a
    server that accepts and drops sees five dials in its first 12 s at the default base, never more, and many clients
    that lost the same server still come back at different times.

    Args:
        limits: Base and cap of the channel.
        random: Where the jitter comes from.
    """

    def __init__(self, limits: Limits, random: Random) -> None:
        self._limits = limits
        self._random = random
        self.attempts = 0
        """Failures since the last healthy connection."""

    def next(self, floor_s: float = 0.0) -> float:
        """Seconds to wait after one more failure, never less than the server asked for (`floor_s`)."""
        ceiling = self._limits.backoff_cap_s
        if self.attempts < 32:  # 2 ** 1000 would be a long number
            ceiling = min(ceiling, self._limits.backoff_base_s * 2**self.attempts)
        self.attempts += 1
        return max(floor_s, self._random.uniform(0.5, 1.0) * ceiling)

    def ended(self, live_s: float, had_data: bool) -> bool:
        """A connection ended after `live_s` seconds live: start anew when it was healthy, and say whether it was.

        A server that accepts a login and drops the connection is not healthy, nor is one that sends nothing.
        """
        was_healthy = had_data and live_s >= self._limits.healthy_s
        if was_healthy:
            self.attempts = 0
        return was_healthy
