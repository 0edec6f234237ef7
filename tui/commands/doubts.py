"""Symbols that nobody serves and feeds that wait for the user: said once, and whether it makes sense to go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui.clock import NS
from tui.commands.setup import complain
from tui.feeds.hub import FeedHub
from tui.feeds.refusals import did_you_mean
from tui.market.names import Symbol, Wants
from tui.market.store import Freshness
from tui.market.terms import FeedState

SILENT_S: Final = 5.0
"""A symbol without any value for this long on a live feed is asked about."""
USAGE: Final = 2
NO_CREDENTIALS: Final = 4


class Doubts:
    """What may be wrong with a run of `watch`.

    Args:
        hub: Where everything is asked for.
        symbols: What is wanted of each symbol.
        wants: All that is wanted.
    """

    def __init__(self, hub: FeedHub, symbols: Mapping[Symbol, Wants], wants: Wants) -> None:
        self._hub = hub
        self._symbols = symbols
        self._wants = wants
        self._told: set[Symbol] = set()
        self._failed_looks = 0

    def refused(self, symbol: Symbol) -> None:
        """It has been said what is wrong with a symbol."""
        self._told.add(symbol)

    async def look(self) -> int | None:
        """Say what is new; call it twice a second or so.

        Returns:
            The exit code when nothing will ever come: 2 as no symbol can be served, 4 as every feed waits for the
            user; None to go on.
        """
        await self._hub.refusals.look()
        for symbol in self._symbols:
            if symbol not in self._told and (self._is_unserved(symbol) or self._is_silent(symbol)):
                self._told.add(symbol)
                await self._tell(symbol)
        if self._symbols and all(map(self._is_unserved, self._symbols)):
            return USAGE
        # A feed that has just failed still serves until the next one is asked: look twice.
        self._failed_looks = self._failed_looks + 1 if self._is_hopeless() else 0
        if self._failed_looks >= 2:
            self._tell_failures()
            return NO_CREDENTIALS
        return None

    def _is_unserved(self, symbol: Symbol) -> bool:
        """Every source refused, or none carries it."""
        return all(self._hub.store.serving(wanted) is None for wanted in self._symbols[symbol])

    def _is_silent(self, symbol: Symbol) -> bool:
        """Nothing has come although the feeds that serve it are live since a while."""
        store = self._hub.store
        wants = self._symbols[symbol]
        if any(store.freshness(wanted) is not Freshness.ABSENT for wanted in wants):
            return False
        feeds = [self._hub.feeds[feed] for wanted in wants if (feed := store.serving(wanted))]
        since_ns = [feed.stats.live_since_ns for feed in feeds]
        return all(live_ns is not None and store.now_ns() - live_ns > SILENT_S * NS for live_ns in since_ns)

    def _is_hopeless(self) -> bool:
        """Whatever is wanted is served by nobody, or by a feed that waits for the user."""
        serving = {self._hub.store.serving(wanted) for wanted in self._wants} - {None}
        return bool(serving) and all(self._hub.feeds[feed].state is FeedState.FAILED for feed in serving if feed)

    async def _tell(self, symbol: Symbol) -> None:
        text, alike = await self._hub.refusals.explain(symbol, list(self._symbols[symbol]))
        if not alike and not self._is_unserved(symbol):
            kinds = ", ".join(sorted({wanted.kind for wanted in self._symbols[symbol]}))
            text = f"nothing has come yet of its {kinds}"
        complain(f"{symbol}: {text}", did_you_mean(alike))

    def _tell_failures(self) -> None:
        for name, feed in self._hub.feeds.items():
            status = self._hub.store.feed(name).status
            if feed.state is FeedState.FAILED and status is not None:
                complain(f"{name}: {status.reason}", status.remedy)
