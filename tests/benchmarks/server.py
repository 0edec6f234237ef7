"""A scripted server in a process of its own: frames made beforehand, sent flat out or at a given rate.

It speaks just enough of two protocols to be subscribed to. The path says what to send and how many a second, 0 for
as many as the reader takes:

- `/quotes/0`, `/books/0` send at once: for the library's bare receive loop.
- `/live/4500`, `/newsfeed/0`: InsightSentry's sockets. `/quantcite/500`: QuantCite's.

Some prices are clocks: the last price of AAPL is 10,000 plus the monotonic seconds (modulo 10,000) at which it was
sent, the best bid of the book 50,000 plus the same. Whoever reads them off the screen knows how old they are.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.benchmarks import frames

FLAT_OUT_CHUNK = 64
TURN_S = 0.004
FULL = 1 << 20
"""Bytes waiting to be sent from which on the server waits for the reader."""

Chunk = Callable[[int], bytes]
"""So many frames in one piece."""
Start = Callable[[Coroutine[object, object, None]], None]
"""Let something run until the conversation ends."""


def clock_price() -> float:
    """Seconds of the monotonic clock, which all processes of a machine share, as part of a price."""
    return time.monotonic() % 10_000


async def stream(connection: ServerConnection, rate: float, chunk: Chunk) -> None:
    """Write `rate` frames a second for ever, or as many as the reader takes; below 0 a few, and then no more."""
    if rate < 0:
        connection.transport.write(chunk(100))
        return
    started, sent = time.monotonic(), 0
    transport = connection.transport
    while not transport.is_closing():
        if transport.get_write_buffer_size() > FULL:
            await asyncio.sleep(TURN_S / 4)
            if rate:
                continue
        due = int((time.monotonic() - started) * rate) - sent if rate else FLAT_OUT_CHUNK
        if due > 0:
            transport.write(chunk(due))
            sent += due
        await asyncio.sleep(TURN_S if rate else 0)


def quotes() -> Chunk:
    """All symbols in turn; the clock's quote once in every piece."""
    source = frames.endless([text.encode() for text in frames.quotes() if '"NASDAQ:AAPL"' not in text])

    def chunk(count: int) -> bytes:
        timed = frames.quote("NASDAQ:AAPL", 10_000 + clock_price(), 5).encode()
        return b"".join([frames.on_the_wire(timed), *(next(source) for _ in range(count - 1))])

    return chunk


def books() -> Chunk:
    """Updates of one pair's book, each with the time in its best bid."""
    source = frames.Books()
    return lambda count: b"".join([frames.on_the_wire(source.next(frames.BEST + clock_price())) for _ in range(count)])


async def bare_quotes(connection: ServerConnection, rate: float, start: Start) -> None:
    """Quotes at once."""
    await stream(connection, rate, quotes())


async def bare_books(connection: ServerConnection, rate: float, start: Start) -> None:
    """Books at once."""
    await stream(connection, rate, books())


async def live(connection: ServerConnection, rate: float, start: Start) -> None:
    """Quotes from the first list on, and what `_series` sends."""
    wanted: list[dict[str, Any]] = []
    async for message in connection:
        if message == "ping":
            await connection.send("pong")
            continue
        if not wanted:
            start(stream(connection, rate, quotes()))
            start(_series(connection, wanted) if rate >= 0 else _beat(connection))
        wanted[:] = json.loads(message)["subscriptions"]


async def _beat(connection: ServerConnection) -> None:
    """The heartbeat of a quiet market."""
    while True:
        await connection.send(json.dumps({"server_time": int(time.time() * 1000)}))
        await asyncio.sleep(10)


async def _series(connection: ServerConnection, wanted: list[dict[str, Any]]) -> None:
    """A bar of each series four times a second: a history first, then the open bar as it grows."""
    told: set[str] = set()
    while True:
        now = int(time.time())
        for each in wanted:
            if each["type"] != "series":
                continue
            is_tick = each["bar_type"] == "tick"
            step = 1 if is_tick else 60 * each["bar_interval"] if each["bar_type"] == "minute" else 86_400
            start, code = now - now % step, each["code"]
            price = 100 + time.time() % 7
            row = {"time": time.time(), "close": round(price, 2), "volume": 100} if is_tick else _bar(start, price)
            history = (
                [] if is_tick or code in told else [_bar(start - n * step, 100 + n % 7) for n in range(250, 0, -1)]
            )
            told.add(code)
            kind = "1T" if is_tick else f"{each['bar_interval']}{each['bar_type'][0]}"
            await connection.send(json.dumps({"code": code, "bar_type": kind, "series": [*history, row]}))
        await asyncio.sleep(0.25)


def _bar(start: int, price: float) -> dict[str, float]:
    return {"time": start, "open": 101.0, "high": 110.0, "low": 95.0, "close": round(price, 2), "volume": 1000.0}


async def newsfeed(connection: ServerConnection, rate: float, start: Start) -> None:
    """Ten headlines, then one every few seconds."""
    await connection.recv()
    number = 0
    while rate >= 0 or not number:
        items = [_headline(number + n) for n in range(1 if number else 10)]
        number += len(items)
        await connection.send(json.dumps(items))
        await asyncio.sleep(3)
    async for message in connection:
        if message == "ping":
            await connection.send("pong")


def _headline(number: int) -> dict[str, object]:
    link = f"https://example.org/{number}"
    return {"title": f"Headline {number}", "source": "Wire", "published_at": int(time.time()), "link": link}


async def quantcite(connection: ServerConnection, rate: float, start: Start) -> None:
    """Login, and the books of the pair."""
    async for message in connection:
        match json.loads(message):
            case {"type": "authenticate"}:
                await _say(connection, "welcome", user_tier="developer", authentication={"status": "authenticated"})
            case {"type": "subscribe_aggregated", "symbol": symbol, "exchanges": exchanges}:
                granted = {"symbol": symbol, "exchanges": exchanges, "subscription_id": frames.SUBSCRIPTION}
                await _say(connection, "aggregated_subscription_response", success=True, **granted)
                start(stream(connection, rate, books()))
            case {"type": "ping"}:
                await _say(connection, "pong")


async def _say(connection: ServerConnection, kind: str, **fields: object) -> None:
    await connection.send(json.dumps({"type": kind, **fields}))


PATHS = {"quotes": bare_quotes, "books": bare_books, "live": live, "newsfeed": newsfeed, "quantcite": quantcite}


async def converse(connection: ServerConnection) -> None:
    """One conversation, as its path says."""
    assert connection.request is not None
    _, name, rate = connection.request.path.split("/")
    tasks: list[asyncio.Task[None]] = []
    try:
        with suppress(ConnectionClosed):
            await PATHS[name](connection, float(rate), lambda body: tasks.append(asyncio.create_task(body)))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def main() -> None:
    """Serve until standard input ends; the port is the first line of standard output."""
    async with serve(converse, "127.0.0.1", 0, ping_interval=None, compression=None, close_timeout=0.5) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
