"""What a check of the set-up found, and how it is printed."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple


class Level(Enum):
    """How bad a finding is: its sign, and the sign for terminals without Unicode."""

    GOOD = ("✓", "+")
    NOTE = ("•", "-")
    BAD = ("✗", "!")


class Finding(NamedTuple):
    """One line of the report.

    Attributes:
        level: Good; a note: works, or is not needed; bad: something needed does not work.
        text: What was found.
        remedy: What the user can do, or "".
    """

    level: Level
    text: str
    remedy: str = ""


def good(text: str) -> Finding:
    """Something works."""
    return Finding(Level.GOOD, text)


def note(text: str, remedy: str = "") -> Finding:
    """Something is worth knowing."""
    return Finding(Level.NOTE, text, remedy)


def bad(text: str, remedy: str = "") -> Finding:
    """Something needed does not work."""
    return Finding(Level.BAD, text, remedy)


def print_section(title: str, findings: Iterable[Finding]) -> None:
    """A heading and its findings, each with its remedy below, in the signs that standard output can show."""
    encoding = sys.stdout.encoding or "ascii"
    is_ascii = not encoding.lower().replace("-", "").startswith("utf")
    lines = [title]
    for finding in findings:
        lines += _lines(finding, 1 if is_ascii else 0)
    print("\n".join(lines).encode(encoding, "replace").decode(encoding), flush=True)


def _lines(finding: Finding, signs: int) -> list[str]:
    first, *more = finding.text.splitlines() or [""]
    return [
        f"  {finding.level.value[signs]} {first}",
        *(f"    {line}" for line in more),
        *(f"    {'→>'[signs]} {line}" for line in finding.remedy.splitlines()),
    ]
