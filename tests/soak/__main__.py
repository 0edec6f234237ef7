"""`make soak`: run one, print the figures, exit with 1 when a must was not kept.

A run of ten minutes or more also writes its figures into docs/soak.md; `--write` does so after a shorter one.
"""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import ArgumentParser

from tests.soak.report import failures, lines, write
from tests.soak.run import ROOT, Plan, soak

PAGE = ROOT / "docs" / "soak.md"
WHOLE_S = 600.0


def main() -> int:
    """Take the plan from the arguments or the environment and carry it out."""
    parser = ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("SOAK_SECONDS", WHOLE_S)))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SOAK_SEED", "7")))
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--fault-every", type=float, default=5.0)
    parser.add_argument("--write", action="store_true", help="put the figures of a short run into docs/soak.md too")
    given = parser.parse_args()
    plan = Plan(given.seconds, given.rate, given.fault_every, given.seed)
    result = asyncio.run(soak(plan, _say))
    _say("")
    for line in lines(result):
        _say(line)
    wrong = list(failures(result))
    for line in wrong:
        _say(f"FAILED {line}")
    _say("not good enough" if wrong else "good")
    if given.write or plan.seconds >= WHOLE_S:
        write(result, PAGE)
        _say(f"written to {PAGE.relative_to(ROOT)}")
    return 1 if wrong else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
