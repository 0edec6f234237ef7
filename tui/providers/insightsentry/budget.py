"""Connections a day: some plans allow ten, which a reconnect loop would burn in a minute (protocol reference 8.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from tui.clock import NS
from tui.errors import FeedError
from tui.usage import Tally, UsageFile, today

DAY_S: Final = 86_400
NEARLY: Final = 0.7
"""From this part of the budget on, what is left is spread."""
MOST_APART_S: Final = 1800
SPARE_S: Final = 5
"""After midnight, for clocks that differ a little."""
_REMEDY: Final = "If the plan allows more, raise connections_per_day; the count starts anew at 00:00 UTC."


class ConnectionBudget:
    """Counts the sockets that were opened with a key today, over restarts and programs, and holds dials back.

    Args:
        per_day: How many the plan allows; 0 for no limit.
        usage: Gets the tally of the key.
        now_ns: UTC nanoseconds.
    """

    def __init__(self, per_day: int, usage: Callable[[], Awaitable[UsageFile]], now_ns: Callable[[], int]) -> None:
        self._per_day = per_day
        self._usage = usage
        self._now_ns = now_ns
        self._used: int | None = None
        self._opened_s = 0

    async def take(self) -> None:
        """A socket is about to be opened.

        Raises:
            FeedError: the budget is used up, or nearly so and the last dial was a moment ago.
        """
        self._used = await (await self._usage()).update(self._taken)

    async def give_back(self) -> None:
        """It was not opened: the server has not counted it either."""
        self._used = await (await self._usage()).update(self._given_back)

    def note(self) -> str:
        """`7 of 10 connections today`, or "" without a limit."""
        if not self._per_day or self._used is None:
            return ""
        return f"{self._used} of {self._per_day} connections today"

    def _taken(self, tally: Tally) -> int:
        now_s = self._now_ns() // NS
        day = tally.day(today(self._now_ns()))
        self._used = day.connections
        if self._per_day:
            self._check(day.connections, now_s, now_s - tally.dialled_s)
        day.connections += 1
        self._opened_s, tally.dialled_s = tally.dialled_s, now_s
        return day.connections

    def _given_back(self, tally: Tally) -> int:
        day = tally.day(today(self._now_ns()))
        day.connections = max(0, day.connections - 1)
        tally.dialled_s = self._opened_s
        return day.connections

    def _check(self, used: int, now_s: int, since_last_s: int) -> None:
        """Let the next one through, or raise FeedError: all are used, or the rest is spread over what is left."""
        left, left_s = self._per_day - used, DAY_S - now_s % DAY_S
        reason = f"{used} of {self._per_day} connections used today"
        if left <= 0:
            raise FeedError(reason, remedy=_REMEDY, retry_after_s=left_s + SPARE_S)
        apart_s = min(left_s / left, MOST_APART_S) if used >= self._per_day * NEARLY else 0.0
        if 0 <= since_last_s < apart_s:
            raise FeedError(f"{reason}, the rest is spread", remedy=_REMEDY, retry_after_s=apart_s - since_last_s)
