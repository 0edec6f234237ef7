"""From InsightSentry's rows to events: quotes, bars, ticks and news. Impossible values are counted, never raised.

Every function returns what it made and how many values it had to reject.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from tui.clock import NS
from tui.market.events import Bar, NewsItem, Quote, Trade
from tui.market.names import Interval, Symbol
from tui.market.text import clean_lines, safe_url
from tui.providers.insightsentry import guesses
from tui.providers.parse import number, past_ns, positive, size, text, time_ns

SOURCE: Final = "insightsentry"
MAX_SYMBOLS: Final = 40
"""Symbols kept of one news item."""
MAX_ROWS: Final = 5000
"""Rows read of one frame, of a series the newest: more than is ever kept, and little enough to hold nothing up."""


def _delayed(value: object) -> bool | None:
    """0 is real time, 900 a quarter of an hour late, -1 end of day only (4.3)."""
    seconds = number(value)
    return None if seconds is None else seconds != 0


_QUOTE: Final[Mapping[str, tuple[str, Callable[[object], Any]]]] = {
    "bid": ("bid", positive),
    "ask": ("ask", positive),
    "bid_size": ("bid_size", size),
    "ask_size": ("ask_size", size),
    "last_price": ("last", positive),
    "change": ("change", number),
    "change_percent": ("change_percent", number),
    "volume": ("volume", size),
    "open_price": ("open", positive),
    "high_price": ("high", positive),
    "low_price": ("low", positive),
    "prev_close_price": ("prev_close", positive),
    "delay_seconds": ("delayed", _delayed),
}
"""Their field to ours, and how it is read."""
QUOTE_FIELDS: Final = frozenset(_QUOTE)


def quote(row: Mapping[str, Any], symbol: Symbol, updated: object, ts_recv_ns: int) -> tuple[Quote | None, int]:
    """A patch from `{"code": "NASDAQ:AAPL", "lp_time": 1733432340, "last_price": 243.08, "bid": 243.08, …}` (4.3).

    Only fields that are present become part of the patch; an explicit null clears. `updated` is the wrapper's
    `last_update`, used where the row has no time of its own. None when nothing we show has changed.
    """
    fields: dict[str, Any] = {}
    rejected = 0
    for theirs, (ours, read) in _QUOTE.items():
        if theirs in row:
            try:
                fields[ours] = read(row[theirs])
            except ValueError:
                rejected += 1
    if not fields:
        return None, rejected
    stamp = _time(row.get("lp_time")) or _time(updated)
    return Quote(source=SOURCE, symbol=symbol, ts_event_ns=stamp, ts_recv_ns=ts_recv_ns, **fields), rejected


def bars(message: Mapping[str, Any], symbol: Symbol, interval: Interval, ts_recv_ns: int) -> tuple[list[Bar], int]:
    """The bars of a series frame (4.1), oldest first, all but the last closed.

    `{"code": …, "last_update": 1733432399820, "bar_type": "1m", "series": [{"time": 1733432340, "open": 242.89, …}]}`.
    `time` names the start; one far ahead is rejected, or all bars until then would be corrections of the past.
    `bar_end` is not used: its editions contradict each other.
    """
    updated = _time(message.get("last_update"))
    found: dict[int, dict[str, Any]] = {}
    rejected = 0
    for row in message["series"][-MAX_ROWS:]:
        try:
            fields = _bar_fields(row, ts_recv_ns + interval.seconds * NS)
        except ValueError:
            rejected += 1
            continue
        if fields["volume"] is None and row.get("volume") is not None:
            rejected += 1
        found[fields["start_ns"]] = fields
    newest = max(found, default=0)
    made = [
        Bar(
            source=SOURCE,
            symbol=symbol,
            interval=interval,
            ts_event_ns=updated,
            ts_recv_ns=ts_recv_ns,
            closed=start_ns != newest,
            **found[start_ns],
        )
        for start_ns in sorted(found)
    ]
    return made, rejected


def ticks(message: Mapping[str, Any], symbol: Symbol, ts_recv_ns: int) -> tuple[list[Trade | Quote], int]:
    """The single trades of a tick frame (4.2), in the order sent: times may repeat.

    A tick without a volume is no trade that a tape could show, but it is a last price.
    """
    made: list[Trade | Quote] = []
    rejected = 0
    for row in message["series"][-MAX_ROWS:]:
        try:
            made.append(_tick(row, symbol, ts_recv_ns))
        except ValueError:
            rejected += 1
    return made, rejected


def news_rows(message: Any) -> list[Any] | None:
    """The items of a `/newsfeed` frame: one item, an array of them, or an object that holds the array (5)."""
    if isinstance(message, list):
        return message
    if not isinstance(message, dict):
        return None
    for name in guesses.NEWS_LISTS:
        if isinstance(message.get(name), list):
            return list(message[name])
    return [message] if "title" in message or "published_at" in message else None


def news_item(row: Any, symbol_of: Callable[[str], Symbol | None], ts_recv_ns: int) -> NewsItem:
    """An item from `{"source": "Reuters", "title": …, "content": …, "published_at": 1767623600, "link": …}` (5).

    Raises:
        ValueError: no time, or neither title nor content.
    """
    if not isinstance(row, dict) or (published_ns := time_ns(row.get("published_at"))) is None:
        raise ValueError("not a news item")
    content = row.get("content")
    body = clean_lines(content) if isinstance(content, str) else ""
    title = text(row.get("title"), 300) or text(body.partition("\n")[0], 300)
    if not title:
        raise ValueError("no headline")
    link = row.get("link")
    return NewsItem(
        source=SOURCE,
        id=_news_id(row, published_ns),
        title=title,
        summary=body,
        link=safe_url(link) if isinstance(link, str) else None,
        publisher=text(row.get("source"), 80),
        published_ns=min(published_ns, ts_recv_ns),
        symbols=_news_symbols(row.get("related_symbols"), symbol_of),
        ts_event_ns=published_ns,
        ts_recv_ns=ts_recv_ns,
    )


def _bar_fields(row: Any, latest_ns: int) -> dict[str, Any]:
    if not isinstance(row, dict) or (start_ns := past_ns(row.get("time"), latest_ns)) is None:
        raise ValueError("no start")
    prices = [positive(row.get(name)) for name in ("open", "high", "low", "close")]
    opened, high, low, close = prices
    if opened is None or high is None or low is None or close is None:
        raise ValueError("a price is missing")
    if not low <= min(opened, close) <= max(opened, close) <= high:
        raise ValueError("high and low do not hold open and close")
    try:
        volume = size(row.get("volume"))
    except ValueError:
        volume = None
    return {"start_ns": start_ns, "open": opened, "high": high, "low": low, "close": close, "volume": volume}


def _tick(row: Any, symbol: Symbol, ts_recv_ns: int) -> Trade | Quote:
    if not isinstance(row, dict):
        raise ValueError("not a tick")
    price, volume = positive(row.get("close")), size(row.get("volume"))
    if price is None:
        raise ValueError("no price")
    stamp = time_ns(row.get("time"))
    if not volume:
        return Quote(source=SOURCE, symbol=symbol, ts_event_ns=stamp, ts_recv_ns=ts_recv_ns, last=price)
    return Trade(
        source=SOURCE, symbol=symbol, ts_event_ns=stamp, ts_recv_ns=ts_recv_ns, price=price, size=volume
    )  # fmt: skip


def _news_id(row: Mapping[str, Any], published_ns: int) -> str:
    """Items have no id: the link is one, else time, source and title together (5)."""
    link = row.get("link")
    parts = [link] if isinstance(link, str) and link else [published_ns, row.get("source"), row.get("title")]
    return hashlib.sha256(repr(parts).encode("utf-8", "replace")).hexdigest()[:24]


def _news_symbols(codes: object, symbol_of: Callable[[str], Symbol | None]) -> tuple[Symbol, ...]:
    listed: Sequence[object] = codes if isinstance(codes, list) else ()
    found = [symbol_of(code.strip().upper()) for code in listed[:MAX_SYMBOLS] if isinstance(code, str)]
    return tuple(dict.fromkeys(symbol for symbol in found if symbol))


def _time(value: object) -> int | None:
    try:
        return time_ns(value)
    except ValueError:
        return None
