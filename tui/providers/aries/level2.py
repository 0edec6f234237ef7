"""Depth out of compact rows (5.7).

`orderBook` rows are `askSize:price:bidSize`, one a price; `quotes` rows are
`exchange:askPrice:askSize:bidPrice:bidSize`, one a venue. Whether a message replaces the book or changes it is not
documented: `auto` judges by the message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple, TypeVar

from tui.market.terms import Level, VenueBest
from tui.providers import parse
from tui.providers.aries.normalise import price

Mode = Literal["auto", "replace", "merge"]
_K = TypeVar("_K")
_V = TypeVar("_V")

MOST_ROWS: Final = 5000
"""Rows read of one array, and levels kept of one side."""
MOST_VENUE: Final = 20


class Sizes(NamedTuple):
    """What rests at one price; None when nothing does."""

    ask: Decimal | None
    bid: Decimal | None


class VenueQuote(NamedTuple):
    """The best prices of one venue; a side without a price or a size is absent."""

    ask: Decimal | None
    ask_size: Decimal | None
    bid: Decimal | None
    bid_size: Decimal | None


_NO_QUOTE: Final = VenueQuote(None, None, None, None)


class Level2Book:
    """The depth of one symbol, built from messages.

    Attributes:
        mode: `auto`, `replace` or `merge`.
        levels: Sizes by price.
        venues: Best prices by venue.
    """

    def __init__(self, mode: Mode = "auto") -> None:
        self.mode = mode
        self.levels: dict[Decimal, Sizes] = {}
        self.venues: dict[str, VenueQuote] = {}

    def apply(self, body: Mapping[str, Any]) -> int:
        """Take one message; returns how many rows could not be read."""
        rows, venues = body.get("orderBook"), body.get("quotes")
        levels, bad_levels = _read(rows, level_row)
        quotes, bad_quotes = _read(venues, venue_row)
        if self._replaces(isinstance(rows, list), isinstance(venues, list), levels, quotes):
            self._replace(levels if isinstance(rows, list) else None, quotes if isinstance(venues, list) else None)
        else:
            self._merge(levels, quotes)
        return bad_levels + bad_quotes

    def sides(self) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Bids and asks, best first, each level with the venues whose best price it is."""
        levels = self.levels or self._from_venues()
        at_bid: dict[Decimal, list[str]] = {}
        at_ask: dict[Decimal, list[str]] = {}
        for venue, quote in self.venues.items():
            if quote.bid is not None:
                at_bid.setdefault(quote.bid, []).append(venue)
            if quote.ask is not None:
                at_ask.setdefault(quote.ask, []).append(venue)
        bids = [(at, s.bid, tuple(sorted(at_bid.get(at, ())))) for at, s in levels.items() if s.bid is not None]
        asks = [(at, s.ask, tuple(sorted(at_ask.get(at, ())))) for at, s in levels.items() if s.ask is not None]
        bids.sort(key=lambda level: level[0], reverse=True)
        asks.sort(key=lambda level: level[0])
        return tuple(bids), tuple(asks)

    def bests(self) -> tuple[VenueBest, ...]:
        """Each venue's best prices and sizes, by name."""
        quotes = sorted(self.venues.items())
        return tuple(VenueBest(name, q.bid, q.bid_size, q.ask, q.ask_size) for name, q in quotes)

    def _replaces(
        self, has_rows: bool, has_venues: bool, levels: Mapping[Decimal, Sizes], quotes: Mapping[str, VenueQuote]
    ) -> bool:
        """In `auto`: both arrays are there and speak of the same prices, so the message stands for itself."""
        if self.mode != "auto":
            return self.mode == "replace"
        if not has_rows or not has_venues:
            return False
        prices = {at for at, s in levels.items() if s != (None, None)}
        return bool(prices) and prices == _prices(quotes)

    def _replace(self, levels: dict[Decimal, Sizes] | None, quotes: dict[str, VenueQuote] | None) -> None:
        if levels is not None:
            self.levels = {at: sizes for at, sizes in levels.items() if sizes != (None, None)}
        if quotes is not None:
            self.venues = _present(quotes)

    def _merge(self, levels: dict[Decimal, Sizes], quotes: dict[str, VenueQuote]) -> None:
        for at, sizes in levels.items():
            if sizes == (None, None):
                self.levels.pop(at, None)
            else:
                self.levels[at] = sizes
        self.venues = _present(self.venues | quotes)
        self._uncross(levels)
        self._trim()

    def _uncross(self, fresh: Mapping[Decimal, Sizes]) -> None:
        """Drop older levels that cross the newest best prices: the removal of a level may never have been sent."""
        best_bid = max((at for at, sizes in fresh.items() if sizes.bid is not None), default=None)
        best_ask = min((at for at, sizes in fresh.items() if sizes.ask is not None), default=None)
        for at, sizes in list(self.levels.items()):
            if at in fresh:
                continue
            ask = None if best_bid is not None and at <= best_bid else sizes.ask
            bid = None if best_ask is not None and at >= best_ask else sizes.bid
            if (ask, bid) == (None, None):
                del self.levels[at]
            else:
                self.levels[at] = Sizes(ask, bid)

    def _trim(self) -> None:
        """Keep memory bounded: the levels farthest from the touch go first."""
        if len(self.levels) <= 2 * MOST_ROWS and len(self.venues) <= MOST_ROWS:
            return
        bids, asks = self.sides()
        kept = {level[0] for level in (*bids[:MOST_ROWS], *asks[:MOST_ROWS])}
        self.levels = {at: sizes for at, sizes in self.levels.items() if at in kept}
        self.venues = dict(list(self.venues.items())[-MOST_ROWS:])

    def _from_venues(self) -> dict[Decimal, Sizes]:
        """Levels added up from the venues' best prices, while no price rows have come."""
        asks: dict[Decimal, Decimal] = {}
        bids: dict[Decimal, Decimal] = {}
        for quote in self.venues.values():
            if quote.ask is not None and quote.ask_size is not None:
                asks[quote.ask] = asks.get(quote.ask, Decimal(0)) + quote.ask_size
            if quote.bid is not None and quote.bid_size is not None:
                bids[quote.bid] = bids.get(quote.bid, Decimal(0)) + quote.bid_size
        return {at: Sizes(asks.get(at), bids.get(at)) for at in asks.keys() | bids.keys()}


def level_row(row: str) -> tuple[Decimal, Sizes]:
    """`300:187.43:0` is an ask of 300 at 187.43 and no bid. Raises ValueError."""
    ask_size, at, bid_size = row.split(":")
    found = price(at)
    if found is None:
        raise ValueError("a level without a price")
    return found, Sizes(parse.size(ask_size) or None, parse.size(bid_size) or None)


def venue_row(row: str) -> tuple[str, VenueQuote]:
    """`ARCX:187.43:300:187.40:900` is ARCX asking 187.43 for 300 and bidding 187.40 for 900. Raises ValueError."""
    venue, ask, ask_size, bid, bid_size = row.rsplit(":", 4)  # a venue's name may hold a colon
    name = parse.text(venue, MOST_VENUE).strip()
    if not name:
        raise ValueError("a row without a venue")
    return name, VenueQuote(*_side(ask, ask_size), *_side(bid, bid_size))


def _side(at: str, size: str) -> tuple[Decimal, Decimal] | tuple[None, None]:
    found, resting = price(at), parse.size(size)
    return (found, resting) if found and resting else (None, None)


def _present(quotes: dict[str, VenueQuote]) -> dict[str, VenueQuote]:
    return {venue: quote for venue, quote in quotes.items() if quote != _NO_QUOTE}


def _prices(quotes: Mapping[str, VenueQuote]) -> set[Decimal]:
    return {at for quote in quotes.values() for at in (quote.ask, quote.bid) if at is not None}


def _read(rows: object, read: Callable[[str], tuple[_K, _V]]) -> tuple[dict[_K, _V], int]:
    found: dict[_K, _V] = {}
    bad = 0
    for row in rows[:MOST_ROWS] if isinstance(rows, list) else ():
        try:
            key, value = read(row)
        except (ValueError, AttributeError):  # AttributeError: no text
            bad += 1
        else:
            found[key] = value
    return found, bad
