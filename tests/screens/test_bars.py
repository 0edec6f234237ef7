"""The rows at the top and the bottom of the screen."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.panes.conftest import set_feed, text_of
from tui.clock import ManualClock
from tui.market.events import MarketStatus, Quote, Status
from tui.market.names import Kind, Subscription, Symbol
from tui.market.store import MarketStore
from tui.market.terms import FeedState, Session
from tui.panes.base import Desk
from tui.screens.status_bar import StatusBar
from tui.screens.top_bar import TopBar
from tui.themes import load_themes


@pytest.fixture
def desk(store: MarketStore) -> Desk:
    return Desk(store=store, palette=load_themes().get("tickdeck-dark"))


def status_line(desk: Desk, width: int) -> str:
    bar = StatusBar(desk, id="status", keys={})
    bar.focused = "quotes"
    return text_of([bar.line(width)])[0]


@pytest.mark.parametrize("width", range(20, 160, 7))
def test_what_is_broken_comes_first_and_everything_fits(desk: Desk, store: MarketStore, width: int) -> None:
    set_feed(store, "aries:market")
    set_feed(store, "insightsentry:live")
    set_feed(store, "quantcite:book", FeedState.FAILED, reason="key rejected")
    line = status_line(desk, width)
    assert len(line) <= width
    assert line.split()[:2] == ["✖", "quantcite"]
    if width >= 60:
        assert "aries" in line
        assert "insightsentry" in line
    if width >= 76:
        assert "key rejected" in line


def test_every_provider_shows_while_all_of_them_are_down(desk: Desk, store: MarketStore, clock: ManualClock) -> None:
    for feed in ("aries:market", "insightsentry:live", "quantcite:book"):
        store.apply(
            Status(
                source=feed.split(":")[0],
                ts_recv_ns=clock.now_ns(),
                feed=feed,
                state=FeedState.BACKING_OFF,
                reason="connection refused",
                retry_at_ns=clock.now_ns() + 5_000_000_000,
            )
        )
    for width in (80, 140):
        line = status_line(desk, width)
        assert all(f"{name} retry in 5s" in line for name in ("aries", "insightsentry", "quantcite")), line


def test_help_is_the_last_hint_to_go(desk: Desk, store: MarketStore) -> None:
    set_feed(store, "aries:market")
    assert status_line(desk, 40).endswith("? keys")


def test_a_feed_that_fell_silent_says_so(desk: Desk, store: MarketStore, clock: ManualClock) -> None:
    set_feed(store, "aries:market")
    for _ in range(40):
        clock.advance(0.1)
        store.feed("aries:market").stats.received(10, clock.now_ns())
    assert "degraded" not in status_line(desk, 120)
    clock.advance(8)
    assert "◑ aries degraded: silent for 8s" in status_line(desk, 120)


def test_the_session_is_not_shown_while_its_feed_is_down(desk: Desk, store: MarketStore, clock: ManualClock) -> None:
    set_feed(store, "aries:market")
    store.apply(MarketStatus(source="aries", feed="aries:market", ts_recv_ns=clock.now_ns(), session=Session.REGULAR))
    bar = TopBar(desk, id="top")
    assert "stocks open" in text_of([bar.line(120)])[0]
    set_feed(store, "aries:market", FeedState.BACKING_OFF)
    assert "stocks" not in text_of([bar.line(120)])[0]


def test_ages_from_ten_seconds_on_count_in_steps(desk: Desk, store: MarketStore, clock: ManualClock) -> None:
    quote = Subscription(Kind.QUOTE, Symbol("AAPL"))
    set_feed(store, "aries:market", FeedState.LIVE, quote)
    store.feed("aries:market").stats.received(10, clock.now_ns())
    store.apply(Quote(source="aries", ts_recv_ns=clock.now_ns(), symbol=Symbol("AAPL"), last=Decimal(180)))
    top = TopBar(desk, id="top")
    top.symbol = Symbol("AAPL")
    seen: list[tuple[str, str]] = []
    for feed_state in (FeedState.LIVE, FeedState.IDLE):
        set_feed(store, "aries:market", feed_state)
        clock.advance(10)
        for _ in range(5):
            seen.append((status_line(desk, 60), text_of([top.line(60)])[0].partition("UTC")[0][:-9]))
            clock.advance(1)
        store.feed("aries:market").stats.received(10, clock.now_ns())
    assert len(set(seen[:5])) == len(set(seen[5:])) == 1
    assert "aries  10s" in seen[0][0]
    assert "stale 25s" in seen[5][1]
