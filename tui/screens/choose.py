"""Pick one of a few words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option


class ChooseScreen(ModalScreen[str | None]):
    """A title and a list; `enter` picks, `escape` does not.

    Args:
        title: What is to be chosen.
        choices: The words.
        current: The word that is chosen now.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back", show=False),
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
    ]

    def __init__(self, title: str, choices: Sequence[str], current: str | None = None) -> None:
        super().__init__()
        self._title = title
        self._choices = list(choices)
        self._current = current

    def compose(self) -> ComposeResult:
        """Title above list."""
        with Vertical(classes="dialog small"):
            yield Static(Content(self._title), classes="dialog-title")
            yield OptionList(*(Option(Content(word), id=str(i)) for i, word in enumerate(self._choices)), markup=False)

    def on_mount(self) -> None:
        """Start at the present choice."""
        options = self.query_one(OptionList)
        if self._current in self._choices:
            options.highlighted = self._choices.index(self._current)
        self.set_focus(options)

    def action_down(self) -> None:
        """The next word."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """The previous word."""
        self.query_one(OptionList).action_cursor_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Picked."""
        self.dismiss(self._choices[event.option_index])
