"""News items, whose fields are not documented (section 8)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any, Final

from tui.market.events import NewsItem
from tui.market.names import Symbol
from tui.market.text import clean_lines, safe_url
from tui.providers.aries.normalise import Body, Fields
from tui.providers.aries.symbols import to_symbol

MOST_SYMBOLS: Final = 50
MOST_SUMMARY: Final = 4000
_TAG: Final = re.compile(r"<[a-zA-Z/!][^<>]{0,1000}>")
_BREAK: Final = re.compile(r"<(?:br|/p|/div|/li)\b[^<>]{0,100}>", re.IGNORECASE)


def news_item(body: Body, ts_event_ns: int | None, ts_recv_ns: int) -> tuple[NewsItem | None, int]:
    """Read a news item; returns it, or None without a title, and how many fields held something impossible.

    `{"id": "n-1", "headline": "Chip maker lifts forecast", "url": "https://…", "publisher": {"name": "Wire"},
    "publishedAt": "2026-11-20T14:36:00Z", "tickers": ["NVDA"]}`
    """
    fields = Fields(body)
    title = _one_line(fields.text("title", 2000))
    if not title:
        return None, max(fields.rejected, 1)
    link = fields.raw("url")
    published_ns = fields.time(ts_recv_ns, "published") or ts_event_ns or ts_recv_ns
    item = NewsItem(
        source="aries",
        ts_event_ns=ts_event_ns,
        ts_recv_ns=ts_recv_ns,
        id=_id(fields, title, published_ns),
        title=title,
        summary=_summary(fields.raw("summary")),
        link=safe_url(link) if isinstance(link, str) else None,
        publisher=fields.text("publisher", 80),
        published_ns=min(published_ns, ts_recv_ns),
        symbols=_symbols(fields.raw("symbols")),
    )
    return item, fields.rejected


def _id(fields: Fields, title: str, published_ns: int) -> str:
    """The item's id, else its address, else a hash of title and time."""
    if found := fields.text("news_id", 200) or fields.text("url", 200):
        return found
    return hashlib.sha256(f"{title}\n{published_ns}".encode()).hexdigest()[:24]


def _one_line(text: str) -> str:
    return " ".join(clean_lines(_resolved(_TAG.sub("", text)), 400).split())


def _summary(value: Any) -> str:
    """Text without HTML; entities are resolved last, so that what they spell is text and no tag."""
    if not isinstance(value, str):
        return ""
    text = _BREAK.sub("\n", value[: 4 * MOST_SUMMARY])
    return clean_lines(_resolved(_TAG.sub("", text)), MOST_SUMMARY)


def _resolved(text: str) -> str:
    """Entities as what they stand for. The table of their names, half a megabyte, is loaded with the first of them."""
    if "&" not in text:
        return text
    from html import unescape

    return unescape(text)


def _symbols(value: Any) -> tuple[Symbol, ...]:
    """Instruments an item is about: a list of codes, `"AAPL,NVDA"`, or `[{"name": "AAPL"}]`."""
    found: dict[Symbol, None] = {}
    for code in _codes(value):
        if symbol := to_symbol(code.strip()):
            found[symbol] = None
    return tuple(found)[:MOST_SYMBOLS]


def _codes(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from value[:1000].split(",")
    elif isinstance(value, list):
        for item in value[: 2 * MOST_SYMBOLS]:
            held = (item.get("name") or item.get("symbol")) if isinstance(item, dict) else item
            if isinstance(held, str):
                yield held
