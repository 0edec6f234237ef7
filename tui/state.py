"""What survives a restart: watchlists as they were edited on the screen, symbols used lately, codes found by search."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tui import paths
from tui.config import Config, SymbolName, Symbols
from tui.market.names import Symbol

_log = logging.getLogger(__name__)

MAX_FILE: Final = 1024 * 1024
"""Largest state file that is read, in bytes."""
MAX_RECENT: Final = 50
MAX_LISTS: Final = 100
MAX_SYMBOLS: Final = 1000
MAX_PROVIDERS: Final = 20
_BoundedSymbols = Annotated[Symbols, Field(max_length=MAX_SYMBOLS)]
_Code = Annotated[str, Field(pattern=r"^[!-~]{1,80}$")]
_Codes = Annotated[Mapping[str, _Code], Field(max_length=MAX_PROVIDERS)]


class EditedList(BaseModel):
    """A watchlist that the user changed on the screen."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    configured: _BoundedSymbols | None
    """What the configuration said then; None for a list that it did not have."""
    edited: _BoundedSymbols


class State(BaseModel):
    """The state file. What a newer version wrote besides is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    configured: str = ""
    """The configuration's first watchlist when `watchlist` was chosen."""
    watchlist: str = ""
    watchlists: Annotated[Mapping[str, EditedList], Field(max_length=MAX_LISTS)] = {}
    recent: Annotated[tuple[SymbolName, ...], Field(max_length=MAX_RECENT)] = ()
    codes: Annotated[Mapping[SymbolName, _Codes], Field(max_length=MAX_SYMBOLS + MAX_RECENT)] = {}


class StateFile:
    """The state file, read once and written at each change.

    An edited list wins over the configuration until somebody changes that list in the configuration.

    Args:
        config: Says what is configured.
        path: The file; that of the platform's folder when None.

    Attributes:
        watchlists: Edited lists by name, to be laid over the configured ones.
        watchlist: The list that was shown last, or None.
        recent: Symbols added lately, newest first.
        codes: Providers' own codes that search found for symbols which were added: symbol, then provider.
    """

    def __init__(self, config: Config, path: Path | None = None) -> None:
        self._path = path or paths.state_file()
        self._configured = config.watchlists
        self._first = config.watchlist
        self._writing = threading.Lock()
        self._text = self._written = ""
        state = self._read()
        self.watchlists: dict[str, list[Symbol]] = {
            name: list(kept.edited)
            for name, kept in state.watchlists.items()
            if kept.configured == self._configured.get(name)
        }
        self.watchlist = state.watchlist if state.watchlist and state.configured == self._first else None
        self.recent: list[Symbol] = list(state.recent)
        self.codes: dict[Symbol, Mapping[str, str]] = dict(state.codes)

    @property
    def folder(self) -> Path:
        """The state folder, where others may keep what is theirs."""
        return self._path.parent

    def save(self, watchlists: Mapping[str, Sequence[Symbol]], watchlist: str) -> None:
        """Remember the lists and which one is shown. Returns at once; the end of the program waits for the disk."""
        before = {*self._symbols(self._configured), *self._symbols(self.watchlists)}
        for symbol in self._symbols(watchlists):
            if symbol not in before:
                self.used(symbol)
        self.watchlists = {
            name: list(symbols) for name, symbols in watchlists.items() if tuple(symbols) != self._configured.get(name)
        }
        self.watchlist = watchlist
        known = {*self._symbols(watchlists), *self.recent}
        self.codes = {symbol: codes for symbol, codes in self.codes.items() if codes and symbol in known}
        self._text = self._state().model_dump_json(indent=1)
        threading.Thread(target=self._write, name="state").start()

    def used(self, symbol: Symbol) -> None:
        """Put a symbol at the front of `recent`; saved with the next change."""
        self.recent = [symbol, *(other for other in self.recent if other != symbol)][:MAX_RECENT]

    def _state(self) -> State:
        lists = {
            name: EditedList.model_construct(configured=self._configured.get(name), edited=tuple(symbols))
            for name, symbols in self.watchlists.items()
        }
        return State.model_construct(
            configured=self._first,
            watchlist=self.watchlist or "",
            watchlists=lists,
            recent=tuple(self.recent),
            codes=self.codes,
        )

    def _write(self) -> None:
        with self._writing:
            if (text := self._text) == self._written:
                return
            try:
                paths.write_private(self._path, text)
                self._written = text
            except OSError as error:
                _log.warning("the watchlists could not be saved in %s: %s", self._path, error.strerror)

    def _read(self) -> State:
        try:
            with self._path.open("rb") as file:
                data = file.read(MAX_FILE + 1)
            return State.model_validate_json(data)
        except FileNotFoundError:
            return State()
        except OSError as error:
            _log.warning("%s cannot be read: %s", self._path, error.strerror)
            return State()
        except ValidationError:
            self._put_aside()
            return State()

    def _put_aside(self) -> None:
        aside = self._path.with_name(f"{self._path.name}.broken")
        _log.warning("%s cannot be understood; it is kept as %s and the configured lists are shown", self._path, aside)
        try:
            os.replace(self._path, aside)
        except OSError as error:
            _log.warning("%s cannot be kept: %s", self._path, error.strerror)

    @staticmethod
    def _symbols(lists: Mapping[str, Sequence[Symbol]]) -> list[Symbol]:
        return [symbol for listed in lists.values() for symbol in listed]
