"""The rows of an order-book ladder: columns, two-layer bars, venue marks. Pure functions from figures to lines.

The bars start at the outer edge and grow towards the price: a faint one for the depth up to the level, so that both
sides form a staircase, and a stronger one for the level's own size. Text stays on top of both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from string import ascii_uppercase, digits
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.style import Style

from tui.market.book import BookSide
from tui.themes import Palette
from tui.widgets.lines import PLAIN, Line, fit_right, mixed

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


@dataclass(frozen=True, slots=True)
class Columns:
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


@dataclass(frozen=True)
class Look:
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


def level_row(level: Level, columns: Columns, look: Look, letters: Mapping[str, str]) -> Line:
    """One level as a line."""
    palette, side = look.palette, level.side
    row = look.fill("selection") if level.is_cursor else PLAIN
    alarm = palette.warning if look.is_live else palette.stale
    line = Line()
    if level.is_cursor:
        line.add(CURSOR, mixed(palette.accent, row))
    else:
        line.add(CROSSED if level.crosses else " ", alarm)
    _zone(line, level, columns, look, row, letters)
    _signs(line, level, look, row)
    strong = level.is_best or level.is_cursor
    ink = alarm + Style(bold=strong or None) if level.crosses else look.figure(side, strong=strong)
    line.right(level.price, columns.price, mixed(ink, row))
    line.add(" " * columns.pad, row)
    if columns.marks:
        line.add(" " * GAP, row)
        _marks(line, level, columns.marks, look, letters, row)
    if columns.distance:
        line.add(" " * GAP, row).right(level.distance, columns.distance, mixed(palette.muted, row))
    return line.to(columns.width, row)


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


def bar_cells(share: float, room: int) -> tuple[int, int]:
    """A bar's length in whole cells and eighths of the next one."""
    eighths = round(min(max(share, 0.0), 1.0) * room * 8)
    return divmod(eighths, 8)


def _signs(line: Line, level: Level, look: Look, row: Style) -> None:
    """Two cells before the price: what is remarkable about the size, and how far a size that is asked for reaches."""
    alarm = look.palette.warning if look.is_live else look.palette.stale
    if level.is_wall:
        line.add(WALL, mixed(alarm + Style(bold=level.is_news or None), row))
    elif level.is_news:
        line.add(NO_WALL, mixed(look.palette.muted, row))
    else:
        line.add(CAPPED if level.is_capped else " ", mixed(look.figure(level.side), row))
    line.add(TAKEN if level.is_taken else " ", mixed(look.palette.accent, row))


def _zone(line: Line, level: Level, columns: Columns, look: Look, row: Style, letters: Mapping[str, str]) -> None:
    """Cumulative size and size on top of the bars."""
    room = columns.zone - 1
    size_text = fit_right(level.size, columns.size) if columns.size else ""
    sum_text = fit_right(level.cumulative, columns.cumulative) + " " * GAP if columns.cumulative else ""
    text = (sum_text + size_text).rjust(room)
    split = room - len(size_text)
    bar, bar_part = bar_cells(level.size_share, room)
    depth, depth_part = bar_cells(level.depth_share, room)
    ink = (look.figure(level.side), look.text)
    if not look.is_live:
        line.add(text[:split], mixed(ink[0], row)).add(text[split:], mixed(ink[1], row))
        return
    is_tinted = look.sign[0] == " "
    fills = (look.fill(f"{level.side}-bar"), look.fill(f"{level.side}-depth"), row) if is_tinted else (row, row, row)
    bar, bar_part = _rounded(text, bar, bar_part, is_tinted)
    depth, depth_part = _rounded(text, depth, depth_part, is_tinted)
    blank = len(text) - len(text.lstrip())
    pieces = _pieces(level.parts, bar)
    text = _named(text, pieces, letters)
    edges = sorted({0, split, bar, bar + bool(bar_part), depth, depth + bool(depth_part), room} | pieces.keys())
    for start, end in pairwise(edges):
        layer = 0 if start < bar else 1 if start < depth else 2
        if layer > 0 and start == bar and bar_part:
            _part(line, bar_part, look.palette.style(f"{level.side}-bar"), fills[layer])
        elif layer == 2 and start == depth and depth_part:
            _part(line, depth_part, look.palette.style(f"{level.side}-depth"), row)
        else:
            shade = look.sign[layer] if layer < 2 else " "
            fill = _fill_at(start, pieces, look, level.side) if layer == 0 and is_tinted else fills[layer]
            line.add(_shaded(text, start, end, blank, shade), mixed(ink[start >= split], fill))


def _pieces(parts: Sequence[tuple[str, float]], bar: int) -> dict[int, str]:
    """Where in a size bar each venue's piece starts, and the rest, which has no name: nobody says whose it is."""
    pieces: dict[int, str] = {}
    reached = 0.0
    for venue, share in parts:
        start, reached = reached, reached + share
        if round(start * bar) < min(round(reached * bar), bar):
            pieces[round(start * bar)] = venue
    if pieces and round(reached * bar) < bar:
        pieces[round(reached * bar)] = ""
    return pieces


def _named(text: str, pieces: Mapping[int, str], letters: Mapping[str, str]) -> str:
    """The venues' marks at the start of their pieces, where no figure stands."""
    for start, venue in pieces.items():
        if venue and text[start : start + 2] == "  ":
            text = text[:start] + letters.get(venue, "?") + text[start + 1 :]
    return text


def _fill_at(cell: int, pieces: Mapping[int, str], look: Look, side: BookSide) -> Style:
    """The shade of a size bar: every second piece is a little darker."""
    colors = look.palette.colors
    passed = sum(start <= cell for start in pieces)
    is_second = passed % 2 == 0 and passed > 0
    return half_way(colors[f"{side}-bar"], colors[f"{side}-depth"]) if is_second else look.fill(f"{side}-bar")


@lru_cache
def half_way(first: str, second: str) -> Style:
    """A background half way between two colours; the same object for the same colours."""
    return Style(bgcolor=between(first, second))


@lru_cache
def between(first: str, second: str) -> str:
    """The colour half way between two, all as `#rrggbb`."""
    mixed = ((int(first[at : at + 2], 16) + int(second[at : at + 2], 16)) // 2 for at in (1, 3, 5))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _shaded(text: str, start: int, end: int, blank: int, shade: str) -> str:
    """A piece of a text, its blanks shaded as far as the first figure."""
    until = min(max(blank, start), end)
    return text[start:until].replace(" ", shade) + text[until:end]


def _rounded(text: str, cells: int, part: int, is_tinted: bool) -> tuple[int, int]:
    """A bar that ends under a digit ends on a whole cell, and so does one that is shaded."""
    if part and (text[cells : cells + 1] != " " or not is_tinted):
        return cells + (part >= 4), 0
    return cells, part


def _part(line: Line, eighths: int, ink: Style, under: Style) -> None:
    line.add(PARTS[eighths], mixed(ink, under))


def _marks(line: Line, level: Level, width: int, look: Look, letters: Mapping[str, str], row: Style) -> None:
    """Each venue in its own cell; with too many of them, how many hold the level. Blank where the source is silent."""
    palette = look.palette
    if not level.held_by:
        line.add(" " * width, row)
        return
    if len(letters) > width:
        line.right(str(len(level.held_by)), width, mixed(look.text, row))
        return
    held = set(level.held_by)
    for name, letter in letters.items():
        line.add(letter if name in held else ABSENT, mixed(look.text if name in held else palette.faint, row))
    line.add(" " * (width - len(letters)), row)


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
