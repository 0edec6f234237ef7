"""What the market socket should deliver, symbol by symbol: the table that requests are written from (5.2, 15)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeVar

from tui.market.names import INDICES, Kind, Subscription, Symbol
from tui.providers.aries import guesses
from tui.providers.aries.symbols import is_option

KINDS: Final = frozenset({Kind.QUOTE, Kind.TRADE, Kind.BOOK, Kind.GREEKS})
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Row:
    """All that is wanted of one symbol; sent as a whole, because a second request may replace the first.

    Attributes:
        symbol: The user's spelling.
        kinds: What is wanted of it.
    """

    symbol: Symbol
    kinds: frozenset[Kind]

    def subscriptions(self) -> Iterator[Subscription]:
        """What the row stands for."""
        return (Subscription(kind, self.symbol) for kind in sorted(self.kinds))


Table = dict[str, Row]
"""Rows by code."""


def table(want: Iterable[Subscription], code: Callable[[Symbol], str | None]) -> Table:
    """The rows of a want; symbols without a code have none."""
    kinds: dict[Symbol, set[Kind]] = {}
    for subscription in want:
        if subscription.symbol is not None and subscription.kind in KINDS:
            kinds.setdefault(subscription.symbol, set()).add(subscription.kind)
    rows: Table = {}
    for symbol in sorted(kinds):
        if found := code(symbol):
            rows[found] = Row(symbol, frozenset(kinds[symbol]))
    return rows


def request(code: str, kinds: frozenset[Kind], level2: tuple[str, Any]) -> dict[str, Any]:
    """The entry of a `subscribe` frame with the full field set of a symbol (5.2).

    `{"symbol": "AAPL", "quoteFields": ["bidPrice", …], "tradeFields": ["lastPrice", …]}`
    """
    entry: dict[str, Any] = {"symbol": code}
    if is_option(code):
        entry["symbolType"] = "option"
    is_index = code in INDICES  # without bid and ask
    if Kind.QUOTE in kinds:
        if not is_index:
            entry["quoteFields"] = list(guesses.QUOTE_FIELDS)
        entry["tradeFields"] = list(guesses.TRADE_FIELDS)
    elif is_index:
        entry["tradeFields"] = list(guesses.LEAST_TRADE_FIELDS)
    else:
        entry["quoteFields"] = list(guesses.LEAST_QUOTE_FIELDS)
    if Kind.TRADE in kinds:
        entry["timeAndSalesFields"] = list(guesses.ALL_FIELDS)
    if Kind.GREEKS in kinds and is_option(code):
        entry["greeksFields"] = list(guesses.ALL_FIELDS)
    if Kind.BOOK in kinds:
        key, value = level2
        entry[key] = value
    return entry


def removal(code: str) -> dict[str, Any]:
    """The entry of an `unsubscribe` frame (5.3)."""
    return {"symbol": code, "symbolType": "option"} if is_option(code) else {"symbol": code}


def full_removal(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A removal that repeats the keys of the request, for a stream that the short one did not stop (5.3)."""
    return {key: value if key in ("symbol", "symbolType") else ["*"] for key, value in entry.items()}


def batches(items: Iterable[_T], most: int = guesses.MOST_SYMBOLS_A_FRAME) -> Iterator[Sequence[_T]]:
    """Cut into pieces that fit a frame."""
    source = iter(items)
    while piece := tuple(islice(source, most)):
        yield piece
