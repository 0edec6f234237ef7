"""Normalised events as lines: JSON objects for scripts, aligned columns for people.

Numbers are written digit by digit from their `Decimal`s, so nothing is rounded or turned into `0.30000000000000004`;
what is unknown is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from tui.clock import to_iso
from tui.market.book import touch
from tui.market.events import Bar, BookSnapshot, Event, NewsItem, Status, Trade
from tui.market.names import Symbol
from tui.market.quotes import QuoteState
from tui.market.terms import QUOTE_FIELDS, Level

Record = dict[str, Any]
"""The fields of a line in their order: text, booleans, Decimals, None, lists."""

Format = Callable[[Record], str]
"""Turns a record into one line."""


def quote_record(quote: QuoteState) -> Record:
    """The merged quote as it is now."""
    head = _head("quote", quote.symbol, quote.source, quote.ts_event_ns, quote.ts_recv_ns)
    return head | {name: quote.values[name] for name in QUOTE_FIELDS if name in quote.values}


def bar_record(bar: Bar) -> Record:
    """A bar, open or closed."""
    return _head_of("bar", bar, bar.symbol) | _known(
        interval=bar.interval.value,
        start=_iso(bar.start_ns),
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=bar.volume,
        closed=bar.closed,
    )


def book_record(book: BookSnapshot) -> Record:
    """A complete book, best prices first."""
    return _head_of("book", book, book.symbol) | {
        "bids": _levels(book.bids),
        "asks": _levels(book.asks),
        "crossed": touch(book).is_crossed,
    }


def trade_record(trade: Trade) -> Record:
    """One print."""
    return _head_of("trade", trade, trade.symbol) | _known(
        price=trade.price, size=trade.size, venue=trade.venue, side=trade.side
    )


def news_record(news: NewsItem) -> Record:
    """A headline; its `symbol` is the first of its `symbols`, if it has any."""
    return _head_of("news", news, next(iter(news.symbols), None)) | _known(
        title=news.title,
        summary=news.summary or None,
        link=news.link,
        publisher=news.publisher or None,
        published=_iso(news.published_ns),
        symbols=list(news.symbols),
    )


def status_record(status: Status) -> Record:
    """A feed changed state."""
    return _head_of("status", status, None) | _known(
        feed=status.feed, state=status.state.value, reason=status.reason or None
    )


def _head_of(kind: str, event: Event, symbol: Symbol | None) -> Record:
    return _head(kind, symbol, event.source, event.ts_event_ns, event.ts_recv_ns)


def _head(kind: str, symbol: Symbol | None, source: str, ts_event_ns: int | None, ts_recv_ns: int) -> Record:
    head: Record = {"kind": kind}
    if symbol is not None:
        head["symbol"] = symbol
    ts_event = None if ts_event_ns is None else _iso(ts_event_ns)
    return head | {"source": source, "ts_event": ts_event, "ts_recv": _iso(ts_recv_ns)}


def _known(**fields: Any) -> Record:
    return {name: value for name, value in fields.items() if value is not None}


def _levels(levels: Iterable[Level]) -> list[list[Any]]:
    return [[price, size, list(venues)] for price, size, venues in levels]


def _iso(ns: int) -> str | None:
    """ISO 8601 in UTC, or None for a stamp that no calendar has."""
    try:
        return to_iso(ns)
    except (OverflowError, ValueError):
        return None


def to_json(value: object) -> str:
    """One JSON text without line breaks, plain ASCII; Decimals become numbers with all their digits.

    Raises:
        ValueError: a number is not finite.
        TypeError: something that has no JSON.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Decimal():
            if not value.is_finite():
                raise ValueError("not a finite number")
            return format(value, "f")
        case int():
            return str(value)
        case str():
            return json.dumps(value)
        case list() | tuple():
            return "[" + ",".join(map(to_json, value)) + "]"
        case Mapping():
            return "{" + ",".join(f"{json.dumps(str(name))}:{to_json(each)}" for name, each in value.items()) + "}"
    raise TypeError(f"no JSON for {type(value).__name__}")


def to_columns(record: Record) -> str:
    """One line in columns: time of day (UTC), kind, symbol, source, then what the kind has to say."""
    stamp = record["ts_event"] or record["ts_recv"] or ""
    said = "  ".join(_TEXTS[record["kind"]](record))
    return (
        f"{stamp[11:23]:12}  {record['kind']:6}  {record.get('symbol', ''):10}  {record['source']:13}  {said}".rstrip()
    )


def _quote_text(record: Record) -> Iterator[str]:
    yield f"bid {_number(record, 'bid', 12)} × {_number(record, 'bid_size', 10)}"
    yield f"ask {_number(record, 'ask', 12)} × {_number(record, 'ask_size', 10)}"
    yield f"last {_number(record, 'last', 12)} {_percent(record):>9}"
    yield f"volume {_number(record, 'volume', 14)}"
    if record.get("delayed"):
        yield "delayed"


def _bar_text(record: Record) -> Iterator[str]:
    yield f"{record['interval']:>3} {(record['start'] or '')[:16].replace('T', ' ')}"
    for name in ("open", "high", "low", "close"):
        yield f"{name[0].upper()} {_number(record, name, 12)}"
    yield f"volume {_number(record, 'volume', 14)}"
    yield "closed" if record["closed"] else "open"


def _book_text(record: Record) -> Iterator[str]:
    bids, asks = record["bids"], record["asks"]
    yield f"bid {_touch(bids)}"
    yield f"ask {_touch(asks)}"
    yield f"{len(bids)}+{len(asks)} levels"
    if record["crossed"]:
        yield "crossed"


def _trade_text(record: Record) -> Iterator[str]:
    yield f"{_number(record, 'price', 12)} × {_number(record, 'size', 10)}"
    yield f"{record.get('side', ''):4} {record.get('venue', '')}"


def _news_text(record: Record) -> Iterator[str]:
    yield record["title"]
    if about := [part for part in (record.get("publisher"), " ".join(record["symbols"])) if part]:
        yield f"({', '.join(about)})"


def _status_text(record: Record) -> Iterator[str]:
    yield f"{record['feed']:23}  {record['state']}"
    if reason := record.get("reason"):
        yield f"({reason})"


_TEXTS: Final[Mapping[str, Callable[[Record], Iterator[str]]]] = {
    "quote": _quote_text,
    "bar": _bar_text,
    "book": _book_text,
    "trade": _trade_text,
    "news": _news_text,
    "status": _status_text,
}


def _number(record: Record, name: str, width: int) -> str:
    value = record.get(name)
    return f"{format(value, 'f') if isinstance(value, Decimal) else '-':>{width}}"


def _percent(record: Record) -> str:
    value = record.get("change_percent")
    return f"({value:+.2f}%)" if isinstance(value, Decimal) else ""


def _touch(levels: list[list[Any]]) -> str:
    price, size, _ = levels[0] if levels else (None, None, None)
    best = {"price": price, "size": size}
    return f"{_number(best, 'price', 12)} × {_number(best, 'size', 10)}"
