"""Whether a feed notices that frames come faster than it reads them."""

from __future__ import annotations

import asyncio

from tests.feeds.plain import Caller, feed_to, scripted, until


async def test_a_feed_that_never_gets_to_wait_is_behind_until_it_does() -> None:
    calm = asyncio.Event()

    async def script(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        flood = b"".join(b"\x81" + bytes((len(line),)) + line for line in [b"quote AAPL 1.5"] * 20_000)
        caller.socket.transport.write(flood)
        await calm.wait()
        while True:
            await caller.say("quote AAPL 1.25")
            await asyncio.sleep(0.002)

    async with scripted(script) as server, feed_to(server.url) as running:
        stats = running.feed.stats
        await until(lambda: stats.behind_since_ns is not None)
        await until(lambda: stats.frames >= 20_000)
        calm.set()
        await until(lambda: stats.behind_since_ns is None)
