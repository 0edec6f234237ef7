"""The loop that commands run on, with uvloop and without."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

import pytest

from tests.feeds.plain import port_of
from tui import loop

uvloop = pytest.importorskip("uvloop", reason="there is none for this platform")

NAME = "name.example"


async def running_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def test_uvloop_is_used_where_it_is_installed() -> None:
    assert isinstance(loop.run(running_loop()), uvloop.Loop)


def test_without_uvloop_the_standard_loop_does_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    used = loop.run(running_loop())
    assert isinstance(used, asyncio.BaseEventLoop)
    assert used.is_closed()


def test_the_environment_keeps_the_standard_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(loop.VARIABLE, "0")
    assert isinstance(loop.run(running_loop()), asyncio.BaseEventLoop)


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What looking up `NAME` brings."""
    found: list[tuple[str, int]] = []

    async def look_up(_: object, host: str, port: int, **options: Any) -> list[Any]:
        addresses = found if host == NAME else [(host, port)]
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address) for address in addresses]

    monkeypatch.setattr(uvloop.Loop, "getaddrinfo", look_up)
    return found


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def dial() -> object:
    async with asyncio.timeout(5):
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, NAME, 443)
    peer = transport.get_extra_info("peername")
    transport.close()
    return peer


def test_the_next_address_of_a_name_is_tried_when_one_refuses(addresses: list[tuple[str, int]]) -> None:
    async def second_answers() -> None:
        async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as server:
            addresses[:] = [("127.0.0.1", closed_port()), ("127.0.0.1", port_of(server))]
            assert await dial() == addresses[1]

    loop.run(second_answers())


def test_a_name_whose_addresses_all_refuse_is_refused(addresses: list[tuple[str, int]]) -> None:
    addresses[:] = [("127.0.0.1", closed_port())] * 2
    with pytest.raises(ConnectionRefusedError):
        loop.run(dial())


def test_a_name_without_addresses_is_an_error_of_the_network(addresses: list[tuple[str, int]]) -> None:
    with pytest.raises(OSError, match="no address"):
        loop.run(dial())
