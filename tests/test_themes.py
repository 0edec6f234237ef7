"""Themes: every built-in file loads, text keeps its contrast, a broken file harms nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.paths import theme_dirs
from tui.themes import DEFAULT, ROLES, Palette, load_themes, read_theme

BUILT_IN = load_themes().palettes
TEXTS = ("text", "muted", "accent", "up", "down", "bid", "ask", "warning", "error", "good", "focus")
TEXT_ON_BACKGROUND = [
    *((text, back) for back in ("background", "selection", "panel") for text in TEXTS),
    *((text, back) for text in ("text", "bid") for back in ("bid-bar", "bid-depth")),
    *((text, back) for text in ("text", "ask") for back in ("ask-bar", "ask-depth")),
    ("stale", "background"),
    ("stale", "selection"),
    ("background", "warning"),
    ("background", "accent"),
]


def luminance(color: str) -> float:
    """Relative luminance of WCAG 2."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_all_five_themes_of_the_product_load_without_problems() -> None:
    assert set(BUILT_IN) == {"tickdeck-dark", "tickdeck-light", "colour-blind", "high-contrast", "red-up"}
    assert load_themes().problems == ()


@pytest.mark.parametrize("palette", BUILT_IN.values(), ids=BUILT_IN)
@pytest.mark.parametrize(("text", "back"), TEXT_ON_BACKGROUND)
def test_text_keeps_a_contrast_of_four_and_a_half(palette: Palette, text: str, back: str) -> None:
    assert contrast(palette.colors[text], palette.colors[back]) >= 4.5


@pytest.mark.fault("M71")
def test_a_broken_theme_is_reported_and_the_others_load(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("name = ", encoding="utf-8")
    (tmp_path / "hostile.toml").write_text('name = "../x"\ndark = true\n[colors]\n', encoding="utf-8")
    themes = load_themes([tmp_path, *theme_dirs()])
    assert set(themes.palettes) == set(BUILT_IN)
    assert len(themes.problems) == 2
    assert themes.get("no such theme").name == DEFAULT


def test_a_theme_of_the_user_replaces_a_built_in_one(tmp_path: Path) -> None:
    colors = "".join(f'{role} = "#123456"\n' for role in ROLES)
    (tmp_path / "mine.toml").write_text(f'name = "{DEFAULT}"\ndark = true\n[colors]\n{colors}', encoding="utf-8")
    assert load_themes([tmp_path, *theme_dirs()]).get(DEFAULT).colors["up"] == "#123456"


@pytest.mark.fault("M71")
@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("up = 3", "not a colour like #1a2b3c: up"),
        ('up = "red"', "not a colour like #1a2b3c: up"),
        ('up = "#12345g"', "not a colour like #1a2b3c: up"),
        ('sideways = "#123456"', "unknown: sideways"),
        ("", "missing: up"),
    ],
)
def test_a_wrong_colour_is_named(line: str, complaint: str) -> None:
    colors = "".join(f'{role} = "#123456"\n' for role in ROLES if role != "up")
    rest = 'up = "#123456"\n' if line.startswith("sideways") else ""
    with pytest.raises(ValueError, match=complaint):
        read_theme(f'name = "x"\ndark = true\n[colors]\n{colors}{rest}{line}\n')


@pytest.mark.fault("M71")
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "missing: name, dark, colors"),
        ('name = "x"\ndark = true\n[colors]\n', "missing: background"),
        ('name = "x"\ndark = true\nlight = false\n[colors]\n', "unknown: light"),
        ('name = "x\\n"\ndark = true\n[colors]\n', "name: should be"),
        ("name = 3\ndark = true\n[colors]\n", "name: should be"),
        ('name = "x"\ndark = 1\n[colors]\n', "dark: should be"),
        ('name = "x"\ndark = true\ncolors = []\n', "colors: should be a table"),
    ],
)
def test_what_is_no_theme_says_why(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_theme(text)
