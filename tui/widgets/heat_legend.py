"""The row above a heatmap: what its shades and lines mean, or what the cursor is on."""

from __future__ import annotations

from decimal import Decimal
from math import floor
from typing import Final

from tui.market import format as fmt
from tui.market.heat import NS, HeatColumn
from tui.widgets.figures import distance
from tui.widgets.heat_ink import PLAIN, SHADES, HeatInk
from tui.widgets.ladder import Look
from tui.widgets.ladder_foot import Fact, flow
from tui.widgets.lines import Line

_PLAIN_SIGNS: Final = {"ask": "▔", "bid": "▁", "mid": "─"}
_SIGN: Final = "▀"


def key_row(ink: HeatInk, full: float, width: int) -> Line:
    """The three lines, and the shades up to the size that has the strongest; shades alone where it is narrow."""
    palette = ink.palette
    lines = Line()
    for name, sign in _PLAIN_SIGNS.items():
        style = palette.style("text" if name == "mid" else name)
        lines.add("  " if lines.width else " ").add(sign if ink.plain else _SIGN, style).add(f" {name}", palette.muted)
    shades = Line().add("0 ", palette.muted)
    if ink.plain:
        shades.add(PLAIN[1:], palette.muted)
    else:
        for shade in range(1, SHADES + 1):
            shades.add(" ", ink.fills[shade])
    shades.add(f" {fmt.size(Decimal(full))}+ ", palette.muted)
    if lines.width + shades.width < width:
        return lines.to(width - shades.width).extend(shades)
    return shades if shades.width <= width else Line()


def told_row(
    column: HeatColumn | None,
    second: int | None,
    bucket: tuple[Decimal, Decimal] | None,
    decimals: int,
    width: int,
    look: Look,
) -> Line:
    """When, at which prices, how much, and how far from the mid of that second.

    Args:
        column: What the cursor is on; None for a gap.
        second: The cursor's time, or None without one.
        bucket: Lower edge and width of the cursor's price bucket; without one the best prices are told.
        decimals: Of prices.
        width: Cells of the row.
        look: Styles.
    """
    facts: list[Fact] = []
    if second is not None:
        facts.append([(fmt.time_of_day(second * NS), look.palette.accent)])
    if column is None:
        facts.append([("no live book", look.palette.warning)])
    elif bucket is None:
        for name, price in (("bid", column.best.bid), ("ask", column.best.ask)):
            facts.append([(f"{name} ", look.palette.style(name)), (fmt.price(price, decimals), look.text)])
    else:
        facts += _bucket_facts(column, *bucket, decimals, look)
    return flow(facts, width, 1)[0]


def _bucket_facts(column: HeatColumn, low: Decimal, step: Decimal, decimals: int, look: Look) -> list[Fact]:
    muted, size = look.palette.muted, column.size(floor(low / step), step)
    return [
        [(f"{fmt.price(low, decimals)}–{fmt.price(low + step, decimals)}", look.palette.strong)],
        [("size ", muted), (fmt.size(size), look.text)],
        [(distance(low + step / 2, column.best.mid), look.text), (" bp", muted)],
    ]
