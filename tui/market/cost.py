"""What taking a quantity out of a book would cost: pure functions, exact in `Decimal`, without fees.

Quantities are sizes in the base currency (or shares), or values in the quote currency. Only what rests in the book
counts: nothing is assumed beyond its last level.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from tui.market.book import BASIS_POINTS, BookSide, touch
from tui.market.terms import Level, Side

if TYPE_CHECKING:
    from tui.market.events import BookSnapshot

Unit = Literal["base", "quote"]
"""What a quantity counts: the instrument itself, or what is paid for it."""

_AMOUNT: Final = re.compile(r"([0-9]{0,12})(?:\.([0-9]{0,8}))?([km]?)")
_SUFFIXES: Final = {"": Decimal(1), "k": Decimal(1000), "m": Decimal(10**6)}
_STEPS: Final = (1, 2, 5)
_LEAST: Final = Decimal("0.00000001")
_MOST: Final = 5 * Decimal(10) ** 17


class Fill(NamedTuple):
    """What a market order of some quantity would meet in a book as it stands.

    Attributes:
        side: What the taker does; a buyer takes asks.
        size: How much of the base currency is filled.
        value: What that costs or brings, in the quote currency.
        average: value / size; None when nothing is filled.
        worst: Price of the last level touched; None when nothing is filled.
        slippage_bp: How much worse than the mid the average is, in basis points of the mid: positive is worse for the
            taker, negative better (crossed books); None without a mid.
        levels: How many levels are touched.
        venues: Who has a part in them, in the order they are met. Where the source does not split a level between its
            venues, all of them count.
        is_complete: Whether the book has enough.
    """

    side: Side
    size: Decimal
    value: Decimal
    average: Decimal | None
    worst: Decimal | None
    slippage_bp: Decimal | None
    levels: int
    venues: tuple[str, ...]
    is_complete: bool

    @property
    def takes(self) -> BookSide:
        """The side of the book that is eaten."""
        return "ask" if self.side == "buy" else "bid"


def fill(book: BookSnapshot, side: Side, quantity: Decimal, unit: Unit = "base") -> Fill:
    """Take a quantity from the best price outward.

    Exact but for the one division that a value needs at its last level, which is rounded to 28 digits.

    Args:
        book: What rests.
        side: `buy` takes asks, `sell` takes bids.
        quantity: How much, not negative; a value when `unit` is `quote`.
        unit: What the quantity counts.
    """
    levels = book.asks if side == "buy" else book.bids
    size = value = Decimal()
    left, touched = quantity, 0
    venues: dict[str, None] = {}
    for price, resting, names in levels:
        if left <= 0:
            break
        taken, left = _take(price, resting, left, unit)
        size, value, touched = size + taken, value + taken * price, touched + 1
        venues.update(dict.fromkeys(names))
    if left <= 0 and unit == "quote":
        value = quantity  # without the rounding of the division
    average = value / size if size else None
    worst = levels[touched - 1][0] if touched else None
    return Fill(side, size, value, average, worst, _slippage(book, side, average), touched, tuple(venues), left <= 0)


def _take(price: Decimal, resting: Decimal, left: Decimal, unit: Unit) -> tuple[Decimal, Decimal]:
    """What one level gives, and what is left to take after it."""
    if unit == "base":
        return (resting, left - resting) if resting < left else (left, Decimal())
    if price <= 0:  # costs nothing, so no value is ever reached
        return resting, left
    worth = price * resting
    return (resting, left - worth) if worth < left else (left / price, Decimal())


def _slippage(book: BookSnapshot, side: Side, average: Decimal | None) -> Decimal | None:
    mid = touch(book).mid
    if average is None or not mid:
        return None
    return (average - mid if side == "buy" else mid - average) / mid * BASIS_POINTS


def parse_amount(text: str) -> Decimal | None:
    """The quantity that a text names: digits, a point, an ending `k` or `m` (`2.5k` is 2,500); None for no quantity."""
    match = _AMOUNT.fullmatch(text)
    if match is None or not (match[1] or match[2]):
        return None
    return Decimal(f"{match[1] or 0}.{match[2] or 0}") * _SUFFIXES[match[3]]


def can_become_amount(text: str) -> bool:
    """Whether a text is the beginning of a quantity."""
    match = _AMOUNT.fullmatch(text)
    return match is not None and bool(match[1] or match[2] or not match[3])


def amount_text(amount: Decimal) -> str:
    """A quantity as one would type it: `2.5k`, `0.02`."""
    for suffix in ("m", "k"):
        scaled = amount / _SUFFIXES[suffix]
        if amount >= _SUFFIXES[suffix] * 10 or (scaled >= 1 and scaled == scaled.to_integral_value()):
            return f"{scaled.normalize():f}{suffix}"
    return f"{amount.normalize():f}"


def step_amount(amount: Decimal, direction: int) -> Decimal:
    """The next quantity up (1) or down (-1) of the row 1, 2, 5, 10, 20, 50 ..."""
    present = min(max(amount, _LEAST), _MOST)
    power = Decimal(1).scaleb(present.adjusted())
    row = [power / 10 * 5, *(power * step for step in _STEPS), power * 10]
    further = [step for step in row if (step - amount) * direction > 0] or [_LEAST]
    return min(max(further[0] if direction > 0 else further[-1], _LEAST), _MOST)


def suggested_amount(levels: Sequence[Level]) -> Decimal:
    """A quantity of the row 1, 2, 5 that reaches a few levels into a side."""
    best = sum((size for _, size, _ in levels[:3]), Decimal())
    return step_amount(best, 1) if best > 0 else Decimal(1)
