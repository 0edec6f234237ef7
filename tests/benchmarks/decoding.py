"""Decoding: frame in, events out, against the JSON libraries on the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count, cycle
from typing import Any

import orjson
from pydantic import SecretStr

from tests.benchmarks import frames
from tests.benchmarks.figures import Figure, compare
from tui.clock import NS
from tui.market.names import Kind, Subscription, Symbol
from tui.providers.base import Codec, Credential, SymbolTable
from tui.providers.insightsentry.live import LiveCodec
from tui.providers.insightsentry.symbols import to_code
from tui.providers.insightsentry.trials import Trials
from tui.providers.insightsentry.wire import SeriesOptions
from tui.providers.quantcite.codec import BookCodec
from tui.providers.quantcite.symbols import PairIndex

NOW_NS = 1_767_623_871_204_000_000


def book_codec() -> BookCodec:
    """A codec that is logged in and subscribed to the pair."""
    index = PairIndex()
    index.add("okx", [frames.PAIR])
    codec = BookCodec(SecretStr("a-key-of-the-usual-length"), SymbolTable(), index, exchanges=frames.VENUES)
    _drain(codec.opened(NOW_NS))
    _drain(codec.received('{"type": "welcome", "user_tier": "developer"}', NOW_NS))
    _drain(codec.wanted(frozenset({Subscription(Kind.BOOK, Symbol(frames.PAIR))}), NOW_NS))
    granted = {"symbol": frames.PAIR, "exchanges": frames.VENUES, "subscription_id": frames.SUBSCRIPTION}
    answer = {"type": "aggregated_subscription_response", "success": True, **granted}
    _drain(codec.received(json.dumps(answer), NOW_NS))
    return codec


def quote_codec() -> Codec:
    """A codec that is subscribed to the quotes of all symbols."""
    symbols = SymbolTable()
    credential = Credential(SecretStr("a-key-of-the-usual-length"))
    codec = LiveCodec(credential, lambda symbol: symbols.code(symbol, to_code), Trials(), SeriesOptions())
    _drain(codec.opened(NOW_NS))
    _drain(codec.wanted(frozenset(Subscription(Kind.QUOTE, Symbol(name)) for name in frames.SYMBOLS), NOW_NS))
    return codec


def decoding(rounds: int) -> Iterator[Figure]:
    """A book and a quote, each against two libraries."""
    source = frames.Books(variations=400)  # so many that none of their new levels is remembered from the last time
    books = cycle([source.next() for _ in range(20)])
    codec = book_codec()
    times = count(NOW_NS, NS)  # so far apart that none of them waits for a newer one

    def book() -> Any:
        return codec.received(source.next(), next(times))

    yield from _against("decode a book of 50+50 levels", book, books, rounds, target=0.6)
    quotes = cycle([text.encode() for text in frames.quotes()])
    live = quote_codec()
    yield from _against("decode a quote", lambda: live.received(next(quotes), next(times)), quotes, rounds, target=None)


def _against(what: str, ours: Any, source: Iterator[bytes], rounds: int, target: float | None) -> Iterator[Figure]:
    for library, goal in ((json, target), (orjson, None)):
        found = compare(ours, lambda: library.loads(next(source)), rounds=rounds)  # noqa: B023
        detail = f"{found.ours * 1e6:.1f} against {found.limit * 1e6:.1f} µs"
        yield Figure(what, f"{library.__name__}.loads", found.ratio, "x", goal, detail)


def _drain(output: Any) -> list[Any]:
    return list(output)
