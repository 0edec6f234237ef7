"""Host name look-ups that the end of the program does not wait for.

The resolver of the C library may take half a minute to say that there is no network, and the loop's own executor is
waited for when the program ends. So look-ups run in daemon threads, one each, and are left behind.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


def use_daemon_lookups() -> None:
    """Make the running loop resolve names in daemon threads, whatever library dials; a second call changes nothing."""
    loop = asyncio.get_running_loop()
    if loop.getaddrinfo is not _getaddrinfo:
        loop.getaddrinfo = _getaddrinfo  # type: ignore[method-assign]


async def _getaddrinfo(
    host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
) -> list[Any]:
    return await _in_daemon_thread(lambda: socket.getaddrinfo(host, port, family, type, proto, flags))


async def _in_daemon_thread(call: Callable[[], T]) -> T:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if answer.done():  # nobody waits any more
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = call()
        except BaseException as raised:  # it belongs to whoever waits
            error = raised
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="look-up", daemon=True).start()
    return await answer
