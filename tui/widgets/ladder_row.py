"""One level of a ladder as a line: figures on two-layer bars, venue marks.

The bars start at the outer edge and grow towards the price: a faint one for the depth up to the level, so that both
sides form a staircase, and a stronger one for the level's own size. Text stays on top of both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from rich.style import Style

from tui.market.book import BookSide
from tui.widgets.ladder import (
    ABSENT,
    CAPPED,
    CROSSED,
    CURSOR,
    GAP,
    NO_WALL,
    PARTS,
    TAKEN,
    WALL,
    Columns,
    Level,
    Look,
)
from tui.widgets.lines import PLAIN, Line, fit_right, mixed
from tui.widgets.row_strip import Piece

MAX_HELD: Final = 512
"""Sets of venues whose marks are remembered: few hold a level together, and often the same."""


class Figures(NamedTuple):
    """The styles of a cumulative size and of a size on the same background."""

    sum: Style
    size: Style


class Inks(NamedTuple):
    """The styles of a side's levels, with or without the cursor.

    Attributes:
        row: Cells with nothing in them.
        bare: Figures beside the bars; `on_bar`, `on_depth` and `on_second` are those on top of them, the last on every
            second venue's piece of a size bar.
        bar_end: The last part of a cell of a size bar, on the depth bar and beside it.
        depth_end: The last part of a cell of a depth bar.
        price: A price; `best` is the best one's, or the one under the cursor.
    """

    row: Style
    bare: Figures
    on_bar: Figures
    on_second: Figures
    on_depth: Figures
    bar_end: tuple[Style, Style]
    depth_end: Style
    price: Style
    best: Style


class LevelRows:
    """The rows of levels, for as long as columns, look and venues stay.

    Args:
        columns: Where everything stands.
        look: The styles.
        letters: The venues' marks.
    """

    def __init__(self, columns: Columns, look: Look, letters: Mapping[str, str]) -> None:
        self.columns, self.look, self.letters = columns, look, letters
        self._inks: dict[tuple[BookSide, bool], Inks] = {}
        self._marks: dict[tuple[tuple[str, ...], bool], list[Piece]] = {}
        self._is_tinted = look.sign[0] == " "

    def suits(self, columns: Columns, look: Look, letters: Mapping[str, str]) -> bool:
        """Whether rows come out the same with these."""
        return letters is self.letters and columns == self.columns and look == self.look

    def row(self, level: Level) -> Line:
        """One level as a line."""
        columns, inks = self.columns, self._inks_of(level)
        strong = level.is_best or level.is_cursor
        pieces: list[Piece] = [(" ", inks.row)]
        if level.is_cursor:
            pieces = [(CURSOR, mixed(self.look.palette.accent, inks.row))]
        elif level.crosses:
            pieces = [(CROSSED, self._alarm())]
        self._zone(pieces, level, inks)
        price, ink = fit_right(level.price, columns.price) + " " * columns.pad, inks.best if strong else inks.price
        if level.crosses:
            ink = mixed(self._alarm(bold=strong), inks.row)
        if level.is_wall or level.is_news or level.is_capped or level.is_taken:
            self._signs(pieces, level, inks)
        else:
            price = "  " + price
        pieces.append((price, ink))
        if columns.marks:
            pieces += self._marks_of(level, inks.row)
        if columns.distance:
            pieces.append((" " * GAP + fit_right(level.distance, columns.distance), self._muted(inks.row)))
        return Line.of(pieces, columns.width)

    def _inks_of(self, level: Level) -> Inks:
        key = level.side, level.is_cursor
        found = self._inks.get(key)
        if found is None:
            found = self._inks[key] = _inks(self.look, *key)
        return found

    def _alarm(self, *, bold: bool = False) -> Style:
        return self.look.palette.style("warning" if self.look.is_live else "stale", bold=bold)

    def _muted(self, row: Style) -> Style:
        return mixed(self.look.palette.muted, row)

    def _signs(self, pieces: list[Piece], level: Level, inks: Inks) -> None:
        """Two cells before the price: what is remarkable about the size, and how far a size asked for reaches."""
        if level.is_wall:
            pieces.append((WALL, mixed(self._alarm(bold=level.is_news), inks.row)))
        elif level.is_news:
            pieces.append((NO_WALL, self._muted(inks.row)))
        else:
            pieces.append((CAPPED if level.is_capped else " ", inks.bare.sum))
        pieces.append((TAKEN if level.is_taken else " ", mixed(self.look.palette.accent, inks.row)))

    def _zone(self, pieces: list[Piece], level: Level, inks: Inks) -> None:
        """Cumulative size and size on top of the bars."""
        columns, room = self.columns, self.columns.zone - 1
        size_text = fit_right(level.size, columns.size) if columns.size else ""
        sum_text = fit_right(level.cumulative, columns.cumulative) + " " * GAP if columns.cumulative else ""
        text = (sum_text + size_text).rjust(room)[:room]  # without sizes, the gap behind the sums may have no room
        split = room - len(size_text)
        if not self.look.is_live:
            _write(pieces, text, 0, room, split, inks.bare)
        elif self._is_tinted:
            self._bars(pieces, text, split, level, inks)
        else:
            _write(pieces, self._shaded(text, level), 0, room, split, inks.bare)

    def _bars(self, pieces: list[Piece], text: str, split: int, level: Level, inks: Inks) -> None:
        """A text on both bars, which end with a part of a cell where no figure stands."""
        bar, bar_part = _bar(level.size_share, text)
        depth, depth_part = _bar(level.depth_share, text)
        end = bar
        if starts := _starts(level.parts, bar):
            text = self._named(text, starts)
            for index, (start, until) in enumerate(pairwise([*starts, bar])):
                _write(pieces, text, start, until, split, inks.on_second if index % 2 else inks.on_bar)
        elif bar:
            _write(pieces, text, 0, bar, split, inks.on_bar)
        if bar_part:
            pieces.append((PARTS[bar_part], inks.bar_end[bar >= depth]))
            end += 1
        if end < depth:
            _write(pieces, text, end, depth, split, inks.on_depth)
        if end <= depth and depth_part:
            pieces.append((PARTS[depth_part], inks.depth_end))
            depth += 1
        if (end := max(end, depth)) < len(text):
            _write(pieces, text, end, len(text), split, inks.bare)

    def _shaded(self, text: str, level: Level) -> str:
        """A text with both bars as shades of its blanks, as far as the first figure."""
        bar, depth = (_whole(share, len(text)) for share in (level.size_share, level.depth_share))
        blank = len(text) - len(text.lstrip())
        text = self._named(text, _starts(level.parts, bar))
        bar, depth = min(bar, blank), min(max(bar, depth), blank)
        sign = self.look.sign
        return text[:bar].replace(" ", sign[0]) + text[bar:depth].replace(" ", sign[1]) + text[depth:]

    def _named(self, text: str, starts: Mapping[int, str]) -> str:
        """The venues' marks at the start of their pieces, where no figure stands."""
        for start, venue in starts.items():
            if venue and text[start : start + 2] == "  ":
                text = text[:start] + self.letters.get(venue, "?") + text[start + 1 :]
        return text

    def _marks_of(self, level: Level, row: Style) -> list[Piece]:
        key = tuple(level.held_by), level.is_cursor
        found = self._marks.get(key)
        if found is None:
            if len(self._marks) >= MAX_HELD:
                self._marks.clear()
            found = self._marks[key] = self._mark(level.held_by, row)
        return found

    def _mark(self, held_by: Sequence[str], row: Style) -> list[Piece]:
        """Each venue in its own cell; with too many of them, how many hold it. Blank where the source is silent."""
        width, letters, look = self.columns.marks, self.letters, self.look
        line = Line().add(" " * GAP, row)
        if not held_by:
            line.add(" " * width, row)
        elif len(letters) > width:
            line.right(str(len(held_by)), width, mixed(look.text, row))
        else:
            for name, letter in letters.items():
                held = name in held_by
                line.add(letter if held else ABSENT, mixed(look.text if held else look.palette.faint, row))
        return line.to(GAP + width, row).pieces


def bar_cells(share: float, room: int) -> tuple[int, int]:
    """A bar's length in whole cells and eighths of the next one."""
    if share <= 0:
        return 0, 0
    return divmod(round(share * room * 8), 8) if share < 1 else (room, 0)


@lru_cache
def half_way(first: str, second: str) -> Style:
    """A background half way between two colours; the same object for the same colours."""
    return Style(bgcolor=between(first, second))


def between(first: str, second: str) -> str:
    """The colour half way between two, all as `#rrggbb`."""
    mixed = ((int(first[at : at + 2], 16) + int(second[at : at + 2], 16)) // 2 for at in (1, 3, 5))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _inks(look: Look, side: BookSide, is_cursor: bool) -> Inks:
    row = look.fill("selection") if is_cursor else PLAIN
    bar, depth = f"{side}-bar", f"{side}-depth"
    on_bar, on_depth = look.fill(bar), look.fill(depth)
    bar_end, depth_end = look.palette.style(bar), look.palette.style(depth)

    def on(fill: Style) -> Figures:
        return Figures(mixed(look.figure(side), fill), mixed(look.text, fill))

    return Inks(
        row=row,
        bare=on(row),
        on_bar=on(on_bar),
        on_second=on(half_way(look.palette.colors[bar], look.palette.colors[depth])),
        on_depth=on(on_depth),
        bar_end=(mixed(bar_end, on_depth), mixed(bar_end, row)),
        depth_end=mixed(depth_end, row),
        price=mixed(look.figure(side), row),
        best=mixed(look.figure(side, strong=True), row),
    )


def _write(pieces: list[Piece], text: str, start: int, end: int, split: int, inks: Figures) -> None:
    """A part of the text: the cumulative size ends at `split`."""
    if end <= split or inks.sum is inks.size:
        pieces.append((text[start:end], inks.sum))
    elif start >= split:
        pieces.append((text[start:end], inks.size))
    else:
        pieces.append((text[start:split], inks.sum))
        pieces.append((text[split:end], inks.size))


def _bar(share: float, text: str) -> tuple[int, int]:
    """A bar's cells and eighths under a text; one that ends under a digit ends on a whole cell."""
    cells, part = bar_cells(share, len(text))
    return (cells, part) if not part or text[cells] == " " else (cells + (part >= 4), 0)


def _whole(share: float, room: int) -> int:
    """A bar in whole cells."""
    cells, part = bar_cells(share, room)
    return cells + (part >= 4)


def _starts(parts: Sequence[tuple[str, float]], bar: int) -> dict[int, str]:
    """Where in a size bar each venue's piece starts, and the rest, which has no name: nobody says whose it is."""
    starts: dict[int, str] = {}
    reached = 0.0
    for venue, share in parts:
        start, reached = reached, reached + share
        if round(start * bar) < min(round(reached * bar), bar):
            starts[round(start * bar)] = venue
    if starts and round(reached * bar) < bar:
        starts[round(reached * bar)] = ""
    return starts
