"""The quotes pane: columns, states, selection."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.panes.conftest import set_feed, style_at, text_of
from tui.clock import ManualClock
from tui.market.events import Quote
from tui.market.names import Kind, Subscription, Symbol
from tui.market.store import MarketStore
from tui.market.terms import FeedState
from tui.panes.base import Desk
from tui.panes.quotes import COLUMNS, QuotesPane, choose_columns

AAPL, BTC = Symbol("AAPL"), Symbol("BTC/USDT")
QUOTE = Subscription(Kind.QUOTE, AAPL)


@pytest.fixture
def pane(desk: Desk) -> QuotesPane:
    pane = QuotesPane(desk)
    pane.on_mount()
    return pane


def put(store: MarketStore, symbol: Symbol = AAPL, /, **figures: str) -> None:
    values = {name: Decimal(text) for name, text in figures.items()}
    store.apply(Quote(source="aries", ts_recv_ns=store.now_ns(), symbol=symbol, **values))


def test_it_wants_a_quote_for_every_symbol_of_the_list(pane: QuotesPane) -> None:
    assert pane.wants() == {Subscription(Kind.QUOTE, Symbol(s)) for s in ("AAPL", "SPX", "BTC/USDT")}


def test_a_live_quote_shows_price_arrow_and_percent(pane: QuotesPane, store: MarketStore) -> None:
    set_feed(store, "aries:market", FeedState.LIVE, QUOTE)
    put(store, last="187.40", change_percent="0.62")
    put(store, last="187.42")
    rows = pane.rows(40, 10)
    assert text_of(rows)[1].split()[:4] == ["▌AAPL", "187.42▲", "+0.62%", "0.0s"]
    assert style_at(rows[1], "187.42") == pane.desk.palette.colors["up"]


def test_decimal_points_of_different_instruments_meet(pane: QuotesPane, store: MarketStore) -> None:
    put(store, last="187.42")
    put(store, BTC, last="0.12345")
    rows = text_of(pane.rows(60, 10))
    assert rows[1].index("187.42") + 3 == rows[3].index("0.12345") + 1


@pytest.mark.fault("M64")
def test_a_stale_quote_is_dim_and_shows_no_move(pane: QuotesPane, store: MarketStore, clock: ManualClock) -> None:
    set_feed(store, "aries:market", FeedState.LIVE, QUOTE)
    put(store, last="187.40")
    put(store, last="187.42")
    set_feed(store, "aries:market", FeedState.BACKING_OFF)
    clock.advance(12)
    rows = pane.rows(40, 10)
    assert style_at(rows[1], "187.42") == pane.desk.palette.colors["stale"]
    assert "▲" not in text_of(rows)[1]
    assert "10s" in text_of(rows)[1], "in steps of five seconds"


def test_a_symbol_without_a_quote_says_what_it_waits_for(pane: QuotesPane, store: MarketStore) -> None:
    store.assign(QUOTE, None)
    assert "no provider carries it" in text_of(pane.rows(60, 10))[1]


@pytest.mark.fault("M39")
@pytest.mark.parametrize(("figures", "mark"), [({"bid": "1", "ask": "2"}, "1.50~"), ({"last": "1000"}, "1,000.00?")])
def test_derived_and_suspect_prices_are_marked(
    pane: QuotesPane, store: MarketStore, figures: dict[str, str], mark: str
) -> None:
    if "last" in figures:
        put(store, last="1")
    put(store, **figures)
    assert mark in text_of(pane.rows(60, 10))[1]


def test_a_price_lights_up_at_most_once_a_second(pane: QuotesPane, store: MarketStore, clock: ManualClock) -> None:
    set_feed(store, "aries:market", FeedState.LIVE, QUOTE)

    def is_lit(last: str) -> bool:
        put(store, last=last)
        segment = next(s for s in pane.rows(40, 10)[1].segments if last in s.text)
        return bool(segment.style and segment.style.reverse)

    assert not is_lit("10.00")
    assert is_lit("10.01")
    clock.advance(0.5)
    assert not is_lit("10.02")
    clock.advance(0.6)
    assert is_lit("10.03")


@pytest.mark.parametrize("width", range(12, 160))
def test_columns_that_are_chosen_fit_and_no_figure_is_cut(pane: QuotesPane, store: MarketStore, width: int) -> None:
    columns = choose_columns(width)
    assert columns[0].name == "symbol"
    assert sum(c.width + 1 for c in columns if c.rank > 1) <= width
    assert [c for c in COLUMNS if c in columns] == columns


def test_sorting_puts_what_is_unknown_last(pane: QuotesPane, store: MarketStore) -> None:
    put(store, BTC, change_percent="2")
    put(store, AAPL, change_percent="-1")
    pane.sort_by = "chg%"
    assert pane.order() == ["BTC/USDT", "AAPL", "SPX"]


def test_an_empty_list_says_how_to_fill_it(pane: QuotesPane) -> None:
    pane.desk.names["main"] = []
    assert "Press / to add one." in "\n".join(text_of(pane.rows(40, 10)))


def test_the_selected_row_stays_visible_in_a_small_pane(pane: QuotesPane) -> None:
    pane.desk.names["main"] = [Symbol(f"S{i}") for i in range(30)]
    for selected in (0, 10, 29, 15, 0):
        pane.chosen = Symbol(f"S{selected}")
        assert any(row.startswith(f"▌S{selected} ") for row in text_of(pane.rows(40, 6)))


@pytest.mark.parametrize("width", [34, 60, 120])
def test_a_coin_of_many_decimals_takes_no_price_from_the_others(
    pane: QuotesPane, store: MarketStore, width: int
) -> None:
    put(store, AAPL, last="0.00001234")
    for last in ("97210.25", "97211.25"):
        put(store, BTC, last=last)
    rows = pane.rows(width, 10)
    assert "97,211.25" in text_of(rows)[3]
    assert "0.00001234" in text_of(rows)[1]
    assert all(row.width <= width for row in rows)
