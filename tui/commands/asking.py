"""A question on the terminal that does not stop everything else."""

from __future__ import annotations

import os
import sys

from tui.commands.threads import in_daemon_thread


async def ask(question: str) -> str:
    """The line that the user types. Can be cancelled: nobody waits for the answer then.

    Raises:
        EOFError: there is nobody to ask.
    """
    sys.stderr.write(question)
    sys.stderr.flush()
    # Not through sys.stdin: a thread that waits in there would hold its lock when the program ends.
    line = await in_daemon_thread(lambda: os.read(0, 65536))
    if not line:
        raise EOFError
    return line.decode(errors="replace").strip()
