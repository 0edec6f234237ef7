"""Servers below WebSocket: what answers wrongly, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from websockets.utils import accept_key

from tests.feeds.plain import port_of

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_port(answer: Answer) -> AsyncIterator[str]:
    """A server below HTTP; what it leaves open is closed in the end."""
    writers: list[asyncio.StreamWriter] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await answer(reader, writer)

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{port_of(server)}/"
        for writer in writers:
            writer.close()


@asynccontextmanager
async def silent_port() -> AsyncIterator[str]:
    """A server that accepts and never answers."""

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pass

    async with raw_port(hold) as url:
        yield url


async def upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, extensions: str = "") -> None:
    """Answer the upgrade to a WebSocket; what follows is the caller's."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
    answer = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    answer += [f"Sec-WebSocket-Extensions: {extensions}"] if extensions else []
    answer += [f"Sec-WebSocket-Accept: {accept_key(key)}", "", ""]
    writer.write("\r\n".join(answer).encode())


@asynccontextmanager
async def half_open_port() -> AsyncIterator[str]:
    """A server that answers the upgrade, and then never reads or writes again."""
    async with raw_port(upgrade) as url:
        yield url
