"""The heatmap: halves equal to the books they stand for, lines, dots and gaps in their places, shades in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_themes import contrast
from tui.market.events import BookSnapshot
from tui.market.heat import NS, HeatColumn, Print, pack
from tui.market.names import Symbol
from tui.market.terms import Side
from tui.themes import Palette, load_themes
from tui.widgets.heat_ink import ASK, BID, MID, SHADES, HeatInk, ramp, thresholds
from tui.widgets.heat_shades import HeatShades
from tui.widgets.heatmap import GAP, Heatmap, Shaded, draw, half_of, scale_of, shaded, sizes_of, time_labels
from tui.widgets.ladder import Look
from tui.widgets.lines import Line

THEMES = load_themes()
DARK = THEMES.get("tickdeck-dark")
LIVE, PLAIN = Look(DARK), Look(DARK, sign=("▒", "░"))
ONE = Decimal(1)
_TRADES: tuple[tuple[int, Side | None, int], ...] = (
    (10, "buy", 5),
    (8, "buy", 2),
    (8, "sell", 4),
    (6, "sell", 1),
    (6, None, 3),
    (10, None, 2),
)


def column(second: int = 1, bids: dict[str, str] | None = None, asks: dict[str, str] | None = None) -> HeatColumn:
    sides = [[(Decimal(price), Decimal(size), ()) for price, size in (side or {}).items()] for side in (bids, asks)]
    return pack(
        BookSnapshot(
            source="x",
            ts_recv_ns=second * NS,
            symbol=Symbol("BTC/USDT"),
            bids=tuple(sorted(sides[0], reverse=True)),
            asks=tuple(sorted(sides[1])),
        )
    )


def picture(
    columns: Sequence[Shaded],
    *,
    prints: Mapping[int, Sequence[Print]] | None = None,
    first: int = 0,
    plain: bool = True,
    last: Decimal | None = None,
    row: int | None = None,
    cross: int | None = None,
    behind: int = 0,
    note: str = "",
    rows: int = 3,
) -> Heatmap:
    """Columns a second each from 12:00:00 on, bucket of 1; the first row's centre is 10."""
    return Heatmap(
        columns=columns,
        prints=[(prints or {}).get(x, ()) for x in range(len(columns))],
        starts=range(43_200, 43_200 + len(columns)),
        first=first,
        scale=scale_of(ONE, 5, rows),
        axis=8,
        decimals=0,
        ink=HeatInk(DARK, plain),
        last=last,
        row=row,
        price=None if row is None else Decimal(10 - 2 * row),
        cross=cross,
        behind=behind,
        note=note,
    )


def text_of(rows: Sequence[Line]) -> list[str]:
    return ["".join(segment.text for segment in row.segments).rstrip() for row in rows]


def colors_of(row: Line) -> list[tuple[str, str, str]]:
    out: list[tuple[str, str, str]] = []
    for segment in row.segments:
        colors = [segment.style.color, segment.style.bgcolor] if segment.style else [None, None]
        front, back = (color.triplet.hex if color and color.triplet else "" for color in colors)
        out += [(char, front, back) for char in segment.text]
    return out


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.dictionaries(st.integers(9_000, 10_000), st.integers(1, 10**6), max_size=40),
    step=st.sampled_from([Decimal(text) for text in ("0.01", "0.05", "0.1", "0.5")]),
    top=st.integers(450, 5_000),
    plain=st.booleans(),
)
def test_every_half_row_is_what_rests_at_its_prices(
    sizes: dict[int, int], step: Decimal, top: int, plain: bool
) -> None:
    one = column(asks={str(Decimal(cents) / 100): str(size) for cents, size in sizes.items()})
    scale = scale_of(step, top, 9)
    expected = [0] * 18
    for cents, size in sizes.items():
        half = half_of(scale, Decimal(cents) / 100)
        if 0 <= half < 18:
            expected[half] += size
    if plain:
        expected = [sum(expected[2 * (half // 2) : 2 * (half // 2) + 2]) for half in range(18)]
    assert sizes_of(one, scale, plain) == expected


def test_grid_prices_lie_in_the_middle_of_their_rows() -> None:
    scale = scale_of(Decimal("0.5"), 12, 13)
    assert scale.grid == [(2, Decimal(10)), (7, Decimal(5)), (12, Decimal(0))]
    for row, price in scale.grid[:2]:
        assert half_of(scale, price) == 2 * row
        assert half_of(scale, price - Decimal("0.01")) == 2 * row + 1


@pytest.mark.parametrize("palette", THEMES.palettes.values(), ids=THEMES.palettes)
def test_a_larger_size_always_stands_out_more(palette: Palette) -> None:
    background = palette.colors["background"]
    contrasts = [contrast(background, color) for color in ramp(palette)]
    assert len(contrasts) == SHADES + 1
    assert contrasts[0] == 1
    assert all(after > 1.03 * before for before, after in pairwise(contrasts))
    assert contrasts[-1] >= 4.5


@pytest.mark.parametrize("palette", THEMES.palettes.values(), ids=THEMES.palettes)
def test_no_line_has_the_colour_of_a_shade(palette: Palette) -> None:
    assert len(set(HeatInk(palette).colors)) == SHADES + 4


def test_anything_above_nothing_has_a_shade_and_a_full_size_the_strongest() -> None:
    halves = shaded(column(), [0.0, 1e-9, 25.0, 100.0, 10**9], scale_of(ONE, 5, 3), thresholds(100.0))
    assert halves == [0, 1, SHADES // 2, SHADES, SHADES]


def test_best_prices_and_mid_lie_over_the_shades() -> None:
    one = column(bids={"6": "1", "5": "9"}, asks={"9": "1"})
    scale = scale_of(ONE, 5, 3)  # halves from the top: 10, 9, 8, 7, 6, 5
    assert shaded(one, sizes_of(one, scale, False), scale, thresholds(9.0)) == [0, ASK, 0, MID, BID, SHADES]


def test_a_mid_in_the_same_half_row_as_the_best_prices_lies_on_top() -> None:
    one = column(bids={"6.2": "1"}, asks={"6.4": "1"})
    scale = scale_of(ONE, 5, 3)
    assert shaded(one, sizes_of(one, scale, False), scale, thresholds(9.0)) == [0, 0, 0, 0, MID, 0]


def made(shades: HeatShades, sizes: Sequence[str], start: int = 0) -> None:
    columns = [
        column(start + n, {str(price): size for price in range(1, 20)}, {"20": size}) for n, size in enumerate(sizes)
    ]
    shades.of(columns, scale_of(ONE, 11, 11), LIVE)


def test_shades_stay_as_they_are_while_sizes_come_and_go() -> None:
    shades = HeatShades()
    made(shades, ["10"] * 30)
    full = shades.full
    for n, size in enumerate(("11", "8", "12", "9", "7", "13")):
        made(shades, ["10"] * (25 - n) + [size] * 5, start=n)
        assert shades.full == full
    made(shades, ["50"] * 30)
    assert shades.full == 50


def test_a_wall_does_not_make_all_else_faint_and_thin_minutes_stay_in_sight() -> None:
    shades = HeatShades()
    scale = scale_of(ONE, 11, 11)
    usual = {str(price): "10" for price in range(1, 20)}
    wall = column(1, {**usual, "7": "100000"}, {"20": "10"})
    thin = column(2, {str(price): "1" for price in range(1, 20)}, {"20": "1"})
    many = [column(n, usual, {"20": "10"}) for n in range(3, 40)]
    columns = shades.of([wall, thin, *many], scale, LIVE)
    assert shades.full == 10
    assert columns[1]
    assert columns[0]
    assert columns[1][half_of(scale, Decimal(5))] >= 3
    assert columns[0][half_of(scale, Decimal(5))] == columns[0][half_of(scale, Decimal(7))] == SHADES


def test_a_column_is_worked_out_once_and_again_when_it_changes() -> None:
    shades, scale = HeatShades(), scale_of(ONE, 5, 3)
    one, two = column(1, {"6": "1"}, {"7": "1"}), column(2, {"6": "1"}, {"7": "1"})
    first = shades.of([one, two, None], scale, LIVE)
    again = shades.of([one, column(2, {"5": "1"}, {"7": "1"}), None], scale, LIVE)
    assert again[0] is first[0]
    assert again[1] != first[1]
    assert again[2] is None


def test_halves_are_half_blocks_in_their_colours() -> None:
    row = colors_of(draw(picture([[1, 12, 0, 0, BID, 3], [5, 5, MID, 2, 0, ASK]], plain=False))[0])
    ink = ramp(DARK)
    assert row[:2] == [("▀", ink[1], ink[12]), (" ", "", ink[5])]
    rows = [colors_of(line) for line in draw(picture([[1, 12, 0, 0, BID, 3], [5, 5, MID, 2, 0, ASK]], plain=False))]
    assert rows[1][:2] == [(" ", "", ""), ("▀", DARK.colors["text"], ink[2])]
    assert rows[2][:2] == [("▀", DARK.colors["bid"], ink[3]), ("▀", ink[0], DARK.colors["ask"])]


def test_without_colour_shades_and_lines_are_characters() -> None:
    columns: list[Shaded] = [[shade, shade, ASK, BID, 0, ASK] for shade in (0, 1, 3, 4, 6, 7, 9, 10, 12)]
    columns.append([BID, 0, MID, ASK, MID, 0])
    rows = text_of(draw(picture(columns)))
    assert [row[:10] for row in rows[:3]] == [" ░░▒▒▓▓██▔", "═════════─", "▁▁▁▁▁▁▁▁▁─"]


def test_a_gap_is_hatched_and_what_was_before_the_recording_is_not() -> None:
    rows = text_of(draw(picture([None, None, [0] * 6, None, [0] * 6], first=2)))
    assert rows[1] == f"   {GAP}"


def test_before_the_recording_it_says_since_when_there_is_one() -> None:
    rows = text_of(draw(picture([None] * 30, first=30, note="since 12:00:30")))
    assert rows[1].strip() == "since 12:00:30"


@pytest.mark.parametrize(("side", "dot", "role"), [("buy", "●", "up"), ("sell", "○", "down"), (None, "•", "text")])
def test_trades_are_dots_that_tell_the_takers_side(side: Side | None, dot: str, role: str) -> None:
    trades = {1: [Print(Decimal("7.5"), side, ONE), Print(Decimal(99), side, ONE)]}
    rows = draw(picture([[3] * 6] * 3, prints=trades, plain=False))
    assert [text.find(dot) for text in text_of(rows)] == [-1, 1, -1, -1]
    assert colors_of(rows[1])[1][:2] == (dot, DARK.colors[role])


def test_of_many_trades_in_a_column_the_largest_of_each_side_show() -> None:
    trades = [Print(Decimal(price), side, Decimal(size)) for price, side, size in _TRADES]
    rows = text_of(draw(picture([[0] * 6], prints={0: trades})))
    assert [row[:1] for row in rows[:3]] == ["●", "○", "•"]


@pytest.mark.parametrize("palette", THEMES.palettes.values(), ids=THEMES.palettes)
@pytest.mark.parametrize("shade", range(SHADES + 4))
def test_a_dot_stands_out_from_every_shade_and_line(palette: Palette, shade: int) -> None:
    ink = HeatInk(palette)
    sides: tuple[Side | None, ...] = ("buy", "sell", None)
    for side in sides:
        style = ink.dot(shade, side)
        assert style.color
        assert style.color.triplet
        assert contrast(style.color.triplet.hex, ink.colors[shade]) >= 2


def test_the_axis_names_grid_prices_the_mid_and_the_cursor() -> None:
    rows = text_of(draw(picture([[0] * 12] * 4, rows=6, last=Decimal("5.5"), row=1, cross=2)))
    assert [row[4:].strip() for row in rows[:6]] == ["10", "8", "6", "", "", "0"]
    assert [row[:4] for row in rows[:2]] == ["  ┊ ", "╌╌┼╌"]


def test_the_cursors_lines_leave_best_prices_and_mid_in_sight() -> None:
    rows = text_of(draw(picture([[0, 0, 0, MID, 0, 0]] * 3, row=1, cross=1)))
    assert rows[1][:3] == "───"
    assert rows[0][:3] == " ┊ "


def test_times_stand_below_the_column_they_name() -> None:
    rows = text_of(draw(picture([[0] * 6] * 40)))
    assert rows[-1].split() == ["12:00:00", "12:00:15", "12:00:30", "UTC"]
    assert rows[-1].index("12:00:15") == 15 - 4
    behind = text_of(draw(picture([[0] * 6] * 40, cross=20, behind=75)))
    assert behind[-1].endswith("+75s ▸")
    assert behind[-1].index(" 12:00:20 ") == 20 - 5


@pytest.mark.parametrize(("seconds", "every"), [(1, 15), (2, 30), (5, 60), (10, 120)])
def test_time_labels_are_round_and_far_enough_apart(seconds: int, every: int) -> None:
    starts = range(43_200 - 43_200 % seconds, 43_200 + 90 * seconds, seconds)
    labels = time_labels(starts)
    assert all(starts[x] % every == 0 for x, _ in labels)
    assert len(labels) == len([start for start in starts if start % every == 0])
