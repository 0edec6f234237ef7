from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.widgets import row_strip
from tui.widgets.lines import PLAIN, Line
from tui.widgets.row_strip import Piece, RowStrip

BASE = Style.parse("#d0d0d0 on #101418")
STYLES = [
    PLAIN,
    *map(
        Style.parse,
        ("#26a69a", "#ef5350", "bold #ffffff", "#101418 on #26a69a", "on #202830", "underline #d0d0d0", "reverse red",
         "dim italic", "default on default"),
    ),
]  # fmt: skip
CONSOLES = {
    ColorSystem.TRUECOLOR: Console(color_system="truecolor", force_terminal=True),
    ColorSystem.EIGHT_BIT: Console(color_system="256", force_terminal=True),
    ColorSystem.STANDARD: Console(color_system="standard", force_terminal=True),
}
ROWS = st.lists(
    st.tuples(st.sampled_from(["97,211.25", "   ", " ", "▌bid", "", "漢 "]), st.sampled_from(STYLES)), max_size=8
)


def shown(codes: str) -> list[object]:
    """The cells of a terminal that is written to."""
    screen = pyte.Screen(100, 1)
    pyte.Stream(screen).feed(codes)
    return [_visible(screen.buffer[0][x]) for x in range(100)]


def _visible(cell: pyte.screens.Char) -> object:
    """What can be told of a cell by looking: the colour of a space's text cannot."""
    if cell.data == " " and not (cell.underscore or cell.reverse or cell.strikethrough):
        return cell.data, cell.bg
    return cell


def row(pieces: list[Piece], base: Style = BASE) -> RowStrip:
    line = Line()
    for text, style in pieces:
        line.add(text, style)
    return line.strip(line.width, base)


def wide(pieces: list[Piece]) -> RowStrip:
    """A row of a pane: as wide as every other."""
    line = Line()
    for text, style in pieces:
        line.add(text, style)
    return line.strip(80, BASE)


def textuals(pieces: list[Piece], base: Style = BASE) -> Strip:
    return Strip([Segment(text, (base + style).copy()) for text, style in pieces if text])  # it keeps codes in styles


@pytest.mark.parametrize("system", CONSOLES)
@given(pieces=ROWS)
def test_a_terminal_shows_what_textuals_own_strip_would_show(system: ColorSystem, pieces: list[Piece]) -> None:
    ours, theirs = row(pieces).render(CONSOLES[system]), textuals(pieces).render(CONSOLES[system])
    assert shown(ours) == shown(theirs)
    assert len(ours) <= len(theirs) + len("0;") or not pieces


@given(old=ROWS, new=ROWS)
def test_what_changed_since_makes_the_same_row(old: list[Piece], new: list[Piece]) -> None:
    console = CONSOLES[ColorSystem.TRUECOLOR]
    before, after = wide(old), wide(new)
    there = before.render(console)
    assert shown(f"{there}\r{after.since(before, console)}") == shown(f"{there}\r{after.render(console)}")


def test_only_pieces_that_differ_are_written_again() -> None:
    console = CONSOLES[ColorSystem.TRUECOLOR]
    up, down = Style(color="#00ff00"), Style(color="#ff0000")
    before = row([("BTC ", PLAIN), ("97,210", up), ("  ", PLAIN), ("1.5", down), ("│", PLAIN)], Style.null())
    after = row([("BTC ", PLAIN), ("97,211", up), ("  ", PLAIN), ("1.7", down), ("│", PLAIN)], Style.null())
    codes = "\x1b[0;38;2;0;255;0;49m\x1b[4C97,211\x1b[38;2;255;0;0m\x1b[2C1.7\x1b[0m"
    assert after.since(before, console) == codes


def test_a_row_that_is_there_already_is_not_written() -> None:
    console = CONSOLES[ColorSystem.TRUECOLOR]
    strip = row([("BTC", PLAIN)])
    assert strip.since(strip, console) == ""
    assert row([("BTC", PLAIN)]).since(strip, console) == ""


def test_on_another_base_or_of_another_width_the_whole_row_is_written() -> None:
    console = CONSOLES[ColorSystem.TRUECOLOR]
    strip = row([("BTC", PLAIN)])
    for before in (row([("BTC", PLAIN)], Style(bgcolor="#ffffff")), row([("BTC ", PLAIN)])):
        assert strip.since(before, console) == strip.render(console)


@given(pieces=ROWS, start=st.integers(0, 30), end=st.integers(0, 60))
def test_textual_can_cut_it(pieces: list[Piece], start: int, end: int) -> None:
    ours, theirs = row(pieces).crop(start, end), textuals(pieces).crop(start, end)
    console = CONSOLES[ColorSystem.TRUECOLOR]
    assert ours.text == theirs.text
    assert shown(ours.render(console)) == shown(theirs.render(console))


def test_a_row_that_is_not_cut_stays_what_it_is() -> None:
    strip = row([("BTC/USDT", PLAIN)])
    assert strip.divide([8]) == [strip]
    assert [part.text for part in strip.divide([3, 8])] == ["BTC", "/USDT"]


def test_a_colour_is_written_once_and_not_for_spaces() -> None:
    up = Style.parse("#26a69a")
    codes = row([("1", up), ("  ", PLAIN), ("2", up)]).render(CONSOLES[ColorSystem.TRUECOLOR])
    assert codes == "\x1b[0;38;2;38;166;154;48;2;16;20;24m1  2\x1b[0m"


def test_bold_ends_where_it_ends() -> None:
    codes = row([("a", Style(bold=True)), ("b", PLAIN)], Style.null()).render(CONSOLES[ColorSystem.TRUECOLOR])
    assert codes == "\x1b[0;1;39;49ma\x1b[0;39;49mb\x1b[0m"


def test_segments_carry_the_base() -> None:
    assert list(row([("x", STYLES[1])])) == [Segment("x", BASE + STYLES[1])]


def test_an_unknown_name_is_none_of_its() -> None:
    with pytest.raises(AttributeError, match="colour"):
        row([("x", PLAIN)]).colour  # noqa: B018


def test_the_inks_of_many_bases_do_not_pile_up() -> None:
    for number in range(2 * row_strip.MAX_BASES):
        row([("x", PLAIN)], Style(color=f"#{number:06x}")).render(CONSOLES[ColorSystem.TRUECOLOR])
    assert len(row_strip._inks) <= row_strip.MAX_BASES
