"""From a book to the rows of a ladder: what is shown of it, in which figures, with which bars.

A view belongs to one symbol at one price step. It is steady: widths only grow, decimals and scales move only when the
figures left their range, so that nothing jumps from frame to frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import median_low
from typing import Final

from rich.style import Style

from tui.market import book as arithmetic
from tui.market import format as fmt
from tui.market.book import BASIS_POINTS, BookSide, Touch
from tui.market.events import BookSnapshot
from tui.market.events import Level as BookLevel
from tui.widgets import ladder
from tui.widgets.figures import SizeColumn
from tui.widgets.ladder import Columns, Level, Look
from tui.widgets.ladder_window import Sides, Window
from tui.widgets.lines import Line, message
from tui.widgets.midrow import Mid, mid_row

CAP: Final = 6
"""A size bar is full at so many times the size in the middle: walls are marked, the others stay comparable ..."""
STAIRS: Final = 4
"""... and at least at this part of the depth in sight, or the size bars would hide the staircase."""


@dataclass
class LadderView:
    """The ladder of one symbol.

    Attributes:
        decimals: Of the instrument's prices.
        currency: In which value is told, or empty.
        step: Price step levels are grouped by; None for the book's own prices.
        limit: Levels a side; None for all.
        window: Which part is on the screen.
        letters: The venues' marks.
        fits: Levels a side that the rows have room for.
        depth: Levels of the longer side.
    """

    decimals: int = 2
    currency: str = ""
    step: Decimal | None = None
    limit: int | None = None
    window: Window = field(default_factory=Window)
    letters: dict[str, str] = field(default_factory=dict)
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
    _mid: Decimal | None = None
    _direction: int = 0

    def __post_init__(self) -> None:
        self._forget_figures()

    # --- what changes it ---

    def show(self, book: BookSnapshot) -> None:
        """Take a book."""
        if book is self._book:
            return
        self._book = book
        tick = arithmetic.learn_tick(book)
        self._tick = min(tick, self._tick or tick)
        self._read(book)
        mid = arithmetic.touch(book).mid
        if mid is not None and self._mid is not None and mid != self._mid:
            self._direction = 1 if mid > self._mid else -1
        self._mid = mid if mid is not None else self._mid
        venues = [
            *book.venues,
            *book.missing_venues,
            *(v for side in (book.bids, book.asks) for _, _, vs in side for v in vs),
        ]
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
        self._forget_figures()

    def limit_to(self, levels: int | None) -> None:
        """Show at most so many levels a side."""
        self.limit = levels
        self._forget_figures()

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
        """What the heading says of it: price step, levels."""
        facts = [] if self.step is None else [f"step {self.step.normalize():,f}"]
        return facts if self.limit is None else [*facts, f"{self.limit} level{'s' * (self.limit != 1)}"]

    @property
    def reach(self) -> int:
        """Levels a side that can be seen without scrolling."""
        return min(self.fits, self.depth)

    def _forget_figures(self) -> None:
        self._sizes = SizeColumn()
        self._sums = SizeColumn(digits=4, leader=self._sizes)
        self._scales.clear()
        self._widths.clear()
        if self._book:
            self._read(self._book)

    def _read(self, book: BookSnapshot) -> None:
        bids, asks = book.bids, book.asks
        grouped: tuple[Sequence[BookLevel], Sequence[BookLevel]] = (bids, asks)
        if self.step is not None:
            grouped = arithmetic.group(bids, self.step, "bid"), arithmetic.group(asks, self.step, "ask")
        self.depth = max(len(grouped[0]), len(grouped[1]))
        self._sides = Sides(grouped[0][: self.limit], grouped[1][: self.limit])
        self._cumulative = {
            "bid": arithmetic.cumulative(self._sides.bids),
            "ask": arithmetic.cumulative(self._sides.asks),
        }

    # --- the rows ---

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
        footer = 0 if height < 9 else 1 if height < 16 or width >= 72 else 2
        self._span = max(1, height - header - footer)
        self.fits = max(1, self._span // 2)
        self._places = places = self.window.places(self._sides, self._span)
        self._fit(places)
        best = arithmetic.touch(self._book)
        columns = self._columns(width, best)
        if columns.zone < 1:
            return message(["Too narrow for a price."], width, height, look.palette.muted)
        lines = [ladder.header_row(columns, look)] if header else []
        lines += [self._row(place, columns, best, look, stale) for place in places]
        return lines + self._footer(width, footer, best, look)

    def _fit(self, places: Sequence[int]) -> None:
        """Suit columns and scales to the levels in sight."""
        levels = [level for place in places if place and (level := self._sides.at(place))]
        sums = [self._sum(place) for place in places if place and self._sides.at(place)]
        if not levels:
            return
        sizes = [size for _, size, _ in levels]
        self._sizes.fit(sizes)
        self._sums.fit(sums)
        self._rescale("sum", max(sums))
        self._rescale("size", max(median_low(sizes) * CAP, max(sums) / STAIRS))

    def _rescale(self, name: str, value: Decimal) -> None:
        present = self._scales.get(name, Decimal())
        if not present * Decimal("0.55") <= value <= present:
            self._scales[name] = value * Decimal("1.1")

    def _sum(self, place: int) -> Decimal:
        return self._cumulative["bid" if place > 0 else "ask"][abs(place) - 1]

    def _columns(self, width: int, best: Touch) -> Columns:
        edges = [side[index][0] for side in (self._sides.bids, self._sides.asks) if side for index in (0, -1)]
        widest = max([len(self._price(price)) for price in edges], default=1)
        mid = len(self._mid_text(best))
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

    def _row(self, place: int, columns: Columns, best: Touch, look: Look, stale: str) -> Line:
        if place == 0:
            shown = set(self._places)
            beyond = " " if shown & {1, -1} or len(shown) == 1 else "↑" if max(shown) > 0 else "↓"
            return mid_row(self._mid_figures(best, stale)._replace(beyond=beyond), columns, look)
        found = self._sides.at(place)
        if found is None:
            return Line()
        price, size, venues = found
        side: BookSide = "bid" if place > 0 else "ask"
        other = best.ask if side == "bid" else best.bid
        level = Level(
            side=side,
            price=self._price(price),
            size=self._sizes.text(size),
            cumulative=self._sums.text(self._sum(place)),
            distance=_distance(price, best.mid),
            size_share=_share(size, self._scales["size"]),
            depth_share=_share(self._sum(place), self._scales["sum"]),
            held_by=venues,
            is_capped=size > self._scales["size"],
            crosses=other is not None and best.is_crossed and (price >= other if side == "bid" else price <= other),
            is_best=abs(place) == 1,
            is_cursor=price == self.window.price and side == self.window.side,
        )
        return ladder.level_row(level, columns, look, self.letters)

    # --- the mid row ---

    def mid(self, stale: str, share: float | None) -> Mid:
        """The figures of the mid row with another share: that of the sizes another view shows."""
        best = arithmetic.touch(self._book) if self._book else Touch(None, None, None, None, None)
        mid = self._mid_figures(best, stale)
        return mid._replace(share=share if mid.share is not None else None)

    def _mid_figures(self, best: Touch, stale: str) -> Mid:
        if best.spread is None:
            word = "no asks" if best.ask is None else "no bids"
            return Mid("", word=f"{stale}, {word}" if stale else word)
        spread = fmt.price(best.spread, self.decimals)
        points = "locked" if best.is_locked else f"{_points(best.spread_bp)}bp"
        if not best.is_crossed:  # a crossed row has its own wording; its signs must not widen the usual one for good
            spread, points = self._padded("spread", spread, 4), self._padded("bp", points, 6)
        word = stale or ("crossed" if best.is_crossed else "")
        in_sight = [side[: self.limit or self.fits] for side in (self._sides.bids, self._sides.asks)]
        return Mid(
            self._mid_text(best),
            0 if stale else self._direction,
            spread,
            points,
            word,
            None if stale else arithmetic.bid_share(*in_sight),
            self._crossing() if best.is_crossed else (),
            best.is_crossed and not stale,
        )

    def _mid_text(self, best: Touch) -> str:
        price = best.mid if best.mid is not None else best.bid if best.bid is not None else best.ask
        return fmt.price(price, self.decimals + 1)

    def _crossing(self) -> list[str]:
        """Who bids at or above whose asks: by name, then by mark."""
        assert self._book is not None
        buyers, sellers = arithmetic.crossing_venues(self._book)
        if not buyers or not sellers:
            return []
        marks = ["".join(self.letters.get(v, "?") for v in venues) for venues in (buyers, sellers)]
        return [f"{' '.join(buyers)} > {' '.join(sellers)}", f"{marks[0]} > {marks[1]}", f"{marks[0]}>{marks[1]}"]

    # --- below the ladder ---

    def _footer(self, width: int, height: int, best: Touch, look: Look) -> list[Line]:
        if not height:
            return []
        missing = self._book.missing_venues if self._book else ()
        lines = self._cursor_lines(width, height, best, look) if self.window.price is not None else None
        lines = lines or ladder.legend_rows(self.letters, missing, width, height, look)
        return lines + [Line() for _ in range(height - len(lines))]

    def _cursor_lines(self, width: int, height: int, best: Touch, look: Look) -> list[Line]:
        """What rests up to the cursor's price: size, value, distance from the mid, and who holds the level."""
        price, side, book = self.window.price, self.window.side, self._book
        place = None if price is None else self._sides.find(side, price)
        level = None if place is None else self._sides.at(place)
        if price is None or level is None or book is None:
            return []
        size, value = arithmetic.within(book.bids if side == "bid" else book.asks, price, side)
        muted = look.palette.muted
        facts = [
            [(f"{side} ", look.figure(side)), (self._price(price), look.figure(side, strong=True))],
            [("cum ", muted), (fmt.size(size), look.text)],
            [(fmt.compact(value), look.text), (f" {self.currency}".rstrip(), muted)],
            [(_distance(price, best.mid), look.text), (" bp", muted)],
        ]
        lines = _flow(facts, width, height)
        if names := " ".join(level[2]):
            lines[-1].add("  ").left(names, min(len(names), width - lines[-1].width), muted)
        return lines

    # --- figures ---

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

    def _padded(self, name: str, text: str, least: int) -> str:
        return text.rjust(self._width(name, max(least, len(text))))


def _flow(facts: Sequence[Sequence[tuple[str, Style]]], width: int, height: int) -> list[Line]:
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


def _share(value: Decimal, full: Decimal) -> float:
    return float(value / full) if full else 0.0


def _distance(price: Decimal, mid: Decimal | None) -> str:
    return fmt.UNKNOWN if not mid else f"{_points((price - mid) / mid * BASIS_POINTS, sign='+')}"


def _points(value: Decimal | None, sign: str = "") -> str:
    """Basis points with about three significant figures."""
    if value is None or abs(value) >= 10**6:
        return fmt.UNKNOWN
    decimals = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:{sign},.{decimals}f}"
