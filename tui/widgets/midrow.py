"""The row between bids and asks: mid, spread, and the row itself as the gauge of who has more resting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
        crossing: Who crosses or who may be stale, longest wording first.
        beyond: `↑` or `↓` when the best prices are out of sight that way, else blank.
        is_suspect: It looks crossed, but a venue may only be stale.
    """

    price: str
    direction: int = 0
    spread: str = ""
    basis_points: str = ""
    word: str = ""
    share: float | None = None
    crossing: Sequence[str] = ()
    is_crossed: bool = False
    beyond: str = " "
    is_suspect: bool = False


def mid_row(mid: Mid, columns: Columns, look: Look) -> Line:
    """The row, over the whole width."""
    text, price_at = _compose(mid, columns)
    text = mid.beyond + text[1:]
    if mid.is_crossed:
        palette = look.palette
        inverse = Style(color=palette.colors["background"], bgcolor=palette.colors["warning"], bold=True)
        return Line().add(text, inverse)
    if mid.is_suspect:
        return Line().add(text, look.palette.style("warning", bg="panel", bold=True))
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


class _Wording(NamedTuple):
    """What stands left and right of the mid; in line with the prices above and below, or as close as it gets."""

    left: str
    right: str = ""
    is_in_line: bool = True


def _compose(mid: Mid, columns: Columns) -> tuple[str, tuple[int, int]]:
    """The richest wording that fits, exactly as wide as the ladder, and where the price is in it."""
    price = f"{ARROWS[mid.direction]}{mid.price}" if mid.price else ""
    end = columns.price_end + columns.pad
    start, behind = end - len(price), columns.width - end
    for left, right, is_in_line in _wordings(mid):
        if is_in_line and len(left) + 2 <= start and len(right) + bool(right) <= behind:
            edge = " " * (len(right) + 2 <= behind)
            return f" {left}".ljust(start) + price + f"{right}{edge}".rjust(behind), (start, end)
        loose = " ".join(["", *filter(None, (left, price, right))])
        if not is_in_line and len(loose) <= columns.width:
            at = loose.find(price)
            return loose.ljust(columns.width), (at, at + len(price))
    return price.rjust(columns.width)[: columns.width], (0, columns.width)


def _wordings(mid: Mid) -> Iterator[_Wording]:
    """Richest first. A word comes before figures, who crosses before how far."""
    bid, ask = ("", "") if mid.share is None else percentages(mid.share)
    spread, points = mid.spread, mid.basis_points
    if mid.word or mid.crossing:
        for who in mid.crossing or ("",):
            words = f"{mid.word} {who}".strip()
            for figures in (f"{spread}  {points}", points):
                yield _Wording(f"{mid.word}  {figures}".strip(), who)
                yield _Wording(words, figures)
            yield _Wording(words, points, is_in_line=False)
        words = mid.word or mid.crossing[-1]
        yield _Wording(words)
        yield _Wording(words, is_in_line=False)
        return
    yield _Wording(f"{bid}  {spread}  {points}", ask)
    yield _Wording(f"{bid}  {spread}  {points}")
    yield _Wording(f"{bid}  {spread}", points)
    yield _Wording(bid, f"{spread} {points}", is_in_line=False)
    yield _Wording(bid, points)
    yield _Wording(bid, points, is_in_line=False)
    yield _Wording(bid)
    yield _Wording(bid, is_in_line=False)


def percentages(share: float) -> tuple[str, str]:
    """Both parts in whole per cent that add up to a hundred: `bid 58%`, `42% ask`."""
    bid = round(share * 100)
    return f"bid {bid:>2}%", f"{100 - bid:>2}% ask"
