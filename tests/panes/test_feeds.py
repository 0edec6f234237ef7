"""The feeds pane and the tape."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest

from tests.panes.conftest import set_feed, text_of
from tui.clock import ManualClock
from tui.market.events import Status, Trade
from tui.market.names import Kind, Subscription, Symbol
from tui.market.store import MarketStore
from tui.market.terms import FeedState
from tui.panes.base import Desk
from tui.panes.feeds import FeedsPane
from tui.panes.tape import TapePane, directions


@pytest.mark.fault("M1")
def test_a_feed_that_waits_says_why_and_how_long(desk: Desk, store: MarketStore, clock: ManualClock) -> None:
    store.apply(
        Status(
            source="aries",
            ts_recv_ns=clock.now_ns(),
            feed="aries:market",
            state=FeedState.BACKING_OFF,
            reason="connection refused",
            remedy="Is the provider up?",
            retry_at_ns=clock.now_ns() + 8_000_000_000,
        )
    )
    pane = FeedsPane(desk)
    shown = "\n".join(text_of(pane.rows(100, 10)))
    assert "retry in 8s: connection refused" in shown
    assert "Is the provider up?" in shown
    clock.advance(5)
    assert "retry in 3s" in "\n".join(text_of(pane.rows(100, 10)))


def test_at_rest_the_time_of_the_last_frame_stands_apart_from_the_other_figures(
    desk: Desk, store: MarketStore, clock: ManualClock
) -> None:
    set_feed(store, "aries:market")
    store.feed("aries:market").stats.received(100, clock.now_ns())
    clock.advance(60)
    store.quiet_since_ns = clock.now_ns()
    for width in range(40, 140, 3):
        row = next(row for row in text_of(FeedsPane(desk).rows(width, 10)) if "aries:market" in row)
        assert "14:37" in row.split() or "14:37" not in row


@pytest.mark.parametrize(
    ("width", "row"), [(45, " ◐ insightsentry:live       retry in 8s: con…"), (32, " ◐ ins:live       retry in 8s: …")]
)
def test_in_a_narrow_pane_figures_make_room_for_the_time_to_the_next_attempt(
    desk: Desk, store: MarketStore, clock: ManualClock, width: int, row: str
) -> None:
    set_feed(store, "insightsentry:newsfeed")
    store.apply(
        Status(
            source="insightsentry",
            ts_recv_ns=clock.now_ns(),
            feed="insightsentry:live",
            state=FeedState.BACKING_OFF,
            reason="connection refused",
            retry_at_ns=clock.now_ns() + 8_000_000_000,
        )
    )
    assert row in text_of(FeedsPane(desk).rows(width, 10))


@pytest.mark.parametrize(("wait_s", "said"), [(119, "119s"), (120, "2m"), (5400, "1h"), (2 * 86_400, "2d")])
def test_a_long_wait_is_told_in_larger_units(
    desk: Desk, store: MarketStore, clock: ManualClock, wait_s: int, said: str
) -> None:
    store.apply(
        Status(
            source="insightsentry",
            ts_recv_ns=clock.now_ns(),
            feed="insightsentry:live",
            state=FeedState.BACKING_OFF,
            reason="3 of 3 connections used today",
            retry_at_ns=clock.now_ns() + wait_s * 10**9,
        )
    )
    shown = "\n".join(text_of(FeedsPane(desk).rows(100, 10)))
    assert f"retry in {said}: 3 of 3 connections used today" in shown


def test_budgets_are_spelled_out_line_by_line(desk: Desk, store: MarketStore) -> None:
    set_feed(store, "quantcite:book", reason="developer plan")
    lines = ("developer plan", "8.41 of 50 GB used (16.8 %), 1.2G today", "at this rate 50 GB last 12 days")
    store.feed("quantcite:book").stats.note = "\n".join(lines)
    rows = [row.strip() for row in text_of(FeedsPane(desk).rows(80, 12))]
    assert rows[-3:] == ["live: developer plan", *lines[1:]]


def test_figures_of_a_live_feed(desk: Desk, store: MarketStore, clock: ManualClock) -> None:
    set_feed(store, "quantcite:book")
    stats = store.feed("quantcite:book").stats
    for _ in range(20):
        stats.received(2048, clock.now_ns())
    stats.latency_s, stats.reconnects = 0.012, 3
    stats.counts["gap"] = 7
    clock.advance(1)
    row = text_of(FeedsPane(desk).rows(130, 10))[1]
    assert row.split() == ["●", "quantcite:book", "12ms", "2.0", "4.0K", "1s", "0", "40.0K", "3", "7", "0", "0", "live"]


@pytest.mark.parametrize(("width", "height"), [(10, 3), (20, 5), (30, 8), (60, 20), (200, 50)])
def test_every_row_fits_whatever_the_size(desk: Desk, store: MarketStore, width: int, height: int) -> None:
    set_feed(store, "insightsentry:newsfeed", FeedState.FAILED, reason="key rejected " * 20)
    pane = FeedsPane(desk)
    assert all(line.strip(width).cell_length == width for line in pane.lines(width, height))


def trade(store: MarketStore, symbol: str, price: str, size: str, side: str) -> None:
    store.apply(
        Trade.model_validate(
            {"source": "aries", "ts_recv_ns": store.now_ns(), "symbol": symbol, "price": Decimal(price),
             "size": Decimal(size), "side": side, "venue": "XNAS"}
        )
    )  # fmt: skip


def test_the_tape_stays_with_a_stock_while_a_pair_is_selected(desk: Desk, store: MarketStore) -> None:
    pane = TapePane(desk)
    pane.set_reactive(TapePane.symbol, Symbol("BTC/USDT"))
    assert pane.wants() == {Subscription(Kind.TRADE, Symbol("AAPL"))}


def test_prints_are_newest_first_with_their_direction(desk: Desk, store: MarketStore) -> None:
    pane = TapePane(desk)
    pane.set_reactive(TapePane.symbol, Symbol("AAPL"))
    set_feed(store, "aries:market", FeedState.LIVE, *pane.wants())
    trade(store, "AAPL", "187.42", "100", "buy")
    trade(store, "AAPL", "187.41", "200", "sell")
    rows = text_of(pane.rows(50, 5))
    assert rows[0].split()[1:4] == ["▼", "187.41", "200.0"]
    assert rows[1].split()[1:4] == ["▲", "187.42", "100.0"]


def test_the_largest_prints_stand_out(desk: Desk, store: MarketStore) -> None:
    pane = TapePane(desk)
    pane.set_reactive(TapePane.symbol, Symbol("AAPL"))
    pane.wants()
    for size in range(100):
        trade(store, "AAPL", "187.42", str(size + 1), "buy")
    assert sum("■" in row for row in text_of(pane.rows(50, 100))) == 2


def test_without_sides_prints_take_the_direction_of_the_last_different_price(desk: Desk, store: MarketStore) -> None:
    prices = ["187.42", "187.43", "187.43", "187.41", "187.41"]
    trades = [
        Trade(source="aries", ts_recv_ns=0, symbol=Symbol("AAPL"), price=Decimal(price), size=Decimal(1))
        for price in prices
    ]
    assert directions(trades, 5) == [0, 1, 1, -1, -1]


def test_directions_of_the_newest_prints_follow_from_those_before_them() -> None:
    random = Random(2)
    trades = [
        Trade(source="aries", ts_recv_ns=0, symbol=Symbol("AAPL"), price=Decimal(random.randint(1, 2)), size=Decimal(1),
              side=random.choice(["buy", "sell", None, None]))
        for _ in range(60)
    ]  # fmt: skip
    for length in range(61):
        known = trades[:length]
        assert [directions(known, count) for count in range(1, 70)] == [
            directions(known, length)[-count:] for count in range(1, 70)
        ]


def test_the_heading_tells_how_long_a_key_had_to_wait(desk: Desk) -> None:
    pane = FeedsPane(desk)
    desk.lag_s = 0.0021
    assert pane.heading()[1] == ("loop 2 ms", desk.palette.muted)
    desk.lag_s = 0.08
    assert pane.heading()[1] == ("loop 80 ms", desk.palette.warning)


def test_at_rest_the_heading_tells_of_when_the_figures_are(desk: Desk, clock: ManualClock) -> None:
    desk.store.quiet_since_ns = clock.now_ns()
    assert [text for text, _ in FeedsPane(desk).heading()] == ["0 of 0 live", "as of 14:37:51"]


def test_a_feed_that_falls_behind_says_that_it_is_slow(desk: Desk, store: MarketStore, clock: ManualClock) -> None:
    set_feed(store, "insightsentry:live")
    store.feed("insightsentry:live").stats.keeps_up(False, clock.now_ns())
    clock.advance(4)
    row = text_of(FeedsPane(desk).rows(100, 10))[1]
    assert "◑" in row
    assert "slow: behind for 4s" in row
