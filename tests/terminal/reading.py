"""What a person reads off the screen: figures, the selected symbol, how well text stands out."""

from __future__ import annotations

import re
from decimal import Decimal

from pyte.screens import Char

from tests.terminal.driver import Terminal

PANES = ("Quotes", "Bars", "Book", "News", "Tape", "Feeds")
ALL_LIVE = re.compile(r"Feeds · ([1-9]) of \1 live")
_ROW = re.compile(r"^[▌ ](\S+) +([\d,]+\.\d+)", re.MULTILINE)
_FIGURE = re.compile(r"\d[\d,]*\.\d+")


def prices(terminal: Terminal) -> dict[str, Decimal]:
    """The last price of every symbol of the quotes pane that has one, in the order of the rows."""
    return {symbol: number(price) for symbol, price in _ROW.findall(terminal.pane("Quotes"))}


def listed(terminal: Terminal) -> list[str]:
    """The symbols of the quotes pane."""
    return re.findall(r"^[▌ ]([A-Z]\S*) ", terminal.pane("Quotes"), re.MULTILINE)


def selected(terminal: Terminal) -> str:
    """The symbol whose row is marked."""
    found = re.search(r"▌(\S+)", terminal.pane("Quotes"))
    return found[1] if found else ""


def figures(terminal: Terminal, pane: str) -> list[Decimal]:
    """Every number with decimals inside a pane."""
    inside = terminal.pane(pane).partition("\n")[2]
    return [number(text) for text in _FIGURE.findall(inside)]


def is_about(terminal: Terminal, symbol: str) -> bool:
    """Whether chart and book show a symbol, at its price."""
    last = prices(terminal).get(symbol)
    return last is not None and all(
        f"{pane} · {symbol} " in terminal.pane(pane).partition("\n")[0]
        and sum(abs(figure / last - 1) < Decimal("0.1") for figure in figures(terminal, pane)) >= least
        for pane, least in (("Bars", 4), ("Book", 10))
    )


def number(text: str) -> Decimal:
    """A number as it is written on the screen."""
    return Decimal(text.replace(",", ""))


def shows_figures(terminal: Terminal, pane: str) -> bool:
    """Whether a pane has come to life."""
    text = terminal.pane(pane)
    match pane:
        case "Quotes":
            return len(prices(terminal)) == len(listed(terminal)) > 0
        case "News":
            return bool(re.search(r"● \d\d:\d\d \w+", text))
        case "Tape":
            return bool(re.search(r"\d\d:\d\d:\d\d [▲▼·] +\d+\.\d\d", text))
        case "Feeds":
            return bool(ALL_LIVE.search(text))
        case _:
            return len(figures(terminal, pane)) >= 4


def hidden_figures(terminal: Terminal, least: float) -> list[str]:
    """Digits on the screen that stand out from their background less than a contrast."""
    cells = [cell for row in terminal.cells for cell in row if cell.data.isdigit()]
    assert len(cells) > 100
    return [f"{cell.data}: {cell.fg} on {cell.bg}" for cell in cells if contrast(cell) < least]


def contrast(cell: Char) -> float:
    """From 1 (cannot be seen) to 21, as WCAG counts; of colours that only have names, 1 when they are the same."""
    front, back = _luminance(cell.fg), _luminance(cell.bg)
    if front is None or back is None:
        return 1.0 if cell.fg == cell.bg else 21.0
    return (max(front, back) + 0.05) / (min(front, back) + 0.05)


def _luminance(colour: str) -> float | None:
    if not re.fullmatch("[0-9a-f]{6}", colour):
        return None
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
