"""A codec on a desk: made, logged in, fed and listened to by hand, with a clock that moves when told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr

from tests.providers.contract import NOW_NS, drained, golden_frames
from tui.clock import NS
from tui.market.names import Kind, Subscription, Symbol, Wants
from tui.providers.base import Output, Send, Signal, SymbolTable
from tui.providers.quantcite.codec import BookCodec
from tui.providers.quantcite.symbols import PairIndex

T = TypeVar("T")
FRAMES = Path(__file__).parent / "frames"
GOLDEN = golden_frames(FRAMES)
SECRET = "qc_live_7d1f0a"
BTC, ETH, SOL = Symbol("BTC/USDT"), Symbol("ETH/USDT"), Symbol("SOL/USDT")
VENUES = ("binance", "kraken", "okx")


def book(*symbols: Symbol) -> Wants:
    return frozenset(Subscription(Kind.BOOK, symbol) for symbol in symbols)


def quote(*symbols: Symbol) -> Wants:
    return frozenset(Subscription(Kind.QUOTE, symbol) for symbol in symbols)


def make(
    exchanges: tuple[str, ...] | None = VENUES, *, most: int = 20, cap: float = 0.0, index: PairIndex | None = None
) -> BookCodec:
    if index is None:
        index = PairIndex()
        index.add("okx", ["BTC/USDT"])
        index.supported = frozenset((*VENUES, "bitstamp"))
    return BookCodec(SecretStr(SECRET), SymbolTable(), index, exchanges=exchanges, most=most, cap_percent=cap)


class Desk:
    """A codec with a clock, and what it said."""

    def __init__(self, codec: BookCodec | None = None) -> None:
        self.codec = codec or make()
        self.now_ns = NOW_NS
        self.said: list[Signal] = []

    def login(self, *names: str) -> Desk:
        self.keep(self.codec.opened(self.now_ns))
        for name in names or ("welcome.json",):
            self.hear(GOLDEN[name])
        return self

    def want(self, want: Wants) -> list[Signal]:
        return self.keep(self.codec.wanted(want, self.now_ns))

    def hear(self, message: str | dict[str, Any]) -> list[Signal]:
        frame = message if isinstance(message, str) else json.dumps(message)
        return self.keep(self.codec.received(frame, self.now_ns))

    def wait(self, seconds: int) -> list[Signal]:
        out: list[Signal] = []
        for _ in range(seconds):
            self.now_ns += NS
            out += self.keep(self.codec.ticked(self.now_ns))
        return out

    def keep(self, output: Output) -> list[Signal]:
        signals = drained(output)
        self.said += signals
        return signals


def sent(signals: Sequence[Signal], *kinds: str) -> list[dict[str, Any]]:
    frames = [json.loads(signal.frame) for signal in signals if isinstance(signal, Send)]
    return [frame for frame in frames if not kinds or frame["type"] in kinds]


def of(signals: Sequence[Signal], kind: type[T]) -> list[T]:
    return [signal for signal in signals if isinstance(signal, kind)]
