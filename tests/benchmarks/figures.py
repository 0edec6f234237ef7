"""What a benchmark yields, and the table of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One row of the table.

    Attributes:
        what: What is measured.
        limit: What it is held against.
        value: The figure, in `unit`.
        unit: `x` for a ratio against the limit, else `%`, `ms`, `s`, `B`.
        target: At most this; None for a row that only informs.
        detail: The absolute figures behind it, which hold for this machine only.
    """

    what: str
    limit: str
    value: float
    unit: str
    target: float | None = None
    detail: str = ""

    @property
    def verdict(self) -> str:
        """`met`, or by how much the target is missed; empty without a target."""
        if self.target is None:
            return ""
        if self.value <= self.target:
            return "met"
        return f"missed by {self.value / self.target - 1:.0%}" if self.target else "missed"

    def row(self) -> tuple[str, str, str, str, str, str]:
        """The cells of the table."""
        target = "" if self.target is None else f"≤ {_text(self.target, self.unit)}"
        return self.what, self.limit, _text(self.value, self.unit), target, self.verdict, self.detail


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def table(figures: Sequence[Figure]) -> str:
    """A Markdown table, its columns aligned for terminals too."""
    head = ("what", "held against", "measured", "target", "verdict", "on this machine")
    rows = [head, tuple("-" * len(word) for word in head), *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join(lines)


def _text(value: float, unit: str) -> str:
    if unit == "x":
        return f"{value:.2f} x"
    if unit == "B":
        return f"{value:,.0f} B"
    return f"{value:.1f} {unit}" if unit != "s" else f"{value:.2f} s"
