"""Keeps Textual and Rich from holding on to what will hardly be asked for again."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from rich import cells
from textual._styles_cache import StylesCache
from textual.color import Color

_plain: Final[Any] = getattr(getattr(StylesCache, "get_inner_outer", None), "__wrapped__", None)


MAX_TEXTS: Final = 1024
"""Texts whose width is remembered."""


def remember_fewer_widths() -> None:
    """Make Rich remember the widths of the texts of a few frames.

    Figures change all the time, so its 4,096 are mostly texts that were shown once: 0.8 MiB. Of the texts that are not
    plain ASCII, which are measured without it, 94 of 100 are still found among 1,024, and 98 among 4,096.
    Measured with Rich 15. A version without that cache is left alone.
    """
    measure = getattr(getattr(cells, "cached_cell_len", None), "__wrapped__", None)
    if measure is not None:
        cells.cached_cell_len = lru_cache(MAX_TEXTS)(measure)


def let_go_of_closed_widgets() -> None:
    """Make one of Textual's caches hold colours only.

    Every widget has a cache of its drawn lines, and one of that cache's methods is cached itself, together with the
    instance it belongs to. So the lines of the last thousand widgets stay, long after their dialogs and notices were
    closed: about a megabyte a minute where dialogs are opened all the time, until the thousand are full.
    Measured with Textual 8.2.8. A version without that cache is left alone.
    """
    if _plain is not None:
        StylesCache.get_inner_outer = _of_colours  # type: ignore[assignment, method-assign]


@lru_cache(1024)
def inner_outer(base: Color, background: Color) -> Any:
    """What the method returns: two styles that depend on two colours."""
    return _plain(None, base, background)


def _of_colours(cache: StylesCache, base: Color, background: Color) -> Any:
    return inner_outer(base, background)
