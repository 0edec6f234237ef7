"""A column of sizes: one unit and one decimal count for all of it, so that the decimal points stand in line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import median_low
from typing import Final

from tui.market import format as fmt
from tui.market.book import BASIS_POINTS

MAX_DECIMALS: Final = 8
MAX_WIDTH: Final = 12
MAX_TEXTS: Final = 1000
"""Figures remembered as text: each is asked for twice a frame, and most of them in the next one, too."""
_DRIFT: Final = 6
_UNITS: Final = ((10**12, 10**12, "T"), (10**9, 10**9, "B"), (10**6, 10**6, "M"), (10**4, 1000, "k"))


@dataclass(slots=True, eq=False)
class SizeColumn:
    """How the figures of a column are written. Steady: it changes only when the figures left its range, and only grows.

    Attributes:
        digits: Significant figures that the figure in the middle gets.
        leader: A column whose unit this one shares, and whose decimals it does not exceed.
        width: Cells of the widest figure so far.
    """

    digits: int = 3
    leader: SizeColumn | None = None
    width: int = 0
    decimals: int = 0
    scale: int = 1
    unit: str = ""
    _typical: Decimal | None = None
    _texts: dict[Decimal, str] = field(default_factory=dict)

    def fit(self, values: Sequence[Decimal]) -> None:
        """Suit the figures that will be shown."""
        known = [value for value in values if value > 0]
        if known:
            typical, basis = median_low(known), self._typical
            is_led_away = self.leader is not None and self.leader.unit != self.unit
            if basis is None or is_led_away or not basis / _DRIFT <= typical <= basis * _DRIFT:
                self._settle(typical)
        self.width = max([self.width, *(len(self.text(value)) for value in values)])

    def text(self, value: Decimal) -> str:
        """A figure as the column writes it; what would round to nothing is `<0.01`, not 0."""
        known = self._texts.get(value)
        if known is None:
            if len(self._texts) >= MAX_TEXTS:
                self._texts.clear()
            known = self._texts[value] = self._write(value)
        return known

    def _write(self, value: Decimal) -> str:
        text = f"{value / self.scale:,.{self.decimals}f}{self.unit}"
        if value > 0 and not text.strip("0.,kMBT"):
            least = Decimal(1).scaleb(-self.decimals)
            return f"<{least:f}{self.unit}"
        return text if len(text) <= MAX_WIDTH else fmt.compact(value)

    def _settle(self, typical: Decimal) -> None:
        self._typical = typical
        self._texts.clear()
        self.scale, self.unit = next(((scale, unit) for least, scale, unit in _UNITS if typical >= least), (1, ""))
        most = MAX_DECIMALS
        if self.leader is not None:
            self.scale, self.unit, most = self.leader.scale, self.leader.unit, self.leader.decimals
        self.decimals = min(max(0, self.digits - 1 - (typical / self.scale).adjusted()), most)


def points(value: Decimal | None, sign: str = "") -> str:
    """Basis points with about three significant figures.

    Args:
        value: None where it is not known.
        sign: `+` to show the sign of what is positive, too.
    """
    if value is None or abs(value) >= 10**6:
        return fmt.UNKNOWN
    decimals = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:{sign},.{decimals}f}"


def distance(price: Decimal, mid: Decimal | None) -> str:
    """How far a price is from the mid, in basis points with their sign."""
    return points((price - mid) / mid * BASIS_POINTS, sign="+") if mid else fmt.UNKNOWN
