"""A row on its way to the terminal: most are written once, so nothing is made for later, and no code twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.cache import FIFOCache
from textual.strip import SGR_STYLES, Strip

MAX_BASES: Final = 256
MAX_STYLES: Final = 4096
RESET: Final = "\x1b[0m"
_FLAT: Final = 0b111
"""Bold, dim and italic: attributes that cannot be seen on a space."""

Piece = tuple[str, Style]
"""Text and how to draw it."""
_segment: Final[Callable[[tuple[str, Style, None]], Segment]] = partial(tuple.__new__, Segment)
"""A `Segment` in half the time that its constructor takes."""


class Ink(NamedTuple):
    """A style as a terminal takes it.

    Attributes:
        style: What was asked for, which keeps the identity its own.
        laid: The same on its base.
        attributes: Codes of bold and the like, each followed by `;`.
        fg: Code of the text's colour.
        bg: Code of the background.
        is_flat: Whether a space looks the same in every such ink with that background.
    """

    style: Style
    laid: Style
    attributes: str
    fg: str
    bg: str
    is_flat: bool

    @property
    def whole(self) -> str:
        """What makes it so whatever was before."""
        return f"\x1b[0;{self.attributes}{self.fg};{self.bg}m"

    def after(self, other: Ink) -> str:
        """What makes it so where another one was in use."""
        if self.attributes != other.attributes:
            return self.whole
        if self.bg == other.bg:
            return "" if self.fg == other.fg else f"\x1b[{self.fg}m"
        return f"\x1b[{self.bg}m" if self.fg == other.fg else f"\x1b[{self.fg};{self.bg}m"


class Inks(dict[int, Ink]):
    """The inks on one base by their styles' identity, because comparing styles is slow.

    It pays where the same style objects come again in every frame, as those of a palette do.

    Args:
        base: What the styles lie on.
        system: The colours that the terminal has.
    """

    def __init__(self, base: Style, system: ColorSystem) -> None:
        super().__init__()
        self.base = base
        self._system = system

    def lay(self, style: Style) -> Ink:
        """The ink of a style that is not known yet."""
        if len(self) >= MAX_STYLES:
            self.clear()
        laid = self.base + style if style else self.base
        found = self[id(style)] = Ink(style, laid, *_codes(laid, self._system))
        return found


_inks: dict[tuple[int, ColorSystem], Inks] = {}


def inks_on(base: Style, system: ColorSystem) -> Inks:
    """What styles look like on a base, as far as known."""
    found = _inks.get((id(base), system))
    if found is None:
        if len(_inks) >= MAX_BASES:
            _inks.clear()
        found = _inks[id(base), system] = Inks(base, system)
    return found


class RowStrip(Strip):
    """Pieces of text on a base, of so many cells together.

    Textual's own strip makes seven caches at once and writes every piece with all its codes; a row with ten pieces is
    four times as many codes as characters then.
    """

    __slots__ = ("_base", "_pieces")

    def __init__(self, pieces: Sequence[Piece], width: int, base: Style) -> None:
        self._pieces, self._base, self._cell_length = pieces, base, width
        self._render_cache = self._link_ids = self._cell_count = None

    def __getattr__(self, name: str) -> Any:
        """Make at first use what few rows need: caches, and segments where Textual cuts or filters."""
        if name == "_segments":
            inks = inks_on(self._base, ColorSystem.TRUECOLOR)
            made: Any = [
                _segment((text, (inks.get(id(style)) or inks.lay(style)).laid, None)) for text, style in self._pieces
            ]
        elif name.endswith("_cache"):
            made = FIFOCache(4)
        else:
            raise AttributeError(name)
        setattr(self, name, made)
        return made

    def divide(self, cuts: Any) -> Sequence[Strip]:
        """Cut at cells; a row that is not cut stays what it is."""
        places = list(cuts)
        return [self] if places == [self._cell_length] else super().divide(places)

    def render(self, console: Console) -> str:
        """Text and codes, of which only those that change something."""
        if self._render_cache is None:
            self._render_cache = self._written(self._pieces, console._color_system or ColorSystem.TRUECOLOR)
        return self._render_cache

    def since(self, before: RowStrip, console: Console) -> str:
        """Text and codes that make this row out of the one that is there, from its first cell on."""
        if before is self:
            return ""
        if before._base is not self._base or before._cell_length != self._cell_length:
            return self.render(console)
        return self._written(changed(before._pieces, self._pieces), console._color_system or ColorSystem.TRUECOLOR)

    def _written(self, pieces: Iterable[Piece], system: ColorSystem) -> str:
        inks, out = inks_on(self._base, system), []
        last: Ink | None = None
        for text, style in pieces:
            ink = inks.get(id(style)) or inks.lay(style)
            if ink is not last:
                if last is None:
                    out.append(ink.whole)
                elif ink.bg == last.bg and ink.is_flat and last.is_flat and text.isspace():
                    ink = last
                else:
                    out.append(ink.after(last))
                last = ink
            out.append(text)
        if last is not None:
            out.append(RESET)
        return "".join(out)


def changed(old: Sequence[Piece], new: Sequence[Piece]) -> list[Piece]:
    """The pieces of a row that differ from those that are there, each behind a step over the cells that do not.

    Pieces are compared one by one where the rows have as many, each as wide as the other: numbers in columns. Else all
    is written between the first that differs and the last.
    """
    first = step = 0
    for before, after in zip(old, new, strict=False):
        if before != after:
            break
        first += 1
        step += cells(after[0])
    end, shift = len(new), len(old) - len(new)
    least = max(first, first - shift)
    while end > least and old[end - 1 + shift] == new[end - 1]:
        end -= 1
    kept = _in_columns(old[first : end + shift], new[first:end]) if shift == 0 else None
    return [*_behind(step, new[first:end] if kept is None else kept)]


def _in_columns(old: Sequence[Piece], new: Sequence[Piece]) -> list[Piece] | None:
    kept: list[Piece] = []
    step = 0
    for before, after in zip(old, new, strict=True):
        text = after[0]
        width = len(text) if text.isascii() else cell_len(text)
        if before == after:
            step += width
        elif width == cells(before[0]):
            kept += _behind(step, (after,))
            step = 0
        else:
            return None
    return kept


def _behind(step: int, pieces: Sequence[Piece]) -> Sequence[Piece]:
    """Pieces that begin so many cells further on."""
    if not step or not pieces:
        return pieces
    (text, style), *others = pieces
    return [(f"\x1b[{step}C{text}", style), *others]


def cells(text: str) -> int:
    """Cells that a text takes."""
    return len(text) if text.isascii() else cell_len(text)


def _codes(style: Style, system: ColorSystem) -> tuple[str, str, str, bool]:
    bits = style._attributes & style._set_attributes
    attributes = "".join(f"{code};" for place, code in enumerate(SGR_STYLES) if bits & (1 << place))
    fg, bg = style.color, style.bgcolor
    return (
        attributes,
        ";".join(fg.downgrade(system).get_ansi_codes()) if fg else "39",
        ";".join(bg.downgrade(system).get_ansi_codes(foreground=False)) if bg else "49",
        not bits & ~_FLAT,
    )
