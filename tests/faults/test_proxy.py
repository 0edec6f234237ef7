"""The relay does what the other tests rely on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.faults.proxy import ChaosProxy, chaos
from tests.feeds.raw import raw_port

TEXT = b"0123456789" * 40


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1000):
        writer.write(data)


@asynccontextmanager
async def line() -> AsyncIterator[tuple[ChaosProxy, asyncio.StreamReader, asyncio.StreamWriter]]:
    async with raw_port(echo) as url, chaos(url) as proxy:
        port = int(proxy.url.rstrip("/").rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        yield proxy, reader, writer
        writer.close()


async def test_it_passes_everything_on_until_it_is_told_otherwise() -> None:
    async with line() as (_, reader, writer):
        writer.write(TEXT)
        assert await reader.readexactly(len(TEXT)) == TEXT


async def test_a_hole_holds_bytes_back_and_gives_them_up_later() -> None:
    async with line() as (proxy, reader, writer):
        proxy.hole()
        writer.write(TEXT)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        proxy.hole(False)
        assert await reader.readexactly(len(TEXT)) == TEXT


async def test_slow_late_and_spoilt() -> None:
    async with line() as (proxy, reader, writer):
        proxy.rate, started = 4000, time.monotonic()
        writer.write(TEXT)
        await reader.readexactly(len(TEXT))
        assert 0.08 < time.monotonic() - started < 2.0
        proxy.rate, proxy.latency_s, started = None, 0.1, time.monotonic()
        writer.write(TEXT)
        await reader.readexactly(len(TEXT))
        assert time.monotonic() - started > 0.19
        proxy.latency_s, proxy.flips = 0.0, 10
        writer.write(TEXT)
        spoilt = await reader.readexactly(len(TEXT))
        assert 10 < sum(a != b for a, b in zip(TEXT, spoilt, strict=True)) < 100


async def test_a_cut_an_end_a_reset_and_a_refusal() -> None:
    async with line() as (proxy, reader, writer):
        proxy.cut_after = 7
        writer.write(TEXT)
        assert await reader.read() == TEXT[:7]
    async with line() as (proxy, reader, writer):
        writer.write(b"x")
        assert await reader.read(1) == b"x"
        proxy.fin()
        assert await reader.read() == b""
    async with line() as (proxy, reader, writer):
        writer.write(b"x")
        assert await reader.read(1) == b"x"
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        proxy.refuse = True
        port = int(proxy.url.rstrip("/").rpartition(":")[2])
        again, other = await asyncio.open_connection("127.0.0.1", port)
        with pytest.raises(ConnectionResetError):
            await again.read()
        other.close()
        assert proxy.accepted == 2
