"""Writes the cells of a row that changed, instead of the row: over a slow line it is the bytes that count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from textual._compositor import ChopsUpdate, Compositor
from textual.strip import Strip

from tui.widgets.row_strip import RowStrip

HEAL_NS: Final = 10_000_000_000
"""So long what was written is taken for what is there: a message of the system may have been written across it."""

Shown = dict[tuple[int, int], RowStrip]
"""The newest row that was written, by where it begins: column, line."""


class Retouching(Compositor):
    """Textual's compositor, which remembers what it has written.

    It is the only one that writes while its screen is on top. When anything was arranged anew, or the whole screen is
    written, it begins to remember anew.

    Args:
        now_ns: Any clock.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        super().__init__()
        self._now_ns = now_ns
        self._shown: Shown = {}
        self._arranged: list[list[int]] = []
        self._began_ns = 0

    def render_full_update(self, simplify: bool = False) -> Any:
        """All rows, and everything that lies on them."""
        self._shown.clear()
        return super().render_full_update(simplify)

    def render_partial_update(self) -> ChopsUpdate | None:
        """Rows that changed."""
        update = super().render_partial_update()
        if update is None:
            return None
        cuts, now_ns = self.cuts, self._now_ns()
        if cuts is not self._arranged or not 0 <= now_ns - self._began_ns < HEAL_NS:
            self._shown.clear()
            self._arranged, self._began_ns = cuts, now_ns
        return Retouch(update.chops, update.spans, update.chop_ends, self._shown)


class Retouch(ChopsUpdate):
    """A partial update that leaves out what is on the terminal already.

    Args:
        chops: For each line, pieces of rows by their first column.
        spans: What to write: line, first column, column after the last.
        chop_ends: For each line, the columns after its pieces.
        shown: What was written last; updated.
    """

    def __init__(
        self,
        chops: Sequence[Mapping[int, Strip | None]],
        spans: list[tuple[int, int, int]],
        chop_ends: list[list[int]],
        shown: Shown,
    ) -> None:
        super().__init__(chops, spans, chop_ends)
        self._shown = shown

    def render_segments(self, console: Console) -> str:
        """Text and codes for the terminal."""
        written: list[str] = []
        for y, start, end in self.spans:
            for chop_end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is not None and x < end and chop_end > start:
                    written += self._piece(x, y, strip, min(chop_end, end) - x, console)
        return "".join(written)

    def _piece(self, x: int, y: int, strip: Strip, width: int, console: Console) -> tuple[str, ...]:
        """Cells to write, if any, and where."""
        before = self._shown.pop((x, y), None)
        if isinstance(strip, RowStrip) and width == strip.cell_length:
            self._shown[x, y] = strip
            text = strip.render(console) if before is None else strip.since(before, console)
        else:
            text = strip.crop(0, width).render(console)
        return (f"\x1b[{y + 1};{x + 1}H", text) if text else ()
