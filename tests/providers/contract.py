"""What every codec must do, whatever its protocol: inherit `CodecContract` in a provider's tests.

    class TestCodec(CodecContract):
        frames = Path(__file__).parent / "frames"
        ...

Golden frames are files copied by hand from the protocol reference and the seed, one frame a file: `*.json` may be
laid out over lines (they are joined before they are fed), `*.ndjson` and `*.txt` are fed as they are, without the last
line break.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from tui.clock import NS
from tui.market.events import Bar, BookSnapshot, Event, Trade
from tui.market.names import Symbol, Wants
from tui.providers.base import (
    Close,
    Codec,
    Count,
    Latency,
    LoggedIn,
    LoginRefused,
    Output,
    Pause,
    Renew,
    Resubscribing,
    Send,
    Signal,
    Then,
)

NOW_NS = 1_767_623_871_204_000_000
HOSTILE: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, 10**30, "NaN", "x" * 5000, "\x1b]52;c;QUFB\x07\u202e[@click=app.quit]",
    [], {}, [[]], [None], {"a": {}},
)  # fmt: skip
GARBAGE: tuple[str | bytes, ...] = (
    "", " ", "\n\n", "null", "true", "[]", "{}", "0", '"text"', "[1, 2", '{"type": ', "<html>portal</html>",
    '{"type": NaN}', '{"type": 1e400}', '{"type": ["a"]}', '{"type": {"a": 1}}', '{"type": null}', "[" * 100_000,
    '{"a":' * 100_000, "1" * 5000, b"", b"\x00\xff\xfe", b"\x1f\x8b\x08", '{"type": "\\ud800"}', "\ud800",
    '{"type": "' + "x" * 100_000 + '"}',
)  # fmt: skip
"""Frames that no codec may raise on; those that are not JSON must be counted as undecodable."""
MOST_PATHS = 60


class CodecContract(ABC):
    """The tests. Give the class a codec and what its server would send."""

    frames: ClassVar[Path]
    """Folder of golden frames."""
    secret: ClassVar[str]
    """What `codec()` logs in with: must show in nothing but the frame that is sent."""
    now_ns: ClassVar[int] = NOW_NS
    """When it is: not before the golden frames."""
    text_frames: ClassVar[frozenset[str]] = frozenset()
    """Bare texts that the protocol gives a meaning (`ping`), so that they are no garbage."""

    @abstractmethod
    def codec(self) -> Codec:
        """A new codec with `secret`."""

    @abstractmethod
    def accepted(self) -> Sequence[str]:
        """Frames by which the server accepts the login, one by one."""

    @abstractmethod
    def refused(self) -> Sequence[str]:
        """Frames each of which refuses the login."""

    @abstractmethod
    def wants(self) -> Sequence[Wants]:
        """Sets of wants to go between; the first must let every golden frame be of use."""

    @abstractmethod
    def unknown(self) -> Sequence[str]:
        """Well-formed messages of kinds that nobody has heard of."""

    @abstractmethod
    def codes(self) -> Mapping[Symbol, str]:
        """Symbols in the user's spelling and the provider's codes."""

    @abstractmethod
    def to_code(self, symbol: Symbol) -> str | None:
        """The provider's rule from symbol to code."""

    @abstractmethod
    def to_symbol(self, code: str) -> Symbol | None:
        """The provider's rule from code to symbol."""

    def golden(self) -> dict[str, str]:
        """Golden frames by file name."""
        return golden_frames(self.frames)

    def test_every_golden_message_decodes(self) -> None:
        assert self.golden(), "no golden frames found"
        for name, frame in self.golden().items():
            text = drained(self._live(self.wants()[0]).received(frame, self.now_ns))
            raw = drained(self._live(self.wants()[0]).received(frame.encode(), self.now_ns))
            bad = [s for s in text if isinstance(s, Count) and s.what in ("undecodable", "unknown", "rejected")]
            assert not bad, f"{name}: {bad}"
            assert text == raw, f"{name}: text and bytes differ"

    def test_any_want_leads_to_any_other_and_asking_again_sends_nothing(self) -> None:
        for first, then in product(self.wants(), repeat=2):
            codec = self._live(first)
            drained(codec.wanted(then, self.now_ns + NS))
            assert not _sends(drained(codec.wanted(then, self.now_ns + NS))), f"{first} to {then}"

    def test_a_login_that_is_accepted_is_told_once(self) -> None:
        signals = list(self._start(self.codec(), self.wants()[0]))
        assert sum(isinstance(signal, LoggedIn) for signal in signals) == 1
        assert not any(isinstance(signal, LoginRefused | Close) for signal in signals)

    def test_a_login_that_is_refused_ends_the_connection(self) -> None:
        for frame in self.refused():
            codec = self._opened(self.wants()[0])
            signals = drained(codec.received(frame, self.now_ns))
            assert not any(isinstance(signal, LoggedIn) for signal in signals), frame
            assert any(
                isinstance(signal, LoginRefused) or (isinstance(signal, Close) and signal.then is Then.FAIL)
                for signal in signals
            ), frame

    @pytest.mark.fault("M40")
    def test_garbage_never_raises_and_what_is_not_json_is_counted(self) -> None:
        codec, early = self._live(self.wants()[0]), self._opened(frozenset())
        for frame in GARBAGE:
            counted = [s for s in drained(codec.received(frame, self.now_ns)) if isinstance(s, Count)]
            drained(early.received(frame, self.now_ns))
            if not _is_json(frame) and frame not in self.text_frames and frame.strip():
                assert any(count.what == "undecodable" for count in counted), repr(frame[:40])

    @pytest.mark.fault("M48", "A10")
    def test_unknown_kinds_are_counted_and_change_nothing(self) -> None:
        codec = self._live(self.wants()[0])
        for frame in self.unknown():
            signals = drained(codec.received(frame, self.now_ns))
            assert signals, frame
            assert all(isinstance(signal, Count) for signal in signals), frame
            assert all(len(signal.sample) <= 200 for signal in signals if isinstance(signal, Count))

    @pytest.mark.fault("M38", "M48")
    def test_any_field_may_hold_anything(self) -> None:
        for name, frame in self.golden().items():
            codec = self._live(self.wants()[0])
            for broken in broken_frames(frame):
                try:
                    drained(codec.received(broken, self.now_ns))
                except Exception as error:
                    raise AssertionError(f"{name}: {broken[:300]}") from error

    def test_messages_before_the_login_do_not_raise(self) -> None:
        for frame in self.golden().values():
            drained(self.codec().received(frame, self.now_ns))
            drained(self._opened(frozenset()).received(frame, self.now_ns))

    def test_time_passes_without_answers(self) -> None:
        for codec in (self._opened(frozenset()), self._live(self.wants()[0])):
            for second in range(0, 300, 5):
                drained(codec.ticked(self.now_ns + second * NS))

    @pytest.mark.fault("S20")
    def test_the_secret_shows_nowhere_but_in_what_is_sent(self) -> None:
        codec = self.codec()
        signals = list(self._start(codec, self.wants()[0]))
        for frame in (*self.refused(), json.dumps({"type": "error", "error": self.secret, "message": self.secret})):
            signals += drained(codec.received(frame, self.now_ns))
        for signal in signals:
            assert self.secret not in repr(signal)
            if isinstance(signal, Send) and self.secret in signal.frame:
                assert signal.recorded is not None
        assert self.secret not in repr(codec)

    def test_codes_lead_both_ways(self) -> None:
        for symbol, code in self.codes().items():
            assert self.to_code(symbol) == code
            assert self.to_symbol(code) == symbol

    def _opened(self, want: Wants) -> Codec:
        codec = self.codec()
        drained(codec.opened(self.now_ns))
        if codec.login_is_subscription:
            drained(codec.wanted(want, self.now_ns))
        return codec

    def _live(self, want: Wants) -> Codec:
        codec = self.codec()
        for _ in self._start(codec, want):
            pass
        return codec

    def _start(self, codec: Codec, want: Wants) -> Iterator[Signal]:
        yield from drained(codec.opened(self.now_ns))
        if codec.login_is_subscription:
            yield from drained(codec.wanted(want, self.now_ns))
        for frame in self.accepted():
            yield from drained(codec.received(frame, self.now_ns))
        if not codec.login_is_subscription:
            yield from drained(codec.wanted(want, self.now_ns))


def golden_frames(folder: Path) -> dict[str, str]:
    """Frames of a folder by file name; JSON that is laid out over lines is joined into one."""
    found: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        text = path.read_text(encoding="utf-8").removesuffix("\n")
        joined = path.suffix == ".json"  # a JSON string holds no raw line break, so this changes no value
        found[path.name] = " ".join(line.strip() for line in text.splitlines()) if joined else text
    return found


def drained(output: Output) -> list[Signal]:
    """All of an output, each signal checked: finite numbers, harmless text, sane books and bars."""
    signals = list(output)
    for signal in signals:
        _check(signal)
    return signals


def broken_frames(frame: str) -> Iterator[str]:
    """The frame cut short, and with each of its fields missing or holding each of `HOSTILE`, line by line."""
    lines = [frame] if _is_json(frame) else frame.splitlines()
    for number, line in enumerate(lines):
        around = (lines[:number], lines[number + 1 :])
        for broken in (line[: len(line) // 2], line[:-1], *_broken_lines(line)):
            yield "\n".join([*around[0], broken, *around[1]])


def _broken_lines(line: str) -> Iterator[str]:
    try:
        message = json.loads(line)
    except ValueError:
        return
    for path in _spread(list(_paths(message)), MOST_PATHS):
        for value in HOSTILE:
            yield json.dumps(_changed(message, path, value))
        yield json.dumps(_without(message, path))


def _spread(paths: list[tuple[str | int, ...]], most: int) -> list[tuple[str | int, ...]]:
    step = max(1, math.ceil(len(paths) / most))
    return paths[::step]


def _paths(value: Any, base: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        yield (*base, key)
        yield from _paths(inner, (*base, key))


def _changed(message: Any, path: tuple[str | int, ...], value: Any) -> Any:
    changed = copy.deepcopy(message)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


def _without(message: Any, path: tuple[str | int, ...]) -> Any:
    changed = copy.deepcopy(message)
    at = changed
    for key in path[:-1]:
        at = at[key]
    del at[path[-1]]
    return changed


def _check(signal: Signal) -> None:
    kinds = (Event, Send, LoggedIn, LoginRefused, Close, Pause, Renew, Resubscribing, Latency, Count)
    assert isinstance(signal, kinds), f"{signal!r} is no signal"
    if isinstance(signal, Send):
        assert len(signal.frame) < 1_000_000
        return
    values = signal.model_dump() if isinstance(signal, BaseModel) else dataclasses.asdict(signal)
    _check_value(values)
    if isinstance(signal, BookSnapshot):
        _check_book(signal)
    elif isinstance(signal, Trade):
        assert signal.size >= 0
    elif isinstance(signal, Bar):
        assert signal.low <= min(signal.open, signal.close) <= max(signal.open, signal.close) <= signal.high
    elif isinstance(signal, Pause):
        assert 0 <= signal.seconds <= 3600
    elif isinstance(signal, Close):
        assert 0 <= signal.delay_s <= 86_400
    elif isinstance(signal, Count):
        assert signal.number >= 1


def _check_value(value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_value(key)
            _check_value(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_value(inner)
    elif isinstance(value, str):
        bad = [char for char in value if unicodedata.category(char) in ("Cc", "Cs") and char != "\n"]
        assert not bad, f"control characters in {value[:80]!r}"
        assert "\u202e" not in value
    elif isinstance(value, float | Decimal):
        assert math.isfinite(value)


def _check_book(book: BookSnapshot) -> None:
    bids, asks = [level[0] for level in book.bids], [level[0] for level in book.asks]
    assert bids == sorted(set(bids), reverse=True), "bids are not best first"
    assert asks == sorted(set(asks)), "asks are not best first"
    assert all(price > 0 and size > 0 for price, size, _ in (*book.bids, *book.asks))


def _is_json(frame: str | bytes) -> bool:
    def no_constant(name: str) -> None:
        raise ValueError(name)

    try:
        value = json.loads(frame, parse_constant=no_constant)
        return "1e400" not in str(frame) and json.dumps(value, ensure_ascii=False).encode() != b""
    except (ValueError, RecursionError):
        return False


def _sends(signals: Iterable[Signal]) -> list[Send]:
    return [signal for signal in signals if isinstance(signal, Send)]
