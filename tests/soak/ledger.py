"""What a server knows of its connections: which of them really delivers, and what was said on each.

This is the other side of the truth that the dashboard is held against. It reads the frames that went out with a few
lines of its own per provider and shares nothing with the codecs, so that both cannot be wrong in the same way.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

_OPTION = re.compile(r"([A-Z.]+)(\d\d)(\d\d)(\d\d)([CP])(\d{8})")
WHOLE = 10
"""Levels on each side that a whole book has at least."""
KEPT = 20_000
"""Sayings that wait to be collected."""


class Saying(NamedTuple):
    """A figure that went out: `what` is `last`, `bid` or `ask` of a quote, or `book bid`, `book ask`, `book mid`."""

    number: int
    at_s: float
    symbol: str
    what: str
    value: str


@dataclass
class Ladder:
    """The prices at which somebody bids and asks, put together from changes."""

    bids: set[Decimal] = field(default_factory=set)
    asks: set[Decimal] = field(default_factory=set)

    def change(self, rows: Sequence[tuple[Decimal, Decimal, Decimal]]) -> None:
        """Rows of ask size, price, bid size."""
        for ask, price, bid in rows:
            for side, size in ((self.bids, bid), (self.asks, ask)):
                (side.add if size else side.discard)(price)


@dataclass
class Line:
    """One connection, from the server's side. Times are seconds of the machine's monotonic clock.

    Attributes:
        number: Counts all connections; the newest one of a channel is the client's present one.
        sent_s: When the last frame went out, or when it opened.
        closed_s: When it ended, by whomever.
        frozen_s: Since when it is half open, or None while it is not.
    """

    channel: str
    number: int
    opened_s: float
    sent_s: float
    closed_s: float | None = None
    frozen_s: float | None = None
    frames: int = 0
    ladders: dict[str, list[Ladder]] = field(default_factory=dict)


class Ledger:
    """All connections of a server, and what was said since the last look.

    Args:
        symbols: The user's spelling of InsightSentry's codes.
        now_s: Monotonic seconds.
    """

    def __init__(self, symbols: dict[str, str], now_s: Callable[[], float]) -> None:
        self._symbols = symbols
        self._now_s = now_s
        self._newest: dict[str, Line] = {}
        self._said: deque[Saying] = deque(maxlen=KEPT)
        self.connections = 0
        self.frames = 0

    def opened(self, channel: str) -> Line:
        """A client came."""
        self.connections += 1
        now_s = self._now_s()
        line = self._newest[channel] = Line(channel, self.connections, now_s, now_s)
        return line

    def sending(self, line: Line, frame: str) -> list[Saying]:
        """A frame goes out: from now on a client may have it. Returns what it says, for `sent`."""
        now_s = self._now_s()
        said = [Saying(line.number, now_s, *each) for each in spoken(line, frame, self._symbols)]
        self._said += said
        return said

    def sent(self, line: Line, said: Sequence[Saying]) -> None:
        """It has gone: until now a client that reads slowly may not have had it."""
        line.sent_s = self._now_s()
        line.frames += 1
        self.frames += 1
        self._said += [saying._replace(at_s=line.sent_s) for saying in said]

    def closed(self, line: Line) -> None:
        """A connection is over."""
        line.closed_s = self._now_s()

    def take(self) -> dict[str, Any]:
        """How things stand, as JSON can hold it; what was said is told once."""
        said, self._said = list(self._said), deque(maxlen=KEPT)
        lines = {name: [each.number, each.opened_s, each.sent_s, each.closed_s, each.frozen_s]
                 for name, each in self._newest.items()}  # fmt: skip
        return {
            "at": self._now_s(),
            "lines": lines,
            "said": said,
            "connections": self.connections,
            "frames": self.frames,
        }


def spoken(line: Line, frame: str, symbols: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Figures in a frame: symbol, what, value. Frames of faults hold none."""
    for text in frame.splitlines() if line.channel.startswith("aries") else [frame]:
        try:
            message = json.loads(text, parse_float=str, parse_int=str)
        except ValueError:
            continue
        if isinstance(message, dict):
            yield from _READERS.get(line.channel, _nothing)(line, message, symbols)


def _nothing(line: Line, message: dict[str, Any], symbols: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    yield from ()


def _insightsentry(line: Line, message: dict[str, Any], symbols: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    rows = message.get("data") if isinstance(message.get("data"), list) else [message]
    for row in rows or ():
        symbol = symbols.get(row.get("code", "")) if isinstance(row, dict) else None
        if symbol and "series" not in row:
            yield from _named(symbol, row, {"last_price": "last", "bid": "bid", "ask": "ask"})


def _quantcite(line: Line, message: dict[str, Any], symbols: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    data = message.get("data")
    if not str(message.get("type")).startswith("aggregated_orderbook_") or not isinstance(data, dict):
        return
    symbol = str(message.get("symbol"))
    best = [rows[0]["price"] if (rows := data.get(side)) else None for side in ("bids", "asks")]
    yield from _book(symbol, *best)
    yield from ((symbol, what, price) for what, price in zip(("bid", "ask"), best, strict=True) if price)


def _aries(line: Line, message: dict[str, Any], symbols: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    payload = message.get("payload")
    data = payload.get("data") if isinstance(payload, dict) else None
    if not isinstance(payload, dict) or not isinstance(data, dict) or "symbol" not in data:
        return
    kind, symbol = payload.get("type"), _spelled(data["symbol"])
    if kind in ("quote", "trade"):
        yield from _named(symbol, data, {"lastPrice": "last", "bidPrice": "bid", "askPrice": "ask"})
    elif kind == "level2":
        yield from _ladder(line, symbol, data.get("orderBook") or ())


def _ladder(line: Line, symbol: str, rows: Any) -> Iterator[tuple[str, str, str]]:
    """Rows are `ask size:price:bid size`, one for every price that changed.

    A book that begins anew, since the client left and came back, is not marked. So what looks like one is read in both
    ways, and each reading counts from then on: as changes, and as the whole book.
    """
    read = [(Decimal(ask), Decimal(price), Decimal(bid)) for ask, price, bid in (row.split(":") for row in rows)]
    ladders = line.ladders.setdefault(symbol, [Ladder()])
    if _looks_whole(read):
        ladders[1:] = [*ladders[1:], Ladder()][-2:]
    for ladder in ladders:
        ladder.change(read)
    for bid, ask in dict.fromkeys(touch for ladder in ladders for touch in _touches(ladder)):
        yield from _book(symbol, bid, ask)


def _looks_whole(rows: Sequence[tuple[Decimal, Decimal, Decimal]]) -> bool:
    """Whether rows could be a whole book: many on both sides, and none that goes."""
    is_gone = any(not ask and not bid for ask, _, bid in rows)
    sides = sum(bool(bid) for _, _, bid in rows), sum(bool(ask) for ask, _, _ in rows)
    return not is_gone and min(sides) >= WHOLE


def _touches(ladder: Ladder) -> Iterator[tuple[str | None, str | None]]:
    """Best bid and ask. Where they cross, also what is left when one side gives way, or both: a client that builds the
    book from changes drops the older level of two that cross, since the removal of a level may never have been sent.
    """
    bids, asks = ladder.bids, ladder.asks
    bid, ask = max(bids, default=None), min(asks, default=None)
    found = [(bid, ask)]
    if bid is not None and ask is not None and bid >= ask:
        below = max((price for price in bids if price < ask), default=None)
        above = min((price for price in asks if price > bid), default=None)
        found += [(below, ask), (bid, above), (below, above)]
    for one, two in found:
        yield None if one is None else str(one), None if two is None else str(two)


def _spelled(code: str) -> str:
    """An option's code as a user writes it: `AAPL261218C00200000` is `AAPL 2026-12-18 200C`."""
    found = _OPTION.fullmatch(code)
    if found is None:
        return code
    root, year, month, day, side, strike = found.groups()
    return f"{root} 20{year}-{month}-{day} {Decimal(strike) / 1000:f}{side}"


def _book(symbol: str, bid: str | None, ask: str | None) -> Iterator[tuple[str, str, str]]:
    if bid:
        yield symbol, "book bid", bid
    if ask:
        yield symbol, "book ask", ask
    if bid and ask:
        yield symbol, "book mid", str((Decimal(bid) + Decimal(ask)) / 2)


def _named(symbol: str, row: dict[str, Any], names: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    for theirs, what in names.items():
        if isinstance(value := row.get(theirs), str):
            yield symbol, what, value


_READERS = {"insightsentry:live": _insightsentry, "quantcite:book": _quantcite, "aries:market": _aries}
