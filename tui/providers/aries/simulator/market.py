"""The simulated market socket (5): quotes, trades, prints, depth as compact rows, Greeks, market status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from tui.clock import NS, to_datetime
from tui.providers.aries.simulator.options import Contract, Value, value
from tui.providers.aries.simulator.session import (
    MOST_SYMBOLS,
    Behaviour,
    Message,
    Session,
    failure,
    iso,
    update,
)
from tui.providers.aries.simulator.tokens import TokenDesk
from tui.simulator.market import (
    BookChanged,
    Change,
    QuoteChanged,
    SessionChanged,
    SimQuote,
    SimTrade,
    SimulatedMarket,
    TradePrinted,
)

LISTS: Final = ("quoteFields", "tradeFields", "timeAndSalesFields", "greeksFields")
QUOTE_FIELDS: Final = (
    "bidPrice", "bidSize", "bidExchange", "askPrice", "askSize", "askExchange", "quoteTimestamp",
)  # fmt: skip
TRADE_FIELDS: Final = (
    "lastPrice", "price", "size", "netChange", "openPrice", "highPrice", "lowPrice", "totalVolume", "tradeTimestamp",
)  # fmt: skip
DEPTH: Final = 20
GREEKS_NS: Final = NS
NEW_YORK: Final = timezone(timedelta(hours=-5))
NAMES: Final = {"XNAS": "NSDQ"}
"""Exchanges have other names in quotes than in prints (5.5, 5.8)."""
_SIZE: Final = Decimal(10)


@dataclass(slots=True)
class _Stream:
    """One subscribed symbol, and what was last sent of it."""

    entry: Mapping[str, Any]
    contract: Contract | None
    fields: dict[str, Any] = field(default_factory=dict)
    levels: dict[Decimal, tuple[Decimal, Decimal]] = field(default_factory=dict)
    venues: dict[str, str] = field(default_factory=dict)
    greeks_ns: int = 0

    def wants(self, name: str) -> frozenset[str]:
        """The fields asked for of one list; without quote and trade fields all of both (5.2)."""
        asked = self.entry.get(name)
        if asked is None and name in LISTS[:2] and not any(key in self.entry for key in LISTS[:2]):
            asked = "*"
        return frozenset([asked] if isinstance(asked, str) else asked or ())


class MarketConversation(Session):
    """One connection to the market socket."""

    channel = "market"

    def __init__(
        self, market: SimulatedMarket, behaviour: Behaviour, tokens: TokenDesk, violations: Counter[str]
    ) -> None:
        super().__init__(market, behaviour, tokens, violations)
        self._streams: dict[str, _Stream] = {}

    def subscribed(self, payload: Any, request_id: str, now_ns: int, *, wants_it: bool) -> Iterator[Message]:
        """An array of symbol requests; an error fails all of them."""
        if not isinstance(payload, list) or not all(isinstance(entry, dict) for entry in payload):
            self.violations["payload is no array of objects"] += 1
            yield failure("invalid payload", request_id, now_ns)
            return
        if len(payload) > MOST_SYMBOLS:
            self.violations["more than 100 symbols a frame"] += 1
        if not wants_it:
            for entry in payload:
                self._streams.pop(str(entry.get("symbol")), None)
            return
        if text := next(filter(None, map(self._objection, payload)), None):
            yield failure(text, request_id, now_ns)
            return
        for entry in payload:
            stream = self._streams[entry["symbol"]] = _Stream(entry, Contract.parse(entry["symbol"]))
            if self._is_deep(stream):
                self.market.book(entry["symbol"])  # from now on its changes are told
            yield from self._ticks(entry["symbol"], stream, now_ns)

    def _objection(self, entry: Mapping[str, Any]) -> str | None:
        """What is wrong with a request for a symbol."""
        code = entry.get("symbol")
        contract = Contract.parse(code) if isinstance(code, str) else None
        instrument = self.market.instruments.get(contract.root if contract else str(code))
        if instrument is None or instrument.kind == "crypto":
            return f"invalid symbol {code}"
        is_option = entry.get("symbolType") == "option"
        if is_option is (contract is None):
            return "invalid symbolType"
        if "greeksFields" in entry and not is_option:
            return "greeksFields need an option"
        if not all(map(_is_names, (entry.get(name, "*") for name in LISTS))):
            return "invalid fields"
        known = {"symbol", "symbolType", "fields", *LISTS, self.behaviour.level2_key}
        unknown = entry.keys() - known
        return f"unknown field {min(unknown)}" if unknown else None

    def _is_deep(self, stream: _Stream) -> bool:
        has_asked = self.behaviour.level2_key and stream.entry.get(self.behaviour.level2_key)
        return bool(has_asked) and stream.contract is None  # options have no depth here

    def welcome(self, now_ns: int) -> Iterator[Message]:
        """Market status comes by itself (5.4)."""
        yield self._status(now_ns)

    def moved(self, changes: Sequence[Change], now_ns: int) -> Iterator[Message]:
        """Prints one by one, quotes and depth once a step."""
        quoted: set[str] = set()
        deep: set[str] = set()
        for change in changes:
            match change:
                case SessionChanged():
                    yield self._status(now_ns)
                case TradePrinted(symbol, trade):
                    quoted.add(symbol)
                    yield from self._prints(symbol, trade, now_ns)
                case QuoteChanged(symbol):
                    quoted.add(symbol)
                case BookChanged(symbol):
                    deep.add(symbol)
                case _:
                    pass
        for code, stream in self._streams.items():
            if (stream.contract.root if stream.contract else code) in quoted:
                yield from self._ticks(code, stream, now_ns)
            if code in deep and self._is_deep(stream):
                yield from self._depth(code, stream, now_ns)

    def _ticks(self, code: str, stream: _Stream, now_ns: int) -> Iterator[Message]:
        """Quote, trade and Greeks fields that were asked for and have changed."""
        quote = self.market.quote(stream.contract.root if stream.contract else code)
        if stream.contract is None:
            bids_asks, trades = _quote_fields(quote), _trade_fields(quote)
        else:
            instrument = self.market.instruments[stream.contract.root]
            now = value(stream.contract, quote.last, instrument.volatility + 0.1, now_ns)
            then = value(stream.contract, quote.prev_close, instrument.volatility + 0.1, now_ns)
            bids_asks, trades = _option_fields(now, then, quote)
            yield from self._greeks(code, stream, now, now_ns)
        for kind, name, found in (("quote", LISTS[0], bids_asks), ("trade", LISTS[1], trades)):
            fresh = self._fresh(stream, name, found)
            if fresh:
                yield update(kind, {"symbol": code, **fresh}, now_ns)

    def _fresh(self, stream: _Stream, name: str, found: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that were asked for and differ from what was sent; a new time alone is no news."""
        asked = stream.wants(name)
        shown = {key: each for key, each in found.items() if "*" in asked or key in asked}
        fresh = {key: each for key, each in shown.items() if stream.fields.get(f"{name}.{key}", stream) != each}
        if all(key.endswith("Timestamp") for key in fresh):
            return {}
        stream.fields.update({f"{name}.{key}": each for key, each in fresh.items()})
        return {key: self.figure(each) if isinstance(each, Decimal) else each for key, each in fresh.items()}

    def _greeks(self, code: str, stream: _Stream, now: Value, now_ns: int) -> Iterator[Message]:
        if not stream.wants("greeksFields") or now_ns - stream.greeks_ns < GREEKS_NS:
            return
        stream.greeks_ns = now_ns
        data = {"delta": now.delta, "gamma": now.gamma, "theta": now.theta, "vega": now.vega, "rho": now.rho}
        yield update("greeks", {"symbol": code, **data, "impliedVolatility": now.volatility}, now_ns)

    def _prints(self, symbol: str, trade: SimTrade, now_ns: int) -> Iterator[Message]:
        stream = self._streams.get(symbol)
        if stream is None or not stream.wants("timeAndSalesFields"):
            return
        data = {
            "symbol": symbol,
            "price": self.figure(trade.price),
            "size": self.figure(trade.size),
            "tradeExchange": trade.venue,
            "tradeTimestamp": _new_york(trade.ns),
            "tradeSeq": trade.seq,
            "tick": "+" if trade.side == "buy" else "-",
        }
        yield update("timeAndSales", data, now_ns)

    def _depth(self, code: str, stream: _Stream, now_ns: int) -> Iterator[Message]:
        """Rows that changed; a level or a venue that went has a row without sizes (5.7)."""
        bids, asks = self.market.aggregated(code, None, DEPTH)
        levels: dict[Decimal, tuple[Decimal, Decimal]] = {}
        for price, size, _ in bids:
            levels[price] = Decimal(0), size
        for price, size, _ in asks:
            levels[price] = size, levels.get(price, (Decimal(0), Decimal(0)))[1]
        rows = [
            f"{ask}:{price}:{bid}" for price, (ask, bid) in levels.items() if stream.levels.get(price) != (ask, bid)
        ]
        rows += [f"0:{price}:0" for price in stream.levels if price not in levels]
        venues = {venue: _venue_row(venue, book.bids, book.asks) for venue, book in self.market.book(code).items()}
        quotes = [row for venue, row in venues.items() if stream.venues.get(venue) != row]
        stream.levels, stream.venues = levels, venues
        if rows or quotes:
            yield update("level2", {"symbol": code, "orderBook": rows, "quotes": quotes}, now_ns)

    def _status(self, now_ns: int) -> Message:
        session = str(self.market.session)
        state = "open" if session == "regular" else "closed"
        data = {
            "market": state,
            "earlyHours": session == "pre",
            "afterHours": session == "post",
            "exchanges": {"nasdaq": state, "nyse": state, "otc": state},
            "currencies": {"crypto": "open", "fx": "open"},
            "indicesGroups": {"dow_jones": state, "nasdaq": state, "s_and_p": state},
            "serverTime": iso(now_ns),
        }
        return update("marketStatus", data, now_ns)


def _is_names(asked: object) -> bool:
    """Whether a list of fields is one: a name, or an array of names."""
    return isinstance(asked, str) or (isinstance(asked, list) and all(isinstance(name, str) for name in asked))


def _quote_fields(quote: SimQuote) -> dict[str, Any]:
    if quote.bid is None or quote.ask is None:
        return {}
    return {
        "bidPrice": quote.bid,
        "bidSize": quote.bid_size,
        "bidExchange": NAMES.get(quote.bid_venue or "", quote.bid_venue),
        "askPrice": quote.ask,
        "askSize": quote.ask_size,
        "askExchange": NAMES.get(quote.ask_venue or "", quote.ask_venue),
        "quoteTimestamp": _new_york(quote.last_ns),
    }


def _trade_fields(quote: SimQuote) -> dict[str, Any]:
    size = {} if quote.last_size is None else {"price": quote.last, "size": quote.last_size}
    return {
        "lastPrice": quote.last,
        **size,
        "netChange": quote.change,
        "openPrice": quote.open,
        "highPrice": quote.high,
        "lowPrice": quote.low,
        "totalVolume": quote.volume,
        "tradeTimestamp": _new_york(quote.last_ns),
    }


def _option_fields(now: Value, then: Value, quote: SimQuote) -> tuple[dict[str, Any], dict[str, Any]]:
    half = max(Decimal("0.01"), (now.price / 100).quantize(Decimal("0.01")))
    stamp = _new_york(quote.last_ns)
    bids_asks = {
        "bidPrice": max(now.price - half, Decimal(0)),
        "bidSize": _SIZE,
        "askPrice": now.price + half,
        "askSize": _SIZE + 2,
        "quoteTimestamp": stamp,
    }
    return bids_asks, {"lastPrice": now.price, "netChange": now.price - then.price, "tradeTimestamp": stamp}


def _venue_row(venue: str, bids: Sequence[tuple[Decimal, Decimal]], asks: Sequence[tuple[Decimal, Decimal]]) -> str:
    ask = f"{asks[0][0]}:{asks[0][1]}" if asks else ":"
    bid = f"{bids[0][0]}:{bids[0][1]}" if bids else ":"
    return f"{venue}:{ask}:{bid}"


def _new_york(ns: int) -> str:
    """`2026-11-20T09:40:00.123-05:00`."""
    return to_datetime(ns).astimezone(NEW_YORK).isoformat(timespec="milliseconds")
