"""One table of everything a key can do: it drives dispatch, footer, help, palette and the `[keys]` configuration."""

from __future__ import annotations

from typing import Final, NamedTuple

from textual.binding import Binding, BindingType


class Action(NamedTuple):
    """Something the user can do.

    Attributes:
        id: Its name in `[keys]`: `quotes.remove`.
        keys: Default keys, comma-separated, as Textual names them.
        label: As help and footer show the keys: `x`.
        title: What it does, in a few words.
        method: The Textual action, with its arguments.
        hint: The word for the last row of the screen, or "" to leave it out there.
    """

    id: str
    keys: str
    label: str
    title: str
    method: str
    hint: str = ""

    @property
    def scope(self) -> str:
        """`app`, or the pane it belongs to."""
        return self.id.partition(".")[0]

    def binding(self) -> Binding:
        """The same for Textual; `[keys]` moves it by id."""
        return Binding(self.keys, self.method, self.title, show=False, id=self.id, key_display=self.label)


ACTIONS: Final = (
    Action("app.add", "slash", "/", "add a symbol", "app.add_symbol", "add"),
    Action("app.next_pane", "tab", "tab", "next pane", "app.cycle_pane(1)"),
    Action("app.previous_pane", "shift+tab", "shift+tab", "previous pane", "app.cycle_pane(-1)"),
    Action("app.pane_1", "1", "1", "quotes", "app.focus_pane('quotes')"),
    Action("app.pane_2", "2", "2", "bars", "app.focus_pane('bars')"),
    Action("app.pane_3", "3", "3", "book", "app.focus_pane('book')"),
    Action("app.pane_4", "4", "4", "news", "app.focus_pane('news')"),
    Action("app.pane_5", "5", "5", "tape", "app.focus_pane('tape')"),
    Action("app.pane_6", "6", "6", "feeds", "app.focus_pane('feeds')"),
    Action("app.maximise", "z,f10", "z", "maximise or restore the pane", "app.maximise", "maximise"),
    Action("app.restore", "escape", "esc", "back", "app.restore"),
    Action("app.freeze", "p", "p", "freeze the screen, feeds go on", "app.freeze", "freeze"),
    Action("app.theme", "T", "T", "next theme", "app.next_theme"),
    Action("app.credentials", "C", "C", "keys and tokens for this run", "app.credentials"),
    Action("app.help", "question_mark", "?", "all keys", "app.all_keys", "keys"),
    Action("app.pane_help", "f1", "f1", "help for this pane", "app.pane_help"),
    Action("app.palette", "ctrl+p", "ctrl+p", "every action by name", "app.command_palette"),
    Action("app.quit", "q,ctrl+q", "q", "quit", "app.quit", "quit"),
    Action("quotes.down", "down,j", "↓ j", "select the next symbol", "move(1)"),
    Action("quotes.up", "up,k", "↑ k", "select the previous symbol", "move(-1)"),
    Action("quotes.first", "home", "home", "select the first symbol", "edge(-1)"),
    Action("quotes.last", "end", "end", "select the last symbol", "edge(1)"),
    Action("quotes.remove", "x,delete", "x", "remove the symbol", "remove", "remove"),
    Action("quotes.undo", "u,ctrl+z", "u", "bring the removed symbol back", "app.undo_remove"),
    Action("quotes.sort", "s", "s", "sort by the next column", "sort", "sort"),
    Action("quotes.move_down", "J", "J", "move the symbol down the list", "shift(1)"),
    Action("quotes.move_up", "K", "K", "move the symbol up the list", "shift(-1)"),
    Action("quotes.next_list", "w", "w", "next watch list", "app.next_watchlist"),
    Action("bars.shorter", "left_square_bracket", "[", "shorter interval", "interval(-1)", "shorter"),
    Action("bars.longer", "right_square_bracket", "]", "longer interval", "interval(1)", "longer"),
    Action("bars.list", "t", "t", "choose the interval from a list", "app.choose_interval"),
    Action("bars.wider", "plus,equals_sign", "+", "wider bars", "width(1)", "wider"),
    Action("bars.narrower", "minus", "-", "narrower bars", "width(-1)", "narrower"),
    Action("bars.older", "left,h", "← h", "crosshair to the older bar", "crosshair(-1)"),
    Action("bars.newer", "right,l", "→ l", "crosshair to the newer bar", "crosshair(1)"),
    Action("bars.clear", "escape", "esc", "put the crosshair away", "clear"),
    Action("bars.indicators", "i", "i", "moving averages and VWAP", "indicators"),
    Action("book.mode", "m", "m", "ladder, depth curve, heatmap", "mode", "mode"),
    Action("book.cost", "dollar_sign", "$", "what a size would cost", "cost", "cost"),
    Action("book.venues", "v", "v", "list the venues", "venues", "venues"),
    Action("book.switch", "space,enter", "space", "in the list: switch the venue off or on", "switch"),
    Action("book.more", "plus,equals_sign", "+", "more levels; closer", "zoom(1)", "more"),
    Action("book.fewer", "minus", "-", "fewer levels; further", "zoom(-1)", "fewer"),
    Action("book.finer", "g", "g", "finer price steps", "group(-1)", "finer"),
    Action("book.coarser", "G", "G", "coarser price steps", "group(1)", "coarser"),
    Action("book.bars", "b", "b", "bars linear or by the square root", "bars"),
    Action("book.centre", "c", "c", "back to the best prices", "centre"),
    Action("book.down", "down,j", "↓ j", "cursor to the lower price", "cursor(1)"),
    Action("book.up", "up,k", "↑ k", "cursor to the higher price", "cursor(-1)"),
    Action("book.left", "left,h", "← h", "cursor to the left", "sideways(-1)"),
    Action("book.right", "right,l", "→ l", "cursor to the right", "sideways(1)"),
    Action("news.down", "down,j", "↓ j", "next headline", "move(1)"),
    Action("news.up", "up,k", "↑ k", "previous headline", "move(-1)"),
    Action("news.read", "enter", "enter", "read", "read", "read"),
    Action("news.open", "o", "o", "open in the browser", "open", "open"),
    Action("news.filter", "f", "f", "only the selected symbol, or all", "filter", "filter"),
    Action("feeds.down", "down,j", "↓ j", "next feed", "move(1)"),
    Action("feeds.up", "up,k", "↑ k", "previous feed", "move(-1)"),
    Action("feeds.reconnect", "R", "R", "reconnect the feed now", "reconnect", "reconnect"),
)
"""Every action; those of a pane work while it has the focus."""


def bindings(scope: str) -> list[BindingType]:
    """The bindings of the app (`app`) or of a pane."""
    return [action.binding() for action in ACTIONS if action.scope == scope]
