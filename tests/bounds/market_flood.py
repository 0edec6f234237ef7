"""Floods of events: everything that a store, a book's views and a tape can be told, each time about something new."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tests.bounds.census import census
from tui.clock import NS, ManualClock
from tui.market.bars import BarSeries
from tui.market.events import (
    Balance,
    Bar,
    BookSnapshot,
    Event,
    Greeks,
    NewsItem,
    Notice,
    Order,
    PnlCandle,
    Position,
    Quote,
    Status,
    Trade,
    Watchlist,
)
from tui.market.health import FeedStats
from tui.market.heat import HeatHistory
from tui.market.names import Interval, Kind, Subscription, Symbol
from tui.market.store import MarketStore
from tui.market.terms import FeedState
from tui.market.walls import WallWatch
from tui.themes import load_themes
from tui.widgets import lines, row_strip
from tui.widgets.figures import MAX_TEXTS, SizeColumn
from tui.widgets.ladder import Level, Look, arrange
from tui.widgets.ladder_row import MAX_HELD, LevelRows
from tui.widgets.ladder_view import LadderView
from tui.widgets.venue_list import VenueList

ONE = Decimal(1)
SPOT = Symbol("SPOT")


def store_flood() -> dict[str, int]:
    clock = ManualClock()
    store = MarketStore(clock.now_ns)
    for number in range(1500):
        clock.advance(6)
        for event in events(number, clock.now_ns()):
            store.apply(event)
    store.drain()
    return census(store, FeedStats())


def series_flood() -> dict[str, int]:
    series = BarSeries(SPOT, Interval.M1)
    for number in range(2500):
        series.upsert(bar(number * 60 * NS))
    return census(series)


def heat_flood() -> dict[str, int]:
    history = HeatHistory()
    for second in range(800):
        history.record(book(second * NS, ()), follows=True)
        history.trade(Trade(source="aries", ts_recv_ns=second * NS, symbol=SPOT, price=ONE, size=ONE))
    return census(history, WallWatch())


def venues_flood() -> dict[str, int]:
    """Books that name other venues every time."""
    view, listed = LadderView(), VenueList()
    look = Look(load_themes().get("tickdeck-dark"))
    for number in range(300):
        view.show(book(number * NS, (f"venue {number}",)))
        listed.letters = view.letters
        view.rows(60, 30, look)
    return census(view, listed)


def marks_flood() -> dict[str, int]:
    """Levels that other venues hold every time."""
    columns = arrange(60, cumulative=6, size=5, price=9, pad=1, marks=4, distance=6)
    rows, most = LevelRows(columns, Look(load_themes().get("tickdeck-dark")), {}), 0
    for number in range(3 * MAX_HELD):
        rows.row(Level("bid", "1", "1", "1", "", 1.0, 1.0, (f"venue {number}",)))
        most = max(most, len(rows._marks))
    return {"widgets.ladder_row.LevelRows._marks": most}


def styles_flood() -> dict[str, int]:
    kept = [load_themes().get("tickdeck-dark").style("text") + lines.PLAIN for _ in range(1000)]
    kept = [style.copy() for style in kept]
    most = 0
    for style in kept:
        lines.mixed(style, style)
        most = max(most, len(row_strip._inks))  # emptied when it is full
    return {"widgets.row_strip._inks": most}


def figures_flood() -> dict[str, int]:
    column, most = SizeColumn(), 0
    for number in range(3 * MAX_TEXTS):
        column.text(Decimal(number))
        most = max(most, len(column._texts))
    return {"widgets.figures.SizeColumn._texts": most}


def bar(start_ns: int) -> Bar:
    return Bar(
        source="aries", ts_recv_ns=1, symbol=SPOT, interval=Interval.M1, start_ns=start_ns,
        open=ONE, high=ONE, low=ONE, close=ONE,
    )  # fmt: skip


def book(now_ns: int, venues: tuple[str, ...]) -> BookSnapshot:
    bids = tuple((100 - Decimal(n), ONE, venues) for n in range(5))
    asks = tuple((101 + Decimal(n), ONE, venues) for n in range(5))
    return BookSnapshot(source="quantcite", ts_recv_ns=now_ns, symbol=SPOT, bids=bids, asks=asks, venues=venues)


def events(number: int, now_ns: int) -> Iterator[Event]:
    """One of each kind."""
    stamps: dict[str, Any] = {"source": "aries", "ts_recv_ns": now_ns}
    prices: dict[str, Any] = {**stamps, "open": ONE, "high": ONE, "low": ONE, "close": ONE}
    symbol, account = Symbol(f"S{number}"), f"account {number}"
    price = Decimal(f"1.{number % 9 + 1:03}")
    yield Quote(**stamps, symbol=symbol, last=price)
    yield Trade(**stamps, symbol=symbol, price=ONE, size=ONE)
    yield Bar(**prices, symbol=symbol, interval=Interval.M1, start_ns=now_ns)
    yield BookSnapshot(**stamps, symbol=symbol, bids=((ONE, ONE, ()),), asks=())
    yield Greeks(**stamps, symbol=symbol, delta=ONE)
    yield NewsItem(**stamps, id=str(number), title="x", published_ns=now_ns)
    yield Notice(**stamps, text="no", subscription=Subscription(Kind.QUOTE, symbol), refused=True)
    yield Status(**stamps, feed="aries:market", state=FeedState.LIVE)
    yield Order(**stamps, account="a", client_order_id=str(number), symbol="X")
    yield Position(**stamps, account=account, symbol=symbol, quantity=ONE)
    yield Balance(**stamps, account=account, figures={"x": ONE})
    yield PnlCandle(**prices, account=account, interval="1m", start_ns=1)
    yield Watchlist(**stamps, id=str(number), name="x", symbols=())
