"""Broken forms of good texts: bytes cut, doubled and overwritten, JSON values replaced, keys lost and renamed."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

WEIRD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, -1e308, 5e-324, 10**30, -(10**30), 2**63, "", " ", "NaN", "Infinity", "1e400",
    "-0", "1,5", "0x10", "1_000", "٣", "x" * 3000, "\x1b]52;c;QUFB\x07", "\x9b31m", "\u202eabc", "[@click=app.quit]x",
    "a\r\nb\x00", "\ud83d", "9999-12-31T23:59:59Z", "0000-00-00", "2026-01-05T14:37:51+99:99",
    [], {}, [[]], [None], {"": None}, {"a": {"a": []}},
)  # fmt: skip
"""Values that have broken parsers before."""
JSON: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(WEIRD) | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
).map(copy.deepcopy)  # what is drawn may be changed
JUNK = st.sampled_from(
    [b"", b"\x00", b"\xff\xfe", b"\xed\xa0\xbd", b"{", b"}", b'"', b"\\", b",", b"\n", b"1e999", b"NaN", b"[" * 300]
)


@st.composite
def texts(draw: st.DrawFn, good: Sequence[str]) -> bytes:
    """Bytes near one of the good texts, or two of them in one."""
    raw = bytearray("\n".join(draw(st.lists(st.sampled_from(good), min_size=1, max_size=2))).encode())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        length = draw(st.sampled_from([0, 0, 1, 1, 2, 8, 64, 10_000]))
        raw[at : at + length] = draw(JUNK | st.binary(max_size=8))
    if draw(st.booleans()) and len(raw) > 1:
        del raw[draw(st.integers(0, len(raw) - 1)) :]
    return bytes(raw)


@st.composite
def values(draw: st.DrawFn, good: Sequence[Any]) -> Any:
    """A JSON value near one of the good ones."""
    value = copy.deepcopy(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(1, 3))):
        value = _mutated(draw, value)
    return value


@st.composite
def messages(draw: st.DrawFn, good: Sequence[str]) -> str:
    """The text of a JSON value near one of the good texts, which may hold one value a line."""
    lines = draw(st.sampled_from(good)).split("\n")
    at = draw(st.integers(0, len(lines) - 1))
    try:
        value = json.loads(lines[at])
    except ValueError:
        return draw(st.sampled_from(good))
    lines[at] = json.dumps(draw(values([value])))
    return "\n".join(lines)


def frames(good: Sequence[str]) -> st.SearchStrategy[str | bytes]:
    """What may come instead of a good frame."""
    return messages(good) | texts(good) | st.sampled_from(good) | JSON.map(json.dumps)


def _mutated(draw: st.DrawFn, value: Any) -> Any:
    """One change somewhere in a value."""
    places = list(_places(value))
    if not places or draw(st.integers(0, 15)) == 0:
        return draw(JSON)
    holder, key = draw(st.sampled_from(places))
    match draw(st.sampled_from(["replace", "replace", "replace", "drop", "rename", "wrap", "repeat"])):
        case "drop":
            del holder[key]
        case "rename" if isinstance(holder, dict):
            holder[draw(st.text(max_size=6)) or key.upper()] = holder.pop(key)
        case "wrap":
            holder[key] = draw(st.sampled_from([[holder[key]], {"value": holder[key]}, str(holder[key])]))
        case "repeat" if isinstance(holder, list):
            holder.extend([holder[key]] * draw(st.sampled_from([1, 2, 300])))
        case _:
            holder[key] = draw(JSON)
    return value


def _places(value: Any) -> Any:
    """Every holder and key in a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _places(inner)
