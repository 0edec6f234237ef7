"""A codec that holds frames back is asked for them in time, and not after the end of its connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.feeds.plain import Caller, PlainCodec, feed_to, scripted, until
from tui.market.events import Quote
from tui.providers.base import Output


class HoldingCodec(PlainCodec):
    """Keeps the newest quote until it is released."""

    held: Quote | None = None
    taken = 0

    @property
    def holds(self) -> bool:
        return self.held is not None

    def received(self, frame: str | bytes, ts_recv_ns: int) -> Iterator[Any]:
        for signal in super().received(frame, ts_recv_ns):
            if isinstance(signal, Quote):
                self.held = signal
                self.taken += 1
            else:
                yield signal

    def released(self, now_ns: int) -> Output:
        held, self.held = self.held, None
        return [] if held is None else [held]


async def many(caller: Caller) -> None:
    """A hundred prices in one go, and then silence."""
    await caller.log_in()
    await caller.hear()
    await caller.say(*(f"quote AAPL {n}.5" for n in range(100)))
    await caller.hear()


async def test_the_newest_of_what_was_held_back_arrives_although_nothing_follows_it() -> None:
    async with scripted(many) as server, feed_to(server.url, codec=HoldingCodec) as running:
        await until(lambda: running.sink.quotes and running.sink.quotes[-1].last == 99.5)
        assert len(running.sink.quotes) < 50
        assert running.feed.stats.frames >= 100


async def test_nothing_is_released_after_the_end() -> None:
    async def once(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        await caller.say("quote AAPL 1.5", "bye retry")
        await caller.hear()

    async with scripted(once) as server, feed_to(server.url, codec=HoldingCodec) as running:
        await until(lambda: running.feed.stats.connects >= 3)
        assert running.sink.quotes == []
