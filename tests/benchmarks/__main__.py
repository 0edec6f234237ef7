"""`make bench`: run everything, print the table. `--brief` takes a minute instead of several, `--only` some parts."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks import decoding, drawing, lasting, receiving, starting, whole
from tests.benchmarks.figures import Figure, table
from tests.benchmarks.receiving import Server

MARK, END = "<!-- figures -->", "<!-- end of figures -->"


def parts(server: Server, *, brief: bool) -> Mapping[str, Callable[[], Iterator[Figure]]]:
    """What can be measured, by name."""
    return {
        "decode": lambda: decoding.decoding(rounds=7 if brief else 25),
        "receive": lambda: receiving.receiving(server, rounds=3 if brief else 9, round_s=0.3 if brief else 1),
        "draw": drawing.drawing,
        "start": lambda: starting.starting(rounds=1 if brief else 7),
        "rest": lambda: starting.resting(seconds=4 if brief else 60),
        "idle": lambda: starting.idling(lambda: whole.dashboard(server, quotes=-1, books=-1), 3 if brief else 60),
        "last": lasting.lasting,
        "load": lambda: whole.loaded(server, seconds=3 if brief else 30),
    }


def main() -> int:
    """Measure; what is under way is told on standard error, the table goes to standard output."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--brief", action="store_true", help="fewer rounds, shorter watching: rough figures")
    parser.add_argument("--only", nargs="+", metavar="PART", help="decode receive draw start rest idle last load")
    parser.add_argument("--into", type=Path, metavar="FILE", help="put machine and table between the marks of a page")
    args = parser.parse_args()
    figures: list[Figure] = []
    with Server() as server:
        for name, measure in parts(server, brief=args.brief).items():
            if args.only and name not in args.only:
                continue
            sys.stderr.write(f"{name} ...\n")
            figures += measure()
    sys.stdout.write(table(figures) + "\n")
    if args.into:
        before, mark, rest = args.into.read_text(encoding="utf-8").partition(MARK)
        after = rest.partition(END)[2]
        text = f"{before}{mark}\n{machine()}\n\n{table(figures)}\n{END}{after}"
        args.into.write_text(text, encoding="utf-8")
    return 0


def machine() -> str:
    """What it was measured on, without saying whose it is."""
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg()[:2])
    names = ("textual", "websockets", "pydantic")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    python = f"Python {platform.python_version()}, {versions}"
    return f"{python}; {platform.system()}, {os.cpu_count()} cores, load {busy} at the end of the run."


if __name__ == "__main__":
    sys.exit(main())
