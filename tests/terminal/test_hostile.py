"""News that is written for the terminal, not for its reader, arrives as harmless text."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.commands.program import configure
from tests.terminal.computer import Computer
from tests.terminal.sequences import foreign
from tui.credentials import variable_name
from tui.simulator.faults import HEADLINES
from tui.simulator.server import SimulatorServer

pytestmark = pytest.mark.terminal

READABLE = (
    "Clipboard maker lifts outlook",
    "[bold red on white]Markup[/bold red on white] firm says [@click=app.quit]click here[/] [/] [Q3",
    "Profit tsol and found again at Zero Width Holdings",
    "Linefeed Inc. breaks  out  of its range today",
    "algo Corp 🚀👨👩👧 rises",
    "A very long very very",
)
"""What there is to read in each of the simulator's hostile headlines, in their order."""


@pytest.mark.fault("S1", "M49", "M50", "M51")
async def test_hostile_headlines_command_nothing(
    simulator: SimulatorServer, computer: Computer, tmp_path: Path
) -> None:
    computer.secrets = {
        variable_name(provider, field): value
        for provider, fields in simulator.credentials().items()
        for field, value in fields.items()
    }
    with computer.run(configure(tmp_path, simulator)) as terminal:
        terminal.press("4", "z")
        await asyncio.to_thread(terminal.until, lambda: terminal.pane("News").count("●") >= 10)
        for _ in HEADLINES:
            simulator.publish_hostile_news()
        for words in READABLE:
            await asyncio.to_thread(terminal.until, words)
        assert {line[-1] for line in terminal.lines[2:-2]} == {"│"}, "every row ends where it should"
        terminal.press("enter")  # the reader shows the text as well
        for _ in HEADLINES[1:]:
            await asyncio.to_thread(terminal.until, lambda: terminal.pane("News").count("│ ") > 2)
            terminal.press("down")
        terminal.press("q")
        ended = await asyncio.to_thread(terminal.ended)
        assert (ended.code, ended.is_restored) == (0, True)
        assert foreign(terminal.raw) == []
    log = (computer.home / ".local/state/tickdeck/tickdeck.log").read_text()
    assert foreign(log.replace("\n", "").encode()) == []


@pytest.mark.parametrize("number", [0, 2, 3])
def test_a_headline_that_came_through_would_be_noticed(number: int) -> None:
    screen = b"\x1b[?1049h\x1b[1;1H\x1b[1;38;2;1;2;3;48;2;4;5;6m%s\x1b[0m\r\n"
    assert foreign(screen % READABLE[number].encode()) == []
    assert foreign(screen % HEADLINES[number].encode())
