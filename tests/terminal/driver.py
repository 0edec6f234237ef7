"""A program on a pseudo terminal of its own: keys go in, raw bytes and the screen they make come out."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import pyte
import pytest

from tests.planted import keep

SHELL = Path(__file__).with_name("shell.py")
LIMIT_S = 30.0
"""How long anything may take on a machine that is busy with something else."""
KEYS = {
    "enter": "\r", "tab": "\t", "escape": "\x1b", "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
    "home": "\x1b[H", "end": "\x1b[F", "f1": "\x1bOP", "backspace": "\x7f", "ctrl+c": "\x03", "ctrl+p": "\x10",
}  # fmt: skip
_ASKS_FOR_FRAMES, _WE_KNOW_FRAMES = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
_FRAME_BEGINS, _FRAME_ENDS = b"\x1b[?2026h", b"\x1b[?2026l"
"""Synchronized output, as newer terminals have it: nothing is shown of a frame before its end."""
_MODE = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
_PUSHED, _POPPED = re.compile(rb"\x1b\[>\d+u"), re.compile(rb"\x1b\[<\d*u")

Size = tuple[int, int]
"""Columns and rows."""


def busyness() -> float:
    """How many times longer than alone things take now that others use the processors too; at least 1."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


class Ended(NamedTuple):
    """How a program ended.

    Attributes:
        code: Its exit code, negative when a signal killed it.
        is_restored: Whether echo, line editing and the like are as they were before.
        seconds: How long it took from when we began to wait.
    """

    code: int
    is_restored: bool
    seconds: float


class Terminal:
    """A terminal with a program in it. `with` ends the program if it has not ended by itself.

    Args:
        command: The program and its arguments.
        environment: All of its environment variables.
        size: Columns and rows.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], size: Size = (140, 45)) -> None:
        self._ours, inside = pty.openpty()
        self._report, told = os.pipe()
        self.size = size
        self._set_size(size)
        self._model = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._model)
        self._shown = 0
        self._raw = bytearray()
        self._news = threading.Condition()
        self._has_ended = False
        self._end: Ended | None = None
        self._shell = subprocess.Popen(
            [sys.executable, "-I", "-S", str(SHELL), str(told), *command],
            stdin=inside, stdout=inside, stderr=inside, pass_fds=[told], start_new_session=True, env=environment,
        )  # fmt: skip
        os.close(inside)
        os.close(told)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.pid = int(self._told(LIMIT_S))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(ProcessLookupError):  # it has ended, and the shell with it or soon
            if self._end is None:
                os.kill(self.pid, signal.SIGKILL)
        self._shell.wait()
        self._reader.join()
        os.close(self._report)
        self.hang_up()
        keep(self.raw)

    def type(self, text: str) -> None:
        """Type text, as fast as a paste would come."""
        os.write(self._ours, text.encode())

    def press(self, *keys: str) -> None:
        """Press keys: single characters, or names of `KEYS`."""
        for key in keys:
            self.type(KEYS.get(key, key))

    def resize(self, size: Size) -> None:
        """Give the terminal another size."""
        self.size = size
        self._set_size(size)
        self._draw()
        self._model.resize(size[1], size[0])

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """Close the terminal's window, with everything in it."""
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    @property
    def raw(self) -> bytes:
        """Every byte the program has written."""
        with self._news:
            return bytes(self._raw)

    @property
    def lines(self) -> list[str]:
        """The rows of the screen."""
        self._draw()
        return list(self._model.display)

    @property
    def text(self) -> str:
        """The screen."""
        return "\n".join(self.lines)

    @property
    def cells(self) -> list[list[pyte.screens.Char]]:
        """The characters of the screen with their colours, row by row."""
        self._draw()
        columns, rows = self.size
        return [[self._model.buffer[y][x] for x in range(columns)] for y in range(rows)]

    def pane(self, title: str) -> str:
        """The inside of a pane with its title row; empty when it does not show."""
        lines = self.lines
        for top, line in enumerate(lines):
            if found := re.search(rf"╭ \d {title}\b", line):
                left, right = found.start(), line.find("╮", found.start())
                bottom = next((y for y in range(top, len(lines)) if lines[y][left] == "╰"), len(lines))
                return "\n".join(row[left + 1 : right] for row in lines[top:bottom])
        return ""

    def modes(self) -> dict[int, bool]:
        """Every private mode of the terminal that was touched, and whether it was left on."""
        modes: dict[int, bool] = {}
        for numbers, switch in _MODE.findall(self.raw):
            modes |= {int(number): switch == b"h" for number in numbers.split(b";")}
        return modes

    def keyboard_level(self) -> int:
        """How often the keyboard's reports were changed without being changed back."""
        return len(_PUSHED.findall(self.raw)) - len(_POPPED.findall(self.raw))

    def catches(self, number: signal.Signals) -> bool:
        """Whether the program has a handler for a signal."""
        found = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE)
        return bool(found and int(found[1], 16) & 1 << (number - 1))

    def until(self, condition: str | re.Pattern[str] | Callable[[], object], limit_s: float = LIMIT_S) -> None:
        """Wait until text is on the screen or something is true; fail with the screen when the limit comes first."""
        holds = _holds(self, condition)
        deadline = time.monotonic() + limit_s
        seen = -1
        while not holds():
            with self._news:
                if self._has_ended and seen == len(self._raw):
                    break
                seen = len(self._raw)
                self._news.wait(0.05)
            if time.monotonic() > deadline:
                break
        else:
            return
        state = "when the program ended" if self._has_ended else f"within {limit_s:g} s"
        pytest.fail(f"not {state}: {_words(condition)}\n{self.text}")

    def ended(self, limit_s: float = LIMIT_S) -> Ended:
        """Wait until the program ends; fail with the screen when it does not."""
        if self._end is None:
            began = time.monotonic()
            code, is_restored = self._told(limit_s).split()
            self._end = Ended(int(code), is_restored == "1", time.monotonic() - began)
            self._reader.join()
        return self._end

    def _told(self, limit_s: float) -> str:
        if not select.select([self._report], [], [], limit_s)[0]:
            pytest.fail(f"the program did not start or end within {limit_s:g} s\n{self.text}")
        line = b""
        while not line.endswith(b"\n"):
            line += os.read(self._report, 1)
        return line.decode()

    def _set_size(self, size: Size) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))

    def _read(self) -> None:
        """Never let the program wait for us."""
        while not self._has_ended:
            try:
                data = os.read(self._ours, 65536)
            except OSError:  # Linux says so when nobody holds the other end any more
                data = b""
            with self._news:
                self._raw += data
                self._has_ended = not data
                self._news.notify_all()
            if _ASKS_FOR_FRAMES in data:
                os.write(self._ours, _WE_KNOW_FRAMES)

    def _draw(self) -> None:
        with self._news:
            end = len(self._raw)
            if _FRAME_BEGINS in self._raw and not self._has_ended:
                end = self._raw.rfind(_FRAME_ENDS) + len(_FRAME_ENDS)
            fresh = bytes(self._raw[self._shown : end])
            self._shown = max(self._shown, end)
        self._stream.feed(fresh)


def _holds(terminal: Terminal, condition: str | re.Pattern[str] | Callable[[], object]) -> Callable[[], object]:
    match condition:
        case str():
            return lambda: condition in terminal.text
        case re.Pattern():
            return lambda: condition.search(terminal.text)
    return condition


def _words(condition: object) -> str:
    return repr(condition) if isinstance(condition, str | re.Pattern) else getattr(condition, "__qualname__", "")
