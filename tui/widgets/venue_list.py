"""Who takes part in a book: state, share, best prices of each venue, and which of them are switched off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.style import Style

from tui.market import format as fmt
from tui.market.book import BookSide, touch
from tui.market.venues import NEAR_BP, VenuePart, is_split, parts, without
from tui.widgets.ladder import CURSOR, Look
from tui.widgets.lines import Line, wrap

if TYPE_CHECKING:
    from tui.market.events import BookSnapshot

MAX_NAME: Final = 12
SPLIT: Final = (
    f"size: a venue's part of the size within {NEAR_BP} bp of the mid, as far as its best prices tell; what it has "
    "beyond them is not known. A venue that is switched off is taken off this book here; quotes stay whole."
)
ADDED_UP: Final = (
    f"levels: the part of the levels within {NEAR_BP} bp of the mid that a venue takes part in. The source adds venues "
    "up and does not say how much is whose. Switching asks it for another list, and the symbol's quotes follow."
)


class State(NamedTuple):
    """What a venue is doing: a sign, a word, and the palette's role of both."""

    sign: str
    word: str
    role: str


LIVE: Final = State("●", "live", "good")
OLD: Final = State("○", "stale", "stale")
DOUBTED: Final = State("?", "stale?", "warning")
SILENT: Final = State("·", "no levels", "muted")
MISSING: Final = State("×", "missing", "warning")
OFF: Final = State("-", "off", "muted")
JOINING: Final = State("+", "joining", "accent")
LEAVING: Final = State("-", "leaving", "accent")


@dataclass(eq=False)
class VenueList:
    """The venues of one symbol.

    Attributes:
        letters: Their marks.
        decimals: Of the instrument's prices.
        suspects: Venues that may be stale.
        left_out: Those that the user switched off.
        cursor: Name under the cursor, or None.
    """

    letters: Mapping[str, str] = field(default_factory=dict)
    decimals: int = 2
    suspects: Sequence[str] = ()
    left_out: frozenset[str] = frozenset()
    cursor: str | None = None
    _book: BookSnapshot | None = None
    _rest: BookSnapshot | None = None
    _names: list[str] = field(default_factory=list)
    _shown: list[str] = field(default_factory=list)

    def show(self, book: BookSnapshot) -> BookSnapshot:
        """Take a book as it came; returns it without the venues that are switched off, where the source splits it."""
        if book is not self._book or self._rest is None:
            self._book, self._rest = book, without(book, self.left_out)
        return self._rest

    def toggle(self) -> bool:
        """Switch the venue under the cursor off or on; False for the last one that is on."""
        name = self.cursor
        if name is None:
            return False
        changed = self.left_out ^ {name}
        if not set(self._names) - changed:
            return False
        self.left_out, self._rest = changed, None
        return True

    @property
    def is_split(self) -> bool:
        """Whether venues can be left out without asking the source."""
        return self._book is not None and is_split(self._book)

    def move(self, step: int) -> None:
        """The cursor to the next venue down (1) or up (-1)."""
        if not self._names:
            return
        at = self._names.index(self.cursor) + step if self.cursor in self._names else 0
        self.cursor = self._names[min(max(at, 0), len(self._names) - 1)]

    def point(self, x: int, y: int) -> None:
        """Put the cursor on the venue of a row."""
        if 1 <= y <= len(self._shown):
            self.cursor = self._shown[y - 1]

    def centre(self) -> None:
        """To the first venue."""
        self.cursor = self._names[0] if self._names else None

    def zoom(self, direction: int) -> None:
        """A list has one size."""

    def regroup(self, direction: int) -> None:
        """A list has no prices to group."""

    def shift(self, step: int) -> None:
        """Nothing lies beside a venue."""

    def facts(self) -> list[str]:
        """What the heading says of it."""
        return ["venues"]

    def rows(self, width: int, height: int, look: Look, stale: str = "") -> list[Line]:
        """Column names, a row for each venue, and below them what the figures mean."""
        if self._book is None:
            return []
        found = parts(self._book)
        self._names = list(dict.fromkeys((*self.letters, *found, *self._book.missing_venues, *sorted(self.left_out))))
        if self.cursor not in self._names:
            self.centre()
        self._shown = self._in_sight(max(height - 1, 1))
        columns = self._columns(width, found)
        lines = [self._header(columns, look)]
        lines += [self._row(name, found.get(name, VenuePart()), columns, width, look, stale) for name in self._shown]
        notes = wrap(SPLIT if self.is_split else ADDED_UP, max(width - 2, 1))
        if len(lines) + 1 + len(notes) <= height:
            lines += [Line(), *(Line().add(f" {note}", look.palette.muted) for note in notes)]
        return lines + [Line() for _ in range(height - len(lines))]

    def _in_sight(self, room: int) -> list[str]:
        at = self._names.index(self.cursor) if self.cursor in self._names else 0
        first = min(max(at - room // 2, 0), max(len(self._names) - room, 0))
        return self._names[first : first + room]

    def _columns(self, width: int, found: Mapping[str, VenuePart]) -> dict[str, int]:
        """Widths of the columns that fit: name and prices before share and the word for the state."""
        name = min(max([5, *map(len, self._names)]), MAX_NAME)
        price = max(
            [8, *(len(self._price(p)) for part in found.values() for p in (part.bid, part.ask) if p is not None)]
        )
        columns, room = {"name": name}, width - 5 - name
        for column, cells in (("bid", price), ("ask", price), ("share", 4 if width < 44 else 6), ("state", 9)):
            if cells + 1 <= room:
                columns[column], room = cells, room - cells - 1
        return columns

    def _header(self, columns: Mapping[str, int], look: Look) -> Line:
        muted = look.palette.muted
        line = Line().add(" " * 5).left("venue", columns["name"], muted)
        if "state" in columns:
            line.add(" ").left("state", columns["state"], muted)
        if "share" in columns:
            name = "size" if self.is_split else "levels"
            line.add(" ").right(name if len(name) <= columns["share"] else "lv", columns["share"], muted)
        for side in ("bid", "ask"):
            if side in columns:
                line.add(" ").right(f"best {side}", columns[side], muted)
        return line

    def _row(self, name: str, part: VenuePart, columns: Mapping[str, int], width: int, look: Look, stale: str) -> Line:
        palette, state = look.palette, self._state(name, part, stale)
        is_here = name == self.cursor
        row = look.fill("selection") if is_here else Style()
        ink = palette.style(state.role)
        line = Line().add(CURSOR if is_here else " ", palette.accent + row).add(state.sign, ink + row)
        line.add(f" {self.letters.get(name, ' ')} ", look.text + row)
        figures = look.text if state in (LIVE, DOUBTED, LEAVING) else palette.muted
        line.left(name, columns["name"], figures + row)
        if "state" in columns:
            line.add(" ", row).left(state.word, columns["state"], ink + row)
        if "share" in columns:
            share = fmt.UNKNOWN if part.share is None or not part.levels else _percent(part.share)
            line.add(" ", row).right(share, columns["share"], figures + row)
        line.extend(self._best("bid", part.bid, columns, look, row))
        line.extend(self._best("ask", part.ask, columns, look, row))
        return line.to(width, row)

    def _best(self, side: BookSide, price: Decimal | None, columns: Mapping[str, int], look: Look, row: Style) -> Line:
        """A venue's best price; strong where no other venue has a better one."""
        if side not in columns:
            return Line()
        top = touch(self._book) if self._book else None
        is_best = top is not None and price is not None and price == (top.bid if side == "bid" else top.ask)
        return Line().add(" ", row).right(self._price(price), columns[side], look.figure(side, strong=is_best) + row)

    def _state(self, name: str, part: VenuePart, stale: str) -> State:
        assert self._book is not None
        takes_part = name in self._book.venues or bool(part.levels)
        if name in self.left_out:
            return OFF if self.is_split or not takes_part else LEAVING
        if stale:
            return OLD
        if name in self._book.missing_venues:
            return MISSING
        if not takes_part:
            return SILENT if self.is_split else JOINING
        if name in self.suspects:
            return DOUBTED
        return LIVE if part.levels else SILENT

    def _price(self, price: Decimal | None) -> str:
        return fmt.price(price, self.decimals)


def _percent(share: Decimal) -> str:
    return f"{share * 100:.0f}%" if share == 0 or share >= Decimal("0.005") else "<1%"
