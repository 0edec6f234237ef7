"""The functions that decode, and the JSON libraries on the same bytes: in turns, so that a busy machine disturbs all.

A run of the tests lets each read one batch of frames and looks at what came of the last; nothing is timed. The part
`decode` of `python -m tests.benchmarks` times them, for as many turns as it likes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from itertools import count, cycle
from typing import Any, Final

import orjson
import pytest
from pydantic import SecretStr
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks import frames
from tests.benchmarks.decoding import BOOK, OURS, QUOTE, TURNS
from tui.clock import NS
from tui.market.events import BookSnapshot, Quote
from tui.market.names import Kind, Subscription, Symbol
from tui.providers.base import Codec, Credential, Output, SymbolTable
from tui.providers.insightsentry.live import LiveCodec
from tui.providers.insightsentry.symbols import to_code
from tui.providers.insightsentry.trials import Trials
from tui.providers.insightsentry.wire import SeriesOptions
from tui.providers.quantcite.codec import BookCodec
from tui.providers.quantcite.symbols import PairIndex

NOW_NS: Final = 1_767_623_871_204_000_000
LIBRARIES: Final = {"json": json.loads, "orjson": orjson.loads}
READERS: Final = (OURS, *LIBRARIES)
IN_TURNS: Final = [
    (turn, READERS[(turn + place) % len(READERS)])
    for turn in range(int(os.environ.get(TURNS, "1")))
    for place in range(len(READERS))
]
"""Each reader is first as often as the others: other work on the machine may come and go to the beat of the turns."""

pytestmark = [
    pytest.mark.skipif("not config.pluginmanager.has_plugin('benchmark')", reason="pytest-benchmark is switched off"),
    pytest.mark.parametrize(("turn", "by"), IN_TURNS),
]


class Material:
    """A codec and the frames for it, in batches of some twenty milliseconds' work; the libraries read the same ones.

    Args:
        what: What is done with a frame.
        codec: Subscribed to what the frames bring.
        source: The next frame.
        size: Frames in a batch.
        times: How often a quicker reader reads a batch in the same time.
    """

    def __init__(
        self, what: str, codec: Codec, source: Callable[[], bytes], size: int, times: Mapping[str, int]
    ) -> None:
        self._what, self._codec, self._source, self._size, self._times = what, codec, source, size, times
        self._clock = count(NOW_NS, NS)  # so far apart that no frame waits for a newer one
        self._turn, self._batch = -1, list[bytes]()

    def read(self, benchmark: BenchmarkFixture, turn: int, by: str) -> tuple[bytes, Any]:
        """Let one of them read the batch of a turn; its last frame, and what came of it."""
        if turn != self._turn:
            self._turn, self._batch = turn, [self._source() for _ in range(self._size)]
        benchmark.group, benchmark.extra_info["frames"] = self._what, self._size
        reader = LIBRARIES.get(by, self._ours)
        found = benchmark.pedantic(read_all, (reader, self._batch), iterations=self._times[by])  # type: ignore[no-untyped-call]
        return self._batch[-1], found

    def _ours(self, frame: bytes) -> Output:
        return self._codec.received(frame, next(self._clock))


def read_all(reader: Callable[[bytes], object], batch: Iterable[bytes]) -> object:
    """Read one frame after the other; what came of the last."""
    found = None
    for frame in batch:
        found = reader(frame)
    return found


@pytest.fixture(scope="module")
def books() -> Material:
    source = frames.Books(variations=400)  # so many that none of their new levels is remembered from the last time
    return Material(BOOK, book_codec(), source.next, 200, {OURS: 1, "json": 1, "orjson": 3})


@pytest.fixture(scope="module")
def quotes() -> Material:
    source = cycle([text.encode() for text in frames.quotes()])
    return Material(QUOTE, quote_codec(), lambda: next(source), 1000, {OURS: 1, "json": 6, "orjson": 30})


def test_all_levels_of_a_book_are_read(benchmark: BenchmarkFixture, books: Material, turn: int, by: str) -> None:
    frame, found = books.read(benchmark, turn, by)
    if by != OURS:
        assert [len(found["data"][side]) for side in ("bids", "asks")] == [50, 50]
        return
    (book,) = found
    assert isinstance(book, BookSnapshot)
    wanted = json.loads(frame, parse_float=Decimal)["data"]
    for name, side in (("bids", book.bids), ("asks", book.asks)):
        assert [(price, size) for price, size, _ in side] == [(each["price"], each["amount"]) for each in wanted[name]]


def test_all_fields_of_a_quote_are_read(benchmark: BenchmarkFixture, quotes: Material, turn: int, by: str) -> None:
    frame, found = quotes.read(benchmark, turn, by)
    if by != OURS:
        assert found["code"] in frames.CODES
        assert len(found) == 10
        return
    (quote,) = found
    assert isinstance(quote, Quote)
    wanted = json.loads(frame, parse_float=Decimal)
    assert wanted["code"].endswith(f":{quote.symbol}")
    assert (quote.last, quote.bid, quote.bid_size) == (wanted["last_price"], wanted["bid"], wanted["bid_size"])
    assert (quote.change, quote.ask, quote.ask_size) == (wanted["change"], wanted["ask"], wanted["ask_size"])
    assert (quote.change_percent, quote.volume) == (wanted["change_percent"], wanted["volume"])


def book_codec() -> BookCodec:
    """A codec that is logged in and subscribed to the pair."""
    index = PairIndex()
    index.add("okx", [frames.PAIR])
    codec = BookCodec(SecretStr("a-key-of-the-usual-length"), SymbolTable(), index, exchanges=frames.VENUES)
    list(codec.opened(NOW_NS))
    list(codec.received('{"type": "welcome", "user_tier": "developer"}', NOW_NS))
    list(codec.wanted(frozenset({Subscription(Kind.BOOK, Symbol(frames.PAIR))}), NOW_NS))
    granted = {"symbol": frames.PAIR, "exchanges": frames.VENUES, "subscription_id": frames.SUBSCRIPTION}
    answer = {"type": "aggregated_subscription_response", "success": True, **granted}
    list(codec.received(json.dumps(answer), NOW_NS))
    return codec


def quote_codec() -> Codec:
    """A codec that is subscribed to the quotes of all symbols."""
    symbols = SymbolTable()
    credential = Credential(SecretStr("a-key-of-the-usual-length"))
    codec = LiveCodec(credential, lambda symbol: symbols.code(symbol, to_code), Trials(), SeriesOptions())
    list(codec.opened(NOW_NS))
    list(codec.wanted(frozenset(Subscription(Kind.QUOTE, Symbol(name)) for name in frames.SYMBOLS), NOW_NS))
    return codec
