"""Writes the cells of a row that changed, instead of the row: over a slow line it is the bytes that count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

from rich.console import Console
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.drawn import Drawn
from tui.widgets.row_strip import RowStrip

HEAL_NS: Final = 10_000_000_000
"""So long what was written is taken for what is there: a message of the system may have been written across it."""

Shown = dict[tuple[int, int], RowStrip]
"""The newest row that was written, by where it begins: column, line."""


class Part(NamedTuple):
    """A part of a line on the screen: its first column, the one after its last, and whose row it is."""

    start: int
    end: int
    widget: Drawn
    row: int


class Piece(NamedTuple):
    """What to write: where it begins, and how many cells of which strip."""

    x: int
    y: int
    strip: Strip
    width: int


class Retouching(Compositor):
    """Textual's compositor, which remembers what it has written.

    It is the only one that writes while its screen is on top. When anything was arranged anew, or the whole screen is
    written, it begins to remember anew.

    Where widgets that draw their own rows lie side by side, it asks them for these rows: Textual would cut up and
    put together the whole screen for each change, because anything may lie on anything.

    Args:
        now_ns: Any clock.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        super().__init__()
        self._now_ns = now_ns
        self._shown: Shown = {}
        self._arranged: list[list[int]] = []
        self._parts: list[Sequence[Part]] = []
        self._began_ns = 0

    def render_full_update(self, simplify: bool = False) -> Any:
        """All rows, and everything that lies on them."""
        self._shown.clear()
        return super().render_full_update(simplify)

    def render_partial_update(self) -> Retouch | None:  # type: ignore[override]  # made of pieces, not of chops
        """Rows that changed."""
        if not self._dirty_regions:
            return None
        cuts, now_ns = self.cuts, self._now_ns()
        if cuts is not self._arranged:
            self._parts = [_side_by_side(y, layer, self.size.width) for y, layer in enumerate(self.layers_visible)]
        if cuts is not self._arranged or not 0 <= now_ns - self._began_ns < HEAL_NS:
            self._shown.clear()
            self._arranged, self._began_ns = cuts, now_ns
        spans = list(self._regions_to_spans(self._dirty_regions))
        if all(self._parts[y] for y, _, _ in spans):
            self._dirty_regions.clear()
            return Retouch(self._rows(spans), self._shown)
        update = super().render_partial_update()
        return Retouch(_pieces(update), self._shown) if update else None

    def _rows(self, spans: Sequence[tuple[int, int, int]]) -> Iterator[Piece]:
        for y, start, end in spans:
            for part in self._parts[y]:
                if part.start < end and part.end > start:
                    width = part.end - part.start
                    yield Piece(part.start, y, part.widget.row(part.row, width), width)


class Retouch(CompositorUpdate):
    """A partial update that leaves out what is on the terminal already.

    Args:
        pieces: What to show.
        shown: What was written last; updated.
    """

    def __init__(self, pieces: Iterable[Piece], shown: Shown) -> None:
        self._pieces, self._shown = pieces, shown

    def render_segments(self, console: Console) -> str:
        """Text and codes for the terminal."""
        written = ((piece, self._written(piece, console)) for piece in self._pieces)
        return "".join(f"\x1b[{piece.y + 1};{piece.x + 1}H{text}" for piece, text in written if text)

    def _written(self, piece: Piece, console: Console) -> str:
        x, y, strip, width = piece
        before = self._shown.pop((x, y), None)
        if isinstance(strip, RowStrip) and width == strip.cell_length:
            self._shown[x, y] = strip
            return strip.render(console) if before is None else strip.since(before, console)
        return strip.crop(0, width).render(console)


def _side_by_side(y: int, layer: Iterable[tuple[Widget, Region, Region]], width: int) -> Sequence[Part]:
    """Whose rows a line of the screen is made of; nothing where it takes more than putting rows side by side.

    Args:
        y: The line.
        layer: What can be seen in it, the foremost first: whose it is, what shows of it, and where it lies.
        width: Of the screen.
    """
    parts: list[Part] = []
    for widget, seen, region in layer:
        if not isinstance(widget, Drawn) or seen != region:
            return ()
        if any(part.start < region.right and region.x < part.end for part in parts):
            return ()
        parts.append(Part(region.x, region.right, widget, y - region.y))
        if sum(part.end - part.start for part in parts) == width:
            return sorted(parts, key=attrgetter("start"))
    return ()


def _pieces(update: ChopsUpdate) -> Iterator[Piece]:
    for y, start, end in update.spans:
        for chop_end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x < end and chop_end > start:
                yield Piece(x, y, strip, min(chop_end, end) - x)
