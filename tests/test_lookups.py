"""Look-ups that hang."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tui import loop
from tui.errors import RestError
from tui.feeds.outcome import classify
from tui.feeds.transport import WebSocketConnector
from tui.lookups import use_daemon_lookups
from tui.providers.base import Channel, Limits
from tui.rest import RestClient


async def test_a_look_up_answers_as_the_system_does() -> None:
    use_daemon_lookups()
    found = await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)
    assert found == socket.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)


async def test_a_name_that_is_unknown_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: Any, **options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(socket.gaierror) as raised:
        await WebSocketConnector()(Channel("main", frozenset(), "wss://nowhere.invalid/", Limits()))
    assert classify(raised.value).reason == "host name not found"
    rest = RestClient()
    with pytest.raises(RestError, match=r"^nowhere\.invalid: cannot connect$"):
        await rest.get("https://nowhere.invalid/secret")
    await rest.close()


@pytest.mark.fault("M2")
@pytest.mark.parametrize("run", [asyncio.run, loop.run])
def test_the_end_of_the_program_does_not_wait_for_a_look_up_that_hangs(
    run: Callable[[Coroutine[Any, Any, None]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    released, called = threading.Event(), threading.Event()

    def hang(*args: Any, **options: Any) -> Any:
        called.set()
        released.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure")

    monkeypatch.setattr(socket, "getaddrinfo", hang)

    async def dial_and_quit() -> None:
        connect = WebSocketConnector(open_s=0.05)
        with pytest.raises(TimeoutError):
            await connect(Channel("main", frozenset(), "wss://slow.invalid/", Limits()))

    started = time.monotonic()
    run(dial_and_quit())
    assert called.is_set()
    assert time.monotonic() - started < 2.0
    released.set()
