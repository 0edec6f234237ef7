"""Order-book arithmetic: pure functions, exact in `Decimal`.

A side is a sequence of levels `(price, size, venues)`, best first. Prices in the quote currency, sizes in the base
currency or shares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from itertools import accumulate
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from tui.market.terms import Level

if TYPE_CHECKING:
    from tui.market.events import BookSnapshot

BookSide = Literal["bid", "ask"]

BASIS_POINTS: Final = Decimal(10_000)
MAX_STEPS: Final = 12


class Touch(NamedTuple):
    """The best prices and what follows from them; None where a side is empty."""

    bid: Decimal | None
    ask: Decimal | None
    mid: Decimal | None
    spread: Decimal | None
    spread_bp: Decimal | None

    @property
    def is_crossed(self) -> bool:
        """Best bid above best ask."""
        return self.spread is not None and self.spread < 0

    @property
    def is_locked(self) -> bool:
        """Best bid equal to best ask."""
        return self.spread is not None and self.spread == 0


def touch(book: BookSnapshot) -> Touch:
    """Best bid and ask, mid = (bid + ask) / 2, spread = ask - bid, in basis points of the mid."""
    bid = book.bids[0][0] if book.bids else None
    ask = book.asks[0][0] if book.asks else None
    if bid is None or ask is None:
        return Touch(bid, ask, None, None, None)
    mid, spread = (bid + ask) / 2, ask - bid
    return Touch(bid, ask, mid, spread, spread / mid * BASIS_POINTS if mid else None)


def cumulative(levels: Sequence[Level]) -> list[Decimal]:
    """Size from the best price outward, one sum a level."""
    return list(accumulate(size for _, size, _ in levels))


def imbalance(book: BookSnapshot, levels: int = 10) -> float | None:
    """Compare resting size on the two sides near the touch.

    Returns:
        (bids - asks) / (bids + asks) over the best `levels` of each side, from -1.0 (all asks) to 1.0 (all bids);
        None while a side is empty.
    """
    share = bid_share(book.bids[:levels], book.asks[:levels])
    return None if share is None else 2 * share - 1


def bid_share(bids: Sequence[Level], asks: Sequence[Level]) -> float | None:
    """The bids' part of all size, from 0.0 to 1.0; None while a side is empty or nothing rests on either."""
    if not bids or not asks:
        return None
    buying = sum((size for _, size, _ in bids), Decimal())
    total = buying + sum((size for _, size, _ in asks), Decimal())
    return float(buying / total) if total else None


def within(levels: Sequence[Level], price: Decimal, side: BookSide) -> tuple[Decimal, Decimal]:
    """What rests from the best price up to and including `price`: size, and its value in the quote currency.

    The value is what taking all of it costs (asks) or brings (bids), without fees.
    """
    size, value = Decimal(), Decimal()
    for level_price, level_size, _ in levels:
        if level_price < price if side == "bid" else level_price > price:
            break
        size += level_size
        value += level_price * level_size
    return size, value


def group(levels: Sequence[Level], step: Decimal, side: BookSide) -> list[Level]:
    """Merge levels into price steps: bids rounded down, asks up, so that no price looks better than it is.

    Sizes are summed exactly; venues are joined in the order they appear.
    """
    merged: dict[Decimal, tuple[Decimal, dict[str, None]]] = {}
    for price, size, venues in levels:
        at = grouped_price(price, step, side)
        total, names = merged.get(at, (Decimal(), {}))
        names.update(dict.fromkeys(venues))
        merged[at] = (total + size, names)
    return [(price, size, tuple(names)) for price, (size, names) in merged.items()]


def grouped_price(price: Decimal, step: Decimal, side: BookSide) -> Decimal:
    """The price under which `group` puts a level."""
    return (price / step).to_integral_value(ROUND_FLOOR if side == "bid" else ROUND_CEILING) * step


def grouping_steps(mid: Decimal, tick: Decimal) -> list[Decimal]:
    """Price steps that suit the instrument: the tick, then 2, 5 and 10 times each power, up to 0.5 % of the mid.

    Where that makes more than `MAX_STEPS`, those just above the tick are left out.
    """
    top, steps, power = mid * Decimal("0.005"), [], tick
    while 0 < power <= top:
        steps += [step for factor in (2, 5, 10) if (step := power * factor) <= top]
        power *= 10
    return [tick, *steps[-(MAX_STEPS - 1) :]]


def learn_tick(book: BookSnapshot) -> Decimal:
    """The finest price step seen: a power of ten with as many decimals as the prices have."""
    decimals = 0
    for price, _, _ in (*book.bids[:50], *book.asks[:50]):
        if needs_more(price, decimals):
            decimals = -_exponent(price)
    return Decimal(1).scaleb(-decimals)


def crossing_venues(book: BookSnapshot) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Venues whose bids stand at or above the best ask, and venues whose asks stand at or below the best bid."""
    best = touch(book)
    if best.spread is None or best.spread > 0:
        return (), ()
    buyers = dict.fromkeys(v for price, _, venues in book.bids if price >= book.asks[0][0] for v in venues)
    sellers = dict.fromkeys(v for price, _, venues in book.asks if price <= book.bids[0][0] for v in venues)
    return tuple(buyers), tuple(sellers)


def crossed_size(book: BookSnapshot) -> Decimal:
    """How much could be bought and sold again at once at a better price, best pairs first; 0 unless crossed."""
    size, bids, asks = Decimal(), iter(book.bids), iter(book.asks)
    (bid, buying), (ask, selling) = _next(bids), _next(asks)
    while bid is not None and ask is not None and bid > ask:
        matched = min(buying, selling)
        size, buying, selling = size + matched, buying - matched, selling - matched
        if not buying:
            bid, buying = _next(bids)
        if not selling:
            ask, selling = _next(asks)
    return size


def _next(levels: Iterator[Level]) -> tuple[Decimal | None, Decimal]:
    price, size, _ = next(levels, (None, Decimal(), ()))
    return price, size


def needs_more(price: Decimal, decimals: int) -> bool:
    """Whether a price has more decimals than these; much cheaper than taking the number apart."""
    try:
        return price != round(price, decimals)
    except InvalidOperation:  # more digits than the context holds
        return True


def _exponent(price: Decimal) -> int:
    exponent = price.normalize().as_tuple().exponent
    return min(exponent, 0) if isinstance(exponent, int) else 0
