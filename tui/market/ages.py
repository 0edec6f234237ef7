"""How long ago something was, in a form that stays true until the screen is drawn again."""

from __future__ import annotations

from typing import Final, NamedTuple

from tui.market import format as fmt

NS: Final = 1_000_000_000
CLEAR_NS: Final = 23 * 3600 * NS
"""A time of day this long ago is today's or yesterday's beyond doubt, also when it is still shown an hour later."""


class Ages(NamedTuple):
    """Tells ages, which grow: while the screen rests, the time of day takes their place, which does not.

    Attributes:
        now_ns: UTC now, in nanoseconds.
        is_quiet: Nothing happens, and so nothing is drawn for a while.
    """

    now_ns: int
    is_quiet: bool = False

    def brief(self, ns: int | None) -> str:
        """At most five cells: `12s`, or at rest when it was, `14:37`; when that is almost a day ago `23h`, `2d`."""
        if ns is None:
            return fmt.UNKNOWN
        return fmt.time_of_day(ns, with_seconds=False) if self.by_time(ns) else self._age(ns)

    def lasting(self, ns: int) -> str:
        """In a sentence: `for 12s`, or at rest `since 14:37`."""
        return f"{'since' if self.by_time(ns) else 'for'} {self.brief(ns)}"

    def by_time(self, ns: int) -> bool:
        """Whether the time of day is told: within a day it is clear which is meant."""
        return self.is_quiet and 0 <= self.now_ns - ns < CLEAR_NS

    def _age(self, ns: int) -> str:
        return fmt.calm_age(max(0, self.now_ns - ns) / NS)
