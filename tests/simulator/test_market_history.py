from itertools import groupby, pairwise

import pytest

from tui.simulator.bars import BarTable
from tui.simulator.history import floor_to
from tui.simulator.market import SimBar, SimulatedMarket, TradePrinted
from tui.simulator.sessions import DAY_S, SECOND_NS

MIDNIGHT_S = 1_736_985_600
"""2025-01-16 00:00 UTC."""
STARTS = [MIDNIGHT_S + 15 * 3_600, MIDNIGHT_S, MIDNIGHT_S + 421, MIDNIGHT_S + 250_000]


@pytest.fixture(scope="module", params=STARTS)
def market(request: pytest.FixtureRequest) -> SimulatedMarket:
    market = SimulatedMarket(seed=9, start_ns=request.param * SECOND_NS + 250_000_000)
    market.advance(market.now_ns + 5 * SECOND_NS)
    return market


def grouped(bars: list[SimBar], interval_s: int) -> list[SimBar]:
    made = []
    for start_s, within in groupby(bars, lambda bar: floor_to(bar.start_ns // SECOND_NS, interval_s)):
        some = list(within)
        made.append(
            SimBar(
                start_s * SECOND_NS,
                some[0].open,
                max(bar.high for bar in some),
                min(bar.low for bar in some),
                some[-1].close,
                sum((bar.volume for bar in some[1:]), some[0].volume),
            )
        )
    return made


@pytest.mark.parametrize("symbol", ["AAPL", "BTC/USDT", "SPX", "VIX"])
def test_longer_bars_are_made_of_shorter_ones(market: SimulatedMarket, symbol: str) -> None:
    seconds = market.recent_bars(symbol, 1, 5_000)
    minutes = market.recent_bars(symbol, 60, 10_000)
    days = market.recent_bars(symbol, DAY_S, 2_000)
    assert grouped(seconds, 60) == minutes[-len(grouped(seconds, 60)) :]
    assert len(seconds) > 700
    for interval_s in (300, 900, 3_600):
        assert grouped(minutes, interval_s) == market.recent_bars(symbol, interval_s, 10_000)
    assert grouped(days, 7 * DAY_S) == market.recent_bars(symbol, 7 * DAY_S, 1_000)
    assert 750 < len(days) < 1_110
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in seconds + days)
    assert all(before.start_ns < after.start_ns for before, after in pairwise(minutes))


@pytest.mark.parametrize("symbol", ["AAPL", "BTC/USDT", "SPX"])
def test_the_quote_agrees_with_the_bar_of_the_day(market: SimulatedMarket, symbol: str) -> None:
    quote = market.quote(symbol)
    yesterday, today = market.recent_bars(symbol, DAY_S, 2)
    assert (quote.open, quote.high, quote.low, quote.last) == (today.open, today.high, today.low, today.close)
    assert quote.volume == today.volume
    assert quote.prev_close == yesterday.close
    assert today.start_ns == market.now_ns // (DAY_S * SECOND_NS) * (DAY_S * SECOND_NS)
    assert quote.change == quote.last - quote.prev_close


@pytest.mark.parametrize("symbol", ["AAPL", "BTC/USDT", "SPX", "GS"])
def test_charts_are_full_and_end_now(market: SimulatedMarket, symbol: str) -> None:
    for before, after in pairwise(market.recent_bars(symbol, 60, 300)):
        assert after.start_ns - before.start_ns == 60 * SECOND_NS
        assert after.open == before.close or abs(after.open / before.close - 1) < 0.005
    assert market.now_ns - market.recent_bars(symbol, 60, 1)[0].start_ns < 65 * SECOND_NS
    changes = [
        abs(float(after.open / before.close) - 1) for before, after in pairwise(market.recent_bars(symbol, DAY_S, 9))
    ]
    assert max(changes) < 0.1


def test_the_live_market_goes_on_where_the_past_ends() -> None:
    market = SimulatedMarket()
    start_ns = market.now_ns
    ends = {symbol: market.recent_bars(symbol, 1, 1)[0].close for symbol in market.instruments}
    for symbol, instrument in market.instruments.items():
        assert ends[symbol] == instrument.start_price == market.quote(symbol).last
    first: dict[str, float] = {}
    for change in market.advance(start_ns + 2 * SECOND_NS):
        if isinstance(change, TradePrinted):
            first.setdefault(change.symbol, float(change.trade.price))
    assert len(first) > 20
    assert all(abs(price / float(ends[symbol]) - 1) < 0.003 for symbol, price in first.items())


def test_stocks_traded_in_sessions_on_weekdays_only() -> None:
    market = SimulatedMarket()
    minutes = market.recent_bars("AAPL", 60, 5_000)
    gaps = [after.start_ns - before.start_ns for before, after in pairwise(minutes)]
    assert sum(gap > 60 * SECOND_NS for gap in gaps) == 4
    days = market.recent_bars("AAPL", DAY_S, 1_000)
    assert all((bar.start_ns // (DAY_S * SECOND_NS) + 3) % 7 < 5 for bar in days)
    coin_minutes = market.recent_bars("BTC/USDT", 60, 9_000)
    assert all(after.start_ns - before.start_ns == 60 * SECOND_NS for before, after in pairwise(coin_minutes))


def test_bars_are_cut_to_the_span_asked_for() -> None:
    market = SimulatedMarket()
    everything = market.recent_bars("BTC/USDT", 300, 5_000)
    some = everything[10:20]
    assert market.bars("BTC/USDT", 300, some[0].start_ns, some[-1].start_ns + 1) == some
    assert market.bars("BTC/USDT", 300, some[0].start_ns - 1, some[-1].start_ns) == some[:-1]
    assert market.bars("BTC/USDT", 300, some[0].start_ns + 1, some[-1].start_ns) == some[1:-1]
    assert market.recent_bars("BTC/USDT", 300, 3) == everything[-3:]
    assert market.recent_bars("BTC/USDT", 300, 0) == []
    weeks = market.recent_bars("BTC/USDT", 7 * DAY_S, 5)
    assert market.bars("BTC/USDT", 7 * DAY_S, weeks[1].start_ns, weeks[3].start_ns) == weeks[1:3]
    assert market.bars("BTC/USDT", 60, 0, SECOND_NS) == []


@pytest.mark.parametrize("interval_s", [0, -60, 7, 90, 100_000])
def test_odd_intervals_are_refused(interval_s: int) -> None:
    with pytest.raises(ValueError, match="no bars of"):
        SimulatedMarket().recent_bars("AAPL", interval_s, 10)


def test_live_bars_stay_bounded() -> None:
    market = SimulatedMarket()
    bars = BarTable(lambda: pytest.fail("nobody asked for the past"))
    for second in range(8 * DAY_S // 20):
        bars.add(market.now_ns + second * 20 * SECOND_NS, 100 + second % 7, 5)
    sizes = {name: len(rows) for name, rows in vars(bars).items() if hasattr(rows, "maxlen")}
    assert set(sizes.values()) == {1_200, 10_080, 9}
