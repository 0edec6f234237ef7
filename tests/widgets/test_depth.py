"""The depth curve: sums equal to brute force, labels equal to their lines, sides told apart in any look."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.market.book import BookSide
from tui.market.events import BookSnapshot
from tui.market.names import Symbol
from tui.market.terms import Level
from tui.themes import load_themes
from tui.widgets.depth import PriceColumns, curve, size_scale
from tui.widgets.depth_view import DepthView
from tui.widgets.ladder import Look
from tui.widgets.ladder_view import LadderView
from tui.widgets.lines import Line

DARK = load_themes().get("tickdeck-dark")
LIVE = Look(DARK)
PLAIN = Look(DARK, sign=("▒", "░"))
STALE = Look(DARK, is_live=False)
UNITS = tuple(Decimal(text) for text in ("0.01", "0.02", "0.05", "0.1", "1", "2"))


def levels(*pairs: tuple[str, str]) -> tuple[Level, ...]:
    return tuple((Decimal(price), Decimal(size), ()) for price, size in pairs)


BIDS = levels(("99.9", "1"), ("99.8", "2"), ("99.5", "1"), ("99", "4"))
ASKS = levels(("100.1", "1"), ("100.2", "1"), ("100.8", "2"), ("101", "2"))


def book(bids: Sequence[Level] = BIDS, asks: Sequence[Level] = ASKS) -> BookSnapshot:
    return BookSnapshot(source="quantcite", ts_recv_ns=1, symbol=Symbol("BTC/USDT"), bids=tuple(bids), asks=tuple(asks))


def view_of(one: BookSnapshot, ladder: LadderView | None = None) -> DepthView:
    ladder = ladder or LadderView()
    view = DepthView(ladder.mid, currency="USDT")
    show(view, ladder, one)
    return view


def show(view: DepthView, ladder: LadderView, one: BookSnapshot) -> None:
    ladder.show(one)
    view.show(one)


def text_of(rows: Sequence[Line]) -> list[str]:
    return ["".join(segment.text for segment in row.segments).rstrip() for row in rows]


def cells_of(row: Line) -> list[tuple[str, str, str]]:
    """Character, colour and background of every cell."""
    out: list[tuple[str, str, str]] = []
    for segment in row.segments:
        colors = [segment.style.color, segment.style.bgcolor] if segment.style else [None, None]
        front, back = (color.triplet.hex if color and color.triplet else "" for color in colors)
        out += [(char, front, back) for char in segment.text]
    return out


@settings(max_examples=80, deadline=None)
@given(
    sizes=st.dictionaries(st.integers(9_000, 11_000), st.integers(1, 10**6), max_size=30),
    unit=st.sampled_from(UNITS),
    middle=st.integers(8_900, 11_100),
    width=st.integers(1, 60),
    side=st.sampled_from(("bid", "ask")),
)
def test_every_column_is_what_rests_up_to_its_price(
    sizes: dict[int, int], unit: Decimal, middle: int, width: int, side: BookSide
) -> None:
    is_bid = side == "bid"
    found = levels(*((str(Decimal(cents) / 100), str(sizes[cents])) for cents in sorted(sizes, reverse=is_bid)))
    columns = PriceColumns(unit, round(Decimal(middle) / 100 / unit) - width // 2, width)
    points = {point.x: point for point in curve(found, side, columns)}
    for x in range(width):
        price = columns.price(x)
        within = [size for p, size, _ in found if (p >= price if is_bid else p <= price)]
        if not within:
            assert x not in points
            continue
        assert points[x].size == sum(within)
        assert points[x].is_known == (price >= found[-1][0] if is_bid else price <= found[-1][0])


@settings(max_examples=100, deadline=None)
@given(most=st.decimals("1E-8", "1E+12", allow_nan=False), rows=st.integers(3, 80))
def test_grid_lines_lie_exactly_at_their_sizes(most: Decimal, rows: int) -> None:
    scale = size_scale(most, rows)
    assert most <= scale.most <= 3 * most
    assert 0 < len(scale.grid) < rows
    for row, size in scale.grid:
        assert scale.eighths(size) == 8 * (rows - 1 - row)
    assert scale.eighths(Decimal(0)) == 0
    assert scale.eighths(most / 10**6) == 1


@pytest.mark.parametrize("width", [20, 44, 80])
def test_price_labels_name_the_price_of_their_column_and_stand_apart(width: int) -> None:
    columns = PriceColumns(Decimal("0.5"), 194_000, width)
    labels = columns.labels(2)
    assert labels
    for x, text in labels:
        assert Decimal(text.replace(",", "")) == columns.price(x)
    assert all(right - left >= 8 for (left, _), (right, _) in pairwise(labels))


def test_bids_rise_to_the_left_and_asks_to_the_right_of_the_mid() -> None:
    view = view_of(book())
    view.unit = Decimal("0.1")
    # bids: 1 at 99.9, 3 from 99.8, 4 from 99.5, 8 at 99; asks: 1 at 100.1, 2 from 100.2, 4 from 100.8, 6 at 101
    assert text_of(view.rows(40, 12, PLAIN)) == [
        " bid 57%  100.000 0.20 20.0bp",
        "       ·         ┊         ·",
        "░░░░░░░█         ┊         ·",
        "░░░░░░░█         ┊         ·",
        "░░░░░░░█▁▁▁▁▁▁▁▁▁┊▁▁▁▁▁▁▁▁▁▒░░░░░░ 5.00",
        "░░░░░░░█         ┊         ▒░░░░░░",
        "░░░░░░░██████    ┊       ▒▒▒░░░░░░",
        "░░░░░░░█████████ ┊       ▒▒▒░░░░░░",
        "░░░░░░░█████████ ┊ ▒▒▒▒▒▒▒▒▒░░░░░░",
        "░░░░░░░██████████┊▒▒▒▒▒▒▒▒▒▒░░░░░░",
        "      99      100.000     101",
        " bid 8.00                      6.00 ask",
    ]


def test_the_sides_differ_without_colour_and_while_they_are_stale() -> None:
    view = view_of(book())
    for look in (PLAIN, STALE):
        bottom = text_of(view.rows(60, 20, look))[-3]
        assert "█" in bottom[: bottom.index("┊")]
        assert "▒" in bottom[bottom.index("┊") :]
        assert "▒" not in bottom[: bottom.index("┊")]


def test_with_colour_an_area_is_its_sides_tint_under_a_bright_edge() -> None:
    rows = view_of(book()).rows(60, 20, LIVE)
    grounds = {back for row in rows[1:-2] for _, _, back in cells_of(row)[:50]}
    assert {DARK.colors["bid-bar"], DARK.colors["ask-bar"]} <= grounds
    edges = {front for row in rows[1:-2] for char, front, _ in cells_of(row)[:50] if char in "▂▃▄▅▆▇█"}
    assert edges == {DARK.colors["bid"], DARK.colors["ask"]}


def test_beyond_the_book_the_last_sum_goes_on_as_a_faint_area() -> None:
    view = view_of(book())
    view.unit = Decimal("0.1")
    bottom = cells_of(view.rows(60, 20, LIVE)[-3])
    faint = [x for x, (char, front, _) in enumerate(bottom) if char == "░" and front == DARK.colors["faint"]]
    assert view._columns
    assert {view._columns.price(x) for x in faint} == {
        price for x in range(view._columns.width) if not 99 <= (price := view._columns.price(x)) <= 101
    }


def test_the_mid_row_has_the_share_of_what_shows() -> None:
    rows = text_of(view_of(book()).rows(60, 20, LIVE))
    assert "bid 57%" in rows[0]  # 8 of bids, 6 of asks
    assert "43% ask" in rows[0]
    assert rows[-1].split()[:2] == ["bid", "8.00"]
    assert rows[-1].split()[-2:] == ["6.00", "ask"]


def test_a_crossed_book_shows_both_curves_where_they_overlap() -> None:
    crossed = book(levels(("100.3", "1"), ("99", "5")), ASKS)
    view = view_of(crossed)
    view.unit = Decimal("0.1")
    rows = view.rows(60, 20, PLAIN)
    assert "crossed" in text_of(rows)[0]
    assert view._columns
    overlap = [view._columns.x(Decimal(price)) for price in ("100.1", "100.2")]
    stack = [[text_of(rows)[y][x] for y in range(1, 18)] for x in overlap]
    assert "█" in stack[1]
    assert "▒" in stack[1]


@pytest.mark.parametrize(("bids", "asks"), [((), ASKS), (BIDS, ()), (BIDS[:1], ASKS[:1])])
def test_one_sided_and_single_level_books_have_a_curve(bids: Sequence[Level], asks: Sequence[Level]) -> None:
    rows = text_of(view_of(book(bids, asks)).rows(60, 20, PLAIN))
    assert len(rows) == 20
    assert ("no bids" in rows[0]) == (not bids)
    assert any("█" in row or "▒" in row for row in rows[1:18])


@pytest.mark.parametrize("width", [10, 16, 24, 38, 60, 140])
@pytest.mark.parametrize("height", [1, 3, 5, 9, 18, 60])
def test_every_size_has_its_rows_and_no_cut_price(width: int, height: int) -> None:
    rows = view_of(book()).rows(width, height, LIVE)
    assert len(rows) <= height
    assert all(row.width <= width for row in rows)
    assert "…" not in "".join(text_of(rows))


def test_the_picture_stays_while_the_mid_moves_a_little_and_follows_when_it_moves_far() -> None:
    ladder = LadderView()
    view = view_of(book(), ladder)
    view.rows(60, 20, LIVE)
    before = view._columns
    for shift, stays in (("0.02", True), ("3", False)):
        moved = [[(price + Decimal(shift), size, venues) for price, size, venues in side] for side in (BIDS, ASKS)]
        show(view, ladder, book(*moved))
        view.rows(60, 20, LIVE)
        assert (view._columns == before) == stays


def test_a_cursor_holds_the_prices_where_they_are() -> None:
    ladder = LadderView()
    view = view_of(book(), ladder)
    view.rows(60, 20, LIVE)
    view.shift(-1)
    before = view._columns
    show(view, ladder, book(*([(p + 3, s, v) for p, s, v in side] for side in (BIDS, ASKS))))
    view.rows(60, 20, LIVE)
    assert view._columns == before
    view.centre()
    view.rows(60, 20, LIVE)
    assert view._columns != before


def test_the_cursor_tells_what_rests_up_to_its_price() -> None:
    view = view_of(book())
    view.unit = Decimal("0.1")
    view.rows(60, 20, LIVE)
    view.shift(-1)
    view.shift(-1)
    # 1 + 2 = 3; 1 * 99.9 + 2 * 99.8 = 299.5; (99.8 - 100) / 100 = -20 bp
    assert text_of(view.rows(60, 20, LIVE))[-1].split() == "bid 99.80 cum 3.00 300 USDT -20.0 bp".split()
    for _ in range(2):
        view.shift(1)
    assert "inside the spread" in text_of(view.rows(60, 20, LIVE))[-1]
    view.move(-1)
    assert text_of(view.rows(60, 20, LIVE))[-1].split()[:4] == ["ask", "100.10", "cum", "1.00"]


def test_zoom_shows_less_or_more_of_the_prices_and_the_heading_says_how_much() -> None:
    view = view_of(book())
    view.rows(60, 20, LIVE)
    shares = []
    for direction in (1, 1, 1, -1, -1, -1, -1, -1, -1, -1, -1):
        view.zoom(direction)
        rows = text_of(view.rows(60, 20, LIVE))
        assert len(rows) == 20
        assert view._columns
        assert view._columns.price(0) > 0
        shares.append(float(view.facts()[1].strip("±%")))
    assert shares[0] >= shares[1]
    assert shares[2] < shares[-1] <= 50


def test_the_scale_of_sizes_stays_while_the_curve_stays_in_its_range() -> None:
    ladder = LadderView()
    view = view_of(book(), ladder)
    view.rows(60, 20, LIVE)
    before = view._scale
    show(view, ladder, book([*BIDS[:-1], (Decimal(99), Decimal("3.5"), ())]))
    view.rows(60, 20, LIVE)
    assert view._scale == before
    show(view, ladder, book([*BIDS[:-1], (Decimal(99), Decimal(40), ())]))
    view.rows(60, 20, LIVE)
    assert view._scale != before


def test_between_bids_and_asks_that_are_far_apart_there_is_no_share() -> None:
    view = view_of(book(levels(("90", "1"), ("89.9", "1")), levels(("110", "1"), ("110.1", "1"))))
    rows = text_of(view.rows(60, 20, LIVE))
    assert "bid 50%" in rows[0]
    for _ in range(12):
        view.zoom(1)
        rows = text_of(view.rows(60, 20, LIVE))
    assert len(rows) == 20
    assert "%" not in rows[0]
