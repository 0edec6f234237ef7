"""Theme files (TOML) to Textual themes and to the styles that panes draw with."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich.style import Style
from textual.theme import Theme

from tui.paths import theme_dirs

DEFAULT: Final = "tickdeck-dark"
ROLES: Final = (
    "background", "surface", "panel", "text", "muted", "faint", "border", "focus", "accent", "selection",
    "up", "down", "bid", "ask", "bid-bar", "ask-bar", "bid-depth", "ask-depth", "stale", "warning", "error", "good",
)  # fmt: skip
"""Every colour a theme has to name."""
_KEYS: Final = ("name", "dark", "colors")
_NAME: Final = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, as hex by role, and ready styles."""

    name: str
    dark: bool
    colors: Mapping[str, str]

    def style(self, role: str, *, bg: str | None = None, bold: bool = False, dim: bool = False) -> Style:
        """A foreground role on an optional background role. The same words give the same object."""
        words = role, bg, bold, dim
        found = self._styles.get(words)
        if found is None:
            back = self.colors[bg] if bg else None
            found = self._styles[words] = Style(
                color=self.colors[role], bgcolor=back, bold=bold or None, dim=dim or None
            )
        return found

    def fill(self, role: str) -> Style:
        """A background alone. The same object for the same role."""
        words = "", role, False, False
        return self._styles.get(words) or self._styles.setdefault(words, Style(bgcolor=self.colors[role]))

    @cached_property
    def _styles(self) -> dict[tuple[str, str | None, bool, bool], Style]:
        return {}

    @cached_property
    def text(self) -> Style:
        """Ordinary text."""
        return self.style("text")

    @cached_property
    def strong(self) -> Style:
        """Text that should be seen first."""
        return self.style("text", bold=True)

    @cached_property
    def muted(self) -> Style:
        """Labels and units."""
        return self.style("muted")

    @cached_property
    def faint(self) -> Style:
        """Rules and grids: carries no meaning."""
        return self.style("faint")

    @cached_property
    def stale(self) -> Style:
        """A value that is not live."""
        return self.style("stale")

    @cached_property
    def up(self) -> Style:
        """A rise."""
        return self.style("up")

    @cached_property
    def down(self) -> Style:
        """A fall."""
        return self.style("down")

    @cached_property
    def bid(self) -> Style:
        """The buying side."""
        return self.style("bid")

    @cached_property
    def ask(self) -> Style:
        """The selling side."""
        return self.style("ask")

    @cached_property
    def warning(self) -> Style:
        """Something to look at."""
        return self.style("warning")

    @cached_property
    def error(self) -> Style:
        """Something broken."""
        return self.style("error")

    @cached_property
    def good(self) -> Style:
        """All well."""
        return self.style("good")

    @cached_property
    def accent(self) -> Style:
        """Keys and what is chosen."""
        return self.style("accent")

    def moved(self, direction: int) -> Style:
        """The colour of a rise, a fall, or neither."""
        return self.up if direction > 0 else self.down if direction < 0 else self.text

    def textual(self) -> Theme:
        """The same as a Textual theme, with `$market-up` and its like as variables."""
        c = self.colors
        market = {"market-up": "up", "market-down": "down", "bid": "bid", "ask": "ask", "stale": "stale"}
        return Theme(
            name=self.name,
            dark=self.dark,
            primary=c["accent"],
            secondary=c["muted"],
            accent=c["accent"],
            foreground=c["text"],
            background=c["background"],
            surface=c["surface"],
            panel=c["panel"],
            success=c["good"],
            warning=c["warning"],
            error=c["error"],
            variables={name: c[role] for name, role in market.items()}
            | {"pane-border": c["border"], "pane-focus": c["focus"], "muted": c["muted"], "selection": c["selection"]},
        )


class Themes(NamedTuple):
    """All that were found, and what was wrong with the others."""

    palettes: Mapping[str, Palette]
    problems: tuple[str, ...]

    def get(self, name: str) -> Palette:
        """The palette of that name, else the default one."""
        return self.palettes.get(name) or self.palettes[DEFAULT]


def load_themes(folders: Sequence[Path] | None = None) -> Themes:
    """Read every theme file: the built-in ones, then the user's, which may replace them.

    A broken file is a line in `problems`; the others load.

    Args:
        folders: Where to look, most important first; None for the usual places.
    """
    palettes: dict[str, Palette] = {}
    problems: list[str] = []
    for path in _files(theme_dirs() if folders is None else folders):
        try:
            palette = read_theme(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            problems.append(f"{path}: {error}")
        else:
            palettes[palette.name] = palette
    return Themes(palettes, tuple(problems))


def read_theme(text: str) -> Palette:
    """A palette from the text of a theme file.

    Raises:
        ValueError: not TOML, a role is missing or unknown, or a colour is not `#rrggbb`.
    """
    try:
        theme = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"not TOML: {error}") from error
    if mistakes := "; ".join(_mistakes(theme)):
        raise ValueError(mistakes)
    return Palette(**theme)


def _mistakes(theme: Mapping[str, Any]) -> list[str]:
    """What is wrong with a theme. By hand: it is read before the first frame, which would wait for a model's making."""
    if wrong := _differences(theme, _KEYS):
        return wrong
    name, dark, colors = (theme[key] for key in _KEYS)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        wrong.append("name: should be small letters, digits and -, at most 40 of them")
    if not isinstance(dark, bool):
        wrong.append("dark: should be true or false")
    if not isinstance(colors, dict):
        return [*wrong, "colors: should be a table"]
    wrong += _differences(colors, ROLES)
    if bad := [role for role, color in colors.items() if not _is_hex(color)]:
        wrong.append(f"not a colour like #1a2b3c: {', '.join(bad)}")
    return wrong


def _differences(table: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    lists = {"missing": [key for key in keys if key not in table], "unknown": [key for key in table if key not in keys]}
    return [f"{word}: {', '.join(names)}" for word, names in lists.items() if names]


def _is_hex(color: object) -> bool:
    digits = color[1:] if isinstance(color, str) and color.startswith("#") else ""
    return len(digits) == 6 and all(c in "0123456789abcdefABCDEF" for c in digits)


def _files(folders: Sequence[Path]) -> list[Path]:
    return [path for folder in reversed(folders) for path in sorted(folder.glob("*.toml"))]
