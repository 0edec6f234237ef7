"""Work that may never end, in threads that nobody waits for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


async def in_daemon_thread(job: Callable[[], _T]) -> _T:
    """Run a job that blocks; its result, or what it raised.

    Unlike a job of `asyncio.to_thread`, one that hangs holds up neither a cancellation nor the end of the program.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def settle(act: Callable[[], None]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(lambda: None if done.done() else act())

    def work() -> None:
        try:
            result = job()
        except Exception as error:
            failure = error
            settle(lambda: done.set_exception(failure))
        else:
            settle(lambda: done.set_result(result))

    threading.Thread(target=work, name="job", daemon=True).start()
    return await done
