"""The benchmarks run: a brief look at one part. Nothing here asserts how fast anything is."""

from __future__ import annotations

import subprocess
import sys


def test_the_table_of_a_brief_run_names_what_is_measured() -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "--brief", "--only", "decode"]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True).stdout
    print(printed)  # noqa: T201
    rows = [line.split("|")[1].strip() for line in printed.splitlines()[2:]]
    assert rows == [
        "decode a book of 50+50 levels",
        "decode a book of 50+50 levels",
        "decode a quote",
        "decode a quote",
    ]
