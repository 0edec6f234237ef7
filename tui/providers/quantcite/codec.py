"""QuantCite's one socket: login, books of many venues, errors (reference, sections 2 to 8)."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, assert_never

from pydantic import SecretStr

from tui.clock import NS
from tui.market.events import BookSnapshot, Notice, Quote
from tui.market.names import Kind, Subscription, Symbol, Wants
from tui.market.terms import Level, Severity
from tui.providers import parse
from tui.providers.base import (
    HOLD_S,
    Close,
    Codec,
    Count,
    Latency,
    LoggedIn,
    LoginRefused,
    Output,
    Pause,
    Send,
    Signal,
    SymbolTable,
    Then,
)
from tui.providers.quantcite import wire
from tui.providers.quantcite.allowance import REMEDY, Allowance
from tui.providers.quantcite.books import BOOK_TYPES, Book, BookReader
from tui.providers.quantcite.held import Head, HeldBook, HeldBooks
from tui.providers.quantcite.subscriptions import Budget, Line, State, Subscriptions
from tui.providers.quantcite.symbols import PairIndex, code_of

SOURCE: Final = "quantcite"
FEED: Final = "quantcite:book"
KINDS: Final = frozenset((Kind.BOOK, Kind.QUOTE))
PING_NS: Final = 30 * NS
RETRY_S: Final = 60
"""Pause after `rate_limit_exceeded` without `retry_after`."""
HOUR_NS: Final = 3600 * NS

KEY_REMEDY: Final = "Check the key with: tickdeck credentials set quantcite"
_HOLD_NS: Final = int(HOLD_S * NS)
_BOOK_MARK: Final = b"aggregated_orderbook_"
_HEAD: Final = 200
_KEY_KINDS: Final = frozenset(("authentication_failed", "authentication_error", "invalid_api_key", "api_key_not_found"))
_LOGIN_KINDS: Final = _KEY_KINDS | {"account_suspended"}
_FULL_KINDS: Final = frozenset(
    ("max_connections_exceeded", "connection_limit_exceeded", "too_many_connections", "connection_limit")
)
"""Over the connection limit. Unverified: how the server says so is not stated (section 8)."""
ELSEWHERE_S: Final = 900.0
_LONG_ENOUGH: Final = 6
_MOST_SAMPLES: Final = 50


class BookCodec(Codec):
    """The channel `book`: complete aggregated books, and quotes derived from their best levels.

    Args:
        key: The API key.
        symbols: Spellings and codes.
        index: Pairs and exchanges known so far; filled from the first connection that finds it empty.
        exchanges: Whose books to ask for; None for all.
        most: Most symbols at once.
        cap_percent: Stop when the server says that this much of the monthly data is used; 0 never stops.
        left_out: Exchanges that the user does not want in the book of a symbol; `wanted` reads it.
        allowance: Counts the data of all connections and knows when it is too much.
        budget: Requests a minute of the key; like all that limits it, it outlives the connection.
    """

    def __init__(
        self,
        key: SecretStr,
        symbols: SymbolTable,
        index: PairIndex,
        *,
        exchanges: tuple[str, ...] | None,
        most: int = 20,
        cap_percent: float = 0.0,
        left_out: Mapping[Symbol, frozenset[str]] | None = None,
        allowance: Allowance | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._key = key
        self._allowance = allowance or Allowance()
        self._symbols = symbols
        self._index = index
        self._exchanges = exchanges
        self._cap_percent = cap_percent
        self._left_out = {} if left_out is None else left_out
        unknown = frozenset(exchanges or ()) - index.supported if index.supported else frozenset()
        self._lines = Subscriptions(exchanges, most, unknown, self._carriers, self._notice, budget)
        self._reader = BookReader()
        self._held = HeldBooks(self._may_wait)
        self._now_ns = 0
        self._is_live = False
        self._pinged_ns = 0
        self._heard_ns = 0
        self._awaits_pong = False
        self._sampled: set[str] = set()

    def opened(self, now_ns: int) -> Output:
        """Log in at once, without waiting for a greeting that may not come (section 1)."""
        self._now_ns = now_ns
        frame = wire.authenticate(self._key.get_secret_value())
        return [Send(frame, "login", recorded=wire.authenticate("***"))]

    def wanted(self, want: Wants, now_ns: int) -> Output:
        """One subscribe or unsubscribe for each symbol that is new or gone, both for one with other exchanges."""
        self._now_ns = now_ns
        refused: list[Signal] = []
        by_code: dict[str, set[Subscription]] = {}
        left_out: dict[str, frozenset[str]] = {}
        for subscription in sorted(want, key=str):
            code = self._code(subscription)
            if code is None:
                refused.append(self._not_carried(subscription))
            else:
                by_code.setdefault(code, set()).add(subscription)
                if subscription.symbol and (venues := self._left_out.get(subscription.symbol)):
                    left_out[code] = venues
        self._lines.want({code: frozenset(subscriptions) for code, subscriptions in by_code.items()}, left_out)
        return [*refused, *self._lines.settle(now_ns)] if self._is_live else refused

    def received(self, frame: str | bytes, ts_recv_ns: int) -> Output:
        """Decode one frame: one JSON object with a `type` (section 4.0)."""
        self._now_ns = self._heard_ns = ts_recv_ns
        if isinstance(frame, bytes) and self._held.take(frame, ts_recv_ns):
            return ()
        before = self.released(ts_recv_ns)
        self._allowance.meter.received(len(frame), ts_recv_ns)
        return [*before, *self._read(frame)]

    @property
    def holds(self) -> bool:
        """Whether books wait."""
        return bool(self._held)

    def released(self, now_ns: int) -> Output:
        """Decode the newest book of each symbol, and count what it superseded."""
        out = [signal for book in self._held.drain() for signal in self._release(book)]
        self._now_ns = now_ns
        return out

    def ticked(self, now_ns: int) -> Output:
        """Ping every 30 s (section 5), chase answers, end pauses, stop when too much data has come."""
        self._now_ns = now_ns
        if not self._is_live:
            return []
        if beyond := self._allowance.beyond(now_ns):
            return [Close(beyond[0], Then.RETRY, delay_s=beyond[1], remedy=REMEDY)]
        out: list[Signal] = list(self._lines.overdue(now_ns))
        is_paused = now_ns < self._lines.paused_until_ns and now_ns - self._heard_ns < PING_NS
        if now_ns - self._pinged_ns >= PING_NS and not is_paused:  # a ping may be a request too
            self._pinged_ns, self._awaits_pong = now_ns, True
            out.append(Send(wire.ping(), "ping"))
        return out

    def _may_wait(self, head: Head) -> bool:
        line = self._lines.lines.get(head.code)
        return line is not None and self._now_ns - line.shown_ns < _HOLD_NS and self._lines.follows(line, head)

    def _release(self, held: HeldBook) -> Iterator[Signal]:
        code, self._now_ns = held.head.code, held.ts_recv_ns
        self._allowance.meter.received(held.size, held.ts_recv_ns)
        self._allowance.meter.book(code, held.size)
        line = self._lines.lines.get(code)
        if line is not None and (lost := line.skip(held)):
            yield Count("gap", lost)
        raw = self._redacted(held.frame)
        try:
            book = self._reader.quick(raw) or self._reader.patient(parse.load_json(raw))
        except ValueError:
            yield Count("undecodable", sample=self._sample(held.frame))
            return
        if book is None:
            yield Count("rejected")
            return
        yield from self._oddities(book)
        if book.is_usable and line is not None and self._lines.wanted(code):
            line.stamp(book)
            yield from self._shown(line, book)

    def _read(self, frame: str | bytes) -> Iterator[Signal]:
        try:
            raw = self._redacted(frame.encode() if isinstance(frame, str) else frame)
            if _BOOK_MARK in raw[:_HEAD] and (book := self._reader.quick(raw)) is not None:
                self._allowance.meter.book(book.code, len(raw))
                yield from self._book(book)
                return
            message = parse.load_json(raw)
        except ValueError:
            yield Count("undecodable", sample=self._sample(frame))
            return
        if not isinstance(message, dict):
            yield Count("undecodable", sample=self._sample(frame))
        elif isinstance(kind := message.get("type"), str) and kind in BOOK_TYPES:
            patient = self._reader.patient(message)
            if patient is None:
                yield Count("rejected")
                return
            self._allowance.meter.book(patient.code, len(raw))
            yield from self._book(patient)
        else:
            yield from self._handle(wire.read(message))

    def _handle(self, message: wire.Message) -> Iterator[Signal]:
        match message:
            case wire.Welcome():
                if message.is_login:
                    yield from self._logged_in(message.user_tier)
            case wire.AuthenticationSuccess():
                if message.rate_limits.requests_per_minute:
                    self._lines.budget.learn(int(message.rate_limits.requests_per_minute))
                self._allowance.said(message.data_usage, self._now_ns)
                yield from self._logged_in(message.tier, str(message.data_usage))
            case wire.SubscriptionResponse():
                yield from self._lines.confirmed(message, self._now_ns)
            case wire.UnsubscribeResponse():
                yield from self._lines.unsubscribed(message, self._now_ns)
            case wire.ExchangesData():
                yield from self._exchanges_came(message.data)
            case wire.PairsData():
                for exchange, codes in message.data.by_exchange.items():
                    self._index.add(exchange, codes)
            case wire.Pong():
                if self._awaits_pong:
                    self._awaits_pong = False
                    yield Latency(max(0, self._now_ns - self._pinged_ns) / NS)
            case wire.RateLimitWarning():
                yield from self._warned(message)
            case wire.DataLimitWarning():
                yield from self._data_warned(message)
            case wire.Problem():
                yield from self._problem(message)
            case wire.Unknown():
                yield self._unknown(message)
            case _:
                assert_never(message)

    def _logged_in(self, tier: str, usage: str = "") -> Iterator[Signal]:
        if self._is_live:
            return
        self._is_live, self._pinged_ns = True, self._now_ns
        yield LoggedIn(", ".join(part for part in (f"{tier} plan" if tier else "", usage) if part))
        if not self._index:
            yield Send(wire.get_pairs())
        if self._exchanges is not None and not self._index.supported:
            yield Send(wire.get_exchanges())
        yield from self._lines.settle(self._now_ns)

    def _exchanges_came(self, data: wire.ExchangeList) -> Iterator[Signal]:
        """Say what is wrong with the exchanges of the settings; those missing in `active_exchanges` may be active."""
        self._index.supported = frozenset(data.supported_exchanges)
        for name in self._exchanges or ():
            status = data.exchange_status.get(name, "active")
            if self._index.supported and name not in self._index.supported:
                self._lines.unavailable.add(name)
                alike = tuple(difflib.get_close_matches(name, sorted(self._index.supported), 3))
                yield self._notice(Severity.WARNING, f"QuantCite knows no exchange {name}", suggestions=alike)
            elif status != "active":
                yield self._notice(Severity.INFO, f"{name}: {status}")

    def _book(self, book: Book) -> Iterator[Signal]:
        """Sections 4.4 and 4.5: each update is the complete book.

        `{"type": "aggregated_orderbook_update", "symbol": "BTC/USDT", "timestamp": "2026-01-05T14:37:51.204871",
        "update_number": 1284, "subscription_id": "sub_482915", "data": {"bids": [{"price": 97210.4, "amount": 0.8125,
        "exchanges": ["binance", "okx"], …}], "asks": […], "market_stats": {…}}}`
        """
        yield from self._oddities(book)
        if not book.is_usable:
            return
        line = self._lines.heard(book, self._now_ns)
        lost = line.take(book) if line is not None else None
        if line is None or lost is None:
            yield Count("late")
            return
        if lost:
            yield Count("gap", lost)
        yield from self._shown(line, book)

    def _oddities(self, book: Book) -> Iterator[Signal]:
        if book.rejected:
            yield Count("rejected", book.rejected)
        if book.is_delta:
            yield from self._once("delta", "QuantCite now sends changes of books, which this version cannot read")
        if not book.is_usable:
            yield Count("rejected")

    def _shown(self, line: Line, book: Book) -> Iterator[Signal]:
        line.shown_ns, stamp_ns = self._now_ns, book.stamp_ns
        if stamp_ns is not None and (hours := _zone_error(stamp_ns - self._now_ns)):
            yield from self._once("clock", f"QuantCite's clock is off by {hours} hours: the time of arrival is used")
            stamp_ns = None
        for kind, symbol, _ in sorted(self._lines.wanted(line.code), key=str):
            if symbol is not None:
                yield (
                    self._snapshot(symbol, book, line, stamp_ns)
                    if kind is Kind.BOOK
                    else _quote(symbol, book, stamp_ns, self._now_ns)
                )

    def _snapshot(self, symbol: Symbol, book: Book, line: Line, stamp_ns: int | None) -> BookSnapshot:
        return BookSnapshot.trusted(  # the reader has validated every figure
            source=SOURCE,
            ts_event_ns=stamp_ns,
            ts_recv_ns=self._now_ns,
            symbol=symbol,
            bids=book.bids,
            asks=book.asks,
            venues=line.venues or _venues(book),
            missing_venues=line.missing,
            sequence=book.number,
        )

    def _problem(self, problem: wire.Problem) -> Iterator[Signal]:
        """Section 6.1: act on the kind alone, whatever carried it."""
        kind, text = problem.kind, problem.message or problem.error or problem.type
        if kind in _LOGIN_KINDS or problem.type == "authentication_error" or _is_key_code(problem.code):
            yield _refused_login(kind, text)
        elif kind == "data_limit_exceeded":
            usage = str(problem.data_usage)
            reason = "monthly data used up" + (f": {usage}" if usage else "")
            yield Close(reason, Then.FAIL, remedy=problem.action_required or "Wait for the monthly reset.")
        elif kind in _FULL_KINDS:
            remedy = "Close another program that uses this key, then reconnect with R."
            yield Close("this key is in use elsewhere", Then.RETRY, ELSEWHERE_S, remedy)
        elif kind == "rate_limit_exceeded":
            yield from self._limited(problem)
        elif kind == "authentication_required":
            if self._is_live:  # section 2: once per connection, so a new login needs a new connection
                yield Close("the server asks for a login again", Then.RETRY)
        elif kind == "invalid_symbol":
            yield from self._lines.refuse_named(problem.symbol, text, problem.suggested_symbols)
        elif kind == "exchange_unavailable":
            yield from self._unavailable(problem.exchange, text)
        elif kind == "no_subscription":
            return  # no snapshot without a subscription: the next update brings the book
        elif problem.type == "subscription_error" and problem.symbol:
            yield from self._lines.refuse_named(problem.symbol, text, problem.suggested_symbols)
        else:
            yield self._notice(Severity.WARNING, text)

    def _limited(self, problem: wire.Problem) -> Iterator[Signal]:
        seconds = RETRY_S if problem.retry_after is None else min(float(problem.retry_after), 3600.0)
        if problem.current_limit:
            self._lines.budget.learn(int(problem.current_limit))
        if not self._is_live:  # it was the login that came too soon, and it goes out once per connection
            yield Close("rate limit", Then.RETRY, delay_s=seconds)
            return
        was_until_ns = self._lines.paused_until_ns
        self._lines.limited(self._now_ns, self._now_ns + int(seconds * NS))
        if self._lines.paused_until_ns > was_until_ns:
            yield Pause(seconds, f"rate limit: QuantCite asks to wait {seconds:.0f} s")

    def _warned(self, warning: wire.RateLimitWarning) -> Iterator[Signal]:
        """Section 6.2: hold back until the window ends; it lasts a minute, so a clock that is off costs no more."""
        until_ns = warning.reset_time or self._now_ns
        seconds = min(max(until_ns - self._now_ns, 0), 60 * NS) / NS
        if seconds:
            self._lines.paused_until_ns = max(self._lines.paused_until_ns, self._now_ns + int(seconds * NS))
            rate = "" if warning.current_rate is None or warning.limit is None else (
                f" ({warning.current_rate:f} of {warning.limit:f} requests a minute)"
            )  # fmt: skip
            yield Pause(seconds, f"close to the rate limit{rate}")

    def _data_warned(self, warning: wire.DataLimitWarning) -> Iterator[Signal]:
        """Section 6.2: the name says warning, the numbers say whether it is over already."""
        self._allowance.said(warning.data_usage, self._now_ns)
        percent, usage = warning.data_usage.percent, str(warning.data_usage)
        if percent is not None and 0 < self._cap_percent <= percent:
            remedy = "Raise data_cap_percent in the settings, or wait for the monthly reset."
            yield Close(f"{usage}: beyond the limit in the settings", Then.FAIL, remedy=remedy)
            return
        is_over = percent is not None and percent >= 100
        advice = warning.action_required or "subscribe to fewer symbols or exchanges"
        text = f"{usage or warning.message or 'near the monthly data limit'}: {advice}"
        yield self._notice(Severity.ERROR if is_over else Severity.WARNING, text)

    def _unavailable(self, exchange: str, text: str) -> Iterator[Signal]:
        line = self._lines.without(exchange) if exchange else self._lines.oldest(State.ASKED)
        if line is None:
            yield self._notice(Severity.WARNING, text)
        elif not exchange:
            yield from self._lines.refuse(line, text)
        else:
            alike = tuple(difflib.get_close_matches(exchange, sorted(self._index.supported), 3))
            yield self._notice(Severity.WARNING, f"{text}; {line.code} goes on without it", suggestions=alike)

    def _unknown(self, message: wire.Unknown) -> Count:
        """Section 4.0: name the keys of an unknown type once, then only count."""
        if message.type in self._sampled or len(self._sampled) >= _MOST_SAMPLES:
            return Count("unknown")
        self._sampled.add(message.type)
        return Count("unknown", sample=parse.text(f"{message.type}: {', '.join(message.fields)}", 160))

    def _code(self, subscription: Subscription) -> str | None:
        symbol = subscription.symbol
        if symbol is None or subscription.kind not in KINDS:
            return None
        return self._symbols.code(symbol, lambda asked: code_of(asked, self._index))

    def _carriers(self, code: str) -> tuple[str, ...]:
        """Exchanges that list a pair, else all that are known."""
        return self._index.venues(code) or tuple(sorted(self._index.supported))

    def _not_carried(self, subscription: Subscription) -> Notice:
        text = f"QuantCite does not carry {subscription}"
        return self._notice(Severity.WARNING, text, subscription=subscription, refused=True)

    def _notice(self, severity: Severity, text: str, **fields: Any) -> Notice:
        return Notice(source=SOURCE, feed=FEED, ts_recv_ns=self._now_ns, severity=severity, text=text, **fields)

    def _once(self, what: str, text: str) -> Iterator[Notice]:
        if what not in self._sampled:
            self._sampled.add(what)
            yield self._notice(Severity.WARNING, text)

    def _redacted(self, raw: bytes) -> bytes:
        """A frame without the key: no server has a reason to repeat it, and no log a reason to hold it."""
        key = self._key.get_secret_value().encode()
        return raw.replace(key, b"***") if len(key) >= _LONG_ENOUGH else raw

    def _sample(self, frame: str | bytes) -> str:
        head = frame[:400] if isinstance(frame, bytes) else frame[:400].encode(errors="replace")
        return parse.text(self._redacted(head).decode(errors="replace"), 120)


def _refused_login(kind: str, text: str) -> LoginRefused:
    if kind == "account_suspended":
        return LoginRefused("account suspended", "Contact QuantCite's support.", needs_key=False)
    return LoginRefused("key rejected" if kind in _KEY_KINDS else f"key rejected: {text}", KEY_REMEDY)


def _quote(symbol: Symbol, book: Book, stamp_ns: int | None, now_ns: int) -> Quote:
    """The best levels; a side that is empty has no price. `market_stats` is not read: it says the same, or 0."""
    bid, bid_size = _best(book.bids)
    ask, ask_size = _best(book.asks)
    return Quote(
        source=SOURCE,
        ts_event_ns=stamp_ns,
        ts_recv_ns=now_ns,
        symbol=symbol,
        bid=bid,
        ask=ask,
        bid_size=bid_size,
        ask_size=ask_size,
        derived=True,
    )


def _best(levels: tuple[Level, ...]) -> tuple[Decimal, Decimal] | tuple[None, None]:
    return levels[0][:2] if levels else (None, None)


def _venues(book: Book) -> tuple[str, ...]:
    return tuple(sorted({name for level in (*book.bids, *book.asks) for name in level[2]}))


def _zone_error(off_ns: int) -> int:
    """Whole hours by which a stamp misses the time of arrival: a server that writes local time without a zone."""
    hours = round(off_ns / HOUR_NS)
    return hours if 1 <= abs(hours) <= 14 and abs(off_ns - hours * HOUR_NS) < 120 * NS else 0


def _is_key_code(code: Decimal | None) -> bool:
    return code is not None and 4001 <= code <= 4099
