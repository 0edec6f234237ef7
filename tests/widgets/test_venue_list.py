"""The list of venues: states, shares, best prices, and switching them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.market.books import level, snapshot
from tui.market.events import BookSnapshot
from tui.market.terms import VenueBest
from tui.themes import load_themes
from tui.widgets.ladder import Look
from tui.widgets.lines import Line
from tui.widgets.venue_list import VenueList

DARK = load_themes().get("tickdeck-dark")
LETTERS = {"binance": "B", "okx": "O", "kraken": "K"}
BOOK = snapshot(
    [level("99.95", "1", "okx"), level("99.90", "2", "okx", "kraken")],
    [level("100.05", "1", "binance"), level("102.00", "2", "okx")],
)
BESTS = (
    VenueBest("okx", Decimal("99.95"), Decimal(1), Decimal("102.00"), Decimal(2)),
    VenueBest("kraken", Decimal("99.90"), Decimal("0.5")),
    VenueBest("binance", None, None, Decimal("100.05"), Decimal(1)),
)
SPLIT = BOOK.model_copy(update={"bests": BESTS})


def list_of(book: BookSnapshot = BOOK, left_out: frozenset[str] = frozenset()) -> VenueList:
    venues = VenueList(letters=LETTERS, left_out=left_out)
    venues.show(book)
    rows(venues)
    return venues


def text_of(lines: list[Line]) -> list[str]:
    return ["".join(segment.text for segment in line.segments).rstrip() for line in lines]


def rows(venues: VenueList, width: int = 60, height: int = 12, stale: str = "") -> list[str]:
    return text_of(venues.rows(width, height, Look(DARK, not stale), stale))


def row_of(venues: VenueList, name: str, stale: str = "") -> list[str]:
    return next(row.split() for row in rows(venues, stale=stale)[1:] if name in row.split())


def test_each_venue_has_state_share_and_best_prices() -> None:
    found = rows(list_of())
    assert found[:4] == [
        "     venue   state     levels best bid best ask",
        "▌● B binance live         33%        –   100.05",
        " ● O okx     live         67%    99.95   102.00",
        " ● K kraken  live         33%    99.90        –",
    ]
    assert "levels within 10 bp" in " ".join(found)
    assert "asks it for another list" in " ".join(word for row in found for word in row.split())


def test_where_the_source_splits_sizes_the_share_is_that_of_the_size() -> None:
    found = rows(list_of(SPLIT))
    assert found[0].split() == ["venue", "state", "size", "best", "bid", "best", "ask"]
    # 4 within 10 bp of 100: okx has 1, kraken 0.5 that is known, binance 1
    assert [row.split()[-3] for row in found[1:4]] == ["25%", "25%", "12%"]
    assert "part of the size within 10 bp" in " ".join(found)


def test_the_best_of_all_prices_is_strong() -> None:
    lines = list_of().rows(60, 12, Look(DARK))
    strong = {s.text.strip() for line in lines[1:4] for s in line.segments if s.style and s.style.bold}
    assert strong == {"99.95", "100.05"}


def test_a_venue_that_is_missing_silent_or_doubted_says_so() -> None:
    book = BOOK.model_copy(update={"venues": ("binance", "okx", "kraken", "bybit"), "missing_venues": ("coinbase",)})
    venues = list_of(book)
    venues.suspects = ("kraken",)
    assert row_of(venues, "coinbase")[:3] == ["×", "coinbase", "missing"]
    assert row_of(venues, "bybit")[:4] == ["·", "bybit", "no", "levels"]
    assert row_of(venues, "kraken")[:4] == ["?", "K", "kraken", "stale?"]


def test_of_a_stale_book_all_venues_are_stale() -> None:
    assert {row.split()[0] for row in rows(list_of(), stale="stale 12s")[2:4]} == {"○"}


def test_switching_asks_the_source_where_it_adds_up() -> None:
    venues = list_of()
    venues.move(1)
    assert venues.toggle()
    assert venues.left_out == {"okx"}
    assert row_of(venues, "okx")[3] == "leaving"
    assert venues.show(BOOK) is BOOK
    gone = snapshot([level("99.90", "2", "kraken")], [level("100.05", "1", "binance")])
    venues.show(gone)
    assert row_of(venues, "okx")[3:] == ["off", "–", "–", "–"]
    assert venues.toggle()
    assert row_of(venues, "okx")[3] == "joining"
    venues.show(BOOK)
    assert row_of(venues, "okx")[3] == "live"


def test_switching_takes_the_venue_off_here_where_the_source_splits() -> None:
    venues = list_of(SPLIT)
    venues.move(1)
    assert venues.toggle()
    rest = venues.show(SPLIT)
    assert [price for price, _, _ in rest.bids] == [Decimal("99.90")]
    assert row_of(venues, "okx")[3] == "off"
    assert venues.show(SPLIT) is rest, "not worked out anew for every frame"


def test_the_last_venue_stays_on() -> None:
    venues = list_of()
    for _ in range(3):
        rows(venues)
        venues.toggle()
        venues.move(1)
    assert venues.left_out == {"binance", "okx"}


def test_what_was_switched_off_before_is_in_the_list_from_the_start() -> None:
    venues = list_of(left_out=frozenset({"bybit"}))
    assert row_of(venues, "bybit")[:3] == ["-", "bybit", "off"]


def test_the_cursor_stays_on_its_venue_and_within_the_list() -> None:
    venues = list_of()
    rows(venues)
    venues.move(1)
    venues.letters = {"coinbase": "C", **LETTERS}
    assert next(row for row in rows(venues) if row.startswith("▌")).split()[2] == "okx"
    venues.move(9)
    assert venues.cursor == "kraken"
    venues.move(-9)
    assert venues.cursor == "coinbase"
    venues.point(5, 3)
    assert venues.cursor == "okx"
    venues.point(5, 30)
    assert venues.cursor == "okx"


def test_more_venues_than_rows_scroll_with_the_cursor() -> None:
    many = snapshot([level(f"{n}", "1", f"venue{n}") for n in range(60, 20, -1)], [])
    venues = VenueList()
    venues.show(many)
    assert len(rows(venues, height=8)) == 8
    for _ in range(30):
        venues.move(1)
    found = rows(venues, height=8)
    assert len(found) == 8
    assert any(row.startswith("▌") and "venue30" in row for row in found)


@pytest.mark.parametrize("width", range(14, 90, 4))
@pytest.mark.parametrize("height", [1, 4, 10, 40])
def test_at_every_size_figures_are_whole(width: int, height: int) -> None:
    venues = list_of(SPLIT)
    found = venues.rows(width, height, Look(DARK))
    assert len(found) == max(height, 2)
    assert all(row.width <= width for row in found)
    figures = {word for row in text_of(found)[1:4] for word in row.split() if word[0].isdigit()}
    assert figures <= {"25%", "12%", "99.95", "99.90", "100.05", "102.00"}
    if width >= 38 and height >= 4:
        assert {"99.95", "100.05", "25%"} <= figures


def test_hostile_names_are_cut_and_never_markup() -> None:
    venues = VenueList()
    venues.show(snapshot([level("1", "1", "[red]" + "x" * 40)], []))
    assert any("[red]xxxxxx…" in row for row in rows(venues))
