"""Books made by hand or by hypothesis, for the tests of their arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import strategies as st

from tui.market.events import BookSnapshot
from tui.market.names import Symbol
from tui.market.terms import Level, VenueBest

VENUES = ("binance", "okx", "kraken")


@st.composite
def sides(draw: st.DrawFn, *, is_bid: bool, least: int = 0, most: int = 30) -> tuple[Level, ...]:
    """One side, best first: prices in cents, sizes in millionths."""
    cents = draw(st.lists(st.integers(1, 10_000_000), min_size=least, max_size=most, unique=True))
    return tuple(
        (
            Decimal(price).scaleb(-2),
            Decimal(draw(st.integers(1, 10**9))).scaleb(-6),
            tuple(draw(st.lists(st.sampled_from(VENUES), max_size=3, unique=True))),
        )
        for price in sorted(cents, reverse=is_bid)
    )


def snapshot(
    bids: Sequence[Level], asks: Sequence[Level], *, bests: Sequence[VenueBest] = (), now_ns: int = 1
) -> BookSnapshot:
    venues = dict.fromkeys(v for side in (bids, asks) for _, _, venues in side for v in venues)
    return BookSnapshot(
        source="quantcite",
        ts_recv_ns=now_ns,
        symbol=Symbol("BTC/USDT"),
        bids=tuple(bids),
        asks=tuple(asks),
        venues=tuple(venues),
        bests=tuple(bests),
    )


def level(price: str, size: str = "1", *venues: str) -> Level:
    return Decimal(price), Decimal(size), venues
