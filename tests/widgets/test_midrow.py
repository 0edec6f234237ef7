"""The mid row: a gauge with its percentages, an alarm when crossed, in line with the prices when there is room."""

from __future__ import annotations

import pytest

from tui.themes import load_themes
from tui.widgets.ladder import Columns, Look, arrange
from tui.widgets.lines import Line
from tui.widgets.midrow import Mid, mid_row, percentages

DARK = load_themes().get("tickdeck-dark")
MID = Mid("97,205.350", 1, "0.90", "0.09bp", share=0.58)
CROSSED = MID._replace(
    spread="-0.90",
    basis_points="-0.09bp",
    word="crossed",
    is_crossed=True,
    crossing=("okx kraken > binance", "OK > B", "OK>B"),
)


def columns(width: int) -> Columns:
    return arrange(width, cumulative=6, size=5, price=9, pad=1, marks=5, distance=6 if width >= 56 else 0)


def text_of(line: Line) -> str:
    return "".join(segment.text for segment in line.segments)


def backs_of(line: Line) -> list[str]:
    backs: list[str] = []
    for segment in line.segments:
        color = segment.style.bgcolor if segment.style else None
        backs += [color.triplet.hex if color and color.triplet else ""] * len(segment.text)
    return backs


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (62, "bid 58%  0.90  0.09bp ▲97,205.350 42% ask"),
        (48, "bid 58%  0.90  0.09bp ▲97,205.350"),
        (38, "bid 58%  0.90 ▲97,205.350 0.09bp"),
        (32, "bid 58% ▲97,205.350 0.90 0.09bp"),
        (30, "bid 58% ▲97,205.350 0.09bp"),
        (24, "bid 58% ▲97,205.350"),
        (12, "▲97,205.350"),
    ],
)
def test_parts_drop_whole_as_the_row_gets_narrow(width: int, text: str) -> None:
    found = text_of(mid_row(MID, columns(width), Look(DARK)))
    assert len(found) == width
    assert found.split() == text.split()


@pytest.mark.parametrize("mid", [MID, CROSSED, MID._replace(word="stale 12s", share=None), Mid("", word="no bids")])
def test_the_row_is_as_wide_as_the_ladder_and_cuts_no_figure(mid: Mid) -> None:
    for width in range(10, 120):
        text = text_of(mid_row(mid, columns(width), Look(DARK, is_live="stale" not in mid.word)))
        assert len(text) == width
        if width >= 24:
            assert mid.price in text
            assert mid.word in text


def test_the_mid_stands_in_line_with_the_prices() -> None:
    wide = columns(60)
    text = text_of(mid_row(MID, wide, Look(DARK)))
    assert text.index("97,205.350") + len("97,205.350") == wide.price_end + wide.pad


@pytest.mark.parametrize("share", [0.0, 0.25, 0.58, 1.0])
def test_the_row_is_tinted_by_the_bids_share(share: float) -> None:
    backs = backs_of(mid_row(MID._replace(share=share), columns(60), Look(DARK)))
    assert backs == [DARK.colors["bid-bar"]] * round(60 * share) + [DARK.colors["ask-bar"]] * (60 - round(60 * share))


def test_percentages_add_up_to_a_hundred() -> None:
    assert percentages(0.585) == ("bid 58%", "42% ask")
    assert percentages(0.0) == ("bid  0%", "100% ask")
    assert percentages(1.0) == ("bid 100%", " 0% ask")


@pytest.mark.fault("M36", "M37")
def test_a_crossed_row_is_inverted_and_names_who_crosses() -> None:
    wide, narrow = (mid_row(CROSSED, columns(width), Look(DARK)) for width in (80, 38))
    assert "okx kraken > binance" in text_of(wide) or "OK > B" in text_of(wide)
    assert "crossed" in text_of(narrow)
    assert "OK>B" in text_of(narrow) or "OK > B" in text_of(narrow)
    assert set(backs_of(wide)) == {DARK.colors["warning"]}


def test_a_stale_row_shows_no_gauge() -> None:
    line = mid_row(MID._replace(word="stale 12s", share=None, direction=0), columns(60), Look(DARK, is_live=False))
    assert "stale 12s" in text_of(line)
    assert "bid" not in text_of(line)
    assert set(backs_of(line)) == {DARK.colors["panel"]}


def test_a_row_whose_best_prices_are_out_of_sight_points_at_them() -> None:
    assert text_of(mid_row(MID._replace(beyond="↑"), columns(40), Look(DARK)))[0] == "↑"


@pytest.mark.parametrize(("width", "words"), [(80, "kraken may be stale"), (36, "K may be stale")])
def test_a_venue_that_may_be_stale_is_worded_otherwise_than_a_cross(width: int, words: str) -> None:
    names = ("kraken may be stale", "K may be stale")
    suspect = CROSSED._replace(word="", is_crossed=False, is_suspect=True, crossing=names)
    line = mid_row(suspect, columns(width), Look(DARK))
    assert words in text_of(line)
    assert "crossed" not in text_of(line)
    assert set(backs_of(line)) == {DARK.colors["panel"]}
    for narrow in range(10, 120):
        assert len(text_of(mid_row(suspect, columns(narrow), Look(DARK)))) == narrow
