"""The row between bids and asks: mid, spread, and the row itself as the gauge of who has more resting."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from rich.style import Style

from tui.widgets.ladder import Columns, Look
from tui.widgets.lines import Line

ARROWS: Final = {1: "▲", -1: "▼", 0: " "}


class Mid(NamedTuple):
    """What the row says; texts already padded to the widths they keep.

    Attributes:
        price: The mid, or the only best price, or empty.
        direction: Sign of its last move.
        word: `crossed`, `locked`, `no bids`, `stale 12s` ..., or empty.
        share: The bids' part of the shown size, 0 to 1; None where it means nothing.
        crossing: Who crosses, longest wording first.
    """

    price: str
    direction: int = 0
    spread: str = ""
    basis_points: str = ""
    word: str = ""
    share: float | None = None
    crossing: Sequence[str] = ()
    is_crossed: bool = False


def mid_row(mid: Mid, columns: Columns, look: Look) -> Line:
    """The row, over the whole width."""
    text, price_at = _compose(mid, columns)
    if mid.is_crossed:
        palette = look.palette
        inverse = Style(color=palette.colors["background"], bgcolor=palette.colors["warning"], bold=True)
        return Line().add(text, inverse)
    if mid.share is None or not look.is_live:
        ink = look.palette.text if look.is_live else look.palette.stale
        return Line().add(text, ink + look.fill("panel"))
    return _gauge(text, price_at, mid, look)


def _gauge(text: str, price_at: tuple[int, int], mid: Mid, look: Look) -> Line:
    """Bids tinted from the left, asks from the right; the mid in the colour of its move."""
    share = mid.share or 0.0
    split = round(share * len(text))
    line = Line()
    edges = sorted({0, split, *price_at, len(text)})
    for start, end in pairwise(edges):
        ink = look.palette.strong if price_at[0] <= start < price_at[1] else look.palette.text
        line.add(text[start:end], ink + look.fill("bid-bar" if start < split else "ask-bar"))
    return line


def _compose(mid: Mid, columns: Columns) -> tuple[str, tuple[int, int]]:
    """The richest wording that fits, exactly as wide as the ladder, and where the price is in it."""
    price = f"{ARROWS[mid.direction]}{mid.price}" if mid.price.strip() else ""
    end = columns.price_end + columns.pad
    start = end - len(price)
    for left, right in _wordings(mid):
        if len(left) + 2 <= start and len(right) + 2 <= columns.width - end + (0 if right else 2):
            head = " " + left.ljust(start - 1)
            text = head + price + right.rjust(columns.width - end - 1)
            return text.ljust(columns.width)[: columns.width], (start, end)
    loose = _loose(mid, price, columns.width)
    at = loose.find(price) if price else 0
    return loose, (at, at + len(price))


def _wordings(mid: Mid) -> list[tuple[str, str]]:
    """What may stand left and right of the mid, richest first."""
    figures = f"{mid.spread}  {mid.basis_points}".strip()
    if mid.is_crossed:
        names = [(f"{mid.word}  {figures}", who) for who in mid.crossing]
        return [*names, *((f"{mid.word} {who}", "") for who in mid.crossing), (f"{mid.word}  {figures}", "")]
    if mid.word:
        return [(f"{mid.word}  {figures}".rstrip(), ""), (mid.word, "")]
    if mid.share is None:
        return [(figures, "")]
    bid, ask = percentages(mid.share)
    return [(f"{bid}  {figures}", ask), (f"{bid}  {figures}", ""), (f"{bid} {mid.spread} {mid.basis_points}", "")]


def _loose(mid: Mid, price: str, width: int) -> str:
    """Parts next to each other, as many as fit, the most important kept longest."""
    share = "" if mid.share is None else percentages(mid.share)[0]
    who = mid.crossing[-1] if mid.crossing else ""
    spread, points = mid.spread, mid.basis_points
    for parts in (
        (mid.word or share, price, spread, points, who),
        (mid.word or share, price, points, who),
        (mid.word or share, price, points),
        (mid.word or share, price),
        (price,),
        (mid.word,),
    ):
        text = " " + " ".join(part for part in parts if part)
        if len(text) <= width:
            return text.ljust(width)
    return " " * width


def percentages(share: float) -> tuple[str, str]:
    """Both parts in whole per cent that add up to a hundred: `bid 58%`, `42% ask`."""
    bid = round(share * 100)
    return f"bid {bid:>2}%", f"{100 - bid:>2}% ask"
