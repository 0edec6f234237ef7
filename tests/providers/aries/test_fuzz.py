"""Whatever a server sends, codecs neither raise nor put out anything impossible."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.providers.aries.sessions import FRAMES, NOW_NS, credential, live, want
from tests.providers.contract import drained, golden_frames
from tui.clock import NS
from tui.market.events import Event
from tui.market.names import Wants
from tui.providers.aries import guesses
from tui.providers.aries.accounts import AccountsCodec
from tui.providers.aries.charts import ChartsCodec
from tui.providers.aries.codec import SessionCodec
from tui.providers.aries.market import MarketCodec
from tui.providers.base import Count, SymbolTable

GOLDEN = [frame for folder in ("market", "charts", "accounts") for frame in golden_frames(FRAMES / folder).values()]
WORDS = sorted(
    {word for group in guesses.SYNONYMS.values() for word in group}
    | {word for keys, _ in guesses.KEYS for word in keys}
    | {*guesses.PLURALS, "payload", "type", "action", "data", "id", "error", "symbol", "v", "s", "quote", "trade"}
)
VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["AAPL", "1.5", "", "ok", "auth-1", "update", "account.order", "2026-11-20T14:40:00Z", "1:2:3"])
    | st.text(max_size=8)
)  # fmt: skip
JSON = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=25,
)
NAMES = st.sampled_from(
    ["quote", "trade", "level2", "timeAndSales", "greeks", "order", "pnl", "news", "watchlist", "x"]
)
ACTIONS = st.sampled_from(["update", "authSuccess", "authRequired", "refreshAuth", "error", "snapshot", None, 5])


def codecs() -> list[tuple[SessionCodec, Wants]]:
    return [
        (MarketCodec(credential(), SymbolTable()), want("quote AAPL", "trade AAPL", "book AAPL")),
        (ChartsCodec(credential(), SymbolTable()), want("bar AAPL 1m")),
        (AccountsCodec(credential(), SymbolTable(), account="A"), want("news", "account")),
    ]


@settings(max_examples=100, deadline=None)
@given(name=NAMES, action=ACTIONS, data=JSON, stamp=VALUES)
def test_any_body_under_any_name(name: str, action: Any, data: Any, stamp: Any) -> None:
    frame = json.dumps({"type": "event", "payload": {"action": action, "type": name, "data": data, "timestamp": stamp}})
    for codec, wants in codecs():
        live(codec, wants)
        drained(codec.received(frame, NOW_NS))
        drained(codec.ticked(NOW_NS + 60 * NS))


@settings(max_examples=100, deadline=None)
@given(message=JSON)
def test_any_message(message: Any) -> None:
    for codec, wants in codecs():
        drained(codec.received(json.dumps(message), NOW_NS))
        live(codec, wants)
        drained(codec.received(json.dumps(message), NOW_NS))


@settings(max_examples=60, deadline=None)
@given(
    frames=st.lists(st.sampled_from(GOLDEN), min_size=1, max_size=4),
    cuts=st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=6)), max_size=4),
)
def test_lines_that_were_not_touched_survive(frames: list[str], cuts: list[tuple[int, bytes]]) -> None:
    """Bytes are overwritten anywhere in the frame; a line that stayed as it was means what it meant."""
    whole = "\n".join(frames).encode()
    broken = bytearray(whole)
    for at, junk in cuts:
        broken[at % len(whole) : at % len(whole) + len(junk)] = junk
    kept = {line for line in bytes(broken).split(b"\n") if line.strip()} & set(whole.split(b"\n"))
    for (codec, wants), (fresh, _) in zip(codecs(), codecs(), strict=True):
        signals = drained(live(codec, wants).received(bytes(broken), NOW_NS))
        told = [type(signal) for signal in signals if isinstance(signal, Event)]
        for line in kept:
            alone = drained(live(fresh, wants).received(line, NOW_NS)) if codec.channel != "charts" else []
            for signal in alone:
                if isinstance(signal, Event):
                    assert type(signal) in told


@pytest.mark.fault("M40")
@pytest.mark.parametrize("codec_and_wants", codecs(), ids=["market", "charts", "accounts"])
def test_a_frame_of_rubbish_is_counted_once(codec_and_wants: tuple[SessionCodec, Wants]) -> None:
    codec, wants = codec_and_wants
    live(codec, wants)
    counts = [signal for signal in drained(codec.received("{]\n" * 10_000, NOW_NS)) if isinstance(signal, Count)]
    assert counts == [Count("undecodable", 10_000, "{]")]


@pytest.mark.fault("S14")
def test_what_is_remembered_is_bounded() -> None:
    codec = MarketCodec(credential(), SymbolTable())
    live(codec)
    for number in range(700):
        name = f"{chr(65 + number // 26 % 26)}{chr(65 + number % 26)}{chr(65 + number // 676)}"
        drained(codec.wanted(want(f"book {name}"), NOW_NS + number))
    assert len(codec._frames) <= 500
    assert len(codec._dropped) <= 500
    rows = [f"1:{price}:0" for price in range(1, 6000)]
    body = {"symbol": name, "orderBook": rows, "quotes": [f"V{number}:1:1:1:1" for number in range(6000)]}
    for shift in range(4):
        body["orderBook"] = [f"1:{price + 0.1 * shift:.1f}:0" for price in range(1, 6000)]
        payload = {"action": "update", "type": "level2", "data": body}
        drained(codec.received(json.dumps({"type": "event", "payload": payload}), NOW_NS))
    assert len(codec._streams[name].book.levels) <= 10_000
    for _ in range(50):
        drained(codec.ticked(NOW_NS))
    assert len(codec._pings) <= 4
