"""A program on a pseudo terminal, watched with as little delay as possible: when bytes come, how many, how much CPU."""

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
import tempfile
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

SIZE = (140, 45)
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
LIMIT_S = 60.0


class EndedError(Exception):
    """The program has ended by itself while it was watched."""


class Program:
    """A Python program on a terminal of its own; `with` ends it.

    Args:
        arguments: What follows `python` on the command line.
        environment: Added to a plain environment with a home of its own.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._home = tempfile.TemporaryDirectory()
        self._ours, inside = pty.openpty()
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, *arguments], stdin=inside, stdout=inside, stderr=inside, start_new_session=True,
            env={
                "PATH": os.environ["PATH"], "HOME": self._home.name, "TERM": "xterm-256color", "LANG": "C.UTF-8",
                "COLORTERM": "truecolor", "PYTHONPATH": os.getcwd(), "TICKDECK_UVLOOP": "0", **(environment or {}),
            },
        )  # fmt: skip
        os.close(inside)
        self.written = 0
        """Bytes that came out."""
        self.tail = b""
        """The newest of them."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            ends = time.monotonic() + 3
            while self._process.poll() is None and time.monotonic() < ends:
                self.read(0.02)
        self._process.kill()
        self._process.wait()
        os.close(self._ours)
        self._home.cleanup()

    def type(self, text: str) -> None:
        """Type on its keyboard."""
        os.write(self._ours, text.encode())

    def read(self, limit_s: float) -> bytes:
        """What comes next, or nothing when nothing comes in time."""
        if not select.select([self._ours], [], [], max(0.0, limit_s))[0]:
            return b""
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # Linux says so when the program has ended
            return b""
        self.written += len(data)
        self.tail = (self.tail + data)[-20_000:]
        return data

    def until(self, pattern: re.Pattern[bytes], limit_s: float = LIMIT_S) -> float:
        """Read until a pattern is in what came since the call; seconds since the call.

        Raises:
            TimeoutError: it did not come in time.
            EndedError: the program has ended.
        """
        began, seen = time.monotonic(), b""
        while not pattern.search(seen):
            self._check(began + limit_s, f"no {pattern.pattern!r} within {limit_s:.0f} s")
            seen = seen[-4000:] + self.read(0.5)
        return time.monotonic() - began

    def watch(self, seconds: float, look: Callable[[bytes, float], object] = lambda data, at: None) -> None:
        """Read for a while and show each piece with the time at which it came."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            if data := self.read(left):
                look(data, time.monotonic())

    def until_silent(self, silent_s: float, limit_s: float) -> None:
        """Read until nothing has come for so long. Raises like `until`."""
        ends = time.monotonic() + limit_s
        while self.read(silent_s):
            self._check(ends, f"never silent for {silent_s:.0f} s within {limit_s:.0f} s")
        self._check(ends, "silent")

    def watch_until(self, holds: Callable[[], object]) -> None:
        """Read until something is true outside. Raises like `until`."""
        ends = time.monotonic() + LIMIT_S
        while not holds():
            self.read(0.05)
            self._check(ends, f"no result within {LIMIT_S:.0f} s")

    def _check(self, ends: float, what: str) -> None:
        if (code := self._process.poll()) is not None:
            raise EndedError(f"{what}: it ended with {code} and said {self.tail[-3000:]!r}")
        if time.monotonic() > ends:
            raise TimeoutError(what)

    def cpu_s(self) -> float:
        """Seconds of CPU that it has used so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self) -> int:
        """Resident bytes."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * PAGE
