"""The book pane's tools: the cost of a size, walls, bars, the list of venues, and who may be stale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tests.panes.conftest import set_feed, text_of
from tests.panes.test_book import ASKS, BIDS, BTC, FEED, VENUES, WANTED, levels, prices, said
from tui.clock import ManualClock
from tui.market.events import BookSnapshot
from tui.market.names import Kind, Subscription, parse_symbol
from tui.market.store import MarketStore
from tui.market.terms import FeedState, Level, VenueBest
from tui.messages import VenuesChosen
from tui.panes.base import Desk
from tui.panes.book import BookPane

AAPL = parse_symbol("AAPL")


def put(
    store: MarketStore,
    bids: Sequence[Level] = BIDS,
    asks: Sequence[Level] = ASKS,
    *,
    venues: Sequence[str] = VENUES,
    bests: Sequence[VenueBest] = (),
) -> None:
    book = BookSnapshot(
        source="quantcite",
        ts_recv_ns=store.now_ns(),
        symbol=BTC,
        bids=tuple(bids),
        asks=tuple(asks),
        venues=tuple(venues),
        bests=tuple(bests),
    )
    store.apply(book)


@pytest.fixture
def pane(desk: Desk, store: MarketStore) -> BookPane:
    pane = BookPane(desk)
    pane.symbol = BTC
    set_feed(store, FEED, FeedState.LIVE, WANTED)
    put(store)
    return pane


@dataclass
class Heard:
    chosen: list[VenuesChosen] = field(default_factory=list)
    digits: list[str] = field(default_factory=list)


class Around(App[None]):
    """A pane inside of an app that has keys of its own, as the dashboard does."""

    BINDINGS = [(key, f"heard('{key}')", "") for key in ("1", "5", "escape", "m", "q")]

    def __init__(self, pane: BookPane) -> None:
        super().__init__()
        self.pane = pane
        self.heard = Heard()

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.focus()

    def action_heard(self, key: str) -> None:
        self.heard.digits.append(key)

    def on_venues_chosen(self, message: VenuesChosen) -> None:
        self.heard.chosen.append(message)


def shown(pane: BookPane, width: int = 58, height: int = 22) -> list[str]:
    return text_of(pane.rows(width, height))


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def test_a_size_is_typed_and_its_cost_shown_for_both_sides(pane: BookPane) -> None:
    around = Around(pane)
    async with around.run_test(size=(90, 24)) as pilot:
        await press(pilot, "dollar_sign", "full_stop", "5")
        rows = shown(pane, 88)
        assert rows[-3].startswith("▎cost of .5▏ BTC  b USDT")
        # 0.307 at 97,205.85, 0.043 at 97,205.95 and 0.150 at 97,206.05 of a mid at 97,205.40
        assert rows[-2].split() == "▎buy 97,205.919 0.05bp to 97,206.05 3 levels BOY·· 48.6k USDT".split()
        assert rows[-1].split() == "▎sell 97,204.881 0.05bp to 97,204.75 3 levels BOY·· 48.6k USDT".split()
        assert around.heard.digits == [], "digits go into the line, not to the panes"


async def test_the_ladder_marks_how_far_it_reaches(pane: BookPane) -> None:
    async with Around(pane).run_test(size=(60, 24)) as pilot:
        await press(pilot, "dollar_sign", "full_stop", "5")
        marked = [row for row in shown(pane) if "▎97,2" in row]
        assert prices([row.replace("▎", " ") for row in marked]) == [
            "97,206.05", "97,205.95", "97,205.85", "97,204.95", "97,204.85", "97,204.75",
        ]  # fmt: skip
        await press(pilot, "G", "G", "G", "G")
        grouped = [row for row in shown(pane) if "▎97,2" in row]
        assert prices([row.replace("▎", " ") for row in grouped]) == ["97,207", "97,206", "97,204"]
        await press(pilot, "escape")
        assert not any("▎97,2" in row for row in shown(pane))


async def test_figures_follow_the_book(pane: BookPane, store: MarketStore) -> None:
    async with Around(pane).run_test(size=(60, 24)) as pilot:
        await press(pilot, "dollar_sign", "1")
        before = shown(pane)[-2:]
        put(store, levels("97204.95", "-0.10", 3), ())
        after = shown(pane)[-2:]
        assert after != before
        assert after[0] == "▎buy  no asks"
        assert "not enough depth: 0.8030 BTC" in after[1]


async def test_arrows_step_while_typing_and_move_the_cursor_once_kept(pane: BookPane) -> None:
    async with Around(pane).run_test(size=(60, 24)) as pilot:
        await press(pilot, "dollar_sign", "3", "up")
        assert "cost of 5▏" in shown(pane)[-3]
        await press(pilot, "down", "down")
        assert "cost of 1▏" in shown(pane)[-3]
        await press(pilot, "enter", "down")
        assert "cost of 1 BTC" in shown(pane)[-3]
        assert any(row.startswith("▌") for row in shown(pane))


async def test_keys_return_to_the_app_when_the_line_closes(pane: BookPane) -> None:
    around = Around(pane)
    async with around.run_test(size=(60, 24)) as pilot:
        await press(pilot, "dollar_sign", "1", "m", "escape")
        assert around.heard.digits == []
        await press(pilot, "escape", "1", "q")
        assert around.heard.digits == ["escape", "1", "q"]
        assert "cost" not in "".join(shown(pane))


async def test_the_unit_is_changed_by_key_and_only_in_the_line(pane: BookPane) -> None:
    async with Around(pane).run_test(size=(60, 24)) as pilot:
        await press(pilot, "dollar_sign", "5", "0", "k", "b")
        assert "cost of 50k▏ USDT  b BTC" in shown(pane)[-3]
        assert "√ bars" not in said(pane.heading())


@pytest.mark.parametrize(("width", "height"), [(38, 10), (58, 22), (78, 58), (38, 4), (38, 3)])
async def test_the_cost_line_takes_its_rows_from_the_bottom(pane: BookPane, width: int, height: int) -> None:
    pane._views.cost.open()
    rows = shown(pane, width, height)
    assert len(rows) == height
    assert ("cost of" in "".join(rows)) == (height > 3)
    assert any("97,204.95" in row for row in rows) or height == 4


async def test_without_a_book_the_tools_do_no_harm(desk: Desk) -> None:
    pane = BookPane(desk)
    async with Around(pane).run_test(size=(60, 24)) as pilot:
        await press(pilot, "dollar_sign", "5", "up", "b", "enter", "v", "down", "space", "b", "escape", "escape")
        assert said(pane.heading()) == []
        pane.symbol = AAPL
        await press(pilot, "dollar_sign", "5", "up", "b", "v", "space", "v", "escape")
        assert any("No book of AAPL" in row for row in shown(pane))


async def test_bars_by_the_square_root_are_named_and_longer_for_small_sizes(pane: BookPane) -> None:
    def bar(rows: Sequence[object]) -> int:
        row = pane.rows(58, 22)[next(n for n, text in enumerate(shown(pane)) if "97,204.85" in text)]
        fill = pane.desk.palette.colors["bid-bar"]
        return sum(
            len(segment.text)
            for segment in row.segments
            if segment.style and segment.style.bgcolor and segment.style.bgcolor.triplet
            and segment.style.bgcolor.triplet.hex == fill
        )  # fmt: skip

    async with Around(pane).run_test(size=(60, 24)) as pilot:
        linear = bar(shown(pane))
        await press(pilot, "b")
        assert said(pane.heading()) == ["BTC/USDT", "√ bars", "5 venues"]
        assert bar(shown(pane)) > linear
        await press(pilot, "b")
        assert said(pane.heading()) == ["BTC/USDT", "5 venues"]


async def test_the_choice_of_bars_goes_with_the_user_to_another_symbol(pane: BookPane) -> None:
    async with Around(pane).run_test(size=(60, 24)) as pilot:
        await press(pilot, "b")
        pane.symbol = parse_symbol("ETH/USDT")
        assert said(pane.heading()) == ["ETH/USDT", "√ bars"]


def test_a_wall_is_marked_and_its_coming_and_going_noted_for_a_moment(
    pane: BookPane, store: MarketStore, clock: ManualClock
) -> None:
    flat = [(price, Decimal("0.2"), names) for price, _, names in levels("97204.95", "-0.10", 12)]
    wall = [(price, Decimal(9) if n == 4 else size, names) for n, (price, size, names) in enumerate(flat)]

    def see(bids: Sequence[Level], seconds: int) -> list[str]:
        for _ in range(seconds * 2):
            put(store, bids)
            rows = shown(pane, 58, 30)
            clock.advance(0.5)
        return rows

    assert not any("◆" in row for row in see(flat, 2))
    rows = see(wall, 2)
    assert next(row for row in rows if "97,204.55" in row).split()[1:3] == ["9.000◆", "97,204.55"]
    assert "wall" not in "".join(rows)
    assert see(wall, 3)[-1] == " ◆ bid wall 97,204.55: 9.00"
    assert "wall" not in "".join(see(wall, 8))
    rows = see(flat, 2)
    assert rows[-1] == " ◇ bid wall 97,204.55: 9.00 gone"
    assert "0.200◇" in next(row for row in rows if "97,204.55" in row and "wall" not in row)
    assert "◇" not in "".join(see(flat, 8))


async def test_venues_are_listed_and_the_list_put_away(pane: BookPane) -> None:
    around = Around(pane)
    async with around.run_test(size=(60, 24)) as pilot:
        await press(pilot, "v")
        rows = shown(pane)
        assert [row.split()[-5] for row in rows[1:6]] == list(VENUES)
        assert said(pane.heading()) == ["BTC/USDT", "venues", "5 venues"]
        await press(pilot, "escape")
        assert any("bid 50%" in row for row in shown(pane))
        assert around.heard.digits == []
        await press(pilot, "v", "v")
        assert any("bid 50%" in row for row in shown(pane))


async def test_a_venue_is_switched_off_and_on_by_asking_the_source(pane: BookPane, store: MarketStore) -> None:
    around = Around(pane)
    async with around.run_test(size=(60, 24)) as pilot:
        await press(pilot, "v", "down", "space")
        assert [(m.symbol, *m.left_out) for m in around.heard.chosen] == [(BTC, "okx")]
        assert said(pane.heading()) == ["BTC/USDT", "1 off", "venues", "5 venues"]
        assert "leaving" in shown(pane)[2]
        rest = [(price, size, tuple(name for name in names if name != "okx")) for price, size, names in BIDS]
        put(store, rest, ASKS[:1], venues=[name for name in VENUES if name != "okx"])
        assert shown(pane)[2].split()[2:] == ["okx", "off", "–", "–", "–"]
        await press(pilot, "enter")
        assert around.heard.chosen[-1].left_out == frozenset()
        assert "joining" in shown(pane)[2]


async def test_a_venue_of_a_split_book_is_taken_off_here(pane: BookPane, store: MarketStore) -> None:
    bests = [
        VenueBest("okx", Decimal("97204.95"), Decimal("0.3"), Decimal("97205.85"), Decimal("0.1")),
        VenueBest("kraken", Decimal("97204.95"), Decimal("0.2")),
    ]
    bids = [(Decimal("97204.95"), Decimal("0.5"), ("okx", "kraken"))]
    put(store, bids, [(Decimal("97205.85"), Decimal("0.1"), ("okx",))], venues=("okx", "kraken"), bests=bests)
    around = Around(pane)
    async with around.run_test(size=(60, 24)) as pilot:
        await press(pilot, "v", "space", "v")
        rows = shown(pane)
        assert around.heard.chosen == []
        assert any("no asks" in row for row in rows)
        assert next(row for row in rows if "97,204.95" in row).split()[-4:-1] == ["0.200", "97,204.95", "·K"]


async def test_a_choice_of_venues_is_kept_while_other_symbols_are_looked_at(pane: BookPane) -> None:
    async with Around(pane).run_test(size=(60, 24)) as pilot:
        await press(pilot, "v", "space")
        pane.symbol = AAPL
        assert said(pane.heading()) == ["AAPL", "venues"]
        pane.symbol = BTC
        await pilot.pause()
        assert "1 off" in said(pane.heading())


async def test_space_does_nothing_in_the_ladder(pane: BookPane) -> None:
    around = Around(pane)
    async with around.run_test(size=(60, 24)) as pilot:
        await press(pilot, "space", "enter")
        assert around.heard.chosen == []


def cross(pane: BookPane, store: MarketStore, clock: ManualClock, *, is_moving: bool) -> list[str]:
    for n in range(40):
        crossing = (Decimal("97209.95") + (n * Decimal("0.01") if is_moving else 0), Decimal("1.5"), ("kraken",))
        asks = levels(f"{97205 + n / 100:.2f}", "0.10", venues=("okx", "binance"))
        put(store, [crossing, *levels("97204.05", "-0.10", venues=("okx",))], asks)
        rows = shown(pane, 88, 24)
        clock.advance(0.5)
    return rows


def test_a_venue_that_stands_still_in_a_cross_may_be_stale(
    pane: BookPane, store: MarketStore, clock: ManualClock
) -> None:
    rows = cross(pane, store, clock, is_moving=False)
    assert any("kraken may be stale" in row for row in rows)
    assert not any("crossed" in row for row in rows)
    pane._lists_venues = True
    assert next(row for row in shown(pane) if "kraken" in row).split()[3] == "stale?"


def test_a_cross_in_which_all_move_names_who_and_how_much(
    pane: BookPane, store: MarketStore, clock: ManualClock
) -> None:
    rows = cross(pane, store, clock, is_moving=True)
    middle = next(row for row in rows if "crossed" in row)
    assert "kraken > okx binance: 1.50" in middle
    assert not any("stale" in row for row in rows)


async def test_with_everything_open_the_cursor_keeps_its_row(pane: BookPane, store: MarketStore) -> None:
    put(store, levels("97204.95", "-0.10", 40), levels("97205.85", "0.10", 40))
    async with Around(pane).run_test(size=(60, 30)) as pilot:
        await press(pilot, "dollar_sign", "1", "enter", "up", "up", "up")
        row = next(n for n, text in enumerate(shown(pane, 58, 28)) if text.startswith("▌"))
        price = prices([shown(pane, 58, 28)[row].replace("▎", " ")])
        assert price
        for shift in ("97205.45", "97206.05", "97205.15"):
            put(store, levels("97204.95", "-0.10", 40), levels(shift, "0.10", 40))
            assert shown(pane, 58, 28)[row].startswith("▌")
            assert prices([shown(pane, 58, 28)[row].replace("▎", " ")]) == price


def test_its_book_is_still_wanted_by_its_kind(pane: BookPane) -> None:
    assert Subscription(Kind.BOOK, BTC) in pane.wants()
