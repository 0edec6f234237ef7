"""What an order-book ladder is made of: columns, what is shown of a level, styles, venue marks. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from string import ascii_uppercase, digits
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.style import Style

from tui.market.book import BookSide
from tui.themes import Palette
from tui.widgets.lines import Line, fit_right

PARTS: Final = " ▏▎▍▌▋▊▉"
"""A cell filled by eighths from the left."""
CURSOR: Final = "▌"
CAPPED: Final = "»"
CROSSED: Final = "×"
WALL: Final = "◆"
NO_WALL: Final = "◇"
TAKEN: Final = "▎"
ABSENT: Final = "·"
GAP: Final = 2
MAX_MARKS: Final = 12
MAX_VENUES: Final = 100
"""Venues that are told apart: a source that makes up names does not fill the memory."""


class Columns(NamedTuple):
    """Where everything stands, in cells; a width of 0 means that the column is left out.

    Attributes:
        zone: Where the bars end: they fill the cells from 1 up to here; a sign and a blank stand before the price.
        price: Width of a price.
        pad: Blanks after a price, so that the mid with its further decimal stands in line below it.
    """

    width: int
    zone: int
    cumulative: int
    size: int
    price: int
    pad: int
    marks: int
    distance: int

    @property
    def price_end(self) -> int:
        """The cell behind the last digit of a price."""
        return self.zone + GAP + self.price


def arrange(width: int, *, cumulative: int, size: int, price: int, pad: int, marks: int, distance: int) -> Columns:
    """Choose the columns that fit: price, size, venue marks, cumulative size, distance from the mid, in that order.

    Args:
        width: Cells there are.
        cumulative: Cells of the cumulative size; 0 where there is nothing to show, as for all that follow.
        size: Cells of a size.
        price: Cells of a price.
        marks: Cells of the venue marks.
        distance: Cells of the distance from the mid.
        pad: Blanks needed after the price.
    """
    room = width - 1 - price - pad
    chosen = []
    for needed in (size, marks, cumulative, distance):
        cells = needed + GAP if needed else 0
        chosen.append(needed if cells <= room else 0)
        room -= cells if cells <= room else 0
    size, marks, cumulative, distance = chosen
    behind = pad + (marks + GAP if marks else 0) + (distance + GAP if distance else 0)
    return Columns(width, width - behind - price - GAP, cumulative, size, price, pad, marks, distance)


class Level(NamedTuple):
    """What a row shows of a level: figures as text, bars as shares of their full length.

    Attributes:
        held_by: Venues of the level.
        parts: Which part of its size is whose, as far as that is known: venues and shares, in a steady order.
        is_capped: Its size is larger than a full bar can say.
        is_wall: Its size stands out of its neighbourhood.
        is_news: It became a wall, or ceased to be one, a moment ago.
        is_taken: The size whose cost is asked for reaches it.
        crosses: It stands on or beyond the other side's best price.
    """

    side: BookSide
    price: str
    size: str
    cumulative: str
    distance: str
    size_share: float
    depth_share: float
    held_by: Sequence[str] = ()
    parts: Sequence[tuple[str, float]] = ()
    is_capped: bool = False
    is_wall: bool = False
    is_news: bool = False
    is_taken: bool = False
    crosses: bool = False
    is_best: bool = False
    is_cursor: bool = False


class Look(NamedTuple):
    """The styles of a ladder in one theme, live or stale.

    Attributes:
        sign: Shading for the bars where colours cannot be relied on: (size bar, depth bar), or blanks. Shaded bars
            have no tint: figures would be hard to read where few colours have to do.
    """

    palette: Palette
    is_live: bool = True
    sign: tuple[str, str] = (" ", " ")

    def figure(self, side: BookSide, *, strong: bool = False) -> Style:
        """A price or a sum of a side."""
        return self.palette.style(side, bold=strong) if self.is_live else self.palette.stale

    @property
    def text(self) -> Style:
        """A size."""
        return self.palette.text if self.is_live else self.palette.stale

    def fill(self, role: str) -> Style:
        """A background."""
        return self.palette.fill(role)


def header_row(columns: Columns, look: Look) -> Line:
    """The names of the columns."""
    style = look.palette.muted
    right = fit_right("size", columns.size) if columns.size else ""
    if columns.cumulative:
        right = fit_right("cum", columns.cumulative) + " " * GAP + right
    line = Line().right(right, columns.zone, style).add(" " * GAP)
    line.right("price", columns.price, style).add(" " * columns.pad)
    if columns.marks:
        name = next(name for name in ("venues", "by", "") if len(name) <= columns.marks)
        line.add(" " * GAP).left(name, columns.marks, style)
    if columns.distance:
        line.add(" " * GAP).right("bp", columns.distance, style)
    return line


def letter_marks(venues: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """A letter for every venue, no letter twice; venues that have one keep it, and their place.

    A newcomer gets the first letter of its name, then another of its name, then any; first come, first served, but
    first letters are dealt before others. Beyond `MAX_VENUES` nobody gets one.
    """
    marks = dict(known)
    newcomers = [name for name in dict.fromkeys(venues) if name not in marks][: MAX_VENUES - len(marks)]
    firsts: dict[str, str] = {}
    for name in newcomers:
        letter = name[:1].upper()
        if letter.isascii() and letter.isalnum() and letter not in marks.values() and letter not in firsts.values():
            firsts[name] = letter
    for name in newcomers:
        taken = {*marks.values(), *firsts.values()}
        choices = [c for c in name.upper() if c.isascii() and c.isalnum()] + list(ascii_uppercase + digits)
        marks[name] = firsts.get(name) or next((c for c in choices if c not in taken), "?")
    return marks


def marks_width(count: int) -> int:
    """Cells for the marks of so many venues: a cell each, or a count when they are too many."""
    return count if count <= MAX_MARKS else 2


def legend_rows(letters: Mapping[str, str], missing: Collection[str], width: int, rows: int, look: Look) -> list[Line]:
    """Whose mark is which, missing venues first, in at most so many rows; what does not fit is counted: `+3`."""
    lines = [Line()]
    for index, name in enumerate(sorted(letters, key=lambda name: name not in missing)):
        note = " missing" if name in missing else ""
        cells = 4 + cell_len(name) + len(note)
        if lines[-1].width and lines[-1].width + cells > width and len(lines) < rows:
            lines.append(Line())
        line, left = lines[-1], len(letters) - index
        reserve = len(f"  +{left - 1}") if len(lines) == rows and left > 1 else 0
        if line.width + cells + reserve > width:
            line.add(f"  +{left}", look.palette.muted)
            break
        line.add("  " if line.width else " ").add(letters[name], look.text).add(f" {name}", look.palette.muted)
        line.add(note, look.palette.warning)
    return lines
