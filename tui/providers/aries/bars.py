"""Trades into bars on top of a history (6): pure, so that any feed of trades can drive it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from tui.clock import NS
from tui.market.events import Bar
from tui.market.names import Interval, Symbol

_LONG: Final = frozenset({Interval.D1, Interval.W1})


@dataclass(frozen=True, slots=True)
class Tick:
    """A price that traded.

    Attributes:
        price: The price.
        size: How much; None when only the price is known (an index, a quote), which then adds no volume.
        ts_ns: When it traded, by the exchange where it says.
        ts_recv_ns: When we got it.
    """

    price: Decimal
    size: Decimal | None
    ts_ns: int
    ts_recv_ns: int


class BarBuilder:
    """The running bar of one symbol and interval.

    Nothing is built before `seed`: trades until then are part of the history's running bar. A trade older than the
    running bar changes nothing. Intervals without a trade stay empty.

    Attributes:
        running: The bar that still changes, or None before the first trade.
        is_seeded: Whether the history has come.
    """

    def __init__(self, source: str, symbol: Symbol, interval: Interval) -> None:
        self._source = source
        self._symbol = symbol
        self._interval = interval
        self._phase_ns: int | None = None
        self.running: Bar | None = None
        self.is_seeded = False

    def seed(self, bars: Sequence[Bar]) -> None:
        """Go on from a history, oldest first; empty when there is none."""
        self.is_seeded = True
        if bars:
            self.running = bars[-1]
            self._phase_ns = self._phase(bars)

    def trade(self, tick: Tick) -> list[Bar] | None:
        """The bars that a trade changes: the running one, before it the one it closes; None when it is too late."""
        if not self.is_seeded:
            return []
        running, start_ns = self.running, self._start(tick.ts_ns)
        if running is None:
            return [self._open(tick, start_ns)]
        if tick.ts_ns < running.start_ns:
            return None
        if start_ns <= running.start_ns:
            return [self._update(running, tick)]
        return [running.model_copy(update={"closed": True}), self._open(tick, start_ns)]

    def index(self, tick: Tick) -> list[Bar] | None:
        """A value of an index, which has no trades: a new value does what a trade does, a repeated one nothing."""
        is_new = self.running is None or tick.price != self.running.close
        return self.trade(tick) if is_new else []

    def price(self, tick: Tick) -> list[Bar]:
        """A last price without a trade: it moves the running bar, never opens one and adds no volume."""
        running = self.running
        if running is None or not self.is_seeded or tick.price == running.close:
            return []
        if tick.ts_ns < running.start_ns or self._start(tick.ts_ns) > running.start_ns:
            return []
        return [self._update(running, tick)]

    def _open(self, tick: Tick, start_ns: int) -> Bar:
        self.running = Bar(
            source=self._source,
            ts_event_ns=tick.ts_ns,
            ts_recv_ns=tick.ts_recv_ns,
            symbol=self._symbol,
            interval=self._interval,
            start_ns=start_ns,
            open=tick.price,
            high=tick.price,
            low=tick.price,
            close=tick.price,
            volume=tick.size,
        )
        return self.running

    def _update(self, bar: Bar, tick: Tick) -> Bar:
        self.running = bar.model_copy(
            update={
                "ts_event_ns": tick.ts_ns,
                "ts_recv_ns": tick.ts_recv_ns,
                "high": max(bar.high, tick.price),
                "low": min(bar.low, tick.price),
                "close": tick.price,
                "volume": bar.volume if bar.volume is None or tick.size is None else bar.volume + tick.size,
                "closed": False,
            }
        )
        return self.running

    def _start(self, ts_ns: int) -> int:
        """Start of the bar that holds `ts_ns`, in step with the history: its hours may begin at half past."""
        if self._phase_ns is None:
            return self._interval.start_of(ts_ns)
        step_ns = self._interval.seconds * NS
        return (ts_ns - self._phase_ns) // step_ns * step_ns + self._phase_ns

    def _phase(self, bars: Sequence[Bar]) -> int:
        """Where in the interval bars start: as most do, or as the last one does for days, which summer time moves."""
        step_ns = self._interval.seconds * NS
        if self._interval in _LONG:
            return bars[-1].start_ns % step_ns
        return Counter(bar.start_ns % step_ns for bar in bars).most_common(1)[0][0]
