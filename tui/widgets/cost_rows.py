"""The rows of the cost line: the quantity, and for buying and selling what it would meet. Without fees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rich.style import Style

from tui.market import format as fmt
from tui.market.cost import Fill
from tui.widgets.cost_line import CostLine
from tui.widgets.figures import points
from tui.widgets.ladder import ABSENT, MAX_MARKS, TAKEN, Look
from tui.widgets.lines import Line

HEIGHT: Final = 3
_ORDER: Final = ("average", "slippage", "worst", "levels", "venues", "other")
"""Columns, most important first."""
_FIRST: Final = 5
_Piece = list[tuple[str, Style]]


@dataclass(eq=False)
class CostRows:
    """Draws one symbol's cost line. Steady: columns only grow.

    Attributes:
        decimals: Of the instrument's prices.
    """

    decimals: int = 2
    _widths: dict[str, int] = field(default_factory=lambda: {"slippage": 6, "levels": 9})

    def rows(self, cost: CostLine, width: int, look: Look, letters: Mapping[str, str]) -> list[Line]:
        """The line itself, then buying and selling, richest figures that fit; always `HEIGHT` rows."""
        fills = cost.fills()
        lines = [self._input(cost, width, look)]
        if fills is None:
            text = " Type a quantity: digits, k, m." if cost.is_typing else " No quantity."
            return [*lines, Line().left(text, width, look.palette.muted), Line()]
        sides = [self._pieces(each, cost, look, letters) for each in fills]
        for name in _ORDER:
            widest = max(_cells(pieces.get(name, [])) for pieces in sides)
            self._widths[name] = max(self._widths.get(name, 0), widest)
        return [
            *lines,
            *(self._row(each, pieces, cost, width, look) for each, pieces in zip(fills, sides, strict=True)),
        ]

    def _input(self, cost: CostLine, width: int, look: Look) -> Line:
        palette = look.palette
        panel = look.fill("panel")
        line = Line().add(TAKEN, palette.accent + panel).add("cost of ", palette.muted + panel)
        ink = palette.strong + (look.fill("selection") if cost.is_typing and cost.is_offered else panel)
        line.add(cost.text, ink)
        if cost.is_typing:
            line.add("▏", palette.accent + panel)
        other = (cost.currency or "value") if cost.unit == "base" else cost.base
        line.add(f" {cost.counted}", palette.text + panel)
        hints = (("b", other), ("↑↓", "step"), ("enter", "keep"), ("esc", "close"))
        for key, word in hints if cost.is_typing else (("$", "type"), ("esc", "close")):
            if line.width + len(key) + len(word) + 4 <= width:
                line.add(f"  {key} ", palette.accent + panel).add(word, palette.muted + panel)
        return line.to(width, panel)

    def _pieces(self, found: Fill, cost: CostLine, look: Look, letters: Mapping[str, str]) -> dict[str, _Piece]:
        """All that can be said of one side; nothing when nothing is filled."""
        if found.average is None:
            return {}
        muted, text = look.palette.muted, look.text
        is_base = cost.unit == "base"
        other: _Piece = [(fmt.size(found.size), text), (f" {cost.base}", muted)]
        if is_base and cost.currency:
            other = [(fmt.compact(found.value), text), (f" {cost.currency}", muted)]
        elif is_base:
            other = [("worth ", muted), (fmt.compact(found.value), text)]
        return {
            "average": [(fmt.price(found.average, self.decimals + 1), look.palette.strong if look.is_live else text)],
            "slippage": [("–" if found.slippage_bp is None else f"{points(found.slippage_bp)}bp", text)],
            "worst": [("to ", muted), (fmt.price(found.worst, self.decimals), text)],
            "levels": [(str(found.levels), text), (" levels" if found.levels != 1 else " level ", muted)],
            "venues": _venues(found, letters, look),
            "other": other,
        }

    def _row(self, found: Fill, pieces: Mapping[str, _Piece], cost: CostLine, width: int, look: Look) -> Line:
        """Figures in columns, as many as fit; what the book lacks comes first and takes its room."""
        line = Line().add(TAKEN, look.palette.accent).add(found.side.ljust(4), look.palette.strong)
        if lack := _lack(found, cost):
            line.add(f" {lack}", look.palette.warning if look.is_live else look.palette.stale)
        for name in _ORDER:
            cells = self._widths[name] + 1 + (line.width > _FIRST)
            if not pieces or line.width + cells > width:
                break
            if self._widths[name]:
                piece = pieces[name]
                line.add(" " * (cells - _cells(piece)))
                for text, style in piece:
                    line.add(text, style)
        return line


def _lack(found: Fill, cost: CostLine) -> str:
    """That the book has not enough, and what it has."""
    if found.average is None:
        return f"no {found.takes}s"
    if found.is_complete:
        return ""
    there = fmt.size(found.size) if cost.unit == "base" else fmt.compact(found.value)
    return f"not enough depth: {there} {cost.counted}"


def _venues(found: Fill, letters: Mapping[str, str], look: Look) -> _Piece:
    """The marks of who is met, each in its place; with too many of them, how many."""
    if not letters:
        return []
    if len(letters) > MAX_MARKS:
        return [
            (str(len(found.venues)), look.text),
            (" venues" if len(found.venues) != 1 else " venue ", look.palette.muted),
        ]
    return [
        (letter, look.text) if venue in found.venues else (ABSENT, look.palette.faint)
        for venue, letter in letters.items()
    ]


def _cells(piece: _Piece) -> int:
    return sum(len(text) for text, _ in piece)
