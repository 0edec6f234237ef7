"""Text from outside: nothing that a terminal obeys comes through."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.market.text import MAX_MARKS, clean, clean_lines, safe_url


@pytest.mark.fault("M49", "M51")
@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\x1b]52;c;aGk=\x07b", "ab"),
        ("a\x1b]0;title\x1b\\b", "ab"),
        ("\x1b[2J\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("x\x9d52;c;aGk=\x9cy", "xy"),
        ("\x1bPq#0\x1b\\after", "after"),
        ("never closed \x1b]52;c;aGk=", "never closed"),
        ("one\r\ntwo\x00three\x7f", "one two three"),
        ("bell\x07 back\x08", "bell  back"),
        ("\u202eevil\u2066", "evil"),
        ("line\u2028sep", "line sep"),
        ("[@click=app.quit]ACME[/] [Q3]", "[@click=app.quit]ACME[/] [Q3]"),
        ("\ud83d", "\ufffd"),
        ("family 👨\u200d👩\u200d👧 ok", "family 👨👩👧 ok"),
        ("fine 👍\U0001f3fd in 🇩🇪, ❤\ufe0f", "fine 👍 in DE, ❤"),
    ],
)
def test_controls_go_and_words_stay(hostile: str, shown: str) -> None:
    assert clean(hostile) == shown


@given(st.text(st.sampled_from("a中é\u0301\u200d\ufe0f\u20e3👨👧🇩🇪👍\U0001f3fd🏴❤1")))
def test_terminals_that_join_emoji_and_those_that_do_not_count_the_same_cells(text: str) -> None:
    shown = clean(text)
    assert cell_len(shown) == sum(cell_len(char) for char in shown)


@pytest.mark.fault("M51")
def test_a_mark_needs_a_character_that_it_stands_on() -> None:
    assert clean("\u0301Fed") == "Fed"
    assert clean(" \u0301Fed") == "Fed"
    assert clean("Cafe\u0301") == "Cafe\u0301"


def test_stacked_marks_and_length_are_bounded() -> None:
    assert len(clean("z" + "\u0301" * 50)) == 1 + MAX_MARKS
    assert clean("x" * 10_000, 100) == "x" * 99 + "…"


def test_line_breaks_stay_in_bodies() -> None:
    assert clean_lines("one\r\ntwo\x1b[31m\rthree") == "one\ntwo\nthree"


@pytest.mark.fault("M49")
@given(st.text(st.characters(codec=None, exclude_categories=[]), max_size=300))
def test_nothing_a_terminal_obeys_survives(text: str) -> None:
    for char in clean(text):
        assert unicodedata.category(char) not in ("Cc", "Cs")
        assert not (0x80 <= ord(char) <= 0x9F)
        assert char not in "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize("url", ["https://news.example/a?b=c#d", "http://127.0.0.1:8000/x"])
def test_plain_links_are_kept(url: str) -> None:
    assert safe_url(url) == url


@pytest.mark.fault("M52", "S3")
@pytest.mark.parametrize(
    "url",
    [
        None, "", "javascript:alert(1)", "file:///etc/passwd", "vscode:x", "--help", "https://", "https://user@host/",
        "https://a\x1b]52;c;x\x07", "https://a b/", "https://x/" + "y" * 3000, "https://[::1", "ftp://x/",
    ],
)  # fmt: skip
def test_other_links_are_refused(url: str | None) -> None:
    assert safe_url(url) is None
