"""The dashboard: arranges panes and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from tui.actions import bindings
from tui.market.names import Symbol
from tui.messages import PanesArranged
from tui.panes.bars import BarsPane
from tui.panes.base import Desk, Pane
from tui.panes.book import BookPane
from tui.panes.feeds import FeedsPane
from tui.panes.news import NewsPane
from tui.panes.quotes import QuotesPane
from tui.panes.tape import TapePane
from tui.screens.status_bar import StatusBar
from tui.screens.tab_bar import TabBar
from tui.screens.too_small import LEAST, TooSmall
from tui.screens.top_bar import TopBar
from tui.widgets.retouching import Retouching

WIDE = (100, 28)
"""From this size on, three columns; below, one pane at a time with tabs."""


class MainScreen(Screen[None]):
    """Panes in three columns, or one at a time."""

    BLANK: ClassVar[bool] = True  # nothing of its own to show: saves composing it below the panes in every frame
    # here and not on the app: Textual's own tab binding sits on screens, and dialogs have keys of their own
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")
    PANES: ClassVar[tuple[type[Pane], ...]] = (QuotesPane, BarsPane, BookPane, NewsPane, TapePane, FeedsPane)

    def __init__(self, desk: Desk, keys: Mapping[str, str]) -> None:
        super().__init__()
        self._compositor = Retouching(desk.now_ns)
        self.desk = desk
        self.current = QuotesPane.pane_id
        self.is_maximised = False
        self._panes: list[Pane] = []
        self.top_bar = TopBar(desk, id="top")
        self.tab_bar = TabBar(desk, id="tabs")
        self.status_bar = StatusBar(desk, id="status", keys=keys)

    def compose(self) -> ComposeResult:
        """Bars above and below, panes between."""
        yield self.top_bar
        yield self.tab_bar
        with Horizontal(id="columns"):
            with Vertical(id="left"):
                yield QuotesPane(self.desk)
                yield NewsPane(self.desk)
                yield FeedsPane(self.desk)
            with Vertical(id="middle"):
                yield BarsPane(self.desk)
                yield TapePane(self.desk)
            with Vertical(id="right"):
                yield BookPane(self.desk)
        yield self.status_bar
        yield TooSmall()

    @property
    def panes(self) -> Iterator[Pane]:
        """All panes, shown or not."""
        if not self._panes:
            self._panes = list(self.query(Pane))  # asked for in every frame
        return iter(self._panes)

    def pane(self, pane_id: str) -> Pane:
        """A pane by its id."""
        return self.query_one(f"#{pane_id}", Pane)

    @property
    def shows_all(self) -> bool:
        """Whether the terminal is large enough for three columns."""
        return self.size.width >= WIDE[0] and self.size.height >= WIDE[1]

    def on_mount(self) -> None:
        """Start at the quotes."""
        self.pane(self.current).focus()

    def on_resize(self, event: events.Resize) -> None:
        """Another size may need another arrangement."""
        self.lay_out()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The focused pane is the one that is shown when there is room for one."""
        if isinstance(event.widget, Pane) and event.widget.pane_id != self.current:
            self.current = event.widget.pane_id
            self.lay_out()
        self.status_bar.focused = self.current
        self.draw_bars()

    def show(self, pane_id: str) -> None:
        """Focus a pane, bringing it forward where only one shows."""
        self.current = pane_id
        self.lay_out()
        self.set_focus(self.pane(pane_id), scroll_visible=False)  # now: the next key is meant for it

    def cycle(self, step: int) -> None:
        """Focus the next or the previous pane by number."""
        order = [pane.pane_id for pane in self.PANES]
        self.show(order[(order.index(self.current) + step) % len(order)])

    def maximise(self, on: bool) -> None:
        """Give the current pane all the room, or give it back."""
        self.is_maximised = on
        self.lay_out()

    def choose(self, symbol: Symbol | None) -> None:
        """Show another symbol in the panes that show one."""
        self.top_bar.symbol = symbol
        for pane in self.panes:
            pane.symbol = symbol
        self.draw_bars()

    def draw_bars(self) -> None:
        """Draw the rows above and below the panes."""
        self.top_bar.draw()
        self.status_bar.draw()
        self.tab_bar.current = self.current
        if self.tab_bar.display:
            self.tab_bar.draw()

    def write_changes(self) -> None:
        """Write what was drawn now, and not when Textual's timer comes round."""
        self._on_timer_update()

    def lay_out(self) -> None:
        """Decide which panes show."""
        everything = self.shows_all and not self.is_maximised
        self.tab_bar.display = not self.shows_all
        self.set_class(self.size.width < LEAST[0] or self.size.height < LEAST[1], "too-small")
        self.set_class(not everything, "single")
        for pane in self.panes:
            pane.display = everything or pane.pane_id == self.current
        for column in self.query("#columns > Vertical"):
            column.display = any(pane.display for pane in column.query(Pane))
        self.post_message(PanesArranged())
        self.draw_bars()
