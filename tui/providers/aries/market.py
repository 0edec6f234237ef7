"""The market socket: quotes, trades, depth, Greeks and market status (section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final

from tui.clock import NS
from tui.market.events import BookSnapshot, Greeks, MarketStatus, Quote, Trade
from tui.market.names import Kind, Subscription, Wants
from tui.market.terms import Session
from tui.providers import parse
from tui.providers.aries import guesses, normalise, wire
from tui.providers.aries.codec import NAME, SessionCodec
from tui.providers.aries.day import Day
from tui.providers.aries.desired import KINDS, Row, Table, batches, full_removal, removal, request, table
from tui.providers.aries.guesses import What
from tui.providers.aries.level2 import Level2Book, Mode
from tui.providers.aries.normalise import Body, Fields, Message
from tui.providers.aries.status import market_status
from tui.providers.base import Count, Credential, Output, Resubscribing, Send, Signal, SymbolTable

NO_DEPTH_S: Final = 15
"""Quotes but no depth for this long in trading hours: there is none to be had (5.2)."""
SILENT_S: Final = 60
"""A symbol that ticked and is silent this long after a renewed login is subscribed again (3.6)."""
STILL_S: Final = 5
"""Late data this long after an unsubscribe means that the short form did not stop it (5.3)."""
REPAIR_S: Final = 15
"""After a message that could not be read everything is subscribed anew, but no more often than this."""
AWAY_NS: Final = NS // 2
"""Between leaving and coming back: what was under way has arrived by then and is taken for late."""
MOST_FRAMES: Final = 500


@dataclass(slots=True)
class _Stream:
    """What has been sent for one symbol, and what came of it."""

    row: Row
    sent_ns: int
    day: Day
    book: Level2Book
    seen_ns: int = 0
    quoted: bool = False
    deep: bool = False
    told: bool = False  # that there is no depth


@dataclass(slots=True)
class _Dropped:
    """A symbol that was unsubscribed in the short form; `entry` is what it had been subscribed with."""

    at_ns: int
    entry: dict[str, Any]


class MarketCodec(SessionCodec):
    """Quotes, trades, depth and Greeks by symbol; market status without asking."""

    channel = "market"
    offers: ClassVar[frozenset[Kind]] = KINDS

    def __init__(
        self,
        credential: Credential,
        symbols: SymbolTable,
        *,
        level2: tuple[str, Any] = (guesses.LEVEL2_KEY, guesses.LEVEL2_VALUE),
        level2_mode: Mode = "auto",
        jitter_s: float = 0.0,
        warnings: Sequence[str] = (),
    ) -> None:
        """Prepare a codec for one connection.

        Args:
            credential: The access token.
            symbols: User spelling to code and back.
            level2: Key and value that switch depth on in a subscription.
            level2_mode: Whether depth messages replace or change the book.
            jitter_s: Added to the time of each renewal.
            warnings: Told to the user when the socket opens.
        """
        super().__init__(credential, symbols, jitter_s=jitter_s, warnings=warnings)
        self._level2 = level2
        self._mode = level2_mode
        self._streams: dict[str, _Stream] = {}
        self._dropped: dict[str, _Dropped] = {}
        self._refused: set[Subscription] = set()
        self._frames: dict[str, Table] = {}
        self._status: dict[str, Any] = {}
        self._session: Session | None = None
        self._ticking: dict[str, int] = {}
        self._has_lost = False
        self._left_ns = 0
        self._return_ns: int | None = None

    def received(self, frame: str | bytes, ts_recv_ns: int) -> Output:
        """Decode one frame. A line that cannot be read may have held changes of a book: what builds on it is wrong."""
        output = list(super().received(frame, ts_recv_ns))
        self._has_lost |= any(isinstance(each, Count) and each.what == "undecodable" for each in output)
        return [*output, *self._repair(ts_recv_ns)]

    def changed(self, want: Wants, now_ns: int) -> Iterator[Signal]:
        """Unsubscribe what goes and what shrinks, then subscribe what is new or changed with its full field set."""
        self._refused &= want
        rows = table(want - self._refused, self.code)
        gone = [code for code, stream in self._streams.items() if not _grows(stream.row, rows.get(code))]
        yield from self._unsubscribe(gone, now_ns)
        yield from self._subscribe({code: row for code, row in rows.items() if not self._has(code, row)}, now_ns)

    def forget(self) -> None:
        """Forget all subscriptions; books start anew, because depth comes without a snapshot."""
        self._streams.clear()
        self._frames.clear()
        self._ticking.clear()

    def failed(self, request_id: str, text: str, now_ns: int) -> Iterable[Signal] | None:
        """Find out which symbol an error means: halve the frame, then leave depth out, then give up (5.2, 11)."""
        rows = self._frames.pop(request_id, None)
        if rows is None:
            return None
        still = {code: row for code, row in rows.items() if self._has(code, row)}
        if len(still) > 1:
            return self._halves(still, now_ns)
        return [signal for code, row in still.items() for signal in self._fall_back(code, row, text, now_ns)]

    def kept(self, now_ns: int) -> Iterable[Signal]:
        """Remember what ticked before a renewed login: it must tick after it too."""
        recent_ns = now_ns - SILENT_S * NS
        self._ticking = {code: now_ns for code, stream in self._streams.items() if stream.seen_ns > recent_ns}
        return ()

    def tended(self, now_ns: int) -> Iterator[Signal]:
        """In trading hours, notice depth that never comes and symbols that a renewed login has lost."""
        yield from self._repair(now_ns)
        if self._return_ns is not None and now_ns >= self._return_ns:
            self._return_ns = None
            yield from self.changed(self._want, now_ns)
        if self._session is not Session.REGULAR:
            return
        for stream in self._streams.values():
            if self._lacks_depth(stream, now_ns):
                stream.told = True
                subscription = Subscription(Kind.BOOK, stream.row.symbol)
                yield self.notice("no depth data", now_ns, refused=subscription)
        due = [code for code, since_ns in self._ticking.items() if now_ns - since_ns > SILENT_S * NS]
        silent = {code: self._streams[code].row for code in due if self._is_silent(code)}
        for code in due:
            del self._ticking[code]
        yield from self._subscribe(silent, now_ns)

    def event(self, what: What | None, body: Body, message: Message, ts_recv_ns: int) -> Iterator[Signal]:
        """Dispatch one body (17)."""
        if what is What.STATUS:
            yield from self._market_status(body, message, ts_recv_ns)
            return
        if what not in (What.QUOTE, What.TRADE, What.LEVEL2, What.PRINT, What.GREEKS):
            self.count("unknown", sample=message.name)
            return
        code = normalise.symbol_of(body, message.payload)
        stream = self._streams.get(code)
        if stream is None:
            yield from self._late(code, ts_recv_ns)
            return
        stream.seen_ns = ts_recv_ns
        match what:
            case What.LEVEL2:
                yield from self._depth(stream, body, message, ts_recv_ns)
            case What.PRINT:
                yield from self._print(stream, body, message, ts_recv_ns)
            case What.GREEKS:
                yield from self._greeks(stream, body, message, ts_recv_ns)
            case _:
                yield from self._quote(stream, body, message, ts_recv_ns)
                if "tradeSeq" in body:  # a print that calls itself a trade
                    yield from self._print(stream, body, message, ts_recv_ns)

    def _quote(self, stream: _Stream, body: Body, message: Message, ts_recv_ns: int) -> Iterator[Signal]:
        """Quote and trade fields, together or apart, merged as a patch (5.5, 5.6, and `equityComposite` of 16).

        `{"symbol": "AAPL", "bidPrice": 187.41, "bidSize": 500, "quoteTimestamp": "2026-11-20T09:40:00.123-05:00"}`
        `{"symbol": "AAPL", "lastPrice": "187.42", "netChange": 1.17, "totalVolume": 18244310}`
        """
        stream.quoted = True
        if Kind.QUOTE not in stream.row.kinds:
            return  # the least that can be asked for beside prints, depth or Greeks
        fields = Fields(body)
        patch = normalise.quote_patch(fields)
        stream.day.complete(patch)
        event_ns = self.time(fields, message, ts_recv_ns)
        self.count("rejected", fields.rejected)
        if patch:
            values: dict[str, Any] = dict(patch)
            yield Quote(source=NAME, symbol=stream.row.symbol, ts_event_ns=event_ns, ts_recv_ns=ts_recv_ns, **values)

    def _print(self, stream: _Stream, body: Body, message: Message, ts_recv_ns: int) -> Iterator[Signal]:
        """One execution (5.8); `tick` is a direction of prices, not the side that traded.

        `{"symbol": "NVDA", "price": 143.27, "size": 200, "tradeExchange": "XNAS", "tradeSeq": 8812345, "tick": "+"}`
        """
        if Kind.TRADE not in stream.row.kinds:
            return
        fields = Fields(body)
        price, size = fields.decimal("price", parse.positive), fields.decimal("size", parse.size)
        event_ns = self.time(fields, message, ts_recv_ns)
        if price is None or not size:
            self.count("rejected", max(fields.rejected, 1))
            return
        self.count("rejected", fields.rejected)
        yield Trade(
            source=NAME,
            symbol=stream.row.symbol,
            ts_event_ns=event_ns,
            ts_recv_ns=ts_recv_ns,
            price=price,
            size=size,
            venue=fields.text("venue", 20) or None,
            sequence=fields.text("sequence", 40) or None,
        )

    def _greeks(self, stream: _Stream, body: Body, message: Message, ts_recv_ns: int) -> Iterator[Signal]:
        """An option's sensitivities (5.9): `{"symbol": "AAPL261218C00200000", "delta": 0.4312, …}`."""
        if Kind.GREEKS not in stream.row.kinds:
            return
        fields = Fields(body)
        values: dict[str, Decimal | None] = {}
        for name in ("delta", "gamma", "theta", "vega", "rho", "implied_volatility"):
            values[name] = fields.decimal(name)
        event_ns = self.time(fields, message, ts_recv_ns)
        self.count("rejected", fields.rejected)
        if any(value is not None for value in values.values()):
            symbol = stream.row.symbol
            yield Greeks(source=NAME, symbol=symbol, ts_event_ns=event_ns, ts_recv_ns=ts_recv_ns, **values)

    def _depth(self, stream: _Stream, body: Body, message: Message, ts_recv_ns: int) -> Iterator[Signal]:
        """Compact rows into a whole book (5.7)."""
        if Kind.BOOK not in stream.row.kinds:
            return
        stream.deep = True
        self.count("rejected", stream.book.apply(body))
        bids, asks = stream.book.sides()
        yield BookSnapshot(
            source=NAME,
            symbol=stream.row.symbol,
            ts_event_ns=message.ts_ns,
            ts_recv_ns=ts_recv_ns,
            bids=bids,
            asks=asks,
            venues=tuple(sorted(stream.book.venues)),
            bests=stream.book.bests(),
        )

    def _market_status(self, body: Body, message: Message, ts_recv_ns: int) -> Iterator[Signal]:
        """Market status (5.4), pushed after the login and upon changes; a part of it changes only that part."""
        self._status.update({key: body[key] for key in guesses.STATUS_KEYS if key in body})
        status: MarketStatus = market_status(self._status, message.ts_ns, ts_recv_ns)
        self._session = status.session
        yield status

    def _late(self, code: str, now_ns: int) -> Iterator[Signal]:
        """Data for what nobody wants: counted; when it goes on, the removal is repeated in its long form once."""
        self.count("late" if code else "rejected", sample="" if code else "no symbol")
        dropped = self._dropped.get(code)
        if dropped is not None and now_ns - dropped.at_ns > STILL_S * NS:
            del self._dropped[code]
            payload = [full_removal(dropped.entry)]
            yield Send(wire.unsubscribe(self.next_id("unsub"), payload), purpose="unsubscribe")

    def _repair(self, now_ns: int) -> Iterator[Signal]:
        """After a loss leave everything and come back a moment later, when nothing old is under way any more."""
        if self._has_lost and self._is_live and self._streams and now_ns - self._left_ns >= REPAIR_S * NS:
            self._has_lost, self._left_ns, self._return_ns = False, now_ns, now_ns + AWAY_NS
            yield Resubscribing()
            yield from self._unsubscribe(list(self._streams), now_ns)

    def _has(self, code: str, row: Row) -> bool:
        stream = self._streams.get(code)
        return stream is not None and stream.row == row

    def _unsubscribe(self, codes: Sequence[str], now_ns: int) -> Iterator[Send]:
        for code in codes:
            stream = self._streams.pop(code)
            entry = request(code, stream.row.kinds, self._level2)
            self._dropped.pop(code, None)
            self._dropped[code] = _Dropped(now_ns, entry)
        for old in list(self._dropped)[:-MOST_FRAMES]:
            del self._dropped[old]
        for batch in batches(codes):
            payload = [removal(code) for code in batch]
            yield Send(wire.unsubscribe(self.next_id("unsub"), payload), purpose="unsubscribe")

    def _subscribe(self, rows: Table, now_ns: int) -> Iterator[Send]:
        """Depth goes into frames of its own, so that a server without it refuses nothing else."""
        for code, row in rows.items():
            self._dropped.pop(code, None)
            if stream := self._streams.get(code):
                stream.row, stream.sent_ns, stream.deep, stream.told = row, now_ns, False, False
            else:
                self._streams[code] = _Stream(row, now_ns, Day(), Level2Book(self._mode))
        deep = {code: row for code, row in rows.items() if Kind.BOOK in row.kinds}
        for part in (rows.keys() - deep.keys(), deep.keys()):
            for batch in batches(sorted(part)):
                yield self._subscription({code: rows[code] for code in batch})

    def _subscription(self, rows: Table) -> Send:
        request_id = self.next_id("sub")
        self._frames[request_id] = rows
        for old in list(self._frames)[:-MOST_FRAMES]:
            del self._frames[old]
        payload = [request(code, row.kinds, self._level2) for code, row in rows.items()]
        return Send(wire.subscribe(request_id, payload), purpose="subscribe")

    def _halves(self, rows: Table, now_ns: int) -> Iterator[Signal]:
        codes = sorted(rows)
        middle = len(codes) // 2
        for half in (codes[:middle], codes[middle:]):
            yield from self._subscribe({code: rows[code] for code in half}, now_ns)

    def _fall_back(self, code: str, row: Row, text: str, now_ns: int) -> Iterator[Signal]:
        """One symbol was refused: try it without depth, else it is refused as a whole."""
        del self._streams[code]
        if Kind.BOOK in row.kinds:
            depth = Subscription(Kind.BOOK, row.symbol)
            self._refused.add(depth)
            yield self.notice("depth not available", now_ns, refused=depth)
            if rest := row.kinds - {Kind.BOOK}:
                yield from self._subscribe({code: Row(row.symbol, rest)}, now_ns)
            return
        for subscription in row.subscriptions():
            self._refused.add(subscription)
            yield self.notice(text, now_ns, refused=subscription)

    def _lacks_depth(self, stream: _Stream, now_ns: int) -> bool:
        wants = Kind.BOOK in stream.row.kinds and stream.quoted
        return wants and not (stream.deep or stream.told) and now_ns - stream.sent_ns > NO_DEPTH_S * NS

    def _is_silent(self, code: str) -> bool:
        stream = self._streams.get(code)
        return stream is not None and stream.seen_ns <= self._ticking[code]


def _grows(row: Row, new: Row | None) -> bool:
    """Whether a symbol keeps all that it has: anything else needs an unsubscribe first."""
    return new is not None and row.kinds <= new.kinds
