"""Enter a key or a token for this run, when there is no keyring or the stored one was refused."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import SecretStr
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static


@dataclass(frozen=True, slots=True)
class Wanted:
    """A secret that can be entered: whose, which, where the user gets it."""

    provider: str
    field: str
    title: str
    where: str


Entered = Mapping[tuple[str, str], SecretStr]
"""Secrets by (provider, field)."""


class CredentialsScreen(ModalScreen[Entered | None]):
    """One masked input a secret; empty ones are left as they are. Nothing is written to a file.

    Args:
        wanted: What can be entered.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "back", show=False)]

    def __init__(self, wanted: Sequence[Wanted]) -> None:
        super().__init__()
        self._wanted = wanted

    def compose(self) -> ComposeResult:
        """A refusal where keys are being logged, else the inputs."""
        with VerticalScroll(classes="dialog"):
            yield Static(Content("Keys for this run"), classes="dialog-title")
            if leak := key_log():
                yield Static(Content(f"Not while {leak} is set: every typed key would be written to a file."))
                return
            yield Static(
                Content("Kept in memory until you quit. `tickdeck credentials set` stores them in the keyring.")
            )
            for index, item in enumerate(self._wanted):
                yield Static(Content(f"{item.provider}: {item.title}"), classes="dialog-group")
                yield Input(password=True, placeholder=item.where, id=f"secret-{index}")
            yield Static(Content("enter uses them and connects, esc goes back."), classes="hint")

    def on_mount(self) -> None:
        """Start at the first input."""
        if inputs := self.query(Input):
            self.set_focus(inputs.first(), scroll_visible=False)  # now: the next key is meant for it; the title stays

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand over what was entered."""
        values = [input.value.strip() for input in self.query(Input)]
        entered = {
            (item.provider, item.field): SecretStr(value)
            for item, value in zip(self._wanted, values, strict=True)
            if value
        }
        self.dismiss(entered or None)


def key_log() -> str | None:
    """The environment variable under which Textual writes down every typed key, or None."""
    if os.environ.get("TEXTUAL_LOG"):
        return "TEXTUAL_LOG"
    return "TEXTUAL=devtools" if "devtools" in os.environ.get("TEXTUAL", "") else None
