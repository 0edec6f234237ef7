"""What every live pane is: one widget that draws its own frame and lines as strips, from the store alone.

A pane names what it wants (`wants`), says its live facts (`heading`) and makes its rows (`rows`). Rows that came out
the same as in the last frame are not drawn again: only changed rows reach the terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive

from tui.market.names import Kind, Symbol, Wants
from tui.market.store import Changes, MarketStore
from tui.panes.kept import Kept
from tui.themes import Palette
from tui.widgets.drawn import Drawn
from tui.widgets.lines import Line, cut

NS: Final = 1_000_000_000
MAX_REMOVED: Final = 50
"""How many removed symbols can be brought back."""


@dataclass(eq=False)
class Desk:
    """What all panes share: where they read, and how they draw.

    Attributes:
        store: The market's latest state.
        palette: Colours of the present theme.
        colorless: True under NO_COLOR and with 16 colours: shapes and marks must say what shades cannot.
        flash: Whether a changed price lights up for a moment.
        names: The watch lists by name, in order; edited by the user.
        watchlist: Name of the list that is shown.
        lag_s: The longest that the program was held up in the last second: a key had to wait so long.
        removed: What was taken off a list, newest last: list, place, symbol.
    """

    store: MarketStore
    palette: Palette
    colorless: bool = False
    flash: bool = True
    names: dict[str, list[Symbol]] = field(default_factory=dict)
    watchlist: str = "main"
    lag_s: float = 0.0
    removed: list[tuple[str, int, Symbol]] = field(default_factory=list)

    @property
    def symbols(self) -> list[Symbol]:
        """The symbols of the list that is shown, in the user's order."""
        return self.names.setdefault(self.watchlist, [])

    def remove(self, symbol: Symbol) -> None:
        """Take a symbol off the list that is shown; `restore` brings it back."""
        self.removed.append((self.watchlist, self.symbols.index(symbol), symbol))
        self.symbols.remove(symbol)
        del self.removed[:-MAX_REMOVED]

    def restore(self) -> Symbol | None:
        """Show the list of what was removed last, with it where it was; None when nothing was."""
        if not self.removed:
            return None
        self.watchlist, index, symbol = self.removed.pop()
        if symbol not in self.symbols:
            self.symbols.insert(index, symbol)
        return symbol

    def now_ns(self) -> int:
        """UTC now, by the store's clock."""
        return self.store.now_ns()


Fact = tuple[str, Style]
"""A piece of a heading: text and how to draw it."""


class Pane(Drawn, can_focus=True):
    """Base of all panes.

    Subclasses set `pane_id`, `title`, `kinds`, `number`, and write `wants`, `heading` and `rows`.
    """

    DEFAULT_CSS = """
    Pane { background: $background; color: $foreground; }
    """

    pane_id: ClassVar[str]
    title: ClassVar[str]
    number: ClassVar[int]
    """The digit that focuses it."""
    kinds: ClassVar[frozenset[Kind]] = frozenset()
    """Kinds of data whose changes touch this pane."""
    ticks: ClassVar[bool] = True
    """Whether it shows ages and must be drawn once a second without any change."""
    help: ClassVar[str] = ""
    """What the pane shows, what its marks mean: for `f1`. Plain text, paragraphs separated by blank lines."""

    symbol: reactive[Symbol | None] = reactive(None, init=False)
    """The chosen symbol, for panes that show one."""

    class WantsChanged(Message):
        """The pane wants something else now."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(id=self.pane_id)
        self.desk = desk
        self._again_ns: int | None = None
        self._kept = Kept()
        """For panes whose rows are dear: those of the last frame."""

    def wants(self) -> Wants:
        """Everything it needs to be subscribed for it, as it stands now."""
        return frozenset()

    def heading(self) -> Sequence[Fact]:
        """Live facts for the title row, after number and title; what does not fit is dropped from the end."""
        return ()

    def corner(self) -> Sequence[Fact]:
        """Short facts for the right end of the title row: ages, marks."""
        return ()

    def rows(self, width: int, height: int) -> Sequence[Line]:
        """The inside of the pane, top to bottom; missing rows are blank. Called a few times a second: be quick."""
        return ()

    def is_touched_by(self, changes: Changes) -> bool:
        """Whether anything it shows may have changed."""
        return any(key.kind in self.kinds for key in changes.keys)

    def takes(self, key: str, character: str | None) -> bool:
        """Take a key before it can mean anything else; False leaves it to the bindings.

        Args:
            key: Its name.
            character: What it types, or None.
        """
        return False

    def on_key(self, event: events.Key) -> None:
        """A key that reached the pane itself."""
        if self.takes(event.key, event.character):
            event.stop()
            event.prevent_default()

    def draw(self) -> None:
        """Make all rows anew and refresh those that differ from the last frame."""
        self._again_ns = None
        super().draw()

    def draw_again_at(self, ns: int) -> None:
        """Ask to be drawn at a time although nothing changes (the end of a flash)."""
        self._again_ns = ns if self._again_ns is None else min(self._again_ns, ns)

    def is_due(self, now_ns: int) -> bool:
        """Whether a time asked for with `draw_again_at` has come."""
        return self._again_ns is not None and now_ns >= self._again_ns

    def redraw(self) -> None:
        """Draw all of it anew, now: after a key press, a theme change, a resize."""
        self._kept.forget()
        self.draw()

    def base(self) -> Style:
        """Text on the background."""
        return self.desk.palette.style("text", bg="background")

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """All there is."""
        return container.width

    def lines(self, width: int, height: int) -> list[Line]:
        """The frame with the rows in it; nothing where there is no room for a frame."""
        if width < 4 or height < 3:
            return []
        palette = self.desk.palette
        edge = palette.style("focus", bold=True) if self.has_focus else palette.style("border")
        inner = width - 2
        body = list(self.rows(inner, height - 2))[: height - 2]
        body += [Line() for _ in range(height - 2 - len(body))]
        lines = [self._top(width, edge)]
        for row in body:  # every row of every frame: put together without `add`
            pieces = row.pieces if row.width <= inner else cut(row.pieces, inner)
            gap = " " * (inner - row.width)
            lines.append(Line.of([("│", edge), *pieces, (gap + "│", edge)], width))
        return [*lines, Line().add("╰" + "─" * inner + "╯", edge)]

    def _top(self, width: int, edge: Style) -> Line:
        palette = self.desk.palette
        name = palette.style("focus", bold=True) if self.has_focus else palette.strong
        line = Line().add("╭ ", edge).add(f"{self.number} ", palette.muted).add(self.title, name)
        corner = Line()
        for text, style in self.corner():
            corner.add(" ", edge).add(text, style)
        room = width - 3 - corner.width
        for text, style in self.heading():
            piece = Line().add(" · ", palette.muted).add(text, style)
            if line.width + piece.width + 1 > room:
                break
            line.extend(piece)
        line.add(" ", edge)
        if corner.width and line.width + corner.width + 3 <= width:
            line.to(width - corner.width - 2, edge, "─").extend(corner).add(" ", edge)
        return line.to(width - 1, edge, "─").add("╮", edge)

    def on_resize(self, event: events.Resize) -> None:
        """All rows have another width now."""
        self.redraw()

    def on_show(self, event: events.Show) -> None:
        """While it was hidden nobody drew it: what it would show is of then."""
        self.redraw()

    def watch_has_focus(self, _has_focus: bool) -> None:
        """The frame shows the focus: drawn once it has come, as events tell of it before."""
        super().watch_has_focus(_has_focus)
        self.redraw()

    def watch_symbol(self) -> None:
        """Another symbol: other wants, other rows."""
        self.post_message(self.WantsChanged())
        self.redraw()
