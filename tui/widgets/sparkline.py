"""A price history in one row of eighth blocks."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

BLOCKS: Final = "▁▂▃▄▅▆▇█"


def sparkline(values: Iterable[float], width: int) -> str:
    """The newest `width` values scaled to their own range, newest on the right; a flat line stays in the middle."""
    shown = list(values)[-width:]
    if not shown:
        return " " * width
    low, high = min(shown), max(shown)
    if low == high:
        return (BLOCKS[3] * len(shown)).rjust(width)
    scale = (len(BLOCKS) - 1) / (high - low)
    return "".join(BLOCKS[int((value - low) * scale + 0.5)] for value in shown).rjust(width)


def range_bar(low: Decimal, high: Decimal, value: Decimal, width: int) -> str:
    """Where a value stands between the day's low and high: `╶──●────╴`."""
    if width < 3 or high <= low:
        return " " * width
    share = min(Decimal(1), max(Decimal(0), (value - low) / (high - low)))
    position = 1 + int(share * (width - 3) + Decimal("0.5"))
    cells = ["─"] * width
    cells[0], cells[-1] = "╶", "╴"
    cells[min(position, width - 2)] = "●"
    return "".join(cells)
