"""Receiving: socket to store, against the library's bare receive loop on the same frames. CPU of this process only."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from statistics import median
from typing import Self

from websockets.asyncio.client import connect

from tests.benchmarks import frames
from tests.benchmarks.figures import Figure
from tests.benchmarks.terminal import LIMIT_S, EndedError
from tui.clock import Clock
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.feeds.hub import FeedHub
from tui.market.names import Kind, Subscription, Symbol
from tui.market.store import MarketStore
from tui.rest import RestClient

WARM_S = 0.3
SETTLE_S = 0.7
"""From wanting something to the first frame of it."""
FRAME_S = 0.1


class Server:
    """The scripted server as a child; `with` starts and ends it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise EndedError(f"the scripted server ended with {self._process.wait()}")
        self.port = int(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"ws://127.0.0.1:{self.port}/{path}"


def settings(server: Server, *, quotes: float = 0, books: float = 0) -> dict[str, dict[str, object]]:
    """Provider settings that point at the server, with frames a second; 0 is flat out."""
    return {
        "insightsentry": {
            "key": "static", "live_url": server.url(f"live/{quotes}"), "ticks": True,
            "newsfeed_url": server.url(f"newsfeed/{min(quotes, 0)}"), "rest_url": "http://127.0.0.1:9",
        },
        "quantcite": {
            "url": server.url(f"quantcite/{books}"), "http_url": "http://127.0.0.1:9", "exchanges": list(frames.VENUES),
        },
    }  # fmt: skip


SOURCES = {kind: ["insightsentry"] for kind in ("quote", "bar", "trade", "news")} | {"book": ["quantcite"]}
SECRETS = {
    "insightsentry": {"websocket_key": "a-key-of-the-usual-length"},
    "quantcite": {"api_key": "a-key-of-our-own"},
}


def receiving(server: Server, rounds: int, round_s: float) -> Iterator[Figure]:
    """Books that nobody draws in between, and quotes merged into the store."""
    for what, target, path, wants in (
        ("a book that is superseded before it is drawn", 1.3, "books/0", _books()),
        ("a quote, received, decoded, merged", 2.0, "quotes/0", _quotes()),
    ):
        pairs = [
            (asyncio.run(_ours(server, wants, round_s)), asyncio.run(_bare(server.url(path), round_s)))
            for _ in range(rounds)
        ]
        ours, bare = median(a for a, _ in pairs), median(b for _, b in pairs)
        detail = f"{ours * 1e6:.1f} against {bare * 1e6:.1f} µs"
        ratio = median(a / b for a, b in pairs)
        yield Figure(what, "websockets' bare receive loop", ratio, "x", target, detail)


def _books() -> frozenset[Subscription]:
    return frozenset({Subscription(Kind.BOOK, Symbol(frames.PAIR))})


def _quotes() -> frozenset[Subscription]:
    return frozenset(Subscription(Kind.QUOTE, Symbol(name)) for name in frames.SYMBOLS)


async def _bare(url: str, round_s: float) -> float:
    """Seconds of CPU a frame of nothing but `recv`."""
    async with connect(url, compression=None) as socket:
        count = 0

        async def read() -> None:
            nonlocal count
            while True:
                await socket.recv(decode=False)
                count += 1

        reader = asyncio.create_task(read())
        await asyncio.sleep(WARM_S)
        before, started = count, time.process_time()
        await asyncio.sleep(round_s)
        used, got = time.process_time() - started, count - before
        reader.cancel()
        await asyncio.wait({reader})
        socket.transport.abort()
    return _each(used, got)


async def _ours(server: Server, wants: frozenset[Subscription], round_s: float) -> float:
    """Seconds of CPU a frame of feed, codec and store, with a reader that drains the store ten times a second."""
    async with _hub(server) as hub:
        hub.want("benchmark", wants)
        feeds = [record.stats for record in hub.store.feeds.values()]
        ends = time.monotonic() + LIMIT_S
        while not await _drain(hub, SETTLE_S + WARM_S):  # it does reach the store
            if time.monotonic() > ends:
                raise TimeoutError(f"nothing reached the store within {LIMIT_S:.0f} s")
        before, started = sum(stats.frames for stats in feeds), time.process_time()
        await _drain(hub, round_s)
        used = time.process_time() - started
        got = sum(stats.frames for stats in feeds) - before
    return _each(used, got)


def _each(used: float, got: int) -> float:
    if not got:
        raise TimeoutError("no frame came in a whole round")
    return used / got


async def _drain(hub: FeedHub, seconds: float) -> int:
    """What a screen does, less the drawing; the number of changes."""
    ends, changes = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        await asyncio.sleep(FRAME_S)
        changes += len(hub.store.drain().keys)
    return changes


@asynccontextmanager
async def _hub(server: Server) -> AsyncIterator[FeedHub]:
    clock = Clock()
    http = RestClient()
    config = Config.model_validate({"providers": settings(server) | {"aries": {"enabled": False}}, "sources": SOURCES})
    hub = FeedHub(config, MarketStore(clock.now_ns), FixedSecrets(SECRETS), http, clock)
    running = asyncio.create_task(hub.run())
    try:
        yield hub
    finally:
        await hub.close()
        running.cancel()
        await asyncio.wait({running})
        await http.close()
