"""The charts socket: trades of a symbol, built into bars on top of the history that REST gives (section 6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final

from tui.market.events import Bar
from tui.market.names import INDICES, Kind, Subscription, Wants
from tui.providers import parse
from tui.providers.aries import guesses, normalise, wire
from tui.providers.aries.bars import BarBuilder, Tick
from tui.providers.aries.codec import NAME, SessionCodec
from tui.providers.aries.desired import batches
from tui.providers.aries.guesses import What
from tui.providers.aries.normalise import Body, Fields, Message
from tui.providers.base import Credential, Output, Send, Signal, SymbolTable

MOST_FRAMES: Final = 500
_FOREIGN: Final = frozenset(What) - {What.QUOTE, What.TRADE, What.PRINT}


class ChartsCodec(SessionCodec):
    """Bars by symbol and interval. One subscription a symbol serves all of its intervals."""

    channel = "charts"
    offers: ClassVar[frozenset[Kind]] = frozenset({Kind.BAR})

    def __init__(
        self, credential: Credential, symbols: SymbolTable, *, jitter_s: float = 0.0, warnings: Sequence[str] = ()
    ) -> None:
        super().__init__(credential, symbols, jitter_s=jitter_s, warnings=warnings)
        self._builders: dict[str, dict[Subscription, BarBuilder]] = {}
        self._sent: dict[str, bool] = {}  # by code: as part of an array
        self._tried: dict[str, set[bool]] = {}  # by code: forms in which it was refused by itself
        self._frames: dict[str, tuple[bool, tuple[str, ...]]] = {}  # by id: as an array, codes
        self._refused: set[Subscription] = set()
        self._takes_arrays = True

    def changed(self, want: Wants, now_ns: int) -> Iterator[Signal]:
        """Subscribe symbols that no bar was wanted of so far, unsubscribe those of which none is any more."""
        self._refused &= want
        wanted = self._by_code(want - self._refused)
        had = self._builders
        self._builders = {
            code: {each: had.get(code, {}).get(each) or _builder(each) for each in subscriptions}
            for code, subscriptions in wanted.items()
        }
        yield from self._unsubscribe(sorted(self._sent.keys() - wanted.keys()))
        yield from self._subscribe(sorted(wanted.keys() - self._sent.keys()), as_array=self._takes_arrays)

    def forget(self) -> None:
        """Forget all subscriptions; the bars under way stay, because no new history is coming."""
        self._sent.clear()
        self._frames.clear()

    def history(self, subscription: Subscription, bars: Sequence[Bar]) -> Output:
        """Hand the history on and build on it: later trades only, earlier ones are part of it."""
        for builders in self._builders.values():
            if builder := builders.get(subscription):
                builder.seed(bars)
        return bars

    def failed(self, request_id: str, text: str, now_ns: int) -> Iterator[Signal] | None:
        """An array was refused: one object a symbol from now on (6). A symbol that neither form gets is refused."""
        frame = self._frames.pop(request_id, None)
        return None if frame is None else self._fall_back(*frame, text, now_ns)

    def event(self, what: What | None, body: Body, message: Message, ts_recv_ns: int) -> Iterator[Signal]:
        """A quote, a trade, or both, nested or flat, or in TradingView's own form (6, 17).

        `{"symbol": "AAPL", "quote": {"lp": 187.42}, "trade": {"price": 187.42, "size": 100, "timestamp": 1795185600}}`
        `{"n": "AAPL", "s": "ok", "v": {"lp": 187.42, "volume": 18244310}}`
        """
        quote, trade = _parts(body)
        if what in _FOREIGN or not (quote or trade):
            self.count("unknown", sample=message.name)
            return
        code = normalise.symbol_of(body, message.payload)
        builders = self._builders.get(code)
        if builders is None:
            self.count("late")
            return
        self._takes_arrays = self._sent.get(code, self._takes_arrays)  # this form works
        tick = self._tick(trade, quote, message, ts_recv_ns)
        if tick is None:
            return
        is_index = code in INDICES
        for builder in builders.values():
            bars = builder.trade(tick) if trade else builder.index(tick) if is_index else builder.price(tick)
            if bars is None:
                self.count("late")
            yield from bars or ()

    def _tick(self, trade: Body | None, quote: Body | None, message: Message, ts_recv_ns: int) -> Tick | None:
        """The trade, else the quote's last price; when by the exchange, else by the envelope, else by our clock."""
        fields = Fields(trade or quote or {})
        price = fields.decimal("price", parse.positive)
        size = (fields.decimal("size", parse.size) or Decimal(0)) if trade else None
        ts_ns = self.time(fields, message, ts_recv_ns) or ts_recv_ns
        if trade and price is None and not fields.rejected:
            fields.rejected += 1
        self.count("rejected", fields.rejected)
        return None if price is None else Tick(price, size, ts_ns, ts_recv_ns)

    def _by_code(self, want: Iterable[Subscription]) -> dict[str, list[Subscription]]:
        found: dict[str, list[Subscription]] = {}
        for subscription in sorted(want):
            symbol, interval = subscription.symbol, subscription.interval
            if subscription.kind is Kind.BAR and symbol and interval and (code := self.code(symbol)):
                found.setdefault(code, []).append(subscription)
        return found

    def _subscribe(self, codes: Sequence[str], *, as_array: bool) -> Iterator[Send]:
        for piece in batches(codes, guesses.MOST_SYMBOLS_A_FRAME if as_array else 1):
            request_id = self.next_id("sub")
            self._frames[request_id] = as_array, tuple(piece)
            self._sent.update(dict.fromkeys(piece, as_array))
            yield Send(wire.subscribe(request_id, _payload(piece, as_array)), purpose="subscribe")
        for old in list(self._frames)[:-MOST_FRAMES]:
            del self._frames[old]

    def _unsubscribe(self, codes: Sequence[str]) -> Iterator[Send]:
        """In the form in which each symbol was subscribed."""
        for as_array in (True, False):
            same = [code for code in codes if self._sent[code] is as_array]
            for piece in batches(same, guesses.MOST_SYMBOLS_A_FRAME if as_array else 1):
                yield Send(wire.unsubscribe(self.next_id("unsub"), _payload(piece, as_array)), purpose="unsubscribe")
        for code in codes:
            del self._sent[code]
            self._tried.pop(code, None)

    def _fall_back(self, was_array: bool, codes: Sequence[str], text: str, now_ns: int) -> Iterator[Signal]:
        """Try each symbol by itself: as an object, then as an array of one, because an array may have been refused
        for its form or for another symbol in it.
        """
        if was_array:
            self._takes_arrays = False
        for code in [code for code in codes if code in self._sent]:
            tried = self._tried.setdefault(code, set())
            if len(codes) == 1:
                tried.add(was_array)
            if left := [form for form in (False, True) if form not in tried]:
                yield from self._subscribe([code], as_array=left[0])
            else:
                yield from self._refuse(code, text, now_ns)

    def _refuse(self, code: str, text: str, now_ns: int) -> Iterator[Signal]:
        del self._sent[code], self._tried[code]
        for subscription in self._builders.pop(code, ()):
            self._refused.add(subscription)
            yield self.notice(text, now_ns, refused=subscription)


def _builder(subscription: Subscription) -> BarBuilder:
    assert subscription.symbol is not None
    assert subscription.interval is not None
    return BarBuilder(NAME, subscription.symbol, subscription.interval)


def _payload(codes: Sequence[str], as_array: bool) -> list[dict[str, Any]] | dict[str, Any]:
    """`[{"symbol": "AAPL"}, …]`, or `{"symbol": "AAPL"}` for one."""
    return [{"symbol": code} for code in codes] if as_array else {"symbol": codes[0]}


def _parts(body: Body) -> tuple[Body | None, Body | None]:
    """Quote and trade of an event, wherever they stand."""
    quote, trade = (_object(body.get(key)) for key in ("quote", "trade"))
    if quote is not None or trade is not None:
        return quote, trade
    flat = _object(body.get("v")) or body
    if "price" in flat and "size" in flat:
        return None, flat
    return (flat if normalise.Fields(flat).has("price") or _quotes(flat) else None), None


def _quotes(flat: Body) -> bool:
    return any(normalise.Fields(flat).has(name) for name in ("bid", "ask", "last"))


def _object(value: object) -> Mapping[str, Any] | None:
    return value if isinstance(value, dict) and value else None
