"""The book pane's ways to look at a book: depth curve and heatmap by their keys, and the row of history above them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

import pytest
from textual.app import App, ComposeResult

from tests.panes.conftest import set_feed, text_of
from tui.clock import ManualClock
from tui.market.events import BookSnapshot, Trade
from tui.market.heat import KEPT_S, NS
from tui.market.names import Kind, Subscription, parse_symbol
from tui.market.store import Changes, MarketStore
from tui.market.terms import FeedState, Level
from tui.panes.base import Desk, Pane
from tui.panes.book import HISTORY_FROM, BookPane

BTC = parse_symbol("BTC/USDT")
BOOK, TRADES = Subscription(Kind.BOOK, BTC), Subscription(Kind.TRADE, BTC)
FEED = "quantcite:book"
SIZE = (62, 24)
INSIDE = (60, 22)
BIG = (60, 40)


def side(best: Decimal, step: str, count: int = 40, size: str = "1") -> tuple[Level, ...]:
    return tuple((best + n * Decimal(step), Decimal(size), ()) for n in range(count))


def book(store: MarketStore, mid: str = "100", size: str = "1", gap: str = "0.05", count: int = 40) -> BookSnapshot:
    middle = Decimal(mid)
    return BookSnapshot(
        source="quantcite",
        ts_recv_ns=store.now_ns(),
        symbol=BTC,
        bids=side(middle - Decimal(gap), "-0.05", count, size),
        asks=side(middle + Decimal(gap), "0.05", count, size),
    )


def run(store: MarketStore, clock: ManualClock, mids: Sequence[str], size: str = "1") -> None:
    """A book a second."""
    for mid in mids:
        clock.advance(1)
        store.apply(book(store, mid, size))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_767_600_000 * NS)


@pytest.fixture
def pane(desk: Desk, store: MarketStore, clock: ManualClock) -> BookPane:
    """A live book that has been watched for half a minute."""
    pane = BookPane(desk)
    pane.symbol = BTC
    set_feed(store, FEED, FeedState.LIVE, BOOK)
    run(store, clock, ["100"] * 30)
    return pane


class Tiny(App[None]):
    def __init__(self, pane: BookPane) -> None:
        super().__init__()
        self.pane = pane
        self.asked = 0

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.focus()

    def on_pane_wants_changed(self, message: Pane.WantsChanged) -> None:
        self.asked += 1


def shown(pane: BookPane, size: tuple[int, int] = INSIDE) -> list[str]:
    return text_of(pane.rows(*size))


def said(pane: BookPane) -> list[str]:
    return [text for text, _ in pane.heading()]


async def test_the_key_goes_from_ladder_to_depth_curve_to_heatmap_and_back(pane: BookPane) -> None:
    async with Tiny(pane).run_test(size=SIZE) as pilot:
        headings, pictures = [], []
        for _ in range(4):
            headings.append(said(pane)[1:])
            pictures.append(shown(pane))
            await pilot.press("m")
        assert headings[0] == headings[3] == []
        assert headings[1][0] == "depth"
        assert headings[2] == ["heatmap", "step 0.1"]
        assert pictures[0] == pictures[3]
        assert len({tuple(picture) for picture in pictures}) == 3


async def test_the_heatmap_asks_for_trades_too_and_is_drawn_when_they_come(pane: BookPane) -> None:
    app = Tiny(pane)
    async with app.run_test(size=SIZE) as pilot:
        assert pane.wants() == {BOOK}
        await pilot.press("m")
        assert pane.wants() == {BOOK}
        assert not pane.is_touched_by(Changes(frozenset({TRADES}), frozenset()))
        await pilot.press("m")
        assert pane.wants() == {BOOK, TRADES}
        assert pane.is_touched_by(Changes(frozenset({TRADES}), frozenset()))
        await pilot.pause()
        assert app.asked >= 2


async def test_keys_do_no_harm_in_any_mode_while_there_is_no_book(desk: Desk) -> None:
    pane = BookPane(desk)
    pane.symbol = BTC
    async with Tiny(pane).run_test(size=SIZE) as pilot:
        for _ in range(3):
            await pilot.press("down", "up", "left", "right", "g", "G", "plus", "minus", "c", "m")
        assert said(pane) == ["BTC/USDT"]


@pytest.mark.parametrize("mode", [1, 2])
@pytest.mark.parametrize("width", [10, 20, 38, 60, 140])
@pytest.mark.parametrize("height", [1, 3, 5, 9, 22, 60])
def test_every_size_has_its_rows_in_every_mode(pane: BookPane, mode: int, width: int, height: int) -> None:
    pane._mode = mode
    rows = pane.rows(width, height)
    assert len(rows) <= height
    assert all(row.width <= width for row in rows)
    assert len(rows) == height or width < 20 or height < 5


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_another_symbol_starts_anew_in_the_same_mode(pane: BookPane, store: MarketStore, mode: int) -> None:
    pane._mode = mode
    shown(pane)
    pane.symbol = parse_symbol("ETH/USDT")
    assert any("No book of ETH/USDT" in row for row in shown(pane))
    store.apply(book(store, "3400").model_copy(update={"symbol": pane.symbol}))
    assert any("3,400" in row for row in shown(pane))


async def test_depth_keys_zoom_and_move_the_cursor(pane: BookPane) -> None:
    async with Tiny(pane).run_test(size=SIZE) as pilot:
        await pilot.press("m")
        wide = said(pane)[2]
        await pilot.press("plus")
        assert float(said(pane)[2].strip("±%")) < float(wide.strip("±%"))
        await pilot.press("minus")
        assert said(pane)[2] == wide
        await pilot.press("left", "left")
        first = shown(pane)[-1]
        assert first.startswith(" bid 99.9")
        await pilot.press("down")
        assert shown(pane)[-1] != first
        await pilot.press("right")
        assert shown(pane)[-1] == first
        await pilot.press("down", "up")
        assert shown(pane)[-1] == first
        await pilot.press("c")
        assert "ask" in shown(pane)[-1]


async def test_a_click_puts_the_cursor_on_the_price_under_the_mouse(pane: BookPane) -> None:
    async with Tiny(pane).run_test(size=SIZE) as pilot:
        await pilot.press("m")
        await pilot.click(BookPane, offset=(11, 10))
        columns = pane._views.depth._columns
        assert columns
        assert f"{columns.price(10):.2f}" in shown(pane)[-1]


def heat_pane(pane: BookPane) -> BookPane:
    pane._mode = 2
    return pane


def cursor_line(pane: BookPane) -> list[str]:
    return shown(pane)[0].split()


async def test_the_cursor_tells_price_size_time_and_distance(pane: BookPane, store: MarketStore) -> None:
    async with Tiny(heat_pane(pane)).run_test(size=SIZE) as pilot:
        await pilot.press("down", "left")
        # the bucket of the best bid: 99.90 and 99.95 at a size of 1 each; its middle is 5 bp below the mid
        assert cursor_line(pane) == ["08:00:30", "99.90–100.00", "size", "2.00", "-5.00", "bp"]
        await pilot.press("left", "j", "k", "k")
        assert cursor_line(pane)[:2] == ["08:00:29", "100.00–100.10"]
        await pilot.press("right", "right")
        assert cursor_line(pane)[0] == "100.00–100.10"
        await pilot.press("c")
        assert cursor_line(pane)[:3] == ["▀", "ask", "▀"]


async def test_the_size_under_the_cursor_is_that_of_its_second(
    pane: BookPane, store: MarketStore, clock: ManualClock
) -> None:
    run(store, clock, ["100"], "7")
    async with Tiny(heat_pane(pane)).run_test(size=SIZE) as pilot:
        await pilot.press("down", "left")
        assert cursor_line(pane)[3] == "14.00"
        await pilot.press("left")
        assert cursor_line(pane)[3] == "2.00"


async def test_grouping_keys_change_the_price_steps(pane: BookPane) -> None:
    async with Tiny(heat_pane(pane)).run_test(size=SIZE) as pilot:
        await pilot.press("down", "left", "g")
        assert said(pane)[2] == "step 0.05"
        assert cursor_line(pane)[1:4] == ["99.90–99.95", "size", "1.00"]
        await pilot.press("G", "G")
        assert said(pane)[2] == "step 0.2"
        assert cursor_line(pane)[1:4] == ["99.80–100.00", "size", "4.00"]


async def test_seconds_a_column_change_and_the_heading_says_so(pane: BookPane) -> None:
    async with Tiny(heat_pane(pane)).run_test(size=SIZE) as pilot:
        await pilot.press("minus", "minus")
        assert said(pane)[3] == "5s a column"
        await pilot.press("left", "left")
        assert cursor_line(pane)[0] == "08:00:25"
        await pilot.press(*["plus"] * 5)
        assert said(pane)[1:] == ["heatmap", "step 0.1"]


async def test_time_scrolls_back_over_ten_minutes_and_the_picture_stands_still_meanwhile(
    pane: BookPane, store: MarketStore, clock: ManualClock
) -> None:
    run(store, clock, ["100"] * (KEPT_S + 100))
    async with Tiny(heat_pane(pane)).run_test(size=SIZE) as pilot:
        await pilot.press("minus", "minus", "minus", "down")
        await pilot.press(*["left"] * 70)
        oldest = cursor_line(pane)[0]
        assert oldest == "08:02:10"  # 730 s after 08:00, less 600
        still = shown(pane)[1:-1]
        run(store, clock, ["100"] * 3, "50")
        assert [row[:45] for row in shown(pane)[2:-1]] == [row[:45] for row in still[1:]]
        await pilot.press(*["right"] * 70)
        assert "▸" not in shown(pane)[-1]


async def test_while_a_second_is_held_the_axis_says_how_far_behind_the_picture_is(
    pane: BookPane, store: MarketStore, clock: ManualClock
) -> None:
    async with Tiny(heat_pane(pane)).run_test(size=SIZE) as pilot:
        await pilot.press("left", "left")
        before = shown(pane)[1:-1]
        run(store, clock, ["100"] * 12)
        assert shown(pane)[1:-1] == before
        assert shown(pane)[-1].endswith("+12s ▸")
        store.quiet_since_ns = clock.now_ns()
        assert shown(pane)[-1].endswith("UTC"), "at rest nobody counts on"


async def test_a_click_puts_the_cursor_on_price_and_second(pane: BookPane) -> None:
    async with Tiny(heat_pane(pane)).run_test(size=SIZE) as pilot:
        x = len(pane._views.heat._starts) - 11
        await pilot.click(BookPane, offset=(x + 1, 8))
        assert cursor_line(pane)[0] == "08:00:20"
        assert shown(pane)[7].startswith("╌")


def test_prices_follow_the_mid_a_row_at_a_time(pane: BookPane, store: MarketStore, clock: ManualClock) -> None:
    heat_pane(pane)
    heat = pane._views.heat
    heat.step = Decimal("0.05")
    tops = []
    for _ in range(60):
        shown(pane)
        assert heat._scale
        tops.append(heat._scale.top)
        run(store, clock, [f"{100 + 0.05 * len(tops):.2f}"])
    assert tops[-1] > tops[0]
    assert max(abs(after - before) for before, after in pairwise(tops)) == 1
    assert any("─" in row or "▀" in row for row in shown(pane)[1:-1])
    assert heat._scale
    assert heat._scale.shows(100 + 0.05 * len(tops))


async def test_under_a_cursor_prices_stay_where_they_are(
    pane: BookPane, store: MarketStore, clock: ManualClock
) -> None:
    async with Tiny(heat_pane(pane)).run_test(size=SIZE) as pilot:
        await pilot.press("up")
        scale = pane._views.heat._scale
        run(store, clock, ["104"] * 10)
        shown(pane)
        assert pane._views.heat._scale == scale
        await pilot.press("c")
        shown(pane)
        assert pane._views.heat._scale != scale


async def test_a_cursor_past_the_edge_moves_the_picture(pane: BookPane) -> None:
    async with Tiny(heat_pane(pane)).run_test(size=SIZE) as pilot:
        await pilot.press(*["down"] * 30)
        rows = shown(pane)
        assert rows[-2].startswith("╌")
        assert cursor_line(pane)[0] == "97.00–97.10"


def test_a_lost_connection_is_a_gap_and_the_present_is_one_too_while_it_lasts(
    pane: BookPane, store: MarketStore, clock: ManualClock
) -> None:
    heat_pane(pane)
    set_feed(store, FEED, FeedState.BACKING_OFF)
    clock.advance(4)
    middle = shown(pane)[10]
    assert middle[: middle.rindex("╱") + 1].endswith("╱╱╱╱")
    set_feed(store, FEED, FeedState.LIVE, BOOK)
    run(store, clock, ["100"] * 3)
    middle = shown(pane)[10]
    assert middle.count("╱") == 4
    assert any("stale" in text for text, _ in pane.corner()) is False


def test_trades_show_as_dots(pane: BookPane, store: MarketStore) -> None:
    store.apply(
        Trade(source="x", ts_recv_ns=store.now_ns(), symbol=BTC, price=Decimal(100), size=Decimal(1), side="buy")
    )
    assert sum(row.count("●") for row in shown(heat_pane(pane))) == 1


def test_without_colour_shades_are_characters(pane: BookPane, desk: Desk) -> None:
    desk.colorless = True
    rows = shown(heat_pane(pane))
    assert "▔ ask" in rows[0]
    assert any("█" in row or "▓" in row for row in rows[1:])
    assert not any("▀" in row for row in rows)


def test_a_one_sided_book_has_a_heatmap(pane: BookPane, store: MarketStore, clock: ManualClock) -> None:
    clock.advance(1)
    store.apply(book(store).model_copy(update={"asks": ()}))
    assert len(shown(heat_pane(pane))) == INSIDE[1]


def test_a_tall_pane_has_a_row_with_imbalance_and_spread_over_time(
    pane: BookPane, store: MarketStore, clock: ManualClock
) -> None:
    clock.advance(1)
    store.apply(book(store, gap="0.2").model_copy(update={"bids": side(Decimal("99.8"), "-0.05", 10, "3")}))
    row = shown(pane, BIG)[0]
    assert row.split() == ["imbalance", "▅" * 10 + "▇", "+0.50", "spread", "▃" * 10 + "█", "40.0bp"]
    assert "imbalance" not in shown(pane, (60, HISTORY_FROM - 1))[0]
    assert "imb " in shown(pane, (48, 40))[0]
    assert "imb" not in shown(pane, (30, 40))[0]


def test_in_the_history_a_gap_is_free_and_a_crossed_second_is_marked(
    pane: BookPane, store: MarketStore, clock: ManualClock
) -> None:
    set_feed(store, FEED, FeedState.BACKING_OFF)
    clock.advance(3)
    set_feed(store, FEED, FeedState.LIVE, BOOK)
    clock.advance(1)
    store.apply(book(store, gap="-0.05"))
    row = shown(pane, BIG)[0]
    assert "▅   ▅ +0.00" in row
    assert "▅   ×" in row


async def test_a_click_finds_its_level_below_the_row_of_history(pane: BookPane) -> None:
    async with Tiny(pane).run_test(size=(62, 42)) as pilot:
        y = next(n for n, row in enumerate(shown(pane, BIG)) if "99.95" in row)
        await pilot.click(BookPane, offset=(10, y + 1))
        assert shown(pane, BIG)[y].startswith("▌")
