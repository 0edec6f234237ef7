"""A TCP relay on this machine that does to a connection what bad networks do."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from urllib.parse import urlsplit

from tests.feeds.plain import port_of

CHUNK = 65536


class ChaosProxy:
    """Relays connections to a server, badly.

    Attributes:
        latency_s: Every chunk is this much later, in both directions.
        jitter_s: And up to this much more.
        rate: Bytes a second towards the client; None for all that comes.
        flips: Of the bytes towards the client, one in this many has a bit turned over; 0 for none.
        cut_after: A connection ends after so many bytes towards the client; None for never.
        refuse: New connections are reset at once.
        accepted: Connections so far.
    """

    def __init__(self, target: int) -> None:
        self.latency_s = 0.0
        self.jitter_s = 0.0
        self.rate: int | None = None
        self.flips = 0
        self.cut_after: int | None = None
        self.refuse = False
        self.accepted = 0
        self.url = ""
        self._target = target
        self._random = Random(7)
        self._passes = asyncio.Event()
        self._passes.set()
        self._clients: set[asyncio.StreamWriter] = set()
        self._busy: set[asyncio.Task[None] | None] = set()

    def hole(self, is_open: bool = True) -> None:
        """Let nothing through any more, in either direction, while every connection stays; or let it pass again."""
        if is_open:
            self._passes.clear()
        else:
            self._passes.set()

    def reset(self) -> None:
        """Break every connection with RST."""
        for writer in list(self._clients):
            reset(writer)

    def fin(self) -> None:
        """End every connection in order, without a word of WebSocket."""
        for writer in list(self._clients):
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection until either side ends it."""
        self.accepted += 1
        if self.refuse:
            reset(writer)
            return
        self._clients.add(writer)
        self._busy.add(asyncio.current_task())
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
        up = asyncio.create_task(self._pass_on(reader, to_server, towards_client=False))
        down = asyncio.create_task(self._pass_on(from_server, writer, towards_client=True))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (up, down):
                task.cancel()
            self._clients.discard(writer)
            for each in (writer, to_server):
                each.close()
            await asyncio.wait({up, down})

    async def close(self) -> None:
        """End what is left."""
        tasks = {task for task in self._busy if task and not task.done()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, towards_client: bool
    ) -> None:
        passed = 0
        with suppress(ConnectionError):
            while data := await reader.read(self._slice() if towards_client else CHUNK):
                if delay_s := self.latency_s + self.jitter_s * self._random.random():
                    await asyncio.sleep(delay_s)
                await self._passes.wait()
                if towards_client:
                    data = await self._spoilt(data, passed)
                    passed += len(data)
                writer.write(data)
                await writer.drain()
                if towards_client and self.cut_after is not None and passed >= self.cut_after:
                    return

    def _slice(self) -> int:
        return CHUNK if self.rate is None else max(1, self.rate // 20)

    async def _spoilt(self, data: bytes, passed: int) -> bytes:
        if self.rate is not None:
            await asyncio.sleep(len(data) / self.rate)
        if self.cut_after is not None:
            data = data[: max(0, self.cut_after - passed)]
        if not self.flips:
            return data
        return bytes(byte ^ 1 << self._random.randrange(8) if self._random.randrange(self.flips) == 0 else byte
                     for byte in data)  # fmt: skip


def reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection with RST, without waiting."""
    raw: socket.socket | None = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def chaos(url: str) -> AsyncIterator[ChaosProxy]:
    """A relay before a server of this machine; `url` of it is the server's with another port."""
    parts = urlsplit(url)
    assert parts.port
    proxy = ChaosProxy(parts.port)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as server:
        proxy.url = parts._replace(netloc=f"127.0.0.1:{port_of(server)}").geturl()
        yield proxy
        await proxy.close()
