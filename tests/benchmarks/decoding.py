"""Decoding: frame in, events out, against the JSON libraries on the same bytes.

pytest-benchmark times the functions of `test_decoding.py`; here its statistics become figures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Final

from tests.benchmarks.figures import Figure

TESTS: Final = "tests/benchmarks/test_decoding.py"
TURNS: Final = "BENCHMARK_TURNS"
"""Environment variable: how often the functions take turns."""
BOOK, QUOTE = "decode a book of 50+50 levels", "decode a quote"
OURS: Final = "tickdeck"
TIMED: Final = (
    "--benchmark-enable", "--benchmark-only", "--benchmark-quiet", "--benchmark-disable-gc",
    "--benchmark-timer=time.process_time", "-p", "no:cacheprovider",
)  # fmt: skip


def decoding(turns: int) -> Iterator[Figure]:
    """A book and a quote, each against two libraries."""
    taken = timed(turns)
    for what, target in ((BOOK, 0.6), (QUOTE, None)):
        ours = taken[what, OURS]
        for library, goal in (("json", target), ("orjson", None)):
            limit = taken[what, library]
            ratio = median(a / b for a, b in zip(ours, limit, strict=True))
            detail = f"{median(ours) * 1e6:.1f} against {median(limit) * 1e6:.1f} µs"
            yield Figure(what, f"{library}.loads", ratio, "x", goal, detail)


def timed(turns: int) -> Mapping[tuple[str, str], list[float]]:
    """Seconds of CPU a frame, turn by turn, by what is decoded and by whom."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "timed.json"
        command = [sys.executable, "-m", "pytest", "-q", TESTS, *TIMED, f"--benchmark-json={file}"]
        # what pytest tells its own children is none of this one's business: nothing is timed in a worker of xdist
        plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        subprocess.run(command, env={**plain, TURNS: str(turns)}, stdout=sys.stderr, check=True)
        found = json.loads(file.read_bytes())["benchmarks"]
    taken = defaultdict(list)
    for each in found:
        taken[each["group"], each["params"]["by"]].append(each["stats"]["median"] / each["extra_info"]["frames"])
    return taken
