"""The dashboard on uvloop."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.terminal.computer import TRUE_COLOUR, Computer
from tests.terminal.driver import Terminal
from tests.terminal.test_leaving import LEAVE_S, assert_restored
from tui.loop import VARIABLE

pytest.importorskip("uvloop", reason="there is none for this platform")
pytestmark = pytest.mark.terminal

CONNECTED_AGAIN = re.compile(r"aries:market .* [\d.]+K +1 +0 +0 +0 +live")
"""A feed's row in a pane as wide as the screen: bytes, reconnects, gaps, bad and refused, state."""


@pytest.mark.fault("M69")
@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda terminal: terminal.send(signal.SIGINT), 130),
        (lambda terminal: terminal.send(signal.SIGTERM), 143),
        (lambda terminal: terminal.hang_up(), 129),
        (lambda terminal: terminal.press("q"), 0),
    ],
    ids=["SIGINT", "SIGTERM", "closed window", "q"],
)
def test_a_demo_comes_alive_connects_again_and_leaves_in_order(
    computer: Computer, end: Callable[[Terminal], None], code: int
) -> None:
    with computer.start("demo", look={**TRUE_COLOUR, VARIABLE: "1"}) as terminal:
        terminal.until("3 of 3 live")
        assert "uvloop" in Path(f"/proc/{terminal.pid}/maps").read_text()
        terminal.press("6", "z", "R")
        terminal.until(CONNECTED_AGAIN)
        end(terminal)
        ended = terminal.ended()
        assert (ended.code, ended.seconds < LEAVE_S) == (code, True), ended
        if code != 129:
            assert_restored(terminal, ended)
        assert computer.simulators() == []
