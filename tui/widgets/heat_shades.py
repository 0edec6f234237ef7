"""How strong the sizes of a heatmap's columns are drawn. Worked out once a column, and steady over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui.market.heat import HeatColumn
from tui.widgets.axis import PriceScale
from tui.widgets.heat_ink import HeatInk, thresholds
from tui.widgets.heatmap import Shaded, shaded, sizes_of
from tui.widgets.ladder import Look

FULL_QUANTILE: Final = 0.97
"""The strongest shade stands for sizes from this quantile on: a few walls do not make all the rest faint."""
_STEADY: Final = (0.6, 1.6)
"""The quantile may move between these parts of what the shades were made for before they are made anew."""
_SAMPLE: Final = 24
_CACHED: Final = 400


class HeatShades:
    """The shades of one picture.

    Attributes:
        full: The size that has the strongest shade.
        ink: Colours or characters.
    """

    def __init__(self) -> None:
        self.full = 0.0
        self.ink: HeatInk | None = None
        self._scale: PriceScale | None = None
        self._sizes: dict[int, tuple[HeatColumn, list[float]]] = {}
        self._shades: dict[int, tuple[HeatColumn, list[int]]] = {}

    def inked(self, look: Look) -> HeatInk:
        """The ink of a look."""
        is_plain = look.sign[0] != " "
        if self.ink is None or self.ink.palette is not look.palette or self.ink.plain != is_plain:
            self.ink, self._scale = HeatInk(look.palette, is_plain), None
        return self.ink

    def of(self, columns: Sequence[HeatColumn | None], scale: PriceScale, look: Look) -> list[Shaded]:
        """The halves of each column from the top, None for a gap."""
        ink = self.inked(look)
        if scale != self._scale or len(self._sizes) > _CACHED:
            self._scale = scale
            self._sizes.clear()
            self._shades.clear()
        for column in columns:
            if column and self._sizes.get(column.second, (None, ()))[0] is not column:
                self._sizes[column.second] = column, sizes_of(column, scale, ink.plain)
        self._rescale({column.second for column in columns if column})
        least = thresholds(self.full)
        return [self._column(column, scale, least) if column else None for column in columns]

    def _column(self, column: HeatColumn, scale: PriceScale, least: Sequence[float]) -> list[int]:
        known = self._shades.get(column.second)
        if known is None or known[0] is not column:
            halves = shaded(column, self._sizes[column.second][1], scale, least)
            known = self._shades[column.second] = column, halves
        return known[1]

    def _rescale(self, seconds: set[int]) -> None:
        """Suit the shades to the sizes that show, when these have left the range of the present ones."""
        every = len(seconds) // _SAMPLE + 1
        sample = sorted(seconds)[::every]
        sizes = sorted(size for second in sample for size in self._sizes[second][1] if size > 0)
        if not sizes:
            return
        target = sizes[int(FULL_QUANTILE * (len(sizes) - 1))]
        if not self.full * _STEADY[0] <= target <= self.full * _STEADY[1]:
            self.full = target
            self._shades.clear()
