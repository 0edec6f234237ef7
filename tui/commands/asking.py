"""A question on the terminal that does not stop everything else."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

_STDIN = 0


async def ask(question: str) -> str:
    """The line that the user types. Can be cancelled: nobody waits for the answer then.

    Raises:
        EOFError: there is nobody to ask.
    """
    sys.stderr.write(question)
    sys.stderr.flush()
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()

    def take(line: bytes) -> None:
        if not answer.done():
            answer.set_result(line)

    def read() -> None:
        # Not through sys.stdin: a thread that waits in there would hold its lock when the program ends.
        line = os.read(_STDIN, 65536)
        if not loop.is_closed():
            loop.call_soon_threadsafe(take, line)

    threading.Thread(target=read, name="question", daemon=True).start()
    line = await answer
    if not line:
        raise EOFError
    return line.decode(errors="replace").strip()
