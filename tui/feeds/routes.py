"""Which feeds could serve a subscription, and to which subscription an event belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui.market.events import (
    Balance,
    Bar,
    BookSnapshot,
    Event,
    Greeks,
    NewsItem,
    Order,
    PnlCandle,
    Position,
    Quote,
    Trade,
    Watchlist,
)
from tui.market.names import Kind, Subscription
from tui.providers.base import Provider


class RoutingTable:
    """The feeds that can carry a subscription, best first.

    Args:
        providers: The enabled ones, by name.
        sources: Who is asked first, kind by kind. A kind that is not named here goes to every provider that has it.
    """

    def __init__(self, providers: Mapping[str, Provider], sources: Mapping[Kind, Sequence[str]]) -> None:
        self._providers = providers
        self._sources = sources

    def candidates(self, subscription: Subscription) -> tuple[str, ...]:
        """Names of feeds in the order in which they are asked; empty when nobody carries it."""
        names = self._sources.get(subscription.kind, tuple(self._providers))
        found = (self._feed(self._providers[name], subscription) for name in names if name in self._providers)
        return tuple(feed for feed in found if feed is not None)

    @staticmethod
    def _feed(provider: Provider, subscription: Subscription) -> str | None:
        for channel in provider.channels:
            if subscription.kind in channel.kinds:
                return f"{provider.name}:{channel.name}" if provider.carries(subscription) else None
        return None


def subscription_of(event: Event) -> Subscription | None:
    """The subscription that asked for an event, or None when nobody has to (states, notices, market hours)."""
    match event:
        case Quote():
            return Subscription(Kind.QUOTE, event.symbol)
        case BookSnapshot():
            return Subscription(Kind.BOOK, event.symbol)
        case Trade():
            return Subscription(Kind.TRADE, event.symbol)
        case Bar():
            return Subscription(Kind.BAR, event.symbol, event.interval)
        case Greeks():
            return Subscription(Kind.GREEKS, event.symbol)
        case NewsItem():
            return Subscription(Kind.NEWS)
        case Order() | Position() | Balance() | PnlCandle() | Watchlist():
            return Subscription(Kind.ACCOUNT)
    return None
