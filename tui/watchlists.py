"""The watch lists as the user edits them, and what of them survives a restart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tui.market.names import Symbol
from tui.panes.base import Desk

if TYPE_CHECKING:
    from tui.state import StateFile


class Watchlists:
    """Edits the lists of a desk, and remembers each change.

    Args:
        desk: Holds the lists; the configured ones at first.
        state: What survives a restart: edited lists are laid over the configured ones. None keeps nothing.
        symbols: Put in front of the list that is shown.
    """

    def __init__(self, desk: Desk, state: StateFile | None, symbols: Sequence[Symbol]) -> None:
        self._desk = desk
        self._state = state
        if state is not None:
            for name, listed in state.watchlists.items():
                desk.names[name] = list(listed)
            if state.watchlist in desk.names:
                desk.watchlist = state.watchlist
        for symbol in reversed(symbols):
            if symbol in desk.symbols:
                desk.symbols.remove(symbol)
            desk.symbols.insert(0, symbol)

    @property
    def first(self) -> Symbol | None:
        """The first symbol of the list that is shown."""
        return next(iter(self._desk.symbols), None)

    @property
    def recent(self) -> Sequence[Symbol]:
        """Symbols that were added lately, newest first."""
        return self._state.recent if self._state else ()

    def used(self, symbol: Symbol) -> None:
        """A symbol was asked for: it comes first among the recent ones."""
        if self._state:
            self._state.used(symbol)

    def add(self, symbol: Symbol, codes: Mapping[str, str]) -> None:
        """Put a symbol at the end of the list that is shown.

        Args:
            symbol: Not on the list yet.
            codes: The providers' own codes for it, as far as search found them.
        """
        self._desk.symbols.append(symbol)
        if self._state:
            self._state.codes[symbol] = codes
        self.save()

    def undo(self) -> Symbol | None:
        """Bring back what was removed last, where it was; None when nothing was."""
        symbol = self._desk.restore()
        if symbol is not None:
            self.save()
        return symbol

    def show_next(self) -> bool:
        """Show the next list. False when there is one only."""
        names = list(self._desk.names)
        self._desk.watchlist = names[(names.index(self._desk.watchlist) + 1) % len(names)]
        self.save()
        return len(names) > 1

    def save(self) -> None:
        """Remember the lists as they are."""
        if self._state is not None:
            self._state.save(self._desk.names, self._desk.watchlist)
