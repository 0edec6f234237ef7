"""What the simulators of a test counted: every rule of a protocol that a client broke."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tui.simulator.dialect import Dialect

_counted: list[Counter[str]] = []


def watch(patch: pytest.MonkeyPatch) -> None:
    """Remember the counter of every dialect that is made from now on, wherever it is served.

    Args:
        patch: Lasts as long as somebody asks.
    """
    make = Dialect.__init__

    def remembered(dialect: Dialect, *arguments: Any) -> None:
        make(dialect, *arguments)
        _counted.append(dialect.violations)

    patch.setattr(Dialect, "__init__", remembered)


def violations() -> Counter[str]:
    """What was counted since the last call."""
    total: Counter[str] = Counter()
    for each in _counted:
        total += each
    _counted.clear()
    return total
