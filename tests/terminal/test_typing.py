"""What is typed in one go, as a fast typist, a held key or a paste does, goes where the eye expects it."""

from __future__ import annotations

import re

import pytest

from tests.terminal.computer import Computer
from tests.terminal.driver import KEYS
from tests.terminal.reading import PANES, is_about, listed, selected

pytestmark = pytest.mark.terminal


def test_keys_right_behind_one_that_opens_a_prompt_belong_to_it(computer: Computer) -> None:
    with computer.start("demo") as terminal:
        terminal.until(lambda: selected(terminal) == "AAPL" and is_about(terminal, "AAPL"))
        before = listed(terminal)

        terminal.type("/solusdt" + KEYS["enter"])
        terminal.until(lambda: selected(terminal) == "SOL/USDT" and listed(terminal) == [*before, "SOL/USDT"])
        terminal.until(lambda: is_about(terminal, "SOL/USDT"))

        terminal.type("3$2.5")
        terminal.until("cost of 2.5▏ SOL")
        terminal.type("k" + KEYS["enter"] + "2tj" + KEYS["down"] + KEYS["enter"])
        terminal.until(re.compile(r"cost of 2\.5k SOL"))
        terminal.until(lambda: " · 1h " in terminal.pane("Bars").partition("\n")[0])

        terminal.type(KEYS["ctrl+p"] + "freeze")
        terminal.until(re.compile(r"freeze the screen, feeds go on"))
        assert "frozen" not in terminal.lines[0]
        terminal.press("escape")  # and a letter in one go would be alt and the letter
        terminal.until(lambda: "freeze the screen" not in terminal.text)
        terminal.until(lambda: all(terminal.pane(title) for title in PANES))

        terminal.type("Cxq1")  # none of them removes, quits or moves: they are four letters of a secret
        terminal.until(re.compile(r"Keys for this run"))
        terminal.until("•••")
        terminal.press("escape")
        terminal.until(lambda: all(terminal.pane(title) for title in PANES))
        assert listed(terminal) == [*before, "SOL/USDT"]
        terminal.press("q")
        assert terminal.ended().code == 0
