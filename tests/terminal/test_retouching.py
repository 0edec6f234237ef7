"""What is written piece by piece, over hours, is what a screen written as a whole would show."""

from __future__ import annotations

import pytest
from pyte.screens import Char

from tests.terminal.computer import Computer
from tests.terminal.driver import Terminal
from tests.terminal.reading import ALL_LIVE, shows_figures

pytestmark = pytest.mark.terminal


def panes(terminal: Terminal) -> list[list[object]]:
    """What can be seen of all but the bars at the top and the bottom: these go on while the screen is frozen."""
    return [[visible(cell) for cell in row] for row in terminal.cells[1:-1]]


def visible(cell: Char) -> object:
    """A cell, but for the colour of a space's text."""
    return (cell.data, cell.bg) if cell.data == " " and not (cell.underscore or cell.reverse) else cell


def test_after_dialogs_notices_themes_and_sizes_no_cell_is_left_over(computer: Computer) -> None:
    with computer.start("demo", "AAPL", "BTC/USDT", size=(140, 45)) as terminal:
        terminal.until(ALL_LIVE)
        terminal.until(lambda: shows_figures(terminal, "Book"))
        terminal.press("x")
        terminal.until("bring it back")  # a notice lies over the panes and goes by itself
        terminal.press("u", "3", "m")
        terminal.resize((120, 36))
        terminal.until(lambda: shows_figures(terminal, "Book"))
        terminal.press("m", "m", "z")
        terminal.until(lambda: not terminal.pane("Quotes"))
        terminal.resize((140, 45))
        terminal.press("z", "j", "+", "/", "E", "T")
        terminal.until("ETH in USDT")
        terminal.press("escape")
        terminal.until(lambda: "Add a symbol" not in terminal.text)
        terminal.press("1")
        terminal.until(lambda: "bring it back" not in terminal.text)
        terminal.until(lambda: shows_figures(terminal, "Book"))
        terminal.press("p")
        terminal.until("frozen")
        written = panes(terminal)
        terminal.press("?")
        terminal.until("shorter interval")
        terminal.press("escape")  # the whole screen is written when a dialog closes
        terminal.until(lambda: panes(terminal) == written)
