"""The ladder over many frames: sums are exact, the price under the cursor keeps its row, tools change no figures."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.books import VENUES, level, snapshot
from tui.market.events import BookSnapshot
from tui.market.terms import Level, VenueBest
from tui.themes import load_themes
from tui.widgets.ladder import CURSOR, Look
from tui.widgets.ladder_view import LadderView

LOOK = Look(load_themes().get("tickdeck-dark"))
HELD = Decimal("99.50")


def text_of(view: LadderView, width: int = 60, height: int = 20) -> list[str]:
    return ["".join(segment.text for segment in row.segments) for row in view.rows(width, height, LOOK)]


@st.composite
def books(draw: st.DrawFn) -> BookSnapshot:
    """A book around 100 whose bids always hold one price."""

    def side(sign: int, held: Sequence[Level]) -> list[Level]:
        cents = draw(st.sets(st.integers(1, 400), max_size=40))
        known = {price for price, _, _ in held}
        fresh = [level(str(100 + sign * Decimal(n) / 100), str(draw(st.integers(1, 9999))), "okx") for n in cents]
        return sorted([*held, *(each for each in fresh if each[0] not in known)], reverse=sign < 0)

    return snapshot(side(-1, [level(str(HELD), "7", "okx")]), side(1, []))


@settings(max_examples=60, deadline=None)
@given(frames=st.lists(books(), min_size=2, max_size=8), row=st.integers(2, 16), height=st.integers(12, 40))
def test_the_price_under_the_cursor_keeps_its_row_whatever_comes(
    frames: list[BookSnapshot], row: int, height: int
) -> None:
    view = LadderView()
    view.show(frames[0])
    text_of(view, height=height)
    view.window.side, view.window.price, view.window.row = "bid", HELD, min(row, height - 5)
    held = []
    for book in frames:
        view.show(book)
        rows = text_of(view, height=height)
        held += [[n for n, text in enumerate(rows) if text.startswith(CURSOR)]]
        assert f" {HELD}" in rows[held[-1][0]]
    assert all(each == held[0] and len(each) == 1 for each in held)


@settings(max_examples=60, deadline=None)
@given(book=books(), coarser=st.integers(0, 8), limit=st.none() | st.integers(1, 9))
def test_grouped_sizes_and_sums_are_exact(book: BookSnapshot, coarser: int, limit: int | None) -> None:
    view = LadderView(limit=limit)
    view.show(book)
    for _ in range(coarser):
        view.regroup(1)
    for side, levels in (("bid", book.bids), ("ask", book.asks)):
        shown = view._sides.bids if side == "bid" else view._sides.asks
        sums = view._cumulative[side]  # type: ignore[index]
        assert len(shown) <= (limit or 10**9)
        for index, (price, _, _) in enumerate(shown):
            within = [size for at, size, _ in levels if (at >= price if side == "bid" else at <= price)]
            assert sums[index] == sum(within)


def test_the_parts_of_a_grouped_level_are_those_of_its_levels() -> None:
    bests = [VenueBest("okx", Decimal("99.98"), Decimal(1)), VenueBest("kraken", Decimal("99.91"), Decimal(3))]
    bids = [level("99.98", "2", "okx"), level("99.91", "4", "kraken"), level("98.00", "1", "okx")]
    view = LadderView()
    view.show(snapshot(bids, [level("100.02", "1", "okx")], bests=bests))
    assert view._parts_of("bid", Decimal("99.98"), Decimal(2)) == [("okx", 0.5)]
    view.group_by(Decimal("0.1"))
    size = next(size for price, size, _ in view._sides.bids if price == Decimal("99.9"))
    assert view._parts_of("bid", Decimal("99.9"), size) == [("okx", 1 / 6), ("kraken", 0.5)]


def test_the_tools_move_no_column() -> None:
    bids = [level(str(100 - n), "9" if n == 4 else "1", *VENUES) for n in range(1, 12)]
    book = snapshot(bids, [level(str(100 + n), "1", *VENUES) for n in range(1, 12)])
    view = LadderView()
    view.show(book)
    plain = text_of(view)
    view.taken = {"bid": Decimal(97), "ask": Decimal(103)}
    view.rescale()
    tooled = text_of(view)
    assert tooled != plain
    for before, after in zip(plain, tooled, strict=True):
        assert [n for n, char in enumerate(before) if char.isdigit()] == [
            n for n, char in enumerate(after) if char.isdigit()
        ]


def test_a_root_bar_of_a_quarter_is_half_as_long() -> None:
    view = LadderView(is_root=True)
    assert view._share(Decimal(1), Decimal(4)) == 0.5
    view.rescale()
    assert view._share(Decimal(1), Decimal(4)) == 0.25
