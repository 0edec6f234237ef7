"""From a book to the rows of a ladder: what is shown of it, in which figures, with which bars.

A view belongs to one symbol at one price step. It is steady: widths only grow, decimals and scales move only when the
figures left their range, so that nothing jumps from frame to frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import sqrt
from statistics import median_low
from typing import TYPE_CHECKING, Final

from tui.market import book as arithmetic
from tui.market import format as fmt
from tui.market.book import BookSide, Touch
from tui.market.terms import Level as BookLevel
from tui.market.venues import Place, split
from tui.market.walls import WallNote, WallWatch
from tui.widgets import ladder
from tui.widgets.figures import SizeColumn, distance
from tui.widgets.ladder import Columns, Level, Look
from tui.widgets.ladder_foot import Standing, cursor_rows, is_fading, note_rows
from tui.widgets.ladder_row import LevelRows
from tui.widgets.ladder_window import Sides, Window
from tui.widgets.lines import Line, message
from tui.widgets.mid_figures import MidFigures
from tui.widgets.midrow import Mid, mid_row

if TYPE_CHECKING:
    from tui.market.events import BookSnapshot

CAP: Final = 6
"""A size bar is full at so many times the size in the middle: walls are marked, the others stay comparable ..."""
STAIRS: Final = 4
"""... and at least at this part of the depth in sight, or the size bars would hide the staircase."""


@dataclass(eq=False)
class LadderView:
    """The ladder of one symbol.

    Attributes:
        limit: Levels a side; None for all.
        is_root: Bars grow with the square root of what they stand for: walls leave the others room.
        decimals: Of the instrument's prices.
        currency: In which value is told, or empty.
        step: Price step levels are grouped by; None for the book's own prices.
        window: Which part is on the screen.
        letters: The venues' marks.
        taken: How far the size whose cost is asked for reaches: worst prices by side.
        now_ns: The present, for what is noted for a moment.
        fits: Levels a side that the rows have room for.
        depth: Levels of the longer side.
    """

    limit: int | None = None
    is_root: bool = False
    decimals: int = 2
    currency: str = ""
    step: Decimal | None = None
    window: Window = field(default_factory=Window)
    letters: dict[str, str] = field(default_factory=dict)
    taken: Mapping[BookSide, Decimal] = field(default_factory=dict)
    now_ns: int = 0
    fits: int = 1
    depth: int = 0
    _span: int = 1
    _header: int = 0
    _places: list[int] = field(default_factory=list)
    _sizes: SizeColumn = field(init=False)
    _sums: SizeColumn = field(init=False)
    _widths: dict[str, int] = field(default_factory=dict)
    _scales: dict[str, Decimal] = field(default_factory=dict)
    _book: BookSnapshot | None = None
    _tick: Decimal | None = None
    _sides: Sides = field(default_factory=lambda: Sides((), ()))
    _cumulative: dict[BookSide, list[Decimal]] = field(default_factory=dict)
    _parts: dict[Place, dict[str, Decimal]] = field(default_factory=dict)
    _figures: MidFigures = field(default_factory=MidFigures)
    _walls: WallWatch = field(default_factory=WallWatch)
    _news: set[Place] = field(default_factory=set)
    _drawn: LevelRows | None = None

    def __post_init__(self) -> None:
        self._forget_figures()

    def show(self, book: BookSnapshot, tick: Decimal | None = None) -> None:
        """Take a book, and the finest price step seen in it if that is known."""
        if book is self._book:
            return
        self._book = book
        tick = tick or arithmetic.learn_tick(book)
        self._tick = min(tick, self._tick or tick)
        self._read(book)
        self._figures.show(book)
        held_by = dict.fromkeys(
            level[2] for side in (book.bids, book.asks) for level in side
        )  # few, and often the same
        venues = [*book.venues, *book.missing_venues, *(venue for venues in held_by for venue in venues)]
        if any(venue not in self.letters for venue in venues):
            self.letters = ladder.letter_marks(venues, self.letters)

    def regroup(self, direction: int) -> None:
        """The next coarser (1) or finer (-1) price step; the finest is the book's own prices."""
        best = arithmetic.touch(self._book) if self._book else None
        price = best and (best.mid or best.bid or best.ask)
        if not price or not self._tick:
            return
        steps = arithmetic.grouping_steps(price, self._tick)
        present = self.step or self._tick
        further = [step for step in steps if (step - present) * direction > 0]
        if further:
            step = further[0] if direction > 0 else further[-1]
            self.group_by(step if step > self._tick else None)

    def group_by(self, step: Decimal | None) -> None:
        """Another price step: other sizes, so widths and scales start anew."""
        self.step = step
        self._walls.forget()
        self._forget_figures()

    def limit_to(self, levels: int | None) -> None:
        """Show at most so many levels a side."""
        self.limit = levels
        self._forget_figures()

    def rescale(self) -> None:
        """Linear bars, or bars by the square root."""
        self.is_root = not self.is_root
        self._scales.clear()

    @property
    def suspects(self) -> tuple[str, ...]:
        """Venues that cross others and may only be stale."""
        return self._figures.suspects

    def zoom(self, direction: int) -> None:
        """One level a side more (1) or fewer (-1); from all that fit on, there is no limit."""
        if self.reach:
            levels = (self.limit or self.reach) + direction
            self.limit_to(None if levels >= self.reach else max(1, levels))

    def move(self, step: int) -> None:
        """Move the cursor."""
        self.window.move(self._sides, step, self._span)

    def shift(self, step: int) -> None:
        """Nothing lies beside a level."""

    def point(self, x: int, y: int) -> None:
        """Put the cursor on the level of a screen row, counted from the first row of `rows`."""
        row = y - self._header
        if 0 <= row < len(self._places):
            self.window.point(self._sides, self._places[row], row)

    def centre(self) -> None:
        """Back to the best prices."""
        self.window.centre()

    def facts(self) -> list[str]:
        """What the heading says of it: price step, levels, bars."""
        facts = [] if self.step is None else [f"step {self.step.normalize():,f}"]
        facts += [] if self.limit is None else [f"{self.limit} level{'s' * (self.limit != 1)}"]
        return [*facts, "√ bars"] if self.is_root else facts

    def news(self) -> list[tuple[WallNote, bool]]:
        """All that time alone changes about the rows: walls that came or went, and whether that is fading."""
        return [(note, is_fading(note, self.now_ns)) for note in self._walls.recent(self.now_ns)]

    @property
    def reach(self) -> int:
        """Levels a side that can be seen without scrolling."""
        return min(self.fits, self.depth)

    def _forget_figures(self) -> None:
        self._sizes = SizeColumn()
        self._sums = SizeColumn(digits=4, leader=self._sizes)
        self._scales.clear()
        self._widths.clear()
        self._figures.forget()
        if self._book:
            self._read(self._book)

    def _read(self, book: BookSnapshot) -> None:
        bids, asks = book.bids, book.asks
        grouped: tuple[Sequence[BookLevel], Sequence[BookLevel]] = (bids, asks)
        if self.step is not None:
            grouped = arithmetic.group(bids, self.step, "bid"), arithmetic.group(asks, self.step, "ask")
        self.depth = max(len(grouped[0]), len(grouped[1]))
        self._walls.look(*grouped, book.ts_recv_ns)
        self._parts = self._split(book)
        self._sides = Sides(grouped[0][: self.limit], grouped[1][: self.limit])
        self._cumulative = {
            "bid": arithmetic.cumulative(self._sides.bids),
            "ask": arithmetic.cumulative(self._sides.asks),
        }

    def _split(self, book: BookSnapshot) -> dict[Place, dict[str, Decimal]]:
        """How much of each shown level is whose, as far as the source says."""
        found = split(book) if book.bests else {}
        if self.step is None:
            return found
        merged: dict[Place, dict[str, Decimal]] = {}
        for (side, price), sizes in found.items():
            into = merged.setdefault((side, arithmetic.grouped_price(price, self.step, side)), {})
            for venue, size in sizes.items():
                into[venue] = into.get(venue, Decimal()) + size
        return merged

    def rows(self, width: int, height: int, look: Look, stale: str = "") -> list[Line]:
        """Column names, asks, the mid row, bids, and below them the cursor's figures or whose mark is which.

        Args:
            width: Cells.
            height: Rows.
            look: Styles.
            stale: How old the book is, in words, when it is not live.
        """
        if self._book is None:
            return []
        self._header = header = int(height >= 9)
        footer = 0 if height < 9 else 1 if height < (16 if width < 72 else 24) else 2
        self._span = max(1, height - header - footer)
        self.fits = max(1, self._span // 2)
        self._places = places = self.window.places(self._sides, self._span)
        found = {place: (level, self._sum(place)) for place in places if (level := self._sides.at(place))}
        self._fit([size for (_, size, _), _ in found.values()], [total for _, total in found.values()])
        self._news = {(note.side, note.price) for note in self._walls.recent(self.now_ns)}
        best = self._mid_figures.best
        columns = self._columns(width)
        if columns.zone < 1:
            return message(["Too narrow for a price."], width, height, look.palette.muted)
        drawn = self._drawn
        if drawn is None or not drawn.suits(columns, look, self.letters):
            drawn = self._drawn = LevelRows(columns, look, self.letters)
        lines = [ladder.header_row(columns, look)] if header else []
        for place in places:
            if place == 0:
                lines.append(self._middle(columns, look, stale))
            elif place in found:
                lines.append(drawn.row(self._level(place, *found[place], best, has_distance=columns.distance > 0)))
            else:
                lines.append(Line())
        return lines + self._footer(width, footer, best, look)

    def _fit(self, sizes: Sequence[Decimal], sums: Sequence[Decimal]) -> None:
        """Suit columns and scales to the levels in sight."""
        if not sizes:
            return
        self._sizes.fit(sizes)
        self._sums.fit(sums)
        self._rescale("sum", max(sums))
        full = max(sizes) if self.is_root else median_low(sizes) * CAP
        self._rescale("size", max(full, max(sums) / STAIRS))

    def _rescale(self, name: str, value: Decimal) -> None:
        present = self._scales.get(name, Decimal())
        if not present * Decimal("0.55") <= value <= present:
            self._scales[name] = value * Decimal("1.1")

    def _sum(self, place: int) -> Decimal:
        return self._cumulative["bid" if place > 0 else "ask"][abs(place) - 1]

    def _columns(self, width: int) -> Columns:
        edges = [side[index][0] for side in (self._sides.bids, self._sides.asks) if side for index in (0, -1)]
        widest = max([len(self._price(price)) for price in edges], default=1)
        mid = len(self._mid_figures.text())
        pad = self.decimals + 1 - self._price_decimals + (self._price_decimals == 0)
        price = self._width("price", max(widest, mid - pad))
        return ladder.arrange(
            width,
            cumulative=max(3, self._sums.width),
            size=max(4, self._sizes.width),
            price=price,
            pad=pad,
            marks=ladder.marks_width(len(self.letters)),
            distance=6 if width >= 56 else 0,
        )

    def _middle(self, columns: Columns, look: Look, stale: str) -> Line:
        shown = set(self._places)
        beyond = " " if shown & {1, -1} or len(shown) == 1 else "↑" if max(shown) > 0 else "↓"
        return mid_row(self._mid(stale)._replace(beyond=beyond), columns, look)

    def _level(self, place: int, level: BookLevel, total: Decimal, best: Touch, *, has_distance: bool) -> Level:
        price, size, venues = level
        side: BookSide = "bid" if place > 0 else "ask"
        full, window = self._scales["size"], self.window
        return Level(
            side=side,
            price=self._price(price),
            size=self._sizes.text(size),
            cumulative=self._sums.text(total),
            distance=distance(price, best.mid) if has_distance else "",
            size_share=self._share(size, full),
            depth_share=self._share(total, self._scales["sum"]),
            held_by=venues,
            parts=self._parts_of(side, price, size) if self._parts else (),
            is_capped=size > full,
            is_wall=price in self._walls.present[side],
            is_news=bool(self._news) and (side, price) in self._news,
            is_taken=bool(self.taken) and self._is_taken(side, price),
            crosses=best.is_crossed and _is_beyond(side, price, best),
            is_best=place in (-1, 1),
            is_cursor=window.price is not None and price == window.price and side == window.side,
        )

    def _parts_of(self, side: BookSide, price: Decimal, size: Decimal) -> list[tuple[str, float]]:
        """Shares of a level's size in the order of the marks."""
        sizes = self._parts.get((side, price), {})
        return [(venue, float(sizes[venue] / size)) for venue in self.letters if venue in sizes]

    def _is_taken(self, side: BookSide, price: Decimal) -> bool:
        worst = self.taken.get(side)
        if worst is None:
            return False
        worst = worst if self.step is None else arithmetic.grouped_price(worst, self.step, side)
        return price >= worst if side == "bid" else price <= worst

    def _share(self, value: Decimal, full: Decimal) -> float:
        share = float(value) / float(full) if full else 0.0
        return sqrt(share) if self.is_root else share

    def mid(self, stale: str, share: float | None) -> Mid:
        """The figures of the mid row with another share: that of the sizes another view shows."""
        return self._mid_figures.mid(stale, share)

    @property
    def _mid_figures(self) -> MidFigures:
        self._figures.decimals, self._figures.letters = self.decimals, self.letters
        return self._figures

    def _mid(self, stale: str) -> Mid:
        in_sight = [side[: self.limit or self.fits] for side in (self._sides.bids, self._sides.asks)]
        return self._mid_figures.mid(stale, arithmetic.bid_share(*in_sight))

    def _footer(self, width: int, height: int, best: Touch, look: Look) -> list[Line]:
        """The cursor's figures, else whose mark is which; for a moment, walls that came or went in place of marks."""
        if not height:
            return []
        missing = self._book.missing_venues if self._book else ()
        notes = note_rows(self._walls.recent(self.now_ns), self.now_ns, self._price, width, look)
        lines = self._cursor_rows(width, height, best, look)
        if not lines and (room := height - len(notes)):
            lines = ladder.legend_rows(self.letters, missing, width, room, look)
        lines = (lines + notes)[:height]
        return lines + [Line() for _ in range(height - len(lines))]

    def _cursor_rows(self, width: int, height: int, best: Touch, look: Look) -> list[Line]:
        price, side, book = self.window.price, self.window.side, self._book
        place = None if price is None else self._sides.find(side, price)
        level = None if place is None else self._sides.at(place)
        if price is None or level is None or book is None:
            return []
        size, value = arithmetic.within(book.bids if side == "bid" else book.asks, price, side)
        standing = Standing(side, price, size, value, self.currency, best.mid, level[2])
        return cursor_rows(standing, self._price, width, height, look)

    @property
    def _price_decimals(self) -> int:
        if self.step is None:
            return self.decimals
        exponent = self.step.normalize().as_tuple().exponent
        return max(0, -exponent) if isinstance(exponent, int) else 0

    def _price(self, price: Decimal) -> str:
        return fmt.price(price, self._price_decimals)

    def _width(self, name: str, cells: int) -> int:
        self._widths[name] = max(self._widths.get(name, 0), cells)
        return self._widths[name]


def _is_beyond(side: BookSide, price: Decimal, best: Touch) -> bool:
    """Whether a price stands on or beyond the other side's best one."""
    if side == "bid":
        return best.ask is not None and price >= best.ask
    return best.bid is not None and price <= best.bid
