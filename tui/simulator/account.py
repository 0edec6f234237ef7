"""A small simulated account: positions whose profit follows the prices, and orders that fill over time."""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from tui.simulator.instruments import Instrument
from tui.simulator.prices import stream
from tui.simulator.records import SimAccount, SimOrder, SimPosition
from tui.simulator.sessions import SECOND_NS
from tui.simulator.trading import Trading

_CASH: Final = Decimal(50_000)
# Symbol, quantity and what was paid, in parts of the price at the start.
_POSITIONS: Final = (
    ("AAPL", "100", "0.94"),
    ("NVDA", "-50", "1.03"),
    ("SPY", "40", "0.97"),
    ("BTC/USDT", "0.25", "0.91"),
)
# Taken in turn; the sides of each symbol even out, so no position grows without end.
_PLANS: Final = (
    ("AAPL", "buy", "60"),
    ("NVDA", "buy", "30"),
    ("BTC/USDT", "sell", "0.05"),
    ("ETH/USDT", "buy", "1.5"),
    ("TSLA", "buy", "20"),
    ("AAPL", "sell", "60"),
    ("NVDA", "sell", "30"),
    ("BTC/USDT", "buy", "0.05"),
    ("ETH/USDT", "sell", "1.5"),
    ("TSLA", "sell", "20"),
)
_WORKING_AT_ONCE: Final = 3
_ORDERS_KEPT: Final = 50
_PENNY: Final = Decimal("0.0001")


class AccountBook:
    """Keeps the account; fills happen at the market's best prices while the symbol trades."""

    def __init__(self, seed: int, start_ns: int, trading: Mapping[str, Trading]) -> None:
        self._random = stream(seed, "account")
        self._trading = trading
        self._cash = _CASH
        self._realised = Decimal(0)
        self._held: dict[str, tuple[Decimal, Decimal]] = {}
        for symbol, quantity, paid in _POSITIONS:
            price = trading[symbol].instrument.start_price * Decimal(paid)
            self._held[symbol] = Decimal(quantity), price.quantize(trading[symbol].instrument.tick)
        self._orders: deque[SimOrder] = deque(maxlen=_ORDERS_KEPT)
        self._placed = 0
        for _ in range(_WORKING_AT_ONCE):
            self._place(start_ns)
        self._next_ns = start_ns + 4 * SECOND_NS

    def state(self) -> SimAccount:
        """Return the account, valued at the last prices."""
        positions = tuple(
            SimPosition(
                symbol=symbol,
                quantity=quantity,
                average_price=average,
                last=self._trading[symbol].price(self._trading[symbol].last),
            )
            for symbol, (quantity, average) in self._held.items()
        )
        return SimAccount(
            id="SIM-000107",
            cash=self._cash,
            realised_pnl=self._realised,
            positions=positions,
            orders=tuple(self._orders),
        )

    def step(self, now_ns: int, *, stocks_trade: bool) -> SimOrder | None:
        """Fill one working order further, or place a new one, when it is time to."""
        if now_ns < self._next_ns:
            return None
        self._next_ns = now_ns + int(self._random.uniform(5, 15) * SECOND_NS)
        working = [number for number, order in enumerate(self._orders) if order.status != "FILLED"]
        if len(working) < _WORKING_AT_ONCE:
            return self._place(now_ns)
        able = [
            number
            for number in working
            if stocks_trade or self._trading[self._orders[number].symbol].instrument.is_always_open
        ]
        return self._fill(self._random.choice(able), now_ns) if able else None

    def _place(self, now_ns: int) -> SimOrder:
        symbol, side, quantity = _PLANS[self._placed % len(_PLANS)]
        trading = self._trading[symbol]
        self._placed += 1
        order = SimOrder(
            id=f"SIM{self._placed:06d}",
            symbol=symbol,
            side="buy" if side == "buy" else "sell",
            quantity=Decimal(quantity),
            limit_price=_best(trading, side),
            status="NEW",
            filled=Decimal(0),
            average_price=None,
            created_ns=now_ns,
            updated_ns=now_ns,
        )
        self._orders.append(order)
        return order

    def _fill(self, number: int, now_ns: int) -> SimOrder:
        order = self._orders[number]
        instrument = self._trading[order.symbol].instrument
        left = order.quantity - order.filled
        is_last = order.filled > 0 and self._random.random() < 0.6
        part = (left * Decimal(self._random.randrange(2, 8)) / 10).quantize(instrument.size_step)
        size = left if is_last or not 0 < part < left else part
        price = _best(self._trading[order.symbol], order.side)
        self._book(order.symbol, size if order.side == "buy" else -size, price)
        paid = order.filled * (order.average_price or Decimal(0)) + size * price
        filled = order.filled + size
        done = replace(
            order,
            filled=filled,
            average_price=(paid / filled).quantize(_average_step(instrument)),
            status="FILLED" if filled == order.quantity else "PARTIALLY_FILLED",
            updated_ns=now_ns,
        )
        self._orders[number] = done
        return done

    def _book(self, symbol: str, size: Decimal, price: Decimal) -> None:
        """Take a fill into cash, position and realised profit; `size` is negative for a sale."""
        held, average = self._held.get(symbol, (Decimal(0), Decimal(0)))
        self._cash -= size * price
        total = held + size
        if held * size >= 0:
            average = (held * average + size * price) / total
        else:
            closed = min(abs(held), abs(size)) * (1 if held > 0 else -1)
            self._realised += closed * (price - average)
            if total * held < 0:
                average = price
        if total:
            self._held[symbol] = total, average.quantize(_average_step(self._trading[symbol].instrument))
        else:
            del self._held[symbol]


def _best(trading: Trading, side: str) -> Decimal:
    """The price a working order on this side rests at or is filled at."""
    bid, _, _, ask, _, _ = trading.shown
    return trading.price(bid if side == "buy" else ask)


def _average_step(instrument: Instrument) -> Decimal:
    return min(instrument.tick, _PENNY)
