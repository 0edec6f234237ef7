"""When there is nothing to draw: a screen on which nothing happens is not written on."""

from __future__ import annotations

from typing import Final

from tui.market.store import Changes, FeedRecord, MarketStore
from tui.market.terms import FeedState

NS: Final = 1_000_000_000
AFTER_NS: Final = 10 * NS
"""Nothing has come for so long: the screen rests."""
LONGEST_NS: Final = 3600 * NS
"""From one hour to the next it is drawn all the same, as days go by."""
SETTLED: Final = frozenset({FeedState.LIVE, FeedState.FAILED, FeedState.IDLE})
"""States that show no seconds."""


class Quiet:
    """Tells when everything that shows time is to be drawn.

    That is once a second while something happens. Ten seconds after the last news of any kind, and while no feed
    counts down to anything, the screen comes to rest: it says since when, ages become times of day, and from then on
    it is drawn when something comes, or when a value stops being live.

    Args:
        store: Watched; told since when nothing happens.
    """

    def __init__(self, store: MarketStore) -> None:
        self._store = store
        self._stirred_ns = store.now_ns()
        self._second = 0
        self._seen: tuple[object, ...] = ()

    def ticks(self, changes: Changes, now_ns: int) -> bool:
        """Whether to draw all that shows time in this frame.

        Args:
            changes: What came since the last frame.
            now_ns: UTC now.
        """
        if changes or now_ns < self._stirred_ns:  # the clock may have been set back
            self._stirred_ns = now_ns
        is_new, self._second = now_ns // NS != self._second, now_ns // NS
        rested, rests = self._store.quiet_since_ns is not None, self._rests(now_ns)
        self._store.quiet_since_ns = self._stirred_ns if rests else None
        if not rests:
            self._seen = ()
            return is_new or rested
        return is_new and self._has_aged(now_ns)

    def _rests(self, now_ns: int) -> bool:
        is_still = now_ns - self._stirred_ns >= AFTER_NS
        return is_still and all(_is_settled(record, now_ns) for record in self._store.feeds.values())

    def _has_aged(self, now_ns: int) -> bool:
        """Whether anything that can be seen has changed by time alone since it was last drawn."""
        silent = [bool(record.stats.silent_s(now_ns)) for record in self._store.feeds.values()]
        before, self._seen = self._seen, (self._store.freshnesses(), silent, now_ns // LONGEST_NS)
        return self._seen != before


def _is_settled(record: FeedRecord, now_ns: int) -> bool:
    state = record.status.state if record.status else FeedState.IDLE
    return state in SETTLED and not record.stats.slow_s(now_ns)
