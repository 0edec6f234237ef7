"""How imbalance and spread went over the last minutes, in one row: a column a second, gaps left free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from statistics import median
from typing import Final

from tui.market.book import BookSide
from tui.market.heat import Summary
from tui.widgets.figures import points
from tui.widgets.ladder import CROSSED, Look
from tui.widgets.lines import Line
from tui.widgets.sparkline import BLOCKS

LEAST_CELLS: Final = 8
MOST_CELLS: Final = 120
_IMBALANCE: Final = 5
_SPREAD: Final = 8
_LABELS: Final = (("imbalance ", "spread "), ("imb ", "spr "))
_GAP: Final = 3


def cells(width: int) -> int:
    """Columns of each of the two sparklines in a row of so many cells; 0 when there is no room for both."""
    room = (width - 2 - _GAP - _IMBALANCE - _SPREAD - 2 - sum(map(len, _labels(width)))) // 2
    return min(room, MOST_CELLS) if room >= LEAST_CELLS else 0


def _labels(width: int) -> tuple[str, str]:
    return _LABELS[0] if width >= 56 else _LABELS[1]


def history_row(columns: Sequence[Summary | None], width: int, look: Look) -> Line:
    """The row.

    Args:
        columns: As many as `cells` says, oldest first; None for a gap.
        width: Cells of the row.
        look: Styles.
    """
    palette, newest = look.palette, columns[-1] if columns else None
    left, right = _labels(width)
    share = newest.imbalance if newest else None
    side: BookSide | None = None if not share else "bid" if share > 0 else "ask"
    line = Line().add(f" {left}", palette.muted).add(imbalances(columns), palette.muted)
    figure = look.figure(side) if side else palette.muted
    line.right("–" if share is None else f"{share:+.2f}", _IMBALANCE + 1, figure)
    line.add(" " * _GAP).add(right, palette.muted).add(spreads(columns), palette.muted)
    spread = newest.best.spread_bp if newest else None
    return line.right(f"{points(spread)}bp" if spread is not None else "–", _SPREAD + 1, look.text)


def imbalances(columns: Sequence[Summary | None]) -> str:
    """From all asks (lowest) to all bids (highest)."""
    return _drawn(columns, lambda column: column.imbalance, -1.0, 1.0)


def spreads(columns: Sequence[Summary | None]) -> str:
    """From 0 to the widest that shows, at least twice the usual one; crossed seconds are marked."""
    known = [float(spread) for column in columns if column and (spread := column.best.spread_bp) is not None]
    row = _drawn(columns, lambda column: column.best.spread_bp, 0.0, max([*known, 2 * median(known)]) if known else 0.0)
    return "".join(CROSSED if c and c.best.is_crossed else char for c, char in zip(columns, row, strict=True))


def _drawn(
    columns: Sequence[Summary | None],
    figure: Callable[[Summary], float | Decimal | None],
    low: float,
    high: float,
) -> str:
    chars = []
    for column in columns:
        value = figure(column) if column else None
        if value is None:
            chars.append(" ")
        else:
            part = (float(value) - low) / (high - low) if high > low else 0.0
            chars.append(BLOCKS[min(max(int(part * len(BLOCKS)), 0), len(BLOCKS) - 1)])
    return "".join(chars)
