"""Which line of a TOML text holds which key: `tomllib` tells for syntax errors only."""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from typing import Final

Place = tuple[str | int, ...]
"""A way into the decoded document: table names, keys and array indices."""

_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_STRING: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR: Final = re.compile(r"[^,\]}\n#]+")


def key_lines(text: str) -> dict[Place, int]:
    """Line of each table, key and array item, counted from 1.

    Args:
        text: TOML that `tomllib` accepts; for any other text the answer is incomplete, and it still comes.
    """
    scanner = _Scanner(text)
    with contextlib.suppress(IndexError, tomllib.TOMLDecodeError):  # not the TOML that was promised
        scanner.document()
    return scanner.lines


def line_of(lines: Mapping[Place, int], place: Place) -> int:
    """The line of a place, or of the nearest thing around it that is written down."""
    for length in range(len(place), 0, -1):
        if line := lines.get(place[:length]):
            return line
    return 1


class _Scanner:
    """A reader of valid TOML that keeps positions instead of values."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._tables: Counter[Place] = Counter()
        self.lines: dict[Place, int] = {}

    def document(self) -> None:
        table: Place = ()
        self._skip()
        while self._at < len(self._text):
            if self._peek("["):
                table = self._header()
            else:
                self._pair(table)
            self._skip()

    def _header(self) -> Place:
        double = self._peek("[[")
        line = self._line()
        self._at += 2 if double else 1
        name = self._key()
        self._at += 2 if double else 1
        place = self._resolve(name)
        if double:
            index = self._tables[place]
            self._tables[place] += 1
            self._note(place, line)
            place = (*place, index)
        for length in range(1, len(place) + 1):  # the tables around it need no header of their own
            self._note(place[:length], line)
        return place

    def _resolve(self, name: Place) -> Place:
        """A header's name, led through the newest item of each array of tables on its way."""
        place: Place = ()
        for part in name[:-1]:
            place = (*place, part)
            if place in self._tables:
                place = (*place, self._tables[place] - 1)
        return (*place, name[-1])

    def _pair(self, table: Place) -> None:
        line = self._line()
        place = table
        for part in self._key():
            place = (*place, part)
            self._note(place, line)
        self._at += 1  # the equals sign
        self._skip()
        self._value(place)

    def _key(self) -> Place:
        parts: list[str] = []
        while True:
            self._skip()
            parts.append(self._name())
            self._skip()
            if not self._peek("."):
                return tuple(parts)
            self._at += 1

    def _name(self) -> str:
        if bare := _BARE.match(self._text, self._at):
            self._at = bare.end()
            return bare[0]
        quoted = self._string()
        return str(tomllib.loads(f"k = {quoted}")["k"])

    def _value(self, place: Place) -> None:
        if self._peek("["):
            self._items(place)
        elif self._peek("{"):
            self._inline_table(place)
        elif self._peek('"') or self._peek("'"):
            self._string()
        else:
            self._take(_SCALAR)

    def _items(self, place: Place) -> None:
        index = 0
        self._at += 1
        self._skip()
        while not self._peek("]"):
            self._note((*place, index), self._line())
            self._value((*place, index))
            index += 1
            self._skip_comma()
        self._at += 1

    def _inline_table(self, place: Place) -> None:
        self._at += 1
        self._skip()
        while not self._peek("}"):
            self._pair(place)
            self._skip_comma()
        self._at += 1

    def _skip_comma(self) -> None:
        self._skip()
        if self._peek(","):
            self._at += 1
            self._skip()

    def _string(self) -> str:
        return self._take(_STRING)

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise IndexError(self._at)
        self._at = match.end()
        return match[0]

    def _skip(self) -> None:
        self._take(_BLANK)

    def _peek(self, sign: str) -> bool:
        return self._text.startswith(sign, self._at)

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

    def _note(self, place: Place, line: int) -> None:
        self.lines.setdefault(place, line)
