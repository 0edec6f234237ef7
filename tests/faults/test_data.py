"""Frames that are too large, too many, too deep, or spoilt on their way."""

from __future__ import annotations

import asyncio
import json
import os
import struct
import time
import zlib
from contextlib import AsyncExitStack
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from websockets.frames import Frame, Opcode

from tests.conftest import until as eventually
from tests.faults.proxy import ChaosProxy, chaos
from tests.faults.test_silence import WANTS, on_simulator
from tests.feeds.plain import QUICK, Caller, feed_to, scripted, until
from tests.feeds.raw import raw_port, upgrade
from tests.feeds.test_connection import BACKING_OFF, UP
from tests.providers.aries import test_contract as aries
from tests.providers.contract import NOW_NS, CodecContract, drained
from tests.providers.insightsentry import test_contract as insightsentry
from tests.providers.insightsentry.stand_ins import Driver, bar, live_codec, of, quote
from tests.providers.insightsentry.test_live import MINUTE, row
from tests.providers.quantcite import test_contract as quantcite
from tui.clock import Clock, ManualClock
from tui.feeds.transport import Transport, WebSocketConnector
from tui.market.events import Bar, BookSnapshot, Quote
from tui.market.names import Kind, Subscription, Symbol
from tui.market.store import Freshness, MarketStore
from tui.providers.base import Channel, Count
from tui.providers.insightsentry import LIMITS
from tui.providers.quantcite.codec import BookCodec
from tui.simulator.server import SimulatorServer

MIB = 1024 * 1024
AAPL, BTC = Symbol("AAPL"), Symbol("BTC/USDT")


def memory() -> int:
    """Bytes of this process that are in memory."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def frame(payload: bytes, *, compressed: bool = False) -> bytes:
    raw = Frame(Opcode.TEXT, payload).serialize(mask=False)
    return bytes([raw[0] | 0x40]) + raw[1:] if compressed else raw


def bomb() -> bytes:
    """Sixty-four megabytes of nothing, as the wire carries them: a few dozen kilobytes."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (deflate.compress(bytes(64 * MIB)) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]


async def dial_compressed(channel: Channel) -> Transport:
    return await WebSocketConnector(lost_s=0.1)(replace(channel, compression=True))


@pytest.mark.fault("M42", "S14")
@pytest.mark.parametrize("kind", ["thirty megabytes", "an absurd length", "a compression bomb"])
async def test_a_frame_that_is_too_large_is_refused_before_it_is_in_memory(kind: str) -> None:
    hostile = {
        "thirty megabytes": b"\x81" + struct.pack("!BQ", 127, 30 * MIB) + b"x" * MIB,
        "an absurd length": b"\x81" + struct.pack("!BQ", 127, 2**60) + b"x" * 1000,
        "a compression bomb": frame(bomb(), compressed=True),
    }[kind]

    async def attack(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer, "permessage-deflate" if kind == "a compression bomb" else "")
        writer.write(frame(b"ok") + hostile)

    limits = replace(QUICK, max_frame=MIB, backoff_base_s=60.0, backoff_cap_s=60.0)
    async with raw_port(attack) as url:
        before = memory()
        async with feed_to(url, limits=limits, connect=dial_compressed) as running:
            await until(lambda: running.feed.state is BACKING_OFF)
            assert running.sink.last().reason == "a message was too large"
            assert memory() - before < 16 * MIB


@pytest.mark.fault("Q10")
def test_fifty_thousand_pairs_in_one_frame_are_read_at_once() -> None:
    pairs = {f"venue{n}": [f"C{n}X{m}/USDT" for m in range(500)] for n in range(100)}
    message = {
        "type": "pairs_data",
        "data": {"exchanges": pairs, "odd_category": {"x": 1}, "common_pairs": ["BTC/USDT"]},
    }
    here = quantcite.TestContract()
    codec = here._live(here.wants()[0])
    started = time.perf_counter()
    signals = list(codec.received(json.dumps(message), NOW_NS))
    assert time.perf_counter() - started < 2.0
    assert not of(Count, signals)
    assert isinstance(codec, BookCodec)
    assert len(codec._index) >= 50_000


@pytest.mark.fault("I13")
def test_the_newest_part_of_a_history_of_five_megabytes_is_read_at_once() -> None:
    rows = [row(MINUTE - 60 * number, note="x" * 60) for number in reversed(range(36_000))]
    text = json.dumps({"code": "NASDAQ:AAPL", "bar_type": "1m", "series": rows})
    assert 5_000_000 < len(text) < LIMITS.max_frame
    driver = Driver(live_codec())
    driver.want(bar("AAPL"))
    driver.receive({"message": "Connected to X"})
    started = time.perf_counter()
    made = of(Bar, driver.receive(text))
    assert time.perf_counter() - started < 1.0
    assert (made[0].closed, made[-1].start_ns) == (True, MINUTE * 10**9)
    store = MarketStore(Clock().now_ns)
    for each in made:
        store.apply(each)
    kept = store.bars(AAPL, made[0].interval)
    assert (len(kept), kept.last) == (2000, made[-1])


@pytest.mark.fault("I13")
async def test_a_close_in_the_middle_of_a_frame_loses_that_frame_only() -> None:
    async def batch(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        await caller.say(*(f"quote AAPL {number}" for number in range(100)), "quote AAPL " + "7" * 5000)
        await caller.hear()

    async with scripted(batch) as server, chaos(server.url) as proxy, feed_to(proxy.url) as running:
        proxy.cut_after = 3000
        await until(lambda: BACKING_OFF in running.sink.states)
        first = [int(each.last or 0) for each in running.sink.quotes]
        assert first[:100] == list(range(100))
        proxy.cut_after = None
        await until(lambda: running.sink.states[-3:] == UP)


CONTRACTS: list[type[CodecContract]] = [
    aries.TestMarket, aries.TestCharts, aries.TestAccounts, insightsentry.TestLive, insightsentry.TestNewsfeed,
    quantcite.TestContract,
]  # fmt: skip
ABSURD = {
    "deep": '{"data":' * 100_000,
    "deep array": "[" * 100_000,
    "a long number": '{"type":"quote","code":"NASDAQ:AAPL","bid":' + "9" * 5000 + "}",
    "many keys": json.dumps({f"k{number}": number for number in range(100_000)}),
    "one key again and again": "{" + ",".join(['"type":"x"'] * 100_000) + "}",
    "many rows of nothing": json.dumps({"data": [None] * 100_000, "type": "update", "payload": [None] * 100_000}),
    "a long text": json.dumps({"message": "x" * MIB, "error": "y" * MIB, "type": "error"}),
}


@pytest.mark.fault("M41", "S14")
@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda each: f"{each.__module__.split('.')[-2]} {each.__name__}")
def test_absurd_json_is_read_in_bounded_time_and_changes_nothing(contract: type[CodecContract]) -> None:
    here = contract()
    for name, text in ABSURD.items():
        codec = here._live(here.wants()[0])
        started = time.perf_counter()
        signals = list(codec.received(text, NOW_NS))
        assert time.perf_counter() - started < 1.0, name
        assert len(drained(signals)) <= 5000, name
        assert not [signal for signal in signals if isinstance(signal, Quote | Bar | BookSnapshot)], name
        assert all(len(signal.sample) <= 200 for signal in signals if isinstance(signal, Count)), name


@pytest.mark.fault("M38")
@pytest.mark.parametrize("broken", ["NaN", "Infinity", "1e400", "-5", "0", "1e308", '"1,5"', "true", '"abc"', "[1]"])
def test_an_impossible_price_leaves_the_last_good_one_and_its_neighbours(broken: str) -> None:
    driver = Driver(live_codec())
    driver.want(quote("AAPL"))
    driver.receive({"message": "Connected to X"})
    store = MarketStore(ManualClock().now_ns)

    def hear(text: str) -> list[Any]:
        signals = driver.receive(text)
        for each in of(Quote, signals):
            store.apply(each)
        return signals

    hear('{"code":"NASDAQ:AAPL","last_price":243.08,"bid":243.07}')
    signals = hear(f'{{"code":"NASDAQ:AAPL","last_price":{broken},"bid":243.06}}')
    state = store.quote(AAPL)
    assert state
    assert state.get("last") == Decimal("243.08")
    assert of(Count, signals)
    is_json = broken not in ("NaN", "Infinity", "1e400")
    assert state.get("bid") == Decimal("243.06" if is_json else "243.07"), "what is no JSON is lost as a whole"


async def watch(late: list[float]) -> None:
    """Note how late the loop is, every five milliseconds."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.005)
        late.append(time.perf_counter() - before - 0.005)


@pytest.mark.fault("M44")
async def test_of_a_burst_of_thirty_thousand_messages_no_backlog_stays_and_the_loop_stays_free() -> None:
    burst = b"".join(frame(b"quote AAPL %d" % number) for number in range(30_000))

    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer)
        await reader.read(1000)
        writer.write(frame(b"ok") + burst)

    late: list[float] = []
    store = MarketStore(Clock().now_ns)
    async with raw_port(shout) as url, feed_to(url) as running:
        running.feed._sink = store.apply
        watching = asyncio.create_task(watch(late))
        frames, drawn = 0, 0
        while (state := store.quote(AAPL)) is None or state.get("last") != 29_999:
            await asyncio.sleep(0.1)
            frames, drawn = frames + 1, drawn + len(store.drain().keys)
        assert drawn <= frames, "one symbol is drawn once a frame, however often it changed"
        assert max(late) < 2.0
        assert running.feed.stats.frames >= 30_001
        assert running.feed.state is UP[-1]
        watching.cancel()
        await asyncio.wait({watching})
        before = running.feed.stats.frames
        await asyncio.sleep(0.1)
        assert running.feed.stats.frames == before, "nothing is left to be read"


def large_book(number: int, levels: int = 5000) -> str:
    def side(step: float) -> list[dict[str, Any]]:
        return [
            {"price": round(97_000 + step * n, 2), "amount": 1.5, "exchanges": ["okx"]} for n in range(1, levels + 1)
        ]

    book = {"bids": side(-0.1), "asks": side(0.1)}
    return json.dumps(
        {"type": "aggregated_orderbook_update", "symbol": "BTC/USDT", "update_number": number, "data": book}
    )


@pytest.mark.fault("M43")
def test_a_book_of_five_thousand_levels_is_cut_to_what_is_useful_fast_enough_for_ten_a_second() -> None:
    here = quantcite.TestContract()
    codec = here._live(frozenset({Subscription(Kind.BOOK, BTC)}))
    texts = [large_book(number) for number in range(2, 7)]
    assert len(texts[0]) > 500_000
    took, limit = [], []
    for text in texts:
        started = time.process_time()
        json.loads(text)
        limit.append(time.process_time() - started)
        started = time.process_time()
        [book] = of(BookSnapshot, list(codec.received(text, NOW_NS)))
        took.append(time.process_time() - started)
        assert len(book.bids) == len(book.asks) <= 1000
        assert book.bids[0][0] == Decimal("96999.9")
    assert min(took) < 10 * min(limit), "ten times what a bare decoder needs for the same bytes"


@pytest.mark.fault("M25")
async def test_pings_of_the_server_are_answered_while_data_pours_in() -> None:
    async def pour(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        for number in range(5000):
            await caller.say(f"quote AAPL {number}")
            if number % 1000 == 500:
                asked = time.perf_counter()
                await (await caller.socket.ping())
                answered.append(time.perf_counter() - asked)
        await caller.hear()

    answered: list[float] = []
    async with scripted(pour, ping_interval=None) as server, feed_to(server.url) as running:
        await until(lambda: len(running.sink.quotes) == 5000, 20)
        assert len(answered) == 5
        assert max(answered) < 5.0


def through(server: SimulatorServer, provider: str, proxy: ChaosProxy) -> dict[str, Any]:
    """A provider's settings on the simulator, its WebSockets by way of the relay."""
    port = proxy.url.rstrip("/").rpartition(":")[2]
    settings = server.settings()[provider]
    return {name: value.replace(f":{server.port}", f":{port}") if isinstance(value, str) else value
            for name, value in settings.items()}  # fmt: skip


@pytest.mark.fault("M40")
@pytest.mark.parametrize("provider", ["aries", "quantcite"])
async def test_bits_that_turn_over_on_the_way_stop_no_feed_for_good(provider: str) -> None:
    clock, wants = Clock(), frozenset(WANTS[provider])
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(SimulatorServer(seed=7))
        proxy = await stack.enter_async_context(chaos(server.ws_base))
        settings = through(server, provider, proxy)
        hub = await stack.enter_async_context(on_simulator(server, provider, clock, settings))
        hub.want("test", wants)

        def all_live() -> bool:
            for feed in hub.feeds.values():
                if feed.state is BACKING_OFF or feed.refused:  # a bit of the request may have turned over, too
                    feed.retry_now()
            return all(hub.store.freshness(wanted) is Freshness.LIVE for wanted in wants)

        def is_spoilt() -> bool:
            all_live()
            return sum(f.stats.reconnects + f.stats.counts["undecodable"] for f in hub.feeds.values()) > 3

        await eventually(all_live)
        proxy.flips = 1000
        await eventually(is_spoilt, limit_s=60)
        proxy.flips = 0
        await eventually(all_live, limit_s=60, what=lambda: f"{[(f.state, f.reason) for f in hub.feeds.values()]}")
        assert "internal error" not in {feed.reason for feed in hub.feeds.values()}
