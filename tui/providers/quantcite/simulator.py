"""QuantCite's side of the protocol on the simulated market, written from the reference alone.

It is strict where the reference is: requests before the login, a second login, more requests than the plan allows and
data beyond the allowance are answered as the provider does, and counted where a client should know better.
"""

from __future__ import annotations

import difflib
import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final
from uuid import UUID

from tui.clock import NS, to_iso
from tui.simulator.dialect import Conversation, Dialect, Hangup, Reply, Request, Response
from tui.simulator.instruments import CRYPTO_VENUES
from tui.simulator.market import BookChanged, Change, Instrument, SimulatedMarket

KEY: Final = "demo-quantcite"
TIER: Final = "developer"
GIB: Final = 1024**3
DEPTH: Final = 80
MINUTE_NS: Final = 60 * NS
PING_GAP_NS: Final = 20 * NS
COMMANDS: Final = ("authenticate", "get_pairs", "get_exchanges", "subscribe_aggregated")
OTHER_EXCHANGES: Final = (
    "ascendex binanceus bitfinex bitget bitmex bitstamp cryptocom deribit gate gateio gemini htx huobi mexc myokx okxus"
    " poloniex whitebit woo"
).split()
SUPPORTED: Final = tuple(sorted((*CRYPTO_VENUES, *OTHER_EXCHANGES)))
_WARNINGS: Final = (80, 100)
_END_PERCENT: Final = 105


@dataclass(slots=True)
class Stream:
    """One subscribed symbol of a connection: every how long it may update, and what was sent."""

    id: str
    venues: tuple[str, ...]
    gap_ns: int
    number: int = 0
    sent_ns: int = 0
    is_due: bool = True


class QuantCiteDialect(Dialect):
    """Aggregated books over the simulated exchanges; limits and bytes are those of the key, not of a connection.

    Attributes:
        requests_per_minute: What the plan allows.
        bytes_limit: Monthly allowance.
        bytes_used: Counted updates and snapshots.
    """

    provider: ClassVar[str] = "quantcite"
    paths: ClassVar[dict[str, str]] = {"/quantcite/api/v1/ws": "book"}
    rest_prefix: ClassVar[str] = "/quantcite"
    credentials: ClassVar[dict[str, str]] = {"api_key": KEY}

    def __init__(self, market: SimulatedMarket) -> None:
        super().__init__(market)
        self.requests_per_minute = 1000
        self.bytes_limit = 50 * GIB
        self.bytes_used = int(7.25 * GIB)
        self.pairs = {each.symbol: each for each in market.instruments.values() if each.kind == "crypto"}
        self._requests: deque[int] = deque()
        self._numbers = 482_914

    def conversation(self, channel: str) -> Conversation:
        """A new connection, not logged in."""
        return BookConversation(self)

    @classmethod
    def settings(cls, ws_base: str, http_base: str) -> dict[str, Any]:
        """Where this simulator is."""
        return {"url": f"{ws_base}/quantcite/api/v1/ws", "http_url": f"{http_base}/quantcite"}

    def rest(self, request: Request) -> Response:
        """Health and data usage (section 9)."""
        stamp = _zoned(self.market.now_ns)
        if request.method != "GET":
            return Response({"error": "method_not_allowed", "message": "Use GET", "timestamp": stamp}, 405)
        if request.path == "/api/v1/health":
            body = {"status": "healthy", "websocket_endpoint": "/api/v1/ws", "active_exchanges": len(CRYPTO_VENUES)}
            return Response({**body, "timestamp": _stamp(self.market.now_ns), "version": "2.0.0"})
        if request.path == f"/api/v1/data-usage/{KEY}":
            return Response(self._account())
        if request.path.startswith("/api/v1/data-usage/"):
            return Response({"error": "api_key_not_found", "message": "No such key", "timestamp": stamp}, 404)
        return Response({"error": "not_found", "message": "No such endpoint", "timestamp": stamp}, 404)

    def usage(self) -> dict[str, float]:
        """Gigabytes used and allowed, and percent."""
        used, limit = self.bytes_used / GIB, self.bytes_limit / GIB
        over = {"exceeded_by_gb": round(used - limit, 3)} if used > limit else {}
        return {"used_gb": round(used, 3), "limit_gb": round(limit, 3), **over, "usage_percentage": self.percent()}

    def percent(self) -> float:
        """Share of the allowance that is used."""
        return round(self.bytes_used / self.bytes_limit * 100, 1)

    def next_number(self) -> int:
        """For ids that no other has."""
        self._numbers += 1
        return self._numbers

    def admit(self, now_ns: int) -> int:
        """Count a request; returns the seconds to wait when it is one too many, else 0."""
        while self._requests and now_ns - self._requests[0] >= MINUTE_NS:
            self._requests.popleft()
        if len(self._requests) < self.requests_per_minute:
            self._requests.append(now_ns)
            return 0
        return max(1, -((now_ns - self._requests[0] - MINUTE_NS) // NS))

    def rate(self) -> int:
        """Requests in the last minute."""
        return len(self._requests)

    def _account(self) -> dict[str, Any]:
        now_ns = self.market.now_ns
        usage = self.usage()
        left = {"remaining_gb": max(0.0, round(usage["limit_gb"] - usage["used_gb"], 3))}
        exact = {"bytes_used": self.bytes_used, "bytes_limit": self.bytes_limit}
        return {
            "user_id": str(UUID(int=1)),
            "username": "demo",
            "billing_tier": TIER,
            "api_key_active": True,
            "data_usage": {**usage, **left, **exact},
            "billing_period": {
                "reset_date": _zoned(now_ns + 10 * 86_400 * NS),
                "days_until_reset": 10,
                "next_reset": _zoned(now_ns + 40 * 86_400 * NS),
            },
            "status": {
                "limit_exceeded": self.bytes_used > self.bytes_limit,
                "warning_threshold": self.percent() >= _WARNINGS[0],
                "api_key_status": "active",
            },
            "timestamp": _zoned(now_ns),
        }


class BookConversation(Conversation):
    """The server's side of one socket.

    Attributes:
        streams: What is subscribed.
    """

    def __init__(self, dialect: QuantCiteDialect) -> None:
        self._dialect = dialect
        self._is_in = False
        self._has_tried = False
        self._is_over = False
        self._pinged_ns: int | None = None
        self.streams: dict[str, Stream] = {}
        self._told: set[int] = set()
        self._has_rate_warning = False

    def opened(self, now_ns: int) -> Iterable[Reply]:
        """Greet (section 4.1 b)."""
        yield _frame("welcome", message="Hello from QuantCite", available_commands=list(COMMANDS))

    def received(self, frame: str, now_ns: int) -> Iterable[Reply]:
        """Answer one request."""
        try:
            request = json.loads(frame)
        except (ValueError, RecursionError):
            request = None
        kind = request.get("type") if isinstance(request, dict) else None
        if not isinstance(request, dict) or not isinstance(kind, str):
            self._dialect.violations["not a message"] += 1
            yield _error("invalid_message", "Messages are JSON objects with a type")
        elif wait_s := self._dialect.admit(now_ns):
            self._dialect.violations["rate limit"] += 1
            limit = self._dialect.requests_per_minute
            yield _error(
                "rate_limit_exceeded", "Slow down", retry_after=wait_s, current_limit=limit, window="per_minute"
            )
        elif kind == "authenticate":
            yield from self._authenticate(request.get("api_key"))
        elif not self._is_in:
            self._dialect.violations["request before login"] += 1
            yield _error("authentication_required", "Authenticate first")
        else:
            yield from self._answer(kind, request, now_ns)
            yield from self._rate_warning(now_ns)

    def changed(self, changes: Sequence[Change], now_ns: int) -> Iterable[Reply]:
        """Send the complete book of each subscribed symbol that moved, as often as it may."""
        for change in changes:
            if isinstance(change, BookChanged) and change.symbol in self.streams:
                self.streams[change.symbol].is_due = True
        for symbol, stream in self.streams.items():
            if self._is_over:
                return
            if stream.is_due and now_ns - stream.sent_ns >= stream.gap_ns:
                stream.is_due, stream.sent_ns, stream.number = False, now_ns, stream.number + 1
                numbered = {"update_number": stream.number, "subscription_id": stream.id}
                yield self._book("aggregated_orderbook_update", symbol, stream.venues, now_ns, **numbered)
                yield from self._data_warnings(now_ns)

    def _authenticate(self, key: object) -> Iterator[Reply]:
        if self._has_tried:
            self._dialect.violations["second authenticate"] += 1
            yield _error("already_authenticated", "One login per connection")
            return
        self._has_tried = True
        if key != KEY:
            yield _frame("error", error="Authentication failed", code=4001, message="Invalid API key provided")
            yield Hangup(4001, "authentication failed")
            return
        self._is_in = True
        yield _frame(
            "welcome",
            session_id=str(UUID(int=self._dialect.next_number())),
            user_id=str(UUID(int=1)),
            user_tier=TIER,
            message=f"Authenticated successfully as {TIER} user",
            authentication={"api_key": f"{KEY[:5]}...", "status": "authenticated"},
        )

    def _answer(self, kind: str, request: dict[str, Any], now_ns: int) -> Iterator[Reply]:
        match kind:
            case "subscribe_aggregated":
                yield from self._subscribe(request)
            case "unsubscribe_aggregated":
                yield self._unsubscribe(request.get("symbol"))
            case "get_aggregated_orderbook":
                yield self._snapshot(request.get("symbol"), now_ns)
            case "get_exchanges":
                yield self._exchanges(now_ns)
            case "get_pairs":
                yield self._pairs(request.get("exchange"), now_ns)
            case "ping":
                yield self._pong(now_ns)
            case _:
                self._dialect.violations["unknown request"] += 1
                yield _error("unknown_message_type", f"Unknown message type {kind[:40]}")

    def _subscribe(self, request: dict[str, Any]) -> Iterator[Reply]:
        symbol, wanted = request.get("symbol"), request.get("exchanges")
        instrument = self._dialect.pairs.get(symbol) if isinstance(symbol, str) else None
        if instrument is None:
            yield self._no_such(symbol)
            return
        if instrument.symbol in self.streams:
            self._dialect.violations["double subscribe"] += 1
        asked = SUPPORTED if wanted == "all" else wanted
        if not isinstance(asked, list | tuple) or not asked:
            self._dialect.violations["empty exchanges"] += 1
            yield _confirmation(instrument.symbol, (), wanted, success=False, message="No exchanges requested")
            return
        if unknown := [name for name in asked if name not in SUPPORTED]:
            text = f"Exchange '{str(unknown[0])[:40]}' is not supported"
            yield _error(
                "exchange_unavailable", text, exchange=str(unknown[0])[:40], supported_exchanges=list(CRYPTO_VENUES)
            )
            return
        granted = tuple(name for name in instrument.venues if name in asked)
        if not granted:
            text = f"{instrument.symbol} is on none of these exchanges"
            yield _confirmation(instrument.symbol, (), wanted, success=False, message=text)
            return
        stream = Stream(f"sub_{self._dialect.next_number()}", granted, _gap_ns(instrument))
        self.streams[instrument.symbol] = stream
        text = f"Subscribed to {instrument.symbol} on {len(granted)} exchanges"
        confirmed = {"success": True, "message": text, "subscription_id": stream.id}
        yield _confirmation(instrument.symbol, granted, wanted, **confirmed)

    def _unsubscribe(self, symbol: object) -> Reply:
        known = self.streams.pop(symbol, None) if isinstance(symbol, str) else None
        text = f"{'Successfully unsubscribed' if known else 'Not subscribed'} {'from' if known else 'to'} {symbol}"
        return _frame("unsubscribe_response", symbol=symbol, success=known is not None, message=text[:80])

    def _snapshot(self, symbol: object, now_ns: int) -> Reply:
        if not isinstance(symbol, str) or symbol not in self._dialect.pairs:
            return self._no_such(symbol)
        if symbol not in self.streams:
            return _error("no_subscription", f"No active subscription for {symbol}", symbol=symbol)
        return self._book("aggregated_orderbook_data", symbol, self.streams[symbol].venues, now_ns)

    def _exchanges(self, now_ns: int) -> Reply:
        status = {name: "active" if name in CRYPTO_VENUES else "limited" for name in SUPPORTED}
        data = {
            "supported_exchanges": list(SUPPORTED),
            "active_exchanges": list(CRYPTO_VENUES),
            "total_supported": len(SUPPORTED),
            "total_active": len(CRYPTO_VENUES),
            "exchange_status": status,
        }
        return _frame("exchanges_data", data=data, timestamp=_stamp(now_ns))

    def _pairs(self, exchange: object, now_ns: int) -> Reply:
        pairs = self._dialect.pairs
        by_exchange = {name: [s for s, each in pairs.items() if name in each.venues] for name in CRYPTO_VENUES}
        if exchange is None:
            data: dict[str, Any] = {"exchanges": by_exchange, "total_exchanges": len(by_exchange)}
            data |= {"total_pairs": len(pairs), "common_pairs": list(pairs)[:6]}
        elif exchange in SUPPORTED:
            listed = by_exchange.get(str(exchange), [])
            data = {"exchange": exchange, "pairs": listed, "total_pairs": len(listed)}
            data["categories"] = {"major": listed[:3], "altcoins": listed[3:]}
        else:
            return _error("invalid_exchange", "No such exchange", supported_exchanges=list(SUPPORTED))
        return _frame("pairs_data", data=data, timestamp=_stamp(now_ns))

    def _pong(self, now_ns: int) -> Reply:
        if self._pinged_ns is not None and now_ns - self._pinged_ns < PING_GAP_NS:
            self._dialect.violations["ping too soon"] += 1
        self._pinged_ns = now_ns
        return _frame("pong", timestamp=_stamp(now_ns), server_time=_stamp(now_ns), latency_ms=0.4)

    def _no_such(self, symbol: object) -> Reply:
        asked = symbol[:40] if isinstance(symbol, str) else ""
        alike = difflib.get_close_matches(asked, self._dialect.pairs, 3)
        text = f"Symbol {asked} is not supported on any exchange"
        more = {"suggested_symbols": alike} if alike else {}
        return _frame("subscription_error", error="invalid_symbol", message=text, symbol=symbol, **more)

    def _book(self, kind: str, symbol: str, venues: tuple[str, ...], now_ns: int, **numbered: Any) -> str:
        bids, asks = self._dialect.market.aggregated(symbol, venues, DEPTH)
        stats = _market_stats(bids, asks, len(venues))
        data = {"bids": [_level(*one) for one in bids], "asks": [_level(*one) for one in asks], "market_stats": stats}
        frame = _frame(kind, symbol=symbol, timestamp=_stamp(now_ns), **numbered, data=data)
        self._dialect.bytes_used += len(frame)
        return frame

    def _rate_warning(self, now_ns: int) -> Iterator[Reply]:
        rate, limit = self._dialect.rate(), self._dialect.requests_per_minute
        is_close = rate * 100 >= limit * 95
        if is_close and not self._has_rate_warning:
            window = {"current_rate": rate, "limit": limit, "window": "per_minute"}
            reset = _zoned(now_ns // MINUTE_NS * MINUTE_NS + MINUTE_NS)
            yield _frame("rate_limit_warning", message="Approaching rate limit", **window, reset_time=reset)
        self._has_rate_warning = is_close

    def _data_warnings(self, now_ns: int) -> Iterator[Reply]:
        percent, usage = self._dialect.percent(), self._dialect.usage()
        if percent >= _END_PERCENT:
            self._is_over = True
            what = {"data_usage": usage, "action_required": "Wait for the monthly reset or contact support"}
            yield _error("data_limit_exceeded", "Monthly data limit exceeded", **what)
            yield Hangup(1008, "data limit exceeded")
            return
        for step in _WARNINGS:
            if percent >= step and step not in self._told:
                self._told.add(step)
                text = "Data streaming limit exceeded" if percent >= 100 else "Approaching the data limit"
                advice = "Contact support to increase your data limit"
                stamped = {"action_required": advice, "timestamp": _zoned(now_ns)}
                yield _frame("data_limit_warning", message=text, data_usage=usage, **stamped)


def _gap_ns(instrument: Instrument) -> int:
    """Busy symbols update five times a second, medium ones once, quiet ones every five seconds (section 4.4)."""
    if instrument.trades_per_s >= 2:
        return NS // 5
    return NS if instrument.trades_per_s >= 1 else 5 * NS


def _level(price: Decimal, amount: Decimal, venues: Sequence[str]) -> dict[str, Any]:
    value = round(float(price * amount), 4)
    return {
        "price": float(price),
        "amount": float(amount),
        "exchanges": list(venues),
        "exchange_count": len(venues),
        "value": value,
    }


def _market_stats(
    bids: Sequence[tuple[Decimal, Decimal, tuple[str, ...]]],
    asks: Sequence[tuple[Decimal, Decimal, tuple[str, ...]]],
    venues: int,
) -> dict[str, Any]:
    best_bid, best_ask = bids[0][0] if bids else None, asks[0][0] if asks else None
    stats: dict[str, Any] = {"best_bid": best_bid and float(best_bid), "best_ask": best_ask and float(best_ask)}
    if best_bid is not None and best_ask is not None:
        spread, mid = best_ask - best_bid, (best_ask + best_bid) / 2
        stats |= {"spread": float(spread), "spread_percent": round(float(spread / mid * 100), 4)}
        stats["mid_price"] = float(mid)
    totals = [float(sum((level[1] for level in side), Decimal(0))) for side in (bids, asks)]
    return {
        **stats,
        "total_bid_volume": totals[0],
        "total_ask_volume": totals[1],
        "participating_exchanges": venues,
    }


def _confirmation(symbol: str, granted: Sequence[str], requested: object, **rest: Any) -> str:
    named = {"symbol": symbol, "exchanges": list(granted), "requested": requested}
    return _frame("aggregated_subscription_response", **named, **rest)


def _error(kind: str, message: str, **rest: Any) -> str:
    return _frame("error", error=kind, message=message, **rest)


def _frame(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})


def _stamp(now_ns: int) -> str:
    """As the provider writes times: microseconds, no zone."""
    return to_iso(now_ns).removesuffix("Z")


def _zoned(now_ns: int) -> str:
    """As it writes them in warnings and HTTP answers: seconds with Z."""
    return f"{to_iso(now_ns)[:19]}Z"
