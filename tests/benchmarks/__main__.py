"""`make bench`: run everything, print the table. `--brief` takes two minutes at most instead of nine.

A part that is too slow to be measured is named and left out: speed is no reason to fail. A program that ends by itself
while it is watched is one.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks import book, decoding, drawing, lasting, receiving, starting, whole
from tests.benchmarks.figures import Figure, table
from tests.benchmarks.receiving import Server

MARK, END = "<!-- figures -->", "<!-- end of figures -->"
PAGE = Path("docs/performance.md")
PARTS = ("decode", "receive", "draw", "book", "start", "rest", "idle", "load", "calls", "last", "stay")
LONG = "stay"
"""Takes ten minutes: only when it is asked for, or all is written down."""
STAY_S = 600.0
BRIEF_S = 75.0
"""A brief run begins with no further part after so long."""


def parts(server: Server, *, brief: bool) -> Mapping[str, Callable[[], Iterator[Figure]]]:
    """What can be measured, by name."""
    return {
        "decode": lambda: decoding.decoding(turns=6 if brief else 27),
        "receive": lambda: receiving.receiving(server, rounds=3 if brief else 9, round_s=0.3 if brief else 1),
        "draw": drawing.drawing,
        "book": lambda: book.book(seconds=3 if brief else 30),
        "start": lambda: starting.starting(rounds=1 if brief else 7),
        "rest": lambda: starting.resting(seconds=4 if brief else 60),
        "idle": lambda: starting.idling(
            lambda: whole.dashboard(server, quotes=-1, books=-1), 3 if brief else 60, silent_s=3 if brief else 25
        ),
        "load": lambda: whole.loaded(server, seconds=3 if brief else 30),
        "calls": lambda: whole.calling(server, seconds=3 if brief else 30),
        "last": lasting.lasting,
        "stay": lambda: whole.staying(server, STAY_S),
    }


def main() -> int:
    """Measure; what is under way is told on standard error, the table goes to standard output."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--brief", action="store_true", help="fewer rounds, shorter watching: rough figures")
    parser.add_argument("--only", nargs="+", metavar="PART", choices=PARTS, help=" ".join(PARTS))
    parser.add_argument("--write", action="store_true", help=f"put machine and table of a whole run into {PAGE}")
    args = parser.parse_args()
    if args.write and (args.brief or args.only):
        parser.error("only the figures of a whole run are written")
    with Server() as server:
        chosen = parts(server, brief=args.brief)
        names = args.only or [name for name in PARTS if args.write or name != LONG]
        figures = list(measured({name: chosen[name] for name in names}, BRIEF_S if args.brief else None))
    sys.stdout.write(table(figures) + "\n")
    if args.write:
        before, mark, rest = PAGE.read_text(encoding="utf-8").partition(MARK)
        text = f"{before}{mark}\n{machine()}\n\n{table(figures)}\n{END}{rest.partition(END)[2]}"
        PAGE.write_text(text, encoding="utf-8")
    return 0


def measured(chosen: Mapping[str, Callable[[], Iterator[Figure]]], limit_s: float | None) -> Iterator[Figure]:
    """The figures of the parts; what is not measured, and why, is told on standard error."""
    began = time.monotonic()
    for name, measure in chosen.items():
        spent = time.monotonic() - began
        if limit_s is not None and spent > limit_s:
            sys.stderr.write(f"{name}: left out, {spent:.0f} s are over\n")
            continue
        sys.stderr.write(f"{name} ...\n")
        try:
            yield from measure()
        except TimeoutError as error:
            sys.stderr.write(f"{name}: too slow to be measured: {error}\n")


def machine() -> str:
    """What it was measured on, without saying whose it is."""
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg()[:2])
    names = ("textual", "websockets", "pydantic")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    python = f"Python {platform.python_version()}, {versions}"
    return f"{python}; {platform.system()}, {os.cpu_count()} cores, load {busy} at the end of the run."


if __name__ == "__main__":
    sys.exit(main())
