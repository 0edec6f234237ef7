"""The rows below a ladder: the cursor's figures, or what changed a moment ago and whose mark is which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from rich.style import Style

from tui.market import format as fmt
from tui.market.book import BookSide
from tui.market.walls import WallNote
from tui.widgets.figures import distance
from tui.widgets.ladder import NO_WALL, WALL, Look
from tui.widgets.lines import Line

Fact = Sequence[tuple[str, Style]]
"""Pieces of text that stand together."""


class Standing(NamedTuple):
    """What rests from the best price up to the cursor's.

    Attributes:
        size: In the base currency.
        value: In the quote currency, whose name is `currency`.
        venues: Who holds the level under the cursor.
    """

    side: BookSide
    price: Decimal
    size: Decimal
    value: Decimal
    currency: str
    mid: Decimal | None
    venues: Sequence[str]


def cursor_rows(
    standing: Standing, price_text: Callable[[Decimal], str], width: int, height: int, look: Look
) -> list[Line]:
    """Size, value, distance from the mid, and who holds the level."""
    muted, side = look.palette.muted, standing.side
    facts: list[Fact] = [
        [(f"{side} ", look.figure(side)), (price_text(standing.price), look.figure(side, strong=True))],
        [("cum ", muted), (fmt.size(standing.size), look.text)],
        [(fmt.compact(standing.value), look.text), (f" {standing.currency}".rstrip(), muted)],
        [(distance(standing.price, standing.mid), look.text), (" bp", muted)],
    ]
    lines = flow(facts, width, height)
    if names := " ".join(standing.venues):
        lines[-1].add("  ").left(names, min(len(names), width - lines[-1].width), muted)
    return lines


def note_rows(
    notes: Sequence[WallNote], now_ns: int, price_text: Callable[[Decimal], str], width: int, look: Look
) -> list[Line]:
    """Walls that came or went, newest first, in one row; they fade after half of their time."""
    facts: list[Fact] = []
    for note in notes:
        ink = look.palette.muted if is_fading(note, now_ns) else look.text
        sign = (WALL, look.palette.warning) if note.is_new else (NO_WALL, look.palette.muted)
        ending = "" if note.is_new else " gone"
        facts.append([sign, (f" {note.side} wall {price_text(note.price)}: {fmt.size(note.size)}{ending}", ink)])
    return flow(facts, width, 1) if facts else []


def is_fading(note: WallNote, now_ns: int) -> bool:
    """Whether half of the time that a note is worth a word is over."""
    return note.age(now_ns) >= 0.5


def flow(facts: Sequence[Fact], width: int, height: int) -> list[Line]:
    """Facts in rows, none of them broken; those that find no room are left out."""
    lines = [Line()]
    for fact in facts:
        cells = sum(len(text) for text, _ in fact)
        if lines[-1].width + 2 + cells > width and lines[-1].width and len(lines) < height:
            lines.append(Line())
        line = lines[-1]
        if line.width + 2 + cells <= width:
            line.add("  " if line.width else " ")
            for text, style in fact:
                line.add(text, style)
    return lines
