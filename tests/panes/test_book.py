"""The book pane: the ladder of a store's book, what it says while there is none, and its keys."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from textual.app import App, ComposeResult

from tests.panes.conftest import set_feed, style_at, text_of
from tui.clock import ManualClock
from tui.market.events import BookSnapshot, Notice
from tui.market.names import Kind, Subscription, Symbol, parse_symbol
from tui.market.store import MarketStore
from tui.market.terms import FeedState, Level
from tui.panes.base import Desk
from tui.panes.book import BookPane
from tui.widgets.ladder import PARTS

BTC = parse_symbol("BTC/USDT")
WANTED = Subscription(Kind.BOOK, BTC)
FEED = "quantcite:book"
VENUES = ("binance", "okx", "bybit", "kraken", "coinbase")
SIZES = ("0.307", "0.043", "0.453", "0.476", "0.173", "0.283")


def levels(first: str, step: str, count: int = 6, venues: Sequence[str] = VENUES) -> tuple[Level, ...]:
    """Levels from the best price outward; each is held by one venue more than the one before."""
    return tuple(
        (Decimal(first) + n * Decimal(step), Decimal(SIZES[n % 6]), tuple(venues[: n % 5 + 1])) for n in range(count)
    )


BIDS, ASKS = levels("97204.95", "-0.10"), levels("97205.85", "0.10")


def put(
    store: MarketStore,
    bids: Sequence[Level] = BIDS,
    asks: Sequence[Level] = ASKS,
    symbol: Symbol = BTC,
    missing: tuple[str, ...] = (),
) -> None:
    store.apply(
        BookSnapshot(
            source="quantcite",
            ts_recv_ns=store.now_ns(),
            symbol=symbol,
            bids=tuple(bids),
            asks=tuple(asks),
            venues=tuple(v for v in VENUES if v not in missing),
            missing_venues=missing,
        )
    )


@pytest.fixture
def pane(desk: Desk) -> BookPane:
    pane = BookPane(desk)
    pane.symbol = BTC
    return pane


@pytest.fixture
def live(pane: BookPane, store: MarketStore) -> BookPane:
    """A pane with a live book of six levels a side."""
    set_feed(store, FEED, FeedState.LIVE, WANTED)
    put(store)
    return pane


def shown(pane: BookPane, width: int = 48, height: int = 18) -> list[str]:
    return text_of(pane.rows(width, height))


def bare(row: str) -> str:
    """A row without the ends of its bars."""
    return row.translate({ord(part): " " for part in PARTS})


def said(facts: Sequence[tuple[str, object]]) -> list[str]:
    return [text for text, _ in facts]


def prices(rows: Sequence[str]) -> list[str]:
    return [word for row in rows for word in row.split() if word.startswith("97,2")]


class Tiny(App[None]):
    def __init__(self, pane: BookPane) -> None:
        super().__init__()
        self.pane = pane

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.focus()


def test_it_wants_the_book_of_the_chosen_symbol_alone(pane: BookPane, desk: Desk) -> None:
    assert pane.wants() == {WANTED}
    assert BookPane(desk).wants() == frozenset()


def test_asks_stand_above_and_bids_below_with_the_best_prices_at_the_mid_row(live: BookPane) -> None:
    rows = shown(live)
    middle = next(n for n, row in enumerate(rows) if "bid 50%" in row)
    assert "97,205.400" in rows[middle]
    assert "97,205.85" in rows[middle - 1]
    assert "97,204.95" in rows[middle + 1]
    ladder = [float(price.replace(",", "")) for n, row in enumerate(rows) if n != middle for price in prices([row])]
    assert ladder == sorted(ladder, reverse=True)
    assert len(ladder) == 12


def test_a_level_shows_cumulative_size_size_price_and_who_holds_it(live: BookPane) -> None:
    rows = shown(live)
    assert bare(next(row for row in rows if "97,204.75" in row)).split() == ["0.803", "0.453", "97,204.75", "BOY··"]


def test_the_mid_row_tells_spread_in_price_and_basis_points_and_the_bids_share(
    live: BookPane, store: MarketStore
) -> None:
    put(store, [(Decimal("97204.95"), Decimal(3), ())], [(Decimal("97205.85"), Decimal(1), ())])
    row = next(row for row in shown(live) if "bid" in row)
    assert row.split() == ["bid", "75%", "0.90", "0.09bp", "97,205.400"]


def test_the_mid_row_shows_where_the_mid_went(live: BookPane, store: MarketStore) -> None:
    shown(live)
    put(store, levels("97205.15", "-0.10"))
    assert any("▲97,205.500" in row for row in shown(live))
    put(store, levels("97204.05", "-0.10"))
    assert any("▼97,204.950" in row for row in shown(live))


def test_the_legend_says_whose_mark_is_which(live: BookPane) -> None:
    assert shown(live, 40, 20)[-2:] == [" B binance  O okx  Y bybit  K kraken", " C coinbase"]


def test_nothing_moves_sideways_from_frame_to_frame(live: BookPane, store: MarketStore) -> None:
    def places() -> set[tuple[int, int]]:
        rows = [row for row in shown(live) if prices([row]) and "bid" not in row]
        return {(row.index(prices([row])[0]), row.index("B")) for row in rows}

    before = places()
    assert len(before) == 1
    for size in ("123.4", "0.001", "5"):
        put(store, [(price, Decimal(size), ("binance",)) for price, _, _ in BIDS], ASKS)
        after = places()
        assert after == before


def test_a_thousand_levels_show_those_that_fit(live: BookPane, store: MarketStore) -> None:
    put(store, levels("97204.95", "-0.01", 1000), levels("97205.85", "0.01", 1000))
    rows = shown(live)
    assert len(rows) == 18
    assert len(prices(rows)) == 15


@pytest.mark.parametrize("width", [10, 20, 28, 32, 38, 48, 80, 140])
@pytest.mark.parametrize("height", [1, 3, 9, 18, 60])
def test_every_size_has_exactly_its_rows_and_no_cut_price(live: BookPane, width: int, height: int) -> None:
    rows = live.rows(width, height)
    assert len(rows) == height or width < 20
    assert all(row.width <= width for row in rows)
    if width >= 20 and height >= 3:
        assert "97,204.95" in "".join(text_of(rows))


def test_a_symbol_without_venues_has_no_marks(live: BookPane, store: MarketStore) -> None:
    store.apply(
        BookSnapshot(source="aries", ts_recv_ns=store.now_ns(), symbol=BTC, bids=((*BIDS[0][:2], ()),), asks=())
    )
    assert "venues" not in "".join(shown(live))
    assert said(live.heading()) == ["BTC/USDT"]


def test_a_stale_book_is_dimmed_says_its_age_and_shows_no_gauge(
    live: BookPane, store: MarketStore, clock: ManualClock
) -> None:
    set_feed(store, FEED, FeedState.BACKING_OFF, reason="no data for 30 s")
    clock.advance(12)
    rows = live.rows(48, 18)
    assert style_at(rows[5], "97,206.05") == live.desk.palette.colors["stale"]
    assert any("stale 10s" in row and "%" not in row for row in text_of(rows))
    assert said(live.corner()) == ["stale 10s"]


def test_a_book_that_comes_slower_than_its_own_rhythm_is_stale(
    live: BookPane, store: MarketStore, clock: ManualClock
) -> None:
    for _ in range(10):
        clock.advance(0.1)
        put(store)
    assert said(live.corner()) == ["10/s"]
    clock.advance(6)
    assert said(live.corner()) == ["stale 6s"]


def test_a_crossed_book_is_shown_as_it_is_with_the_venues_that_cross(live: BookPane, store: MarketStore) -> None:
    crossing = (Decimal("97205.95"), Decimal("1.5"), ("okx",))
    put(store, [crossing, *BIDS], ASKS)
    rows = live.rows(80, 20)
    text = text_of(rows)
    middle = next(n for n, row in enumerate(text) if "crossed" in row)
    assert "okx > binance okx" in text[middle]
    assert [row[0] for row in text[middle - 3 : middle + 3]] == [" ", "×", "×", " ", "×", " "]
    style = rows[middle].segments[0].style
    assert style is not None
    assert style.bgcolor is not None
    assert style.bgcolor.triplet is not None
    assert style.bgcolor.triplet.hex == live.desk.palette.colors["warning"]
    assert any("K" not in row and "O" in row and "crossed" in row for row in shown(live, 38, 20))


def test_a_crossed_moment_leaves_the_mid_row_as_it_was(live: BookPane, store: MarketStore) -> None:
    before = shown(live)
    put(store, [(Decimal("97215.95"), Decimal("1.5"), ("okx",)), *BIDS], ASKS)
    assert shown(live) != before
    put(store)
    usual = next(row for row in before if "bid 50%" in row)
    assert next(row for row in shown(live) if "bid 50%" in row).replace("▼", " ") == usual


def test_a_locked_book_says_so(live: BookPane, store: MarketStore) -> None:
    put(store, [(Decimal("97205.85"), Decimal(1), ("okx",)), *BIDS], ASKS)
    assert any("locked" in row and "0.00" in row and "%" in row for row in shown(live))


@pytest.mark.parametrize(("bids", "asks", "word"), [((), ASKS, "no bids"), (BIDS, (), "no asks")])
def test_a_book_with_one_side_says_which_is_missing(
    live: BookPane, store: MarketStore, bids: Sequence[Level], asks: Sequence[Level], word: str
) -> None:
    put(store, bids, asks)
    rows = shown(live)
    assert any(word in row for row in rows)
    assert len(prices(rows)) == 6


def test_an_empty_book_says_that_it_is_empty(live: BookPane, store: MarketStore) -> None:
    put(store, (), ())
    assert any("empty" in row for row in shown(live))


def test_while_waiting_it_says_for_whom_and_how_long(pane: BookPane, store: MarketStore, clock: ManualClock) -> None:
    set_feed(store, FEED, FeedState.LIVE, WANTED)
    clock.advance(3)
    assert any("waiting for quantcite:book, 3s" in row for row in shown(pane))


def test_a_symbol_that_nobody_carries_says_so(pane: BookPane, store: MarketStore) -> None:
    store.assign(WANTED, None)
    assert any("no provider carries it" in row for row in shown(pane))


def test_a_refusal_is_told_with_what_is_offered_instead(pane: BookPane, store: MarketStore) -> None:
    refusal = Notice(
        source="quantcite",
        ts_recv_ns=1,
        text="QuantCite does not know BTC/USDT",
        subscription=WANTED,
        refused=True,
        suggestions=("BTC/USDC", "BTC/USD"),
    )
    store.apply(refusal)
    text = "".join(shown(pane))
    assert "QuantCite does not know BTC/USDT" in text
    assert "Try BTC/USDC, BTC/USD." in text


def test_without_a_symbol_it_asks_for_one(desk: Desk) -> None:
    assert any("No symbol" in row for row in shown(BookPane(desk)))


def test_the_heading_counts_the_venues_and_those_that_are_missing(live: BookPane, store: MarketStore) -> None:
    assert said(live.heading()) == ["BTC/USDT", "5 venues"]
    put(store, missing=("okx",))
    assert said(live.heading()) == ["BTC/USDT", "4 of 5 venues"]
    assert any("okx missing" in row for row in shown(live))


def test_another_symbol_starts_with_its_own_figures(live: BookPane, store: MarketStore) -> None:
    shown(live)
    live._view.regroup(1)
    eth = parse_symbol("ETH/USDT")
    live.symbol = eth
    assert said(live.heading()) == ["ETH/USDT"]
    put(store, [(Decimal("3401.5"), Decimal(2), ("okx",))], [(Decimal("3402.5"), Decimal(2), ("okx",))], eth)
    assert any("3,401.50" in row for row in shown(live))
    assert said(live.heading()) == ["ETH/USDT", "5 venues"]


async def test_grouping_merges_levels_and_shows_the_step(live: BookPane, store: MarketStore) -> None:
    async with Tiny(live).run_test(size=(60, 24)) as pilot:
        await pilot.press(*"GGGG")
        assert said(live.heading()) == ["BTC/USDT", "step 1", "5 venues"]
        rows = [bare(row).split() for row in shown(live) if prices([row]) and "%" not in row]
        assert rows == [
            ["1.74", "1.38", "97,207", "BOYKC"],
            ["0.35", "0.35", "97,206", "BO···"],
            ["1.74", "1.74", "97,204", "BOYKC"],
        ]
        await pilot.press(*"gggggggg")
        assert said(live.heading()) == ["BTC/USDT", "5 venues"]
        assert any("97,205.85" in row for row in shown(live))


async def test_fewer_levels_are_shown_in_the_heading_and_more_lift_the_limit(live: BookPane) -> None:
    async with Tiny(live).run_test(size=(60, 24)) as pilot:
        await pilot.press("minus", "minus")
        assert said(live.heading()) == ["BTC/USDT", "4 levels", "5 venues"]
        assert len(prices(shown(live))) == 9
        await pilot.press("plus", "plus")
        assert said(live.heading()) == ["BTC/USDT", "5 venues"]
        await pilot.press(*["minus"] * 20)
        assert said(live.heading()) == ["BTC/USDT", "1 level", "5 venues"]


async def test_the_cursor_tells_what_rests_up_to_its_price(live: BookPane) -> None:
    async with Tiny(live).run_test(size=(90, 24)) as pilot:
        await pilot.press("down", "j", "j")
        rows = shown(live, 88, 22)
        assert next(row for row in rows if "97,204.75" in row)[0] == "▌"
        # 0.307 + 0.043 + 0.453 = 0.803; 0.307 * 97204.95 + 0.043 * 97204.85 + 0.453 * 97204.75 = 78055.5
        assert rows[-1].split() == "bid 97,204.75 cum 0.8030 78.1k USDT -0.07 bp binance okx bybit".split()
        await pilot.press("c")
        assert not any(row.startswith("▌") for row in shown(live, 88, 22))


async def test_the_price_under_the_cursor_stays_on_its_row(live: BookPane, store: MarketStore) -> None:
    async with Tiny(live).run_test(size=(60, 24)) as pilot:
        await pilot.press("up", "up")
        row = next(n for n, text in enumerate(shown(live, 58, 22)) if "97,205.95" in text)
        put(store, BIDS, levels("97205.65", "0.10", 8))
        assert "97,205.95" in shown(live, 58, 22)[row]
        assert shown(live, 58, 22)[row][0] == "▌"


async def test_past_the_edge_the_ladder_scrolls_and_the_mid_row_stays_in_sight(
    live: BookPane, store: MarketStore
) -> None:
    put(store, levels("97204.95", "-0.10", 60), levels("97205.85", "0.10", 60))
    async with Tiny(live).run_test(size=(60, 24)) as pilot:
        await pilot.press(*["down"] * 40)
        rows = text_of(live.rows(58, 22))
        assert rows[1].startswith("↑bid")
        assert any("97,201.05" in row and row[0] == "▌" for row in rows)
        await pilot.press("c")
        assert any("97,204.95" in row for row in shown(live, 58, 22))


async def test_a_click_puts_the_cursor_on_the_level(live: BookPane) -> None:
    async with Tiny(live).run_test(size=(60, 24)) as pilot:
        y = next(n for n, row in enumerate(text_of(live.rows(58, 22))) if "97,204.85" in row)
        await pilot.click(BookPane, offset=(10, y + 1))
        assert text_of(live.rows(58, 22))[y][0] == "▌"


async def test_keys_do_no_harm_while_there_is_no_book(pane: BookPane) -> None:
    async with Tiny(pane).run_test(size=(60, 24)) as pilot:
        await pilot.press("down", "up", "G", "g", "plus", "minus", "c")
        assert said(pane.heading()) == ["BTC/USDT"]


async def test_provider_text_is_never_markup(live: BookPane, store: MarketStore) -> None:
    put(store, [(Decimal(1), Decimal(1), ("[red]x[/nope]",))], ASKS)
    async with Tiny(live).run_test(size=(60, 24)) as pilot:
        await pilot.pause()
        assert any("[red]x[/nope]" in row for row in shown(live))
