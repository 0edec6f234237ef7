"""The cost line: what keys do to it, and its rows at every width."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.market.books import level, snapshot
from tui.market.events import BookSnapshot
from tui.themes import load_themes
from tui.widgets.cost_line import CostLine
from tui.widgets.cost_rows import HEIGHT, CostRows
from tui.widgets.ladder import Look
from tui.widgets.lines import Line

DARK = load_themes().get("tickdeck-dark")
LETTERS = {"binance": "B", "okx": "O", "kraken": "K"}
BOOK = snapshot(
    [level("99.00", "1", "okx"), level("98.00", "2", "okx", "kraken")],
    [level("101.00", "1", "binance"), level("102.00", "2", "okx")],
)


def line_of(book: BookSnapshot | None = BOOK) -> CostLine:
    line = CostLine(base="BTC", currency="USDT")
    if book is not None:
        line.show(book)
    return line


@pytest.fixture
def line() -> CostLine:
    opened = line_of()
    opened.open()
    return opened


def typed(line: CostLine, text: str) -> CostLine:
    for character in text:
        line.take("full_stop" if character == "." else character, character)
    return line


def text_of(lines: list[Line]) -> list[str]:
    return ["".join(segment.text for segment in line.segments).rstrip() for line in lines]


def rows(line: CostLine, width: int = 80) -> list[str]:
    return text_of(CostRows().rows(line, width, Look(DARK), LETTERS))


def test_a_closed_line_takes_no_key_and_reaches_nowhere() -> None:
    line = line_of()
    assert not any(line.take(key, key) for key in "1bkm")
    assert not line.take("escape", None)
    assert line.reach() == {}


def test_opened_it_offers_a_quantity_that_suits_the_book(line: CostLine) -> None:
    assert (line.text, line.amount, line.is_offered) == ("5", Decimal(5), True)


def test_the_first_digit_replaces_what_was_offered_and_more_are_added(line: CostLine) -> None:
    assert typed(line, "2.5k").text == "2.5k"
    assert line.amount == 2500


def test_a_suffix_goes_on_what_was_offered(line: CostLine) -> None:
    assert typed(line, "k").text == "5k"


def test_what_makes_no_quantity_is_swallowed(line: CostLine) -> None:
    assert typed(line, "1..5kk7m").text == "1.5k"


def test_keys_that_mean_nothing_here_are_left_to_others(line: CostLine) -> None:
    assert not any(line.take(key, character) for key, character in (("g", "g"), ("tab", None), ("comma", ",")))


def test_backspace_takes_a_character_and_an_offer_as_a_whole(line: CostLine) -> None:
    line.take("backspace", None)
    assert line.text == ""
    assert line.amount == 0
    typed(line, "12").take("backspace", None)
    assert line.text == "1"


def test_steps_go_one_two_five_from_whatever_stands_there(line: CostLine) -> None:
    typed(line, "3").step(1)
    assert line.text == "5"
    line.step(-1)
    line.step(-1)
    assert line.text == "1"
    line.take("backspace", None)
    line.step(1)
    assert line.amount > 0


def test_what_was_typed_stays_when_the_unit_changes(line: CostLine) -> None:
    typed(line, "300").take("b", "b")
    assert (line.text, line.unit) == ("300", "quote")
    line.take("b", "b")
    assert (line.text, line.unit) == ("300", "base")


def test_what_was_offered_becomes_about_as_much_of_the_other(line: CostLine) -> None:
    line.take("b", "b")
    assert (line.text, line.unit) == ("1k", "quote")  # 5 at a mid of 100, rounded up
    line.take("b", "b")
    assert (line.text, line.unit) == ("5", "base")


def test_enter_keeps_the_costs_and_gives_the_keys_back(line: CostLine) -> None:
    assert line.take("enter", "\r")
    assert (line.is_open, line.is_typing) == (True, False)
    assert not line.take("7", "7")
    line.open()
    assert typed(line, "7").text == "7"


def test_escape_closes_it_and_the_quantity_is_there_next_time(line: CostLine) -> None:
    typed(line, "7").take("escape", None)
    assert not line.is_open
    line.open()
    assert (line.text, line.is_offered) == ("7", True)


def test_without_a_book_it_opens_and_waits() -> None:
    line = line_of(None)
    line.open()
    line.take("b", "b")
    assert line.fills() is None
    assert "Type a quantity" in rows(line)[1]


def test_it_reaches_as_far_as_the_worst_prices(line: CostLine) -> None:
    typed(line, "2")
    assert line.reach() == {"ask": Decimal("102.00"), "bid": Decimal("98.00")}
    line.show(snapshot([], BOOK.asks))
    assert line.reach() == {"ask": Decimal("102.00")}


def test_both_sides_stand_in_columns(line: CostLine) -> None:
    assert rows(typed(line, "2"), 100) == [
        "▎cost of 2▏ BTC  b USDT  ↑↓ step  enter keep  esc close",
        "▎buy  101.500   150bp  to 102.00   2 levels  BO·  203 USDT",
        "▎sell  98.500   150bp   to 98.00   2 levels  ·OK  197 USDT",
    ]


def test_a_value_shows_what_it_buys(line: CostLine) -> None:
    typed(line, "203").take("b", "b")
    assert rows(line, 100)[1].endswith("2.00 BTC")
    assert "cost of 203▏ USDT  b BTC" in rows(line, 100)[0]


def test_without_a_name_for_the_currency_values_are_called_so(line: CostLine) -> None:
    line.base, line.currency = "shares", ""
    typed(line, "2")
    assert "b value" in rows(line)[0]
    assert rows(line, 100)[1].endswith("worth 203")
    line.take("b", "b")
    assert "cost of 2▏ in value  b shares" in rows(line)[0]
    line.text = "9k"
    assert "not enough depth: 305 in value" in rows(line)[1]


def test_not_enough_depth_is_said_with_what_there_is(line: CostLine) -> None:
    for found in rows(typed(line, "50"), 38)[1:]:
        assert "not enough depth: 3.00 BTC" in found
    typed(line, "").take("b", "b")
    line.text = "9k"
    assert "not enough depth: 305 USDT" in rows(line, 38)[1]


def test_a_side_without_orders_says_so(line: CostLine) -> None:
    line.show(snapshot([], BOOK.asks))
    found = rows(typed(line, "1"))
    assert found[2] == "▎sell no bids"
    assert found[1].startswith("▎buy  101.000       –  to 101.00")


def test_once_kept_the_line_says_how_to_go_on(line: CostLine) -> None:
    line.take("enter", None)
    assert rows(line)[0] == "▎cost of 5 BTC  $ type  esc close"


@pytest.mark.parametrize("width", range(20, 100, 3))
@pytest.mark.parametrize("amount", ["2", "50", "0.00001", "999999999999m", ""])
def test_at_every_width_there_are_three_rows_and_no_cut_figure(line: CostLine, width: int, amount: str) -> None:
    line.text = amount
    found = CostRows().rows(line, width, Look(DARK), LETTERS)
    assert len(found) == HEIGHT
    if width >= 50:
        assert all(row.width <= width for row in found)
    whole = {word for row in rows(line, 200) for word in row.split()}
    if amount:
        assert {word for row in text_of(found[1:]) for word in row.split()} <= whole


def test_columns_never_shrink(line: CostLine) -> None:
    drawer = CostRows()
    before = text_of(drawer.rows(typed(line, "2"), 100, Look(DARK), LETTERS))
    line.show(snapshot([level("9.00", "5", "okx")], [level("9.10", "5", "okx")]))
    found = text_of(drawer.rows(line, 100, Look(DARK), LETTERS))
    assert found[1].split()[1:5] == ["9.100", "55.2bp", "to", "9.10"]
    assert [row.index("bp") for row in found[1:]] == [row.index("bp") for row in before[1:]]


def test_many_venues_are_counted(line: CostLine) -> None:
    many = {f"v{n}": "X" for n in range(20)}
    assert "1 venue" in text_of(CostRows().rows(typed(line, "1"), 100, Look(DARK), many))[1]
