"""The history of a book: columns equal the books they stand for, gaps are gaps, and nothing grows without bound."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.clock import ManualClock
from tui.market.events import BookSnapshot, Status, Trade
from tui.market.heat import (
    KEPT_S,
    MAX_LEVELS,
    MAX_PRINTS,
    MAX_SYMBOLS,
    NS,
    HeatColumn,
    HeatHistory,
    HeatRecorder,
    Print,
    pack,
)
from tui.market.names import Kind, Subscription, Symbol
from tui.market.store import MarketStore
from tui.market.terms import FeedState, Level, Side

BTC = Symbol("BTC/USDT")
STEPS = tuple(Decimal(text) for text in ("0.01", "0.02", "0.05", "0.25", "1", "2", "25", "1000"))
PRICES = st.decimals("0.0001", "100000", places=4)
SIZES = st.one_of(st.decimals("0.000001", "9000", places=6), st.decimals("1E-18", "1E+12", allow_nan=False))


def snapshot(
    second: float, bids: Sequence[Level] = (), asks: Sequence[Level] = (), symbol: Symbol = BTC
) -> BookSnapshot:
    stamp = round(second * NS)
    return BookSnapshot(source="quantcite", ts_recv_ns=stamp, symbol=symbol, bids=tuple(bids), asks=tuple(asks))


def simple(second: float, bid: str = "100", size: str = "1") -> BookSnapshot:
    ask = Decimal(bid) + 1
    return snapshot(second, [(Decimal(bid), Decimal(size), ())], [(ask, Decimal(2), ())])


def trade(second: float, price: str = "100", side: Side | None = "buy", size: str = "1") -> Trade:
    stamp = round(second * NS)
    return Trade(source="x", ts_recv_ns=stamp, symbol=BTC, price=Decimal(price), size=Decimal(size), side=side)


def bids_of(columns: Sequence[HeatColumn | None]) -> list[str]:
    return [str(column.best.bid) if column else "" for column in columns]


@settings(max_examples=80, deadline=None)
@given(
    bids=st.dictionaries(PRICES, SIZES, max_size=25),
    asks=st.dictionaries(PRICES, SIZES, max_size=25),
    step=st.sampled_from(STEPS),
    first=st.integers(-3, 10_000_000),
)
def test_a_column_equals_the_book_it_stands_for(
    bids: dict[Decimal, Decimal], asks: dict[Decimal, Decimal], step: Decimal, first: int
) -> None:
    book = snapshot(
        5,
        [(price, bids[price], ()) for price in sorted(bids, reverse=True)],
        [(price, asks[price], ()) for price in sorted(asks)],
    )
    column = pack(book)
    near = [int(price / step) - 3 for price in (*bids, *asks)][:3]
    for start in (first, *near):
        expected = [Fraction(0)] * 8
        for price, size, _ in (*book.bids, *book.asks):
            bucket = Fraction(price) / Fraction(step) // 1 - start
            if 0 <= bucket < 8:
                expected[int(bucket)] += Fraction(size)
        assert [count * Fraction(column.unit) for count in column.bins(start, 8, step)] == expected
    assert column.best.bid == (book.bids[0][0] if book.bids else None)
    assert column.best.ask == (book.asks[0][0] if book.asks else None)


def test_a_column_takes_no_more_room_than_its_numbers_need() -> None:
    bids = [(Decimal("99.99"), Decimal("1.5"), ()), (Decimal("99.98"), Decimal("2"), ())]
    column, large = pack(snapshot(1, bids)), pack(snapshot(1, [(Decimal("99.99"), Decimal("429496729.6"), ()), *bids]))
    assert list(column.prices) == [9998, 9999]
    assert list(column.sums) == [0, 20, 35]
    assert isinstance(column.prices, array)
    assert isinstance(column.sums, array)
    assert isinstance(large.sums, array)
    assert (column.prices.itemsize, column.sums.itemsize, large.sums.itemsize) == (4, 4, 8)


def test_a_level_on_the_edge_of_two_buckets_is_in_the_upper_one() -> None:
    column = pack(simple(1, "100", "1.5"))
    assert column.size(200, Decimal("0.5")) == Decimal("1.5")
    assert column.size(199, Decimal("0.5")) == 0


def test_of_a_very_deep_book_the_best_levels_are_kept() -> None:
    levels = [(Decimal(n), Decimal(1), ()) for n in range(1, 1001)]
    column = pack(snapshot(1, levels[::-1], [(price + 1000, size, ()) for price, size, _ in levels]))
    assert column.bins(0, 1, Decimal(3000)) == [2 * MAX_LEVELS]
    assert column.size(1000 - MAX_LEVELS, Decimal(1)) == 0
    assert column.size(1001 - MAX_LEVELS, Decimal(1)) == 1


def test_the_last_book_of_a_second_stands_for_it() -> None:
    history = HeatHistory()
    for second, bid in ((10.1, "100"), (10.9, "101"), (11.2, "102"), (11.3, "103")):
        history.record(simple(second, bid), follows=True)
    assert bids_of(history.window(11, 3)) == ["", "101", "103"]


def test_a_quiet_book_stands_until_the_next_one_comes() -> None:
    history = HeatHistory()
    history.record(simple(10, "100"), follows=False)
    history.record(simple(13, "101"), follows=True)
    assert bids_of(history.window(15, 6)) == ["100", "100", "100", "101", "101", "101"]


def test_seconds_in_which_the_book_was_not_live_are_a_gap() -> None:
    history = HeatHistory()
    history.record(simple(10, "100"), follows=True)
    history.record(simple(13, "101"), follows=False)
    assert bids_of(history.window(15, 6, is_live=False)) == ["100", "", "", "101", "", ""]


def test_longer_stretches_show_their_last_book_and_gaps_as_long_as_themselves() -> None:
    history = HeatHistory()
    for second in (10, 11, 14, 31):
        history.record(simple(second, str(second)), follows=second != 31)
    assert bids_of(history.window(32, 5, 5)) == ["14", "", "", "", "31"]
    assert bids_of(history.window(12, 1, 5)) == ["11"]


@pytest.mark.parametrize("is_live", [True, False])
@pytest.mark.parametrize("looked_at", [True, False])
def test_summaries_are_those_of_the_columns(is_live: bool, looked_at: bool) -> None:
    history = HeatHistory()
    assert history.summaries(12, 2) == [None, None]
    for second in (10, 11, 14, 31):
        history.record(simple(second, str(second)), follows=second != 31)
        if looked_at:
            history.window(second, 5)
        found = history.summaries(second + 2, 30, is_live=is_live)
        columns = history.window(second + 2, 30, is_live=is_live)
        assert [each and (each.second, each.best, each.imbalance, each.follows) for each in found] == [
            each and (each.second, each.best, each.imbalance, each.follows) for each in columns
        ]


def test_a_clock_set_back_forgets_what_it_calls_the_future() -> None:
    history = HeatHistory()
    for second in (10, 11, 12, 13):
        history.record(simple(second, str(second)), follows=True)
        history.trade(trade(second))
    history.record(simple(11, "9"), follows=False)
    history.trade(trade(11, "9"))
    assert bids_of(history.window(13, 4, is_live=False)) == ["10", "9", "", ""]
    assert [len(history.prints(second)) for second in (10, 11, 12, 13)] == [1, 2, 0, 0]
    history.record(simple(12, "8"), follows=True)
    assert bids_of(history.window(12, 3)) == ["10", "9", "8"]


def test_trades_of_a_second_add_up_by_price_and_side() -> None:
    history = HeatHistory()
    for one in (trade(10.1), trade(10.9, size="2"), trade(10.5, side="sell"), trade(11), trade(12, side=None)):
        history.trade(one)
    hundred = Decimal(100)
    assert history.prints(10) == [Print(hundred, "buy", Decimal(3)), Print(hundred, "sell", Decimal(1))]
    assert [found.side for found in history.prints(11, 5)] == ["buy", None]


def test_trades_of_a_symbol_whose_book_nobody_watches_are_not_kept() -> None:
    recorder = HeatRecorder()
    recorder.trade(trade(10))
    assert recorder.of(BTC) is None


def size_of(history: HeatHistory) -> int:
    return sum(sys.getsizeof(c) + sys.getsizeof(c.prices) + sys.getsizeof(c.sums) for c in history.columns)


def test_ten_minutes_are_kept_of_books_however_deep() -> None:
    history = HeatHistory()
    levels = [(Decimal(n).scaleb(-2), Decimal(n).scaleb(-5), ()) for n in range(1, 1001)]
    for second in range(KEPT_S + 60):
        history.record(snapshot(second, levels[::-1], levels), follows=True)
    assert history.first_second == 60 - 1
    assert len(history.columns) == KEPT_S + 1
    assert size_of(history) < 8_500_000
    assert all(history.window(KEPT_S + 59, KEPT_S))


def test_after_a_long_pause_what_is_too_old_goes() -> None:
    history = HeatHistory()
    for second in (*range(100), 5000, 5001):
        history.record(simple(second), follows=False)
    assert [column.second for column in history.columns] == [99, 5000, 5001]
    assert history.window(5001, KEPT_S).count(None) == KEPT_S - 2


def test_trades_are_bounded_a_second_and_over_time() -> None:
    history = HeatHistory()
    for n in range(3 * MAX_PRINTS):
        history.trade(trade(0, str(n + 1)))
    assert len(history.prints(0)) == MAX_PRINTS
    for second in range(2 * KEPT_S):
        history.trade(trade(second))
    assert len(history._prints) == KEPT_S
    assert history.prints(KEPT_S - 1) == []


def test_the_symbols_watched_last_are_kept() -> None:
    recorder = HeatRecorder()
    symbols = [Symbol(f"S{n}") for n in range(MAX_SYMBOLS + 1)]
    for symbol in (*symbols[:MAX_SYMBOLS], symbols[0], symbols[-1]):
        recorder.record(snapshot(1, symbol=symbol), follows=True)
    assert [recorder.of(symbol) is not None for symbol in symbols] == [True, False, *[True] * (MAX_SYMBOLS - 1)]


WANTED = Subscription(Kind.BOOK, BTC)
FEED = "quantcite:book"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000 * NS)


@pytest.fixture
def store(clock: ManualClock) -> MarketStore:
    store = MarketStore(clock.now_ns)
    store.assign(WANTED, FEED)
    connect(store)
    return store


def connect(store: MarketStore, state: FeedState = FeedState.LIVE) -> None:
    if state is FeedState.LIVE:
        store.feed(FEED).stats.live_since_ns = store.now_ns()
    store.apply(Status(source="quantcite", ts_recv_ns=store.now_ns(), feed=FEED, state=state))


def seen(store: MarketStore, count: int) -> list[str]:
    history = store.heat.of(BTC)
    assert history
    return bids_of(history.window(store.now_ns() // NS, count))


def test_the_store_records_the_books_it_takes(store: MarketStore, clock: ManualClock) -> None:
    for bid in ("100", "101", "102"):
        store.apply(simple(clock.now_ns() / NS, bid))
        clock.advance(2)
    assert seen(store, 7) == ["100", "100", "101", "101", "102", "102", "102"]


def test_a_lost_connection_leaves_a_gap(store: MarketStore, clock: ManualClock) -> None:
    store.apply(simple(1000, "100"))
    connect(store, FeedState.BACKING_OFF)
    clock.advance(2)
    connect(store)
    clock.advance(1)
    store.apply(simple(1003, "101"))
    assert seen(store, 4) == ["100", "", "", "101"]


def test_while_nobody_wants_the_book_there_is_a_gap(store: MarketStore, clock: ManualClock) -> None:
    store.apply(simple(1000, "100"))
    store.forget(WANTED)
    clock.advance(3)
    store.assign(WANTED, FEED)
    store.apply(simple(1003, "101"))
    assert seen(store, 4) == ["100", "", "", "101"]


def test_trades_reach_the_history_of_a_watched_book(store: MarketStore) -> None:
    store.apply(simple(1000))
    store.apply(trade(1000.5, side="sell"))
    history = store.heat.of(BTC)
    assert history
    assert history.prints(1000) == [Print(Decimal(100), "sell", Decimal(1))]
