"""Ladder rows: columns by measured width, bars over their whole length, marks that keep their place."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tui.themes import Palette, load_themes
from tui.widgets.ladder import (
    Columns,
    Level,
    Look,
    arrange,
    header_row,
    legend_rows,
    letter_marks,
)
from tui.widgets.ladder_row import LevelRows, bar_cells, between
from tui.widgets.lines import Line

THEMES = load_themes()
DARK = THEMES.get("tickdeck-dark")
LEVEL = Level("bid", "97,204.90", "0.307", "1.278", "-0.05", 0.25, 0.5, ("okx", "kraken"))
LETTERS = {"binance": "B", "okx": "O", "bybit": "Y", "kraken": "K"}


def columns(width: int, marks: int = 4) -> Columns:
    return arrange(width, cumulative=6, size=5, price=9, pad=1, marks=marks, distance=0)


def level_row(level: Level, columns: Columns, look: Look, letters: Mapping[str, str]) -> Line:
    return LevelRows(columns, look, letters).row(level)


def text_of(line: Line) -> str:
    return "".join(segment.text for segment in line.segments)


def backs_of(line: Line) -> list[str]:
    """The background of every cell, as `#rrggbb` or nothing."""
    backs: list[str] = []
    for segment in line.segments:
        color = segment.style.bgcolor if segment.style else None
        backs += [color.triplet.hex if color and color.triplet else ""] * len(segment.text)
    return backs


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (60, ("cumulative", "size", "marks")),
        (40, ("cumulative", "size", "marks")),
        (30, ("size", "marks")),
        (20, ("size",)),
        (13, ()),
    ],
)
def test_whole_columns_drop_as_the_pane_gets_narrow(width: int, shown: tuple[str, ...]) -> None:
    chosen = columns(width)
    assert tuple(name for name in ("cumulative", "size", "marks") if getattr(chosen, name)) == shown
    assert level_row(LEVEL, chosen, Look(DARK), LETTERS).width == width


def test_a_book_without_venues_keeps_the_cumulative_size_when_narrow() -> None:
    assert columns(30, marks=0).cumulative == 6


@pytest.mark.parametrize("width", range(13, 90, 7))
def test_figures_are_never_cut(width: int) -> None:
    text = text_of(level_row(LEVEL, columns(width), Look(DARK), LETTERS))
    assert "97,204.90" in text
    assert ("0.307" in text) == bool(columns(width).size)
    assert ("1.278" in text) == bool(columns(width).cumulative)


def test_the_heads_of_the_columns_end_where_their_figures_end() -> None:
    head = text_of(header_row(columns(40), Look(DARK)))
    row = text_of(level_row(LEVEL, columns(40), Look(DARK), LETTERS))
    for name, figure in (("cum", "1.278"), ("size", "0.307"), ("price", "97,204.90")):
        assert head.index(name) + len(name) == row.index(figure) + len(figure)


@pytest.mark.parametrize("palette", THEMES.palettes.values(), ids=THEMES.palettes)
@pytest.mark.parametrize("side", ["bid", "ask"])
def test_both_bars_start_at_the_outer_edge_and_end_by_their_share(palette: Palette, side: str) -> None:
    level = LEVEL._replace(side=side, size_share=0.25, depth_share=0.5)  # type: ignore[arg-type]
    wide = columns(64)
    room = wide.zone - 1
    backs = backs_of(level_row(level, wide, Look(palette), LETTERS))
    assert backs[0] == ""
    assert backs.count(palette.colors[f"{side}-bar"]) == room // 4
    assert backs[1 : 1 + room // 4] == [palette.colors[f"{side}-bar"]] * (room // 4)
    assert backs[1 + room // 4] == palette.colors[f"{side}-depth"]
    assert abs(backs.count(palette.colors[f"{side}-depth"]) - room / 4) <= 1


def test_bars_lengthen_by_eighths_of_a_cell() -> None:
    assert [bar_cells(share, 10) for share in (0, 0.05, 0.5, 0.9875, 1, 7, -1)] == [
        (0, 0),
        (0, 4),
        (5, 0),
        (9, 7),
        (10, 0),
        (10, 0),
        (0, 0),
    ]


def test_a_bar_never_replaces_a_digit() -> None:
    for eighths in range(8 * 40):
        level = LEVEL._replace(size_share=eighths / 320, depth_share=(eighths + 5) / 320)
        text = text_of(level_row(level, columns(48), Look(DARK), LETTERS))
        assert "1.278" in text
        assert "0.307" in text


def test_a_stale_level_has_no_bars_and_no_side_colours() -> None:
    line = level_row(LEVEL, columns(40), Look(DARK, is_live=False), LETTERS)
    assert set(backs_of(line)) == {""}
    figures = [s for s in line.segments if any(c.isdigit() for c in s.text)]
    assert {s.style.color.triplet.hex for s in figures if s.style and s.style.color and s.style.color.triplet} == {
        DARK.colors["stale"]
    }


def test_without_colour_bars_are_shaded_up_to_the_figures() -> None:
    text = text_of(level_row(LEVEL, columns(60), Look(DARK, sign=("▒", "░")), LETTERS))
    assert text.startswith(" ▒")
    assert "░" in text
    assert text.index("1.278") > max(text.rindex("▒"), text.rindex("░"))


def test_shaded_bars_have_no_tint_under_the_figures() -> None:
    level = LEVEL._replace(size_share=1.0, parts=(("okx", 0.5),))
    row = level_row(level, columns(64), Look(DARK, sign=("▒", "░")), LETTERS)
    assert set(backs_of(row)) == {""}
    assert text_of(row)[1:4] == "O▒▒"


def test_marks_of_a_venue_stand_in_the_same_cell_on_every_row() -> None:
    rows = [
        text_of(level_row(LEVEL._replace(held_by=venues), columns(40), Look(DARK), LETTERS))
        for venues in (("okx",), ("kraken", "okx"), (), tuple(LETTERS))
    ]
    assert [row[-4:] for row in rows] == ["·O··", "·O·K", "    ", "BOYK"]


def test_with_more_venues_than_cells_a_count_takes_their_place() -> None:
    many = letter_marks([f"venue{n}" for n in range(20)], {})
    text = text_of(level_row(LEVEL, columns(40, marks=2), Look(DARK), many))
    assert text.endswith(" 2")


def test_crossing_capped_and_chosen_levels_have_signs() -> None:
    plain = text_of(level_row(LEVEL, columns(40), Look(DARK), LETTERS))
    assert plain[0] == " "
    assert text_of(level_row(LEVEL._replace(crosses=True), columns(40), Look(DARK), LETTERS))[0] == "×"
    assert text_of(level_row(LEVEL._replace(is_cursor=True), columns(40), Look(DARK), LETTERS))[0] == "▌"
    assert "0.307» 97,204.90" in text_of(level_row(LEVEL._replace(is_capped=True), columns(40), Look(DARK), LETTERS))


def test_letters_are_distinct_and_the_first_of_the_name_when_free() -> None:
    marks = letter_marks(("binance", "okx", "bybit", "kraken", "coinbase"), {})
    assert marks == {"binance": "B", "okx": "O", "bybit": "Y", "kraken": "K", "coinbase": "C"}


def test_a_venue_that_joins_later_changes_nobodys_letter_or_place() -> None:
    known = letter_marks(("binance", "okx"), {})
    joined = letter_marks(("bitstamp", "okx", "binance"), known)
    assert list(joined.items()) == [("binance", "B"), ("okx", "O"), ("bitstamp", "I")]


def test_first_letters_are_dealt_before_others() -> None:
    assert letter_marks(("bybit", "binance", "yobit"), {}) == {"bybit": "B", "binance": "I", "yobit": "Y"}


def test_letters_last_for_36_venues_and_hostile_names() -> None:
    marks = letter_marks([*(f"bb{n}" for n in range(36)), "日本", ""], {})
    assert len({marks[f"bb{n}"] for n in range(36)}) == 36
    assert marks["日本"] == "?"


def test_the_legend_counts_what_does_not_fit_and_says_who_is_missing() -> None:
    rows = [text_of(row) for row in legend_rows(LETTERS, ("kraken",), 24, 2, Look(DARK))]
    assert rows == [" K kraken missing", " B binance  O okx  +1"]
    assert all(len(row) <= 24 for row in rows)


def test_the_legend_fits_on_one_row_when_there_is_room() -> None:
    rows = [text_of(row) for row in legend_rows(LETTERS, (), 60, 2, Look(DARK))]
    assert rows == [" B binance  O okx  Y bybit  K kraken"]


def test_walls_have_a_sign_and_one_that_went_has_another() -> None:
    cells = columns(40)

    def sign(level: Level) -> str:
        return text_of(level_row(level, cells, Look(DARK), LETTERS))[cells.zone]

    assert sign(LEVEL) == " "
    assert sign(LEVEL._replace(is_wall=True)) == "◆"
    assert sign(LEVEL._replace(is_wall=True, is_news=True, is_capped=True)) == "◆"
    assert sign(LEVEL._replace(is_news=True)) == "◇"
    news = level_row(LEVEL._replace(is_wall=True, is_news=True), cells, Look(DARK), LETTERS)
    assert next(segment.style for segment in news.segments if segment.text == "◆").bold  # type: ignore[union-attr]


def test_what_the_asked_size_reaches_is_marked_beside_the_price() -> None:
    cells = columns(40)
    assert text_of(level_row(LEVEL._replace(is_taken=True), cells, Look(DARK), LETTERS))[cells.zone + 1] == "▎"
    assert "▎" not in text_of(level_row(LEVEL, cells, Look(DARK), LETTERS))[cells.zone :]


def test_a_size_bar_is_cut_into_the_parts_that_are_known() -> None:
    wide = columns(64)
    room = wide.zone - 1
    level = LEVEL._replace(size_share=1.0, depth_share=0.0, parts=(("okx", 0.5), ("kraken", 0.25)))
    row = level_row(level, wide, Look(DARK), LETTERS)
    backs, text = backs_of(row)[1 : room + 1], text_of(row)[1 : room + 1]
    bar, between_them = DARK.colors["bid-bar"], between(DARK.colors["bid-bar"], DARK.colors["bid-depth"])
    half, quarter = round(room / 2), round(room * 3 / 4)
    assert backs == [bar] * half + [between_them] * (quarter - half) + [bar] * (room - quarter)
    assert (text[0], text.find("K")) == ("O", -1 if text[half] != "K" else half)
    assert text.rstrip().endswith("0.307")


def test_marks_in_a_bar_cover_no_figure() -> None:
    for size_share in (0.1, 0.3, 0.7, 1.0):
        for width in range(24, 70):
            level = LEVEL._replace(size_share=size_share, parts=(("okx", 0.3), ("kraken", 0.3), ("binance", 0.4)))
            text = text_of(level_row(level, columns(width), Look(DARK, sign=("▒", "░")), LETTERS))
            assert "0.307" in text or columns(width).size == 0
            assert "1.278" in text or columns(width).cumulative == 0


def test_parts_too_small_for_a_cell_are_left_out() -> None:
    level = LEVEL._replace(size_share=0.1, parts=tuple((name, 0.01) for name in LETTERS))
    text = text_of(level_row(level, columns(40), Look(DARK), LETTERS))
    assert text[1] == " "


def test_a_stale_level_shows_no_parts() -> None:
    level = LEVEL._replace(size_share=1.0, parts=(("okx", 1.0),))
    assert text_of(level_row(level, columns(64), Look(DARK, is_live=False), LETTERS))[1] == " "


@pytest.mark.parametrize("palette", THEMES.palettes.values(), ids=THEMES.palettes)
@pytest.mark.parametrize("side", ["bid", "ask"])
def test_figures_on_a_cut_bar_keep_their_contrast(palette: Palette, side: str) -> None:
    colors = palette.colors
    second = between(colors[f"{side}-bar"], colors[f"{side}-depth"])
    assert contrast(colors["text"], second) >= 4.5
    assert contrast(colors[side], second) >= 4.5


def contrast(first: str, second: str) -> float:
    """Ratio of the luminances of two colours, as the accessibility guidelines define it."""

    def luminance(color: str) -> float:
        parts = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)
