"""A seeded random market: no I/O, no clock of its own, and the same for the same seed, start and time.

The market moves in steps of 100 ms. How `advance` is called, and what is looked at, changes nothing in it. Sessions
are described in `sessions.py`, the past in `history.py`, books in `books.py`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from tui.simulator.account import AccountBook
from tui.simulator.bars import BarTable
from tui.simulator.history import Calendar, History, Row
from tui.simulator.indices import Index
from tui.simulator.instruments import Instrument, catalogue
from tui.simulator.news import Impact, NewsDesk
from tui.simulator.prices import Factors
from tui.simulator.records import (
    AggregatedLevel,
    BarRolled,
    BookChanged,
    Change,
    Level,
    NewsPublished,
    OrderChanged,
    QuoteChanged,
    SessionChanged,
    SimAccount,
    SimBar,
    SimBook,
    SimNews,
    SimOrder,
    SimPosition,
    SimQuote,
    SimTrade,
    TradePrinted,
    VenueBook,
)
from tui.simulator.sessions import ACTIVITY, MINUTE_NS, SECOND_NS, SimSession, session_at
from tui.simulator.trading import STEP_NS, Trading

__all__ = [
    "STEP_NS",
    "AggregatedLevel",
    "BarRolled",
    "BookChanged",
    "Change",
    "Instrument",
    "Level",
    "NewsPublished",
    "OrderChanged",
    "QuoteChanged",
    "SessionChanged",
    "SimAccount",
    "SimBar",
    "SimBook",
    "SimNews",
    "SimOrder",
    "SimPosition",
    "SimQuote",
    "SimSession",
    "SimTrade",
    "SimulatedMarket",
    "TradePrinted",
    "VenueBook",
]

DEFAULT_START_NS: Final = 1_736_953_200 * SECOND_NS
"""2025-01-15 15:00:00 UTC, a Wednesday."""

# Standard deviation of the price step of a stock between the closed and the next pre session.
_NIGHT: Final = 0.0015


class SimulatedMarket:
    """The whole market.

    Args:
        seed: Another number, another market.
        start_ns: When it starts, UTC; regular hours of the stock market have 20 minutes left then.
        rate: How many times busier than usual trades and quotes are; volatility and news stay as they are.
    """

    def __init__(self, seed: int = 7, start_ns: int = DEFAULT_START_NS, rate: float = 1.0) -> None:
        self.instruments: Mapping[str, Instrument] = catalogue()
        self.now_ns = start_ns
        """Market time: the end of the latest step, UTC."""
        self._start_ns = start_ns
        self._moment = 0
        self._seed = seed
        self._rate = rate
        everything = list(self.instruments.values())
        self._calendars: dict[bool, Calendar] = {}
        self._bars = {each.symbol: self._bar_table(each) for each in everything}
        self._trading = {
            each.symbol: Trading(each, seed, start_ns, rate, self._bars[each.symbol])
            for each in everything
            if not each.is_index
        }
        self._indices = {
            each.symbol: Index(each, seed, start_ns, self._bars[each.symbol]) for each in everything if each.is_index
        }
        self._stocks = [each for each in self._trading.values() if each.instrument.kind == "stock"]
        self._funds = [each for each in self._trading.values() if each.instrument.kind == "etf"]
        self._coins = [each for each in self._trading.values() if each.instrument.kind == "crypto"]
        self._factors = Factors(seed, everything)
        self._desk = NewsDesk(seed, start_ns, everything)
        self._account = AccountBook(seed, start_ns, self._trading)
        self._watched: dict[str, None] = {}

    def _bar_table(self, instrument: Instrument) -> BarTable:
        return BarTable(lambda: History(instrument, self._seed, self._calendar(instrument.is_always_open), self._rate))

    def _calendar(self, always_open: bool) -> Calendar:
        if always_open not in self._calendars:
            self._calendars[always_open] = Calendar(self._seed, self._start_ns, always_open=always_open)
        return self._calendars[always_open]

    @property
    def session(self) -> SimSession:
        """Session of the stock market now; coins are always open."""
        return session_at(self._start_ns, self.now_ns)[0]

    @property
    def session_ends_ns(self) -> int:
        """When the session gives way to the next, UTC."""
        return session_at(self._start_ns, self.now_ns)[1]

    @property
    def watched(self) -> Collection[str]:
        """Symbols whose book somebody asked for: only these have `BookChanged`."""
        return self._watched.keys()

    def unwatch(self, symbol: str) -> None:
        """Stop reporting `BookChanged` for a symbol until its book is asked for again."""
        self._watched.pop(symbol, None)

    def advance(self, now_ns: int) -> list[Change]:
        """Move the market to `now_ns`, in whole steps.

        Returns:
            What changed, in order. Each symbol's trades come before its quote, its quote before its book.
        """
        changes: list[Change] = []
        while self.now_ns + STEP_NS <= now_ns:
            self._step(changes)
        return changes

    def _step(self, changes: list[Change]) -> None:
        from_ns, to_ns = self.now_ns, self.now_ns + STEP_NS
        session = self.session
        activity = ACTIVITY[session]
        self._moment += 1
        self._factors.step(activity)
        if activity:
            self._move_stocks(from_ns, activity, changes, is_regular=session is SimSession.REGULAR)
        for coin in self._coins:
            self._move(coin, from_ns, self._factors.on(coin.instrument), 1.0, changes)
        self.now_ns = to_ns
        if from_ns // MINUTE_NS != to_ns // MINUTE_NS:
            start_s = from_ns // MINUTE_NS * 60
            rolled = [symbol for symbol, bars in self._bars.items() if bars.traded_in_minute(start_s)]
            changes.extend(BarRolled(symbol, 60, start_s * SECOND_NS) for symbol in rolled)
        self._publish(changes, is_open=session is SimSession.REGULAR)
        if order := self._account.step(to_ns, stocks_trade=session is SimSession.REGULAR):
            changes.append(OrderChanged(order))
        if self.session is not session:
            self._enter(self.session, changes)

    def _move_stocks(self, from_ns: int, activity: float, changes: list[Change], *, is_regular: bool) -> None:
        for stock in self._stocks:
            self._move(stock, from_ns, self._factors.on(stock.instrument), activity, changes)
        returns = {each.instrument.symbol: each.change for each in self._stocks}
        to_ns, market = from_ns + STEP_NS, self._factors.market
        for symbol, index in self._indices.items():
            if index.step(self._moment, to_ns, market, returns, activity, is_shown=is_regular):
                changes.append(QuoteChanged(symbol))
        for fund in self._funds:
            self._move(fund, from_ns, self._indices[fund.instrument.sector].change, activity, changes)

    def _move(self, trading: Trading, from_ns: int, shared: float, activity: float, changes: list[Change]) -> None:
        symbol = trading.instrument.symbol
        trades, is_changed = trading.step(self._moment, from_ns, shared, activity)
        changes.extend(TradePrinted(symbol, trade) for trade in trades)
        if is_changed:
            changes.append(QuoteChanged(symbol))
        if symbol in self._watched:
            changes.append(BookChanged(symbol))

    def _publish(self, changes: list[Change], *, is_open: bool) -> None:
        if not self._desk.is_due(self.now_ns):
            return
        news, impact = self._desk.publish(self.now_ns, self._last, is_open=is_open)
        self._apply(impact, news.symbols)
        changes.append(NewsPublished(news))

    def _apply(self, impact: Impact, symbols: Sequence[str]) -> None:
        if symbols[0] in self._indices:
            for stock in self._stocks:
                beta = stock.instrument.beta
                stock.shock(beta * impact.jump, beta * impact.drift)
            return
        # A second symbol is the rival, which feels a part of it.
        for share, symbol in zip((1.0, 0.4), symbols, strict=False):
            self._trading[symbol].shock(share * impact.jump, share * impact.drift)

    def _enter(self, session: SimSession, changes: list[Change]) -> None:
        if session is SimSession.PRE:
            for stock in self._stocks:
                stock.gap(_NIGHT)
        changes.append(SessionChanged(session))

    def _last(self, symbol: str) -> Decimal:
        known = self._trading.get(symbol) or self._indices[symbol]
        return known.last * known.instrument.tick

    def quote(self, symbol: str) -> SimQuote:
        """Return the best prices, the last trade and the day so far; raises `KeyError` for an unknown symbol."""
        tick, step = self.instruments[symbol].tick, self.instruments[symbol].size_step
        today, prev_close = self._bars[symbol].day()
        trading = self._trading.get(symbol)
        known = trading or self._indices[symbol]
        best = trading.shown if trading else None
        venues = self.instruments[symbol].venues
        return SimQuote(
            symbol=symbol,
            bid=best[0] * tick if best else None,
            bid_size=best[1] * step if best else None,
            bid_venue=venues[best[2]] if best else None,
            ask=best[3] * tick if best else None,
            ask_size=best[4] * step if best else None,
            ask_venue=venues[best[5]] if best else None,
            last=known.last * tick,
            last_size=trading.last_size * step if trading else None,
            last_ns=known.last_ns,
            open=today[1] * tick,
            high=today[2] * tick,
            low=today[3] * tick,
            prev_close=prev_close * tick,
            volume=today[5] * step,
        )

    def book(self, symbol: str) -> SimBook:
        """Return every venue's levels, best first, and watch the symbol from now on; empty for an index."""
        trading = self._watch(symbol)
        if trading is None:
            return {}
        price, size = trading.price, trading.size
        books = {}
        for number, venue in enumerate(self.instruments[symbol].venues):
            bids, asks = trading.levels(number)
            books[venue] = VenueBook([(price(p), size(s)) for p, s in bids], [(price(p), size(s)) for p, s in asks])
        return books

    def aggregated(
        self, symbol: str, venues: Collection[str] | None = None, depth: int = 50
    ) -> tuple[list[AggregatedLevel], list[AggregatedLevel]]:
        """Add up the levels of several venues, and watch the symbol from now on.

        Args:
            symbol: Whose book; an index has an empty one.
            venues: Those to count; None for all, unknown names are ignored.
            depth: At most this many prices a side.

        Returns:
            Bids and asks, best first, as (price, total size, venues in the instrument's order). The best bid may be
            above the best ask for a moment, as venues differ.
        """
        trading = self._watch(symbol)
        if trading is None:
            return [], []
        names = self.instruments[symbol].venues
        wanted = [number for number, venue in enumerate(names) if venues is None or venue in venues]
        bids, asks = trading.summed(wanted)
        best_bids, best_asks = sorted(bids, reverse=True)[:depth], sorted(asks)[:depth]
        return _decimals(trading, bids, best_bids), _decimals(trading, asks, best_asks)

    def _watch(self, symbol: str) -> Trading | None:
        if self.instruments[symbol].is_index:
            return None
        self._watched[symbol] = None
        return self._trading[symbol]

    def bars(self, symbol: str, interval_s: int, start_ns: int, end_ns: int) -> list[SimBar]:
        """List bars that start from `start_ns` up to, not including, `end_ns`, the open bar included.

        Seconds reach 15 minutes back from the start of the simulation (later, over the last 1,200 with trades), minutes
        five days, days three years; weeks start on Monday, all others on multiples of the interval. There is no bar
        where nothing traded.

        Args:
            symbol: The user's spelling.
            interval_s: A divisor of a minute, whole minutes that divide a day, a day or a week.
            start_ns: UTC.
            end_ns: UTC.

        Raises:
            ValueError: There are no bars of this interval.
            KeyError: There is no such symbol.
        """
        first_s, end_s = -(-start_ns // SECOND_NS), -(-end_ns // SECOND_NS)
        return self._sim_bars(symbol, self._bars[symbol].between(interval_s, first_s, end_s))

    def recent_bars(self, symbol: str, interval_s: int, count: int) -> list[SimBar]:
        """List the latest bars, at most `count`, the open one last; raises as `bars` does."""
        return self._sim_bars(symbol, self._bars[symbol].latest(interval_s, count))

    def _sim_bars(self, symbol: str, rows: Iterable[Row]) -> list[SimBar]:
        tick, step = self.instruments[symbol].tick, self.instruments[symbol].size_step
        return [
            SimBar(start * SECOND_NS, opened * tick, high * tick, low * tick, close * tick, volume * step)
            for start, opened, high, low, close, volume in rows
        ]

    def trades(self, symbol: str) -> Sequence[SimTrade]:
        """List the latest prints since the simulation started, oldest first, at most 500; none for an index."""
        trading = self._trading.get(symbol)
        if trading is None:
            self.instruments[symbol]
            return ()
        return tuple(trading.trades)

    def news(self, count: int = 10) -> list[SimNews]:
        """List the latest news, newest last."""
        return list(self._desk.items)[-count:] if count > 0 else []

    @property
    def account(self) -> SimAccount:
        """The simulated account as it is now."""
        return self._account.state()

    def search(self, query: str, limit: int = 20) -> list[Instrument]:
        """Find instruments by symbol (`BTCUSDT` and `btc-usdt` are fine) or words of the description, best first."""
        wanted = _plain(query)
        if not wanted:
            return []
        ranked = [
            (rank, each) for each in self.instruments.values() if (rank := _rank(each, wanted, query)) is not None
        ]
        ranked.sort(key=lambda pair: pair[0])
        return [each for _, each in ranked[:limit]]


def _decimals(trading: Trading, sums: Mapping[int, tuple[int, int]], prices: list[int]) -> list[AggregatedLevel]:
    """Turn summed levels into the records that callers get."""
    venues = trading.instrument.venues
    levels: list[AggregatedLevel] = []
    for price in prices:
        size, members = sums[price]
        holders = tuple(venue for number, venue in enumerate(venues) if members >> number & 1)
        levels.append((trading.price(price), trading.size(size), holders))
    return levels


def _plain(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum())


def _rank(instrument: Instrument, wanted: str, query: str) -> int | None:
    symbol, words = _plain(instrument.symbol), instrument.description.casefold()
    if symbol == wanted:
        return 0
    if symbol.startswith(wanted):
        return 1
    if words.startswith(query.casefold().strip()):
        return 2
    if any(_plain(word).startswith(wanted) for word in words.split()):
        return 3
    if wanted in symbol or query.casefold().strip() in words:
        return 4
    return None
