"""One traded symbol: its fair value, the best prices of its venues, and the trades that eat them."""

from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from math import ceil, exp, floor, log1p, tanh
from random import Random
from typing import Final

from tui.simulator.bars import BarTable
from tui.simulator.books import Depth, Ticks
from tui.simulator.instruments import Instrument
from tui.simulator.prices import STEPS_PER_S, Clustering, stream
from tui.simulator.records import Side, SimTrade
from tui.simulator.sessions import SECOND_NS

STEP_NS: Final = SECOND_NS // STEPS_PER_S

_TRADES_KEPT: Final = 500
# Quotes of all venues together that move by themselves, not because the price left them behind.
_REQUOTES_PER_TRADE: Final = 1.6
_MOST_PRINTS: Final = 6
# Now and then a venue of a coin sees the price elsewhere for some steps, so that venues cross.
_LEANS_A_STEP: Final = 0.02
_LEAN_ENDS: Final = 0.45


class Touch:
    """The best prices of one venue, in ticks, and their sizes, in size steps."""

    __slots__ = ("ask", "ask_size", "bid", "bid_size", "venue")

    def __init__(self, venue: int) -> None:
        self.venue = venue
        self.bid = self.ask = 0
        self.bid_size = self.ask_size = 0


class Trading:
    """A symbol that trades; everything in it draws from streams of its own.

    Args:
        instrument: What trades; not an index.
        seed: Of the market.
        start_ns: When the simulation starts, UTC.
        rate: How many times busier than usual.
        bars: Where trades are counted.
    """

    def __init__(self, instrument: Instrument, seed: int, start_ns: int, rate: float, bars: BarTable) -> None:
        self.instrument = instrument
        self.bars = bars
        self.trades: deque[SimTrade] = deque(maxlen=_TRADES_KEPT)
        self.last = int(instrument.start_price / instrument.tick)
        self.last_ns = start_ns // SECOND_NS * SECOND_NS
        self.fair = float(self.last)
        """What it is worth, in ticks."""
        self.change = 0.0
        """Logarithmic return of the fair value in the latest step."""
        self._random = stream(seed, instrument.symbol, "trading")
        self._sigma = instrument.own_sigma * STEPS_PER_S**-0.5
        self._typical = max(1, int(instrument.typical_size / instrument.size_step))
        self.last_size = self._typical
        self._half_spread = instrument.spread_bp * self.fair / 20_000
        self._trades_a_step = instrument.trades_per_s * rate / STEPS_PER_S
        self._leaning = 0
        self._lean = 0.0
        self._clustering = Clustering()
        self._breath = self._flow = self._jump = self._drift = self._excitement = 0.0
        self.depth = Depth(
            stream(seed, instrument.symbol, "book"),
            len(instrument.venues),
            3 * self._typical,
            round(self._half_spread * 4) or 1,
        )
        self.touches = [Touch(venue) for venue in range(len(instrument.venues))]
        for touch in self.touches:
            self._requote(touch, self._half_spread)
        self.shown = self._best()
        """(bid, size, venue, ask, size, venue) over all venues; venues by number."""
        self.moment = 0
        """The latest step in which it was open; its book stays as it was then."""

    def shock(self, jump: float, drift: float) -> None:
        """Let news move the price: by `jump` at once, by `drift` in the next half minute, and make it busy."""
        self._jump += jump
        self._drift += drift
        self._excitement = min(6.0, self._excitement + 250 * (abs(jump) + abs(drift)))

    def gap(self, night: float) -> None:
        """Open the day at another price; `night` scales the draw."""
        self._jump += self._random.gauss(0.0, night)

    def step(self, moment: int, from_ns: int, shared: float, activity: float) -> tuple[list[SimTrade], bool]:
        """Move on by one step.

        Args:
            moment: Number of the step.
            from_ns: When it starts, UTC.
            shared: Return of market and sector in it.
            activity: How busy the session is, 1 for regular hours.

        Returns:
            The trades, and whether the best prices, their sizes or the last price changed.
        """
        self.moment = moment
        excitement = self._excitement
        normal = self._random.gauss(0.0, 1.0)
        volatility = self._clustering.value * (1 + 0.3 * excitement) * activity**0.5
        self.change = shared + self._sigma * volatility * normal + self._drift * 0.01 + self._jump
        self._jump = 0.0
        self.fair *= exp(self.change)
        self._clustering.update(normal)
        self._flow = 0.93 * self._flow + 0.25 * self.change / (self._sigma + abs(shared))
        self._drift *= 0.99
        self._excitement *= 0.996
        busy = activity * self._clustering.value * (1 + excitement)
        self._move_quotes(busy, activity, normal)
        trades = self._trade(from_ns, _poisson(self._random, self._trades_a_step * busy))
        before, self.shown = self.shown, self._best()
        return trades, bool(trades) or before != self.shown

    def _move_quotes(self, busy: float, activity: float, normal: float) -> None:
        draw = self._random.random
        self._breath = 0.995 * self._breath + 0.03 * normal
        half = self._half_spread * exp(self._breath) * (0.5 + 0.5 * self._clustering.value) / activity**0.5
        far = 3 * half + 2
        chance = self._trades_a_step * _REQUOTES_PER_TRADE * busy / len(self.touches)
        if self.instrument.is_always_open:
            self._let_a_venue_lean(half)
        for touch in self.touches:
            fair = self._seen_by(touch) if self._lean else self.fair
            if touch.bid >= fair or touch.ask <= fair:
                is_due = True
            elif fair - touch.bid > far or touch.ask - fair > far:
                is_due = draw() < 0.4
            else:
                is_due = draw() < chance
            if is_due:
                self._requote(touch, half)

    def _let_a_venue_lean(self, half: float) -> None:
        if self._lean:
            if self._random.random() < _LEAN_ENDS:
                self._lean = 0.0
        elif self._random.random() < _LEANS_A_STEP:
            self._leaning = self._random.randrange(len(self.touches))
            self._lean = self._random.choice((-1, 1)) * (2.5 * half + 1) * self._random.uniform(0.6, 1.3)

    def _seen_by(self, touch: Touch) -> float:
        """The fair value as a venue sees it, in ticks."""
        return self.fair + self._lean if touch.venue == self._leaning else self.fair

    def _requote(self, touch: Touch, half: float) -> None:
        random, fair = self._random.random, self._seen_by(touch)
        bid = max(1, floor(fair - half * (0.6 + 0.8 * random())))
        ask = max(bid + 1, ceil(fair + half * (0.6 + 0.8 * random())))
        kind = random()
        # Most new quotes leave one side's price alone: then only its size changes.
        if bid != touch.bid or kind < 0.6:
            touch.bid, touch.bid_size = bid, self._resting()
        if ask != touch.ask or kind > 0.4:
            touch.ask, touch.ask_size = ask, self._resting()

    def _resting(self) -> int:
        return 1 + int(self._typical * (0.6 - 2.9 * log1p(-self._random.random())))

    def _trade(self, from_ns: int, orders: int) -> list[SimTrade]:
        prints: list[tuple[int, int, int, Side]] = []
        for _ in range(orders):
            side: Side = "buy" if self._random.random() < 0.5 + 0.35 * tanh(self._flow) else "sell"
            self._fill(side, self._order_size(), prints)
        trades = []
        for number, (price, size, venue, side) in enumerate(prints, 1):
            ns = from_ns + STEP_NS * number // (len(prints) + 1)
            trades.append(self._print(ns, price, size, venue, side))
        return trades

    def _order_size(self) -> int:
        size = self._typical * self._random.lognormvariate(0.0, 1.1)
        if self.instrument.kind != "crypto" and size > 50 and self._random.random() < 0.6:
            size = round(size, -2)
        return max(1, int(size))

    def _fill(self, side: Side, size: int, prints: list[tuple[int, int, int, Side]]) -> None:
        """Let an order eat the best prices, level by level, until it is filled or has had enough."""
        touches = self.touches
        # Coins mostly trade where the taker has an account; stock orders are routed to the best price.
        is_local = self.instrument.is_always_open and self._random.random() < 0.5
        local = touches[int(self._random.random() ** 1.7 * len(touches))] if is_local else None
        self._jump += (1 if side == "buy" else -1) * self._sigma * 0.08 * min(3.0, size / self._typical)
        for _ in range(_MOST_PRINTS):
            if side == "buy":
                touch = local or min(touches, key=lambda each: (each.ask, -each.ask_size))
                price, taken = touch.ask, min(size, touch.ask_size)
                touch.ask_size -= taken
                if not touch.ask_size:
                    touch.ask, touch.ask_size = self._behind(touch.venue, 1, touch.ask)
            else:
                touch = local or max(touches, key=lambda each: (each.bid, each.bid_size))
                price, taken = touch.bid, min(size, touch.bid_size)
                touch.bid_size -= taken
                if not touch.bid_size:
                    touch.bid, touch.bid_size = self._behind(touch.venue, -1, touch.bid)
            prints.append((price, taken, touch.venue, side))
            size -= taken
            if not size:
                return

    def _behind(self, venue: int, direction: int, price: int) -> Ticks:
        return self.depth.next_behind(venue, direction, price, self.moment)

    def _print(self, ns: int, price: int, size: int, venue: int, side: Side) -> SimTrade:
        self.bars.add(ns, price, size)
        self.last, self.last_size, self.last_ns = price, size, ns
        seq = self.trades[-1].seq + 1 if self.trades else 1
        trade = SimTrade(ns, self.price(price), self.size(size), self.instrument.venues[venue], side, seq)
        self.trades.append(trade)
        return trade

    def price(self, ticks: int) -> Decimal:
        """Turn ticks into a price."""
        return ticks * self.instrument.tick

    def size(self, steps: int) -> Decimal:
        """Turn size steps into shares or coins."""
        return steps * self.instrument.size_step

    def _best(self) -> tuple[int, int, int, int, int, int]:
        best_bid = best_ask = self.touches[0]
        for touch in self.touches:
            if touch.bid > best_bid.bid or (touch.bid == best_bid.bid and touch.bid_size > best_bid.bid_size):
                best_bid = touch
            if touch.ask < best_ask.ask or (touch.ask == best_ask.ask and touch.ask_size > best_ask.ask_size):
                best_ask = touch
        return best_bid.bid, best_bid.bid_size, best_bid.venue, best_ask.ask, best_ask.ask_size, best_ask.venue

    def levels(self, venue: int) -> tuple[list[Ticks], list[Ticks]]:
        """List one venue's bids and asks, best first."""
        touch = self.touches[venue]
        bids = self.depth.behind(venue, -1, touch.bid, self.moment)
        asks = self.depth.behind(venue, 1, touch.ask, self.moment)
        return [(touch.bid, touch.bid_size), *bids], [(touch.ask, touch.ask_size), *asks]

    def summed(self, venues: Sequence[int]) -> tuple[dict[int, tuple[int, int]], dict[int, tuple[int, int]]]:
        """Add up the bids and the asks of several venues.

        Returns:
            For each price the size and the venues that hold it, bit by bit, unsorted.
        """
        bids: dict[int, tuple[int, int]] = {}
        asks: dict[int, tuple[int, int]] = {}
        for venue in venues:
            member = 1 << venue
            for side, levels in zip((bids, asks), self.levels(venue), strict=True):
                for price, size in levels:
                    total, members = side.get(price, (0, 0))
                    side[price] = total + size, members | member
        return bids, asks


def _poisson(random: Random, mean: float) -> int:
    """Draw how many events of a mean number happen."""
    if mean > 30:
        return max(0, round(random.gauss(mean, mean**0.5)))
    count, left, draw = 0, random.random(), exp(-mean)
    while left > draw:
        left *= random.random()
        count += 1
    return count
