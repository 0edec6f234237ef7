"""Run a command's coroutine so that signals end it in order, with the exit codes that scripts expect."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, Final

_ENDING: Final = (signal.SIGINT, signal.SIGTERM)


def run_until_signal(
    work: Coroutine[Any, Any, int], run: Callable[[Coroutine[Any, Any, int]], int] = asyncio.run
) -> int:
    """Run to the end, or to Ctrl+C or SIGTERM: `work` is then cancelled and its `finally` blocks run.

    Args:
        work: What the command does.
        run: Runs it on a loop: `asyncio.run` or `tui.loop.run`.

    Returns:
        The exit code of `work`; 130 after Ctrl+C, 143 after SIGTERM.
    """
    return run(_run(work))


async def _run(work: Coroutine[Any, Any, int]) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    caught: list[int] = []

    def stop(number: int) -> None:
        caught.append(number)
        task.cancel()

    def handler(number: int, _: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop, number)

    for number in _ENDING:
        try:
            loop.add_signal_handler(number, stop, number)
        except NotImplementedError:  # Windows
            signal.signal(number, handler)
    try:
        return await task
    except asyncio.CancelledError:
        if not caught:
            raise
        return 128 + caught[0]
