"""Help: all keys, or what one pane shows and does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.actions import ACTIONS, Action

CLOSE: list[BindingType] = [Binding("escape,q,question_mark,f1,enter", "dismiss(None)", "close", show=False)]
KEY_WIDTH = 11


class KeysScreen(ModalScreen[None]):
    """Every action with its key, by scope; moved keys are shown as they are now."""

    BINDINGS: ClassVar[list[BindingType]] = CLOSE

    def __init__(self, actions: Sequence[Action], moved: Mapping[str, str]) -> None:
        super().__init__()
        self._actions = actions
        self._moved = moved

    def compose(self) -> ComposeResult:
        """A scrolling list in groups."""
        with VerticalScroll(classes="dialog", can_focus=True) as scroll:
            yield Static(Content("All keys"), classes="dialog-title")
            for scope, actions in groupby(self._actions, key=lambda action: action.scope):
                yield Static(Content("everywhere" if scope == "app" else scope), classes="dialog-group")
                yield Static(keys_table(list(actions), self._moved))
            yield Static(Content("esc closes. Keys can be moved under [keys] in the configuration."), classes="hint")
        self._scroll = scroll

    def on_mount(self) -> None:
        """Arrows scroll."""
        self.set_focus(self._scroll)


class PaneHelpScreen(ModalScreen[None]):
    """What a pane shows, what its marks mean, and its keys."""

    BINDINGS: ClassVar[list[BindingType]] = CLOSE

    def __init__(self, title: str, text: str, scope: str, moved: Mapping[str, str]) -> None:
        super().__init__()
        self._title, self._text, self._scope, self._moved = title, text, scope, moved

    def compose(self) -> ComposeResult:
        """Text, then keys."""
        with VerticalScroll(classes="dialog", can_focus=True) as scroll:
            yield Static(Content(self._title), classes="dialog-title")
            yield Static(Content(self._text))
            if actions := [action for action in ACTIONS if action.scope == self._scope]:
                yield Static(Content("keys"), classes="dialog-group")
                yield Static(keys_table(actions, self._moved))
            yield Static(Content("esc closes, ? shows all keys."), classes="hint")
        self._scroll = scroll

    def on_mount(self) -> None:
        """Arrows scroll."""
        self.set_focus(self._scroll)


def keys_table(actions: Sequence[Action], moved: Mapping[str, str]) -> Text:
    """One line an action: key, what it does."""
    rows = (f"{moved.get(a.id, a.label):>{KEY_WIDTH}}  {a.title}" for a in actions)
    return Text("\n".join(rows))
