"""The dashboard, with a look at how long each call of its loop takes: `python -m tests.benchmarks.calls FILE ...`.

A key waits for the end of the call that is under way. FILE takes the longest call of each tenth of a second, in
milliseconds of CPU time, when the program ends; what follows are the program's own arguments.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import defaultdict
from pathlib import Path

from tui.cli import main

TURN_S = 0.1
WARM_S = 5.0
"""Left out: imports and the first data."""


def watch(longest: dict[int, float]) -> None:
    """Time every call of every loop, from some seconds on."""
    run, began = asyncio.Handle._run, time.monotonic()

    def timed(handle: asyncio.Handle) -> None:
        started = time.thread_time()
        run(handle)
        spent, turn = time.thread_time() - started, int((time.monotonic() - began - WARM_S) / TURN_S)
        longest[turn] = max(longest[turn], spent * 1000)

    asyncio.Handle._run = timed  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    file, seen = Path(sys.argv.pop(1)), defaultdict[int, float](float)
    watch(seen)
    try:
        code = main()
    finally:
        file.write_text(json.dumps([spent for turn, spent in sorted(seen.items()) if turn >= 0]))
    sys.exit(code)
