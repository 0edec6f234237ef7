import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise
from statistics import correlation, mean

import pytest

from tui.simulator import sessions
from tui.simulator.market import (
    BarRolled,
    BookChanged,
    Change,
    NewsPublished,
    OrderChanged,
    QuoteChanged,
    SessionChanged,
    SimSession,
    SimulatedMarket,
    TradePrinted,
)
from tui.simulator.sessions import MINUTE_NS, SECOND_NS, session_at

RUN_S = 200
TRADED = ("AAPL", "NVDA", "SPY", "BTC/USDT", "ETH/USDT", "DOGE/USDT")


class Run:
    """Minutes of a market, with what happened in them and the last prices at each second."""

    def __init__(self) -> None:
        self.market = SimulatedMarket(seed=3)
        self.start_ns = self.market.now_ns
        self.changes: list[Change] = []
        self.prices: dict[str, list[float]] = {symbol: [] for symbol in self.market.instruments}
        last = {symbol: each.start_price for symbol, each in self.market.instruments.items()}
        for second in range(1, RUN_S + 1):
            changes = self.market.advance(self.start_ns + second * SECOND_NS)
            self.changes += changes
            for change in changes:
                if isinstance(change, TradePrinted):
                    last[change.symbol] = change.trade.price
            for symbol, prices in self.prices.items():
                prices.append(float(last[symbol]))


@pytest.fixture(scope="module")
def run() -> Run:
    return Run()


def digest(market: SimulatedMarket, changes: list[Change]) -> str:
    unwatched = [change for change in changes if not isinstance(change, BookChanged)]
    state = [(market.quote(symbol), market.book(symbol)) for symbol in (*TRADED, "SPX", "VIX")]
    return sha256(repr((unwatched, state, market.account, market.news(), market.now_ns)).encode()).hexdigest()


def advanced(market: SimulatedMarket, *spans_ms: int) -> list[Change]:
    start_ns = market.now_ns
    return [change for ms in spans_ms for change in market.advance(start_ns + ms * 1_000_000)]


def test_the_same_seed_gives_the_same_market_however_it_is_advanced() -> None:
    whole, chunked = SimulatedMarket(seed=5), SimulatedMarket(seed=5)
    changes = advanced(whole, 12_000)
    pieces = advanced(chunked, 0, 99, 100, 350, 351, 4_000, 4_049, 11_999, 12_080)
    assert digest(whole, changes) == digest(chunked, pieces)


def test_looking_at_the_market_does_not_change_it() -> None:
    alone, looked_at = SimulatedMarket(seed=5), SimulatedMarket(seed=5)
    changes = advanced(alone, 8_000)
    seen: list[Change] = []
    for step in range(80):
        seen += looked_at.advance(looked_at.now_ns + SECOND_NS // 10)
        for symbol in TRADED[: step % 5]:
            looked_at.aggregated(symbol)
            looked_at.quote(symbol)
            looked_at.recent_bars(symbol, 60, 3)
    assert digest(alone, changes) == digest(looked_at, seen)


def test_another_seed_gives_another_market() -> None:
    one, other = SimulatedMarket(seed=5), SimulatedMarket(seed=6)
    assert digest(one, advanced(one, 2_000)) != digest(other, advanced(other, 2_000))


def test_the_market_does_not_depend_on_the_hash_seed() -> None:
    program = (
        "from tests.simulator.test_market import *; m = SimulatedMarket(seed=5); print(digest(m, advanced(m, 2_000)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    market = SimulatedMarket(seed=5)
    assert done.stdout == digest(market, advanced(market, 2_000)) + "\n"


def test_a_step_is_not_taken_before_it_is_over() -> None:
    market = SimulatedMarket()
    start_ns = market.now_ns
    assert market.advance(start_ns + 99_999_999) == []
    assert market.now_ns == start_ns
    assert market.advance(start_ns + 100_000_000)
    assert market.advance(start_ns) == []


def test_it_has_the_usual_instruments() -> None:
    instruments = SimulatedMarket().instruments
    assert len(instruments) >= 30
    assert {each.kind for each in instruments.values()} == {"stock", "etf", "index", "crypto"}
    for symbol in ("AAPL", "NVDA", "MSFT", "TSLA", "JPM", "SPY", "QQQ", "SPX", "VIX", "BTC/USDT", "LTC/USDT"):
        assert instruments[symbol].symbol == symbol


def test_trades_are_on_tick_and_in_order(run: Run) -> None:
    for symbol in TRADED:
        instrument = run.market.instruments[symbol]
        trades = [each.trade for each in run.changes if isinstance(each, TradePrinted) and each.symbol == symbol]
        assert [each.seq for each in trades] == list(range(1, len(trades) + 1))
        for before, after in pairwise(trades):
            assert before.ns <= after.ns
        for trade in trades:
            assert trade.price > 0
            assert trade.price % instrument.tick == 0
            assert trade.size > 0
            assert trade.size % instrument.size_step == 0
            assert trade.venue in instrument.venues
        assert {each.side for each in trades} == {"buy", "sell"}
        assert list(run.market.trades(symbol)) == trades[-500:]


def test_busy_symbols_trade_several_times_a_second(run: Run) -> None:
    counts = dict.fromkeys(run.market.instruments, 0)
    quotes = dict(counts)
    for change in run.changes:
        if isinstance(change, TradePrinted):
            counts[change.symbol] += 1
        elif isinstance(change, QuoteChanged):
            quotes[change.symbol] += 1
    assert 3 <= counts["BTC/USDT"] / RUN_S <= 8
    assert 1 <= counts["AAPL"] / RUN_S <= 5
    assert counts["SPX"] == 0
    assert all(quotes[symbol] / RUN_S > 1 for symbol, each in run.market.instruments.items() if not each.is_index)


def test_bars_agree_exactly_with_the_trades(run: Run) -> None:
    end_ns = run.market.now_ns
    for symbol in TRADED:
        bars = run.market.bars(symbol, 1, run.start_ns, end_ns)
        trades = [each.trade for each in run.changes if isinstance(each, TradePrinted) and each.symbol == symbol]
        by_second: dict[int, list[tuple[Decimal, Decimal]]] = {}
        for trade in trades:
            by_second.setdefault(trade.ns // SECOND_NS * SECOND_NS, []).append((trade.price, trade.size))
        assert [bar.start_ns for bar in bars] == list(by_second)
        for bar in bars:
            prices = [price for price, _ in by_second[bar.start_ns]]
            assert (bar.open, bar.high, bar.low, bar.close) == (prices[0], max(prices), min(prices), prices[-1])
            assert bar.volume == sum(size for _, size in by_second[bar.start_ns])
        minutes = run.market.bars(symbol, 60, run.start_ns, end_ns)
        assert sum(bar.volume for bar in minutes) == sum(trade.size for trade in trades)


def test_the_open_bar_changes_with_each_trade() -> None:
    market = SimulatedMarket(start_ns=60_000 * MINUTE_NS)
    volume = Decimal(0)
    for _ in range(50):
        changes = market.advance(market.now_ns + SECOND_NS // 10)
        trades = [each.trade for each in changes if isinstance(each, TradePrinted) and each.symbol == "BTC/USDT"]
        if trades:
            volume += sum(trade.size for trade in trades)
            (bar,) = market.recent_bars("BTC/USDT", 60, 1)
            assert bar.volume == volume
            assert bar.close == trades[-1].price == market.quote("BTC/USDT").last
    assert volume > 0


def test_finished_minutes_are_reported(run: Run) -> None:
    rolled = [each for each in run.changes if isinstance(each, BarRolled) and each.symbol == "AAPL"]
    starts = [bar.start_ns for bar in run.market.bars("AAPL", 60, run.start_ns, run.market.now_ns)]
    assert [each.start_ns for each in rolled] == [ns for ns in starts if ns + MINUTE_NS <= run.market.now_ns]
    assert {each.interval_s for each in rolled} == {60}


def test_returns_hang_together(run: Run) -> None:
    def returns(symbol: str) -> list[float]:
        return [after / before - 1 for before, after in pairwise(run.prices[symbol][::5])]

    assert correlation(returns("SPY"), returns("AAPL")) > 0.2
    assert correlation(returns("BTC/USDT"), returns("ETH/USDT")) > 0.2


def test_the_volatility_index_goes_against_the_market() -> None:
    market = SimulatedMarket()
    days = {symbol: market.recent_bars(symbol, 86_400, 250) for symbol in ("SPX", "VIX")}
    changes = {
        symbol: [float(after.close / before.close) - 1 for before, after in pairwise(bars)]
        for symbol, bars in days.items()
    }
    assert correlation(changes["SPX"], changes["VIX"]) < -0.3


def test_an_index_has_a_value_and_nothing_else(run: Run) -> None:
    quote = run.market.quote("SPX")
    assert (quote.bid, quote.ask, quote.bid_size, quote.ask_size, quote.last_size) == (None,) * 5
    assert quote.volume == 0
    assert quote.last != quote.open
    assert run.market.book("SPX") == {}
    assert run.market.aggregated("SPX") == ([], [])
    assert list(run.market.trades("SPX")) == []


def test_news_comes_out_every_half_minute(run: Run) -> None:
    published = [each.news for each in run.changes if isinstance(each, NewsPublished)]
    gaps = [(after.ns - before.ns) / SECOND_NS for before, after in pairwise(published)]
    assert all(20 <= gap <= 40.1 for gap in gaps)
    assert run.market.news(len(published)) == published
    early = SimulatedMarket(seed=3).news(100)
    assert len(early) == 12
    assert [each.ns for each in early] == sorted(each.ns for each in early)
    assert early[-1].ns < run.start_ns
    for item in early + published:
        assert item.link.startswith("https://news.example/")
        assert item.content.count(". ") >= 1
        assert "{" not in item.title + item.content
        assert set(item.symbols) <= set(run.market.instruments)
    assert len({item.title for item in early + published}) == len(early + published)


def test_news_moves_prices_and_brings_volume() -> None:
    moves: list[float] = []
    volumes: list[float] = []
    for seed in (1, 2):
        market = SimulatedMarket(seed=seed)
        for _ in range(4):
            news = None
            while news is None:
                changes = market.advance(market.now_ns + SECOND_NS)
                items = [each.news for each in changes if isinstance(each, NewsPublished)]
                news = next((item for item in items if item.symbols[0] not in ("SPX",)), None)
            market.advance(market.now_ns + 15 * SECOND_NS)
            symbol = news.symbols[0]
            at_s = news.ns // SECOND_NS * SECOND_NS
            before = market.bars(symbol, 1, at_s - 15 * SECOND_NS, at_s)
            after = market.bars(symbol, 1, at_s, market.now_ns)
            reference = max(float(bar.high - bar.low) for bar in before) or float(market.instruments[symbol].tick)
            moves.append(abs(float(after[-1].close - before[-1].close)) / reference)
            volumes.append(float(sum(bar.volume for bar in after) / sum(bar.volume for bar in before)))
    assert mean(moves) > 2
    assert mean(volumes) > 1.3


def test_a_cycle_of_sessions_starts_with_regular_hours() -> None:
    spans = [(minute, session_at(0, minute * MINUTE_NS)[0]) for minute in range(28)]
    changes = [spans[0], *(after for before, after in pairwise(spans) if before[1] is not after[1])]
    assert changes == [(0, "regular"), (20, "post"), (23, "closed"), (24, "pre"), (27, "regular")]
    assert session_at(0, 21 * MINUTE_NS)[1] == 23 * MINUTE_NS


@pytest.fixture
def _short_sessions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let sessions last as many seconds as they have minutes."""
    monkeypatch.setattr(sessions, "MINUTE_NS", SECOND_NS)
    monkeypatch.setattr(sessions, "CYCLE_NS", 27 * SECOND_NS)
    return iter(())


@pytest.mark.usefixtures("_short_sessions")
def test_stocks_stop_trading_when_the_market_closes_and_coins_do_not() -> None:
    market = SimulatedMarket()
    start_ns = market.now_ns
    regular = market.advance(start_ns + 20 * SECOND_NS)
    assert regular[-1] == SessionChanged(SimSession.POST)
    post = market.advance(start_ns + 23 * SECOND_NS)
    assert market.session == "closed"
    frozen = market.quote("AAPL"), market.book("AAPL"), market.quote("SPX")
    closed = market.advance(start_ns + 24 * SECOND_NS)
    assert {change.symbol for change in closed if isinstance(change, TradePrinted | QuoteChanged)} == {
        symbol for symbol, each in market.instruments.items() if each.kind == "crypto"
    }
    assert (market.quote("AAPL"), market.book("AAPL"), market.quote("SPX")) == frozen
    assert BookChanged("AAPL") not in closed
    assert SessionChanged(SimSession.PRE) in closed
    again = market.advance(start_ns + 30 * SECOND_NS)
    assert SessionChanged(SimSession.REGULAR) in again
    assert QuoteChanged("SPX") in again

    def prints(changes: list[Change]) -> int:
        return sum(isinstance(each, TradePrinted) and each.symbol in ("AAPL", "SPY", "NVDA") for each in changes)

    assert prints(regular) / 20 > 1.5 * prints(post) / 3
    assert prints(again) > 0


def test_orders_fill_step_by_step_and_profit_follows_the_price(run: Run) -> None:
    seen: dict[str, list[str]] = {}
    for change in run.changes:
        if isinstance(change, OrderChanged):
            seen.setdefault(change.order.id, []).append(change.order.status)
            assert 0 <= change.order.filled <= change.order.quantity
    assert any(each[-3:-1] == ["NEW", "PARTIALLY_FILLED"] and each[-1] == "FILLED" for each in seen.values())
    account = run.market.account
    for position in account.positions:
        assert position.last == run.market.quote(position.symbol).last
        assert position.unrealised_pnl == position.quantity * (position.last - position.average_price)
    assert account.equity == account.cash + sum(each.market_value for each in account.positions)
    assert any(each.quantity < 0 for each in account.positions)


def test_a_higher_rate_makes_the_market_busier() -> None:
    def prints(rate: float) -> int:
        market = SimulatedMarket(rate=rate)
        return sum(isinstance(each, TradePrinted) for each in advanced(market, 5_000))

    assert prints(5.0) > 3 * prints(1.0)


def test_nothing_grows_without_end(run: Run) -> None:
    for symbol in TRADED:
        run.market.book(symbol)
    stack, seen = [vars(run.market)], set[int]()
    while stack:
        each = stack.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, deque):
            assert each.maxlen is not None
        if isinstance(each, dict):
            stack += each.values()
        elif isinstance(each, list | tuple | deque | set):
            assert len(each) < 8_000
            stack += each
        elif type(each).__module__.startswith("tui."):
            stack += [getattr(each, name) for name in getattr(each, "__slots__", ()) or vars(each)]


def test_search_finds_by_symbol_and_by_name() -> None:
    market = SimulatedMarket()
    assert market.search("btcusdt", 5)[0].symbol == "BTC/USDT"
    assert market.search("btc-usdt", 5)[0].symbol == "BTC/USDT"
    assert market.search("micro", 1)[0].symbol == "MSFT"
    assert "AAPL" in [each.symbol for each in market.search("AA", 3)]
    assert len(market.search("a", 4)) == 4
    assert market.search("", 5) == []
    assert market.search("nothing like this", 5) == []


def test_an_unknown_symbol_is_a_key_error() -> None:
    market = SimulatedMarket()
    for ask in (market.quote, market.book, market.aggregated, market.trades):
        with pytest.raises(KeyError):
            ask("NOPE")
