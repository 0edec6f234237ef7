"""Add a symbol: type, see what all providers know, press enter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.errors import SymbolError
from tui.market.names import Symbol, parse_symbol
from tui.panes.base import Desk
from tui.widgets.lines import fit

LEAST: Final = 2
"""Letters before a search starts."""
REST_S: Final = 0.2
"""Typing has to rest this long before providers are asked."""
MAX_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Match:
    """An instrument that was found: what it is, and which providers carry it."""

    symbol: Symbol
    description: str
    kind: str
    providers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """The answer of a search, best first, and what went wrong at which provider."""

    matches: Sequence[Match]
    problems: Sequence[str] = ()


Search = Callable[[str], Awaitable[Matches]]


class SymbolPrompt(ModalScreen[Symbol | None]):
    """An input and a list below it.

    Args:
        desk: For the colours.
        search: Asks all providers.
        recent: Shown before anything is typed, newest first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back", show=False),
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
    ]

    def __init__(self, desk: Desk, search: Search, recent: Sequence[Symbol] = ()) -> None:
        super().__init__()
        self._desk = desk
        self._search = search
        self._recent = recent
        self._choices: list[Symbol] = []
        self._answered = ""
        self._wants_enter = False

    def compose(self) -> ComposeResult:
        """Input, list, and a line that says what is going on."""
        with Vertical(classes="dialog"):
            yield Static(Content("Add a symbol"), classes="dialog-title")
            yield Input(placeholder="AAPL, BTC/USDT, apple, NASDAQ:MSFT …", max_length=40)
            yield OptionList(markup=False)
            yield Static(Content(""), classes="hint")

    def on_mount(self) -> None:
        """Show what was used lately."""
        self.set_focus(self.query_one(Input))  # now: the next key is meant for it
        known = [Match(symbol, "used before", "", ()) for symbol in self._recent if symbol not in self._desk.symbols]
        self._show(known[:10])
        self._say("Type at least two letters. enter adds, esc goes back.")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search when the typing rests."""
        self._wants_enter = False
        text = event.value.strip()
        if len(text) < LEAST:
            return
        self._find(text)

    @work(group="search", exclusive=True, exit_on_error=False)
    async def _find(self, text: str) -> None:
        await asyncio.sleep(REST_S)
        self._say("Searching …")
        found = await self._search(text)
        if self.query_one(Input).value.strip() != text:
            return
        self._answered = text
        matches = list(found.matches)[:MAX_SHOWN]
        typed = _parsed(text)
        if typed and all(match.symbol != typed for match in matches):
            matches.append(Match(typed, "as typed; no provider was found to know it", "", ()))
        self._show(matches)
        problems = " ".join(found.problems)
        self._say(problems or (f"{len(found.matches)} found." if found.matches else "Nothing found."), bool(problems))
        if self._wants_enter:
            self._choose()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Add what is highlighted; when the answer is still under way, wait for it."""
        text = event.value.strip()
        if text and text != self._answered and len(text) >= LEAST:
            self._wants_enter = True
        else:
            self._choose()

    def _choose(self) -> None:
        index = self.query_one(OptionList).highlighted
        if index is not None and index < len(self._choices):
            self.dismiss(self._choices[index])
        elif typed := _parsed(self.query_one(Input).value):
            self.dismiss(typed)
        else:
            self._say("That is no symbol. Try AAPL, BTC/USDT or NASDAQ:AAPL.", problem=True)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Clicked."""
        self.dismiss(self._choices[event.option_index])

    def action_move(self, step: int) -> None:
        """Move the highlight while the input keeps the focus."""
        options = self.query_one(OptionList)
        if self._choices:
            start = -1 if options.highlighted is None else options.highlighted
            options.highlighted = min(max(start + step, 0), len(self._choices) - 1)

    def _show(self, matches: Sequence[Match]) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        self._choices = [match.symbol for match in matches]
        options.add_options([Option(self._row(match), id=str(i)) for i, match in enumerate(matches)])
        if matches and self.query_one(Input).value.strip():
            options.highlighted = 0

    def _row(self, match: Match) -> Text:
        palette = self._desk.palette
        here = "✓ " if match.symbol in self._desk.symbols else "  "
        row = Text(here, palette.good, no_wrap=True)
        row.append(fit(match.symbol, 14), palette.strong).append(" ")
        row.append(fit(match.description, 30), palette.text).append(" ")
        row.append(fit(match.kind, 6), palette.muted).append(" ")
        return row.append(" ".join(name[:3] for name in match.providers), palette.muted)

    def _say(self, text: str, problem: bool = False) -> None:
        line = self.query_one(".hint", Static)
        line.set_class(problem, "problem")
        line.update(Content(text))


def _parsed(text: str) -> Symbol | None:
    try:
        return parse_symbol(text)
    except SymbolError:
        return None
