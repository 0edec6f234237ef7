"""The simulated market in InsightSentry's JSON, built by hand from the protocol reference.

It shares nothing with `wire`, so that client and simulator cannot be wrong together.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from tui.simulator.market import Instrument, SimBar, SimNews, SimTrade, SimulatedMarket

NS: Final = 1_000_000_000
MS: Final = 1_000_000
_PREFIXES: Final = {"ARCA": "AMEX"}
_OWN: Final = {
    "SPX": "SP:SPX",
    "NDX": "NASDAQ:NDX",
    "DJI": "DJ:DJI",
    "RUT": "TVC:RUT",
    "VIX": "CBOE:VIX",
    "WMT": "NASDAQ:WMT",
}
"""Codes that are not the exchange of the instrument and its symbol."""
_TYPES: Final = {"stock": "STOCK", "etf": "ETF", "index": "INDEX", "crypto": "CRYPTO"}
_STATUS: Final = {"pre": "PRE", "regular": "OPEN", "post": "POST", "closed": "CLOSED"}
_UNITS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_LETTERS: Final = {"second": "s", "minute": "m", "hour": "h", "day": "D", "week": "W"}
_SECONDS_ALLOWED: Final = (1, 5, 10, 15, 30, 45)


def code_of(instrument: Instrument) -> str:
    """`NASDAQ:AAPL`, `BINANCE:BTCUSDT`, `SP:SPX`."""
    prefix = _PREFIXES.get(instrument.exchange, instrument.exchange)
    return _OWN.get(instrument.symbol) or f"{prefix}:{instrument.symbol.replace('/', '')}"


def codes(market: SimulatedMarket) -> dict[str, str]:
    """The market's symbols by code."""
    return {code_of(each): symbol for symbol, each in market.instruments.items()}


def seconds_of(bar_type: object, bar_interval: object) -> int | None:
    """Length of a bar (3.1), or None for a pair that is not allowed or that this market has no bars of."""
    if not isinstance(bar_type, str) or isinstance(bar_interval, bool) or not isinstance(bar_interval, int):
        return None
    if bar_type not in _UNITS:
        return None
    length = _UNITS[bar_type] * bar_interval
    if bar_type == "second":
        return length if bar_interval in _SECONDS_ALLOWED and 60 % bar_interval == 0 else None
    if bar_type in ("minute", "hour"):
        return length if 0 < length <= 86_400 and 86_400 % length == 0 else None
    return length if bar_interval == 1 else None


def response_code(bar_type: str, bar_interval: int) -> str:
    """`1m`, `5m`, `1D`: not the words of the request (4.1)."""
    return f"{bar_interval}{_LETTERS[bar_type]}"


def plain(value: Decimal | None) -> float | None:
    """A JSON number."""
    return None if value is None else float(value)


def quote_fields(market: SimulatedMarket, symbol: str) -> dict[str, Any]:
    """All fields of a quote, the wide form of 4.3 (b); an index has no bid and no ask."""
    instrument, now = market.instruments[symbol], market.quote(symbol)
    status = "OPEN" if instrument.is_always_open else _STATUS[market.session.value]
    fields = {
        "code": code_of(instrument),
        "status": status,
        "lp_time": now.last_ns // NS,
        "volume": None if instrument.is_index else plain(now.volume),
        "last_price": plain(now.last),
        "change_percent": plain(now.change_percent),
        "change": plain(now.change),
        "ask": plain(now.ask),
        "bid": plain(now.bid),
        "ask_size": plain(now.ask_size),
        "bid_size": plain(now.bid_size),
        "prev_close_price": plain(now.prev_close),
        "open_price": plain(now.open),
        "low_price": plain(now.low),
        "high_price": plain(now.high),
        "currency_code": instrument.currency,
        "delay_seconds": 0,
    }
    return {name: value for name, value in fields.items() if value is not None}


def wrapped(rows: list[dict[str, Any]], now_ns: int) -> dict[str, Any]:
    """Quotes in their wrapper, times with a point (4.3 b, 11.3)."""
    spelled = [{**row, "lp_time": float(row["lp_time"])} if "lp_time" in row else row for row in rows]
    return {"last_update": now_ns // MS, "total_items": len(rows), "data": spelled}


def bar_row(bar: SimBar) -> dict[str, Any]:
    """One bar, named by its start (4.1)."""
    return {
        "time": bar.start_ns // NS,
        "open": plain(bar.open),
        "high": plain(bar.high),
        "low": plain(bar.low),
        "close": plain(bar.close),
        "volume": plain(bar.volume),
    }


def series_frame(code: str, bar_code: str, seconds: int, bars: list[SimBar], now_ns: int) -> dict[str, Any]:
    """A series frame (4.1)."""
    frame: dict[str, Any] = {"code": code}
    if bars:
        frame["bar_end"] = bars[-1].start_ns // NS + seconds - 1
    rows = [bar_row(each) for each in bars]
    return {**frame, "last_update": now_ns // MS, "bar_type": bar_code, "series": rows}


def tick_frame(code: str, trade: SimTrade, now_ns: int) -> dict[str, Any]:
    """A single trade (4.2)."""
    row = {"time": trade.ns // MS / 1000, "type": "trade", "close": plain(trade.price), "volume": plain(trade.size)}
    return {"code": code, "last_update": now_ns // MS, "bar_type": "1T", "series": [row]}


def news_item(news: SimNews, instruments: Mapping[str, Instrument]) -> dict[str, Any]:
    """An item of news (5)."""
    return {
        "source": news.publisher,
        "title": news.title,
        "content": news.content,
        "published_at": news.ns // NS,
        "link": news.link,
        "related_symbols": [code_of(instruments[each]) for each in news.symbols if each in instruments],
    }


def search_row(instrument: Instrument) -> dict[str, Any]:
    """One answer of the symbol search (11.1)."""
    code = code_of(instrument)
    return {
        "name": instrument.symbol.replace("/", ""),
        "description": instrument.description,
        "code": code,
        "type": _TYPES[instrument.kind],
        "exchange": code.partition(":")[0],
        "currency_code": instrument.currency,
        "country": "US" if instrument.kind != "crypto" else "",
    }
