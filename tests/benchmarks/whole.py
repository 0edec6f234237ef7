"""The whole program on a terminal under load: CPU, keys, and how old the figures on the screen are."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import calls, frames
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.receiving import SECRETS, SOURCES, Server, settings
from tests.benchmarks.speed import measured
from tests.benchmarks.starting import SEEN, bare
from tests.benchmarks.terminal import Program

TICKDECK = ("-m", "tui")
BOOK_SHARE = 0.1
"""Of all frames; the others are quotes."""
KEY_EVERY_S = 0.23
KEY_LIMIT_S = 3.0
QUOTE_CLOCK = re.compile(rb"(?<![\d,])(1\d,\d{3}\.\d{3})(?!\d)")
BOOK_CLOCK = re.compile(rb"(?<![\d,])(5\d,\d{3}\.\d{3})(?!\d)")
READY = re.compile(rb"5\d,\d{3}\.\d{3}")
SELECTED = [
    re.compile(r"(?:─ |H\x1b\[[\d;]*m\x1b\[\d+C)(?:\x1b\[[\d;]*m)*".encode() + feed)
    for feed in (b"insightsentry:newsfeed", b"insightsentry:live")
]
"""The feeds pane spells the selected feed out below its list, first in its row: only a key changes that."""


class Load(NamedTuple):
    """Frames a second, and what is asked of the program under them; None where nothing is."""

    rate: int
    cpu: float | None
    key_ms: float
    age_ms: float | None


LOADS = (Load(5_000, 20, 15, 200), Load(20_000, 45, 20, None), Load(100_000, None, 100, None))


class Shown(NamedTuple):
    """What was seen of the program.

    Attributes:
        cpu: Percent of one core.
        keys: Seconds from each key press to the screen that answers it.
        ages: Seconds by which figures were old just before newer ones replaced them, at their oldest.
        written: Bytes a second to the terminal.
        memory: Resident bytes at the end.
    """

    cpu: float
    keys: list[float]
    ages: list[float]
    written: float
    memory: int


class Ages:
    """How old the timed figures are: at the moment when a newer one replaces them on the screen."""

    def __init__(self) -> None:
        self.seen: list[float] = []
        self._last: dict[bytes, float] = {}

    def look(self, data: bytes, at: float) -> None:
        """Read the clocks off a piece of output."""
        for pattern in (QUOTE_CLOCK, BOOK_CLOCK):
            if found := pattern.findall(data):
                made = float(found[-1].replace(b",", b"")) % 10_000
                before = self._last.get(pattern.pattern)
                if before is not None and made > before:
                    self.seen.append(at % 10_000 - before)
                self._last[pattern.pattern] = made


def dashboard(server: Server, *, quotes: float, books: float, command: Sequence[str] = TICKDECK) -> Program:
    """The dashboard on fifty symbols, connected to the server."""
    folder = Path(tempfile.mkdtemp())
    config = folder / "config.toml"
    config.write_text(_toml(settings(server, quotes=quotes, books=books)))
    secrets = {
        f"TICKDECK_{name}_{field}".upper(): value for name, kept in SECRETS.items() for field, value in kept.items()
    }
    return Program((*command, "--config", str(config)), secrets)


def under_load(server: Server, rate: float, command: Sequence[str] = TICKDECK) -> Program:
    """The same under so many frames a second."""
    return dashboard(server, quotes=rate * (1 - BOOK_SHARE), books=rate * BOOK_SHARE, command=command)


def loaded(server: Server, seconds: float) -> Iterator[Figure]:
    """The loads, one after the other."""
    for load in LOADS:
        with measured() as speed:
            shown = under(server, load.rate, seconds)
        what = f"{load.rate:,} frames/s"
        keys = [each * 1000 for each in shown.keys]
        ages = [each * 1000 for each in shown.ages]
        detail = f"{speed.detail(shown.cpu)}; {shown.written / 1024:.0f} KiB/s to the terminal"
        yield Figure(what, "one core", speed.scaled(shown.cpu), "%", load.cpu, detail)
        p50, p99 = percentile(keys, 0.5), percentile(keys, 0.99)
        yield Figure(f"{what}: key to screen, p99", "", p99, "ms", load.key_ms, f"p50 {p50:.1f}, {len(keys)} keys")
        p50, p99 = percentile(ages, 0.5), percentile(ages, 0.99)
        yield Figure(f"{what}: oldest figure shown, p99", "", p99, "ms", load.age_ms, f"p50 {p50:.0f}")
        if load is LOADS[0]:
            limit = bare_memory()
            detail = f"{shown.memory / 2**20:.0f} against {limit / 2**20:.0f} MiB"
            yield Figure(f"{what}: resident memory", "a bare Textual app", shown.memory / limit, "x", 2.5, detail)


def under(server: Server, rate: float, seconds: float) -> Shown:
    """Watch the dashboard under so many frames a second."""
    with under_load(server, rate) as program:
        program.until(READY)
        program.type("6")
        program.watch(3)
        ages, keys = Ages(), []
        turns = cycle(zip("jk", SELECTED, strict=True))
        cpu, written, began = program.cpu_s(), program.written, time.monotonic()
        while time.monotonic() - began < seconds:
            program.watch(KEY_EVERY_S, ages.look)
            key, answer = next(turns)
            keys.append(press(program, key, answer, ages))
        lasted = time.monotonic() - began
        share, rate = (program.cpu_s() - cpu) / lasted * 100, (program.written - written) / lasted
        return Shown(share, keys, ages.seen, rate, program.memory())


def calling(server: Server, seconds: float) -> Iterator[Figure]:
    """How long a key may have to wait for the call of the loop that is under way."""
    rate = LOADS[0].rate
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "calls.json"
        with under_load(server, rate, ("-m", "tests.benchmarks.calls", str(file))) as program:
            program.until(READY)
            program.watch(calls.WARM_S + seconds)
        longest = json.loads(file.read_text())
    detail = f"CPU; p50 {percentile(longest, 0.5):.1f}, longest of {len(longest)} frames {max(longest):.1f}"
    yield Figure(f"{rate:,} frames/s: longest call in a frame, p99", "", percentile(longest, 0.99), "ms", 10, detail)


def staying(server: Server, seconds: float) -> Iterator[Figure]:
    """Whether memory stays where it is."""
    rate, limit = LOADS[0].rate, bare_memory()
    with under_load(server, rate) as program:
        program.until(READY)
        program.watch(seconds / 2)
        half = program.memory()
        program.watch(seconds / 2)
        late = program.memory()
    what = f"{rate:,} frames/s: memory after {seconds / 60:.0f} minutes"
    yield Figure(
        what, "a bare Textual app", late / limit, "x", 2.5, f"{late / 2**20:.0f} against {limit / 2**20:.0f} MiB"
    )
    detail = f"{late / 2**20:.1f} against {half / 2**20:.1f} MiB"
    yield Figure(what, f"after {seconds / 120:.0f} minutes", late / half, "x", 1.05, detail)


def bare_memory() -> int:
    """Resident bytes of a bare app."""
    with bare() as program:
        program.until(SEEN)
        program.watch(2)
        return program.memory()


def press(program: Program, key: str, answer: re.Pattern[bytes], ages: Ages) -> float:
    """Press a key; seconds until the screen answers, or the limit."""
    program.type(key)
    began, seen = time.monotonic(), b""
    while not answer.search(seen) and time.monotonic() - began < KEY_LIMIT_S:
        data = program.read(KEY_LIMIT_S)
        ages.look(data, time.monotonic())
        seen = seen[-200:] + data
    return time.monotonic() - began


def _toml(providers: dict[str, dict[str, object]]) -> str:
    parts = ["[watchlists]", f"main = {_value(list(frames.SYMBOLS))}", "[sources]"]
    parts += [f"{kind} = {_value(names)}" for kind, names in SOURCES.items()]
    providers = {**providers, "aries": {"enabled": False}}
    for name, values in providers.items():
        parts += [f"[providers.{name}]", *(f"{key} = {_value(value)}" for key, value in values.items())]
    return "\n".join(parts) + "\n"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "[" + ", ".join(map(_value, value)) + "]" if isinstance(value, list) else f'"{value}"'
