"""`make soak`: run one, print the figures, exit with 1 when a must was not kept."""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import ArgumentParser

from tests.soak.report import failures, lines
from tests.soak.run import Plan, soak


def main() -> int:
    """Take the plan from the arguments or the environment and carry it out."""
    parser = ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("SOAK_SECONDS", "600")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SOAK_SEED", "7")))
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--fault-every", type=float, default=5.0)
    given = parser.parse_args()
    plan = Plan(given.seconds, given.rate, given.fault_every, given.seed)
    result = asyncio.run(soak(plan, lambda text: _say(text)))
    _say("")
    for line in lines(result):
        _say(line)
    wrong = list(failures(result))
    for line in wrong:
        _say(f"FAILED {line}")
    _say("not good enough" if wrong else "good")
    return 1 if wrong else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
