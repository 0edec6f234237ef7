"""Every text of every provider is hostile, and the program runs on a real pseudo terminal: what comes out of it?"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.commands.program import configure
from tests.conftest import until
from tests.terminal.computer import Computer
from tests.terminal.driver import LIMIT_S, Terminal
from tui.credentials import variable_name
from tui.simulator.dialect import Reply, Request, Response
from tui.simulator.link import Link
from tui.simulator.server import SimulatorServer

pytestmark = pytest.mark.terminal

PAYLOADS = [
    "\x1b]52;c;UFdORUQ=\x07", "\x1b]0;PWNED\x07", "\x1b]2;PWNED\x1b\\",
    "\x1b]8;;http://pwned.example/\x1b\\x\x1b]8;;\x1b\\", "\x1b[77;78H", "\x1b[77;78m", "\x1b[?77;78h", "\x1b[77;78J",
    "\x9b77;78m", "\x9d52;c;UFdORUQ=\x9c", "\x90q#0PWNED\x9c", "\x1bPq#0PWNED\x1b\\", "\x1b_PWNED\x1b\\",
    "\x1b^PWNED\x1b\\", "\x1bXPWNED\x1b\\", "\x1bc", "\x1b", "\x9b", "\x07\x08\x0b\x0c", "\u202e\u2066",
    "[@click=app.quit]", "[/]", "[link=http://pwned.example/]", "[Q3", "\r\n\x00\x7f",
]  # fmt: skip
"""What reaches for the clipboard, the title, the cursor, colours, modes, the markup parser and the reader's eye."""
TEXTS = {
    "title", "headline", "content", "summary", "text", "body", "source", "publisher", "author", "message", "user_tier",
    "exchanges", "exchange_status", "tradeExchange", "description", "name", "reason", "statusMessage",
}  # fmt: skip
"""Fields whose values are for people."""
LEAKS = {
    "C1 controls": rb"\xc2[\x80-\x9f]",
    "a bell": rb"\x07",
    "a string for the terminal": rb"\x1b[P_^X]",
    "a command for the window": rb"\x1b\]",
    "a reset": rb"\x1bc",
    "a foreign control sequence": rb"\x1b\[[?0-9;]*77;78",
    "directions": rb"\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]",
    "what a sequence held": rb"PWNED|UFdORUQ",
}


class Poison:
    """Puts a payload before every text in JSON, each payload in turn."""

    def __init__(self) -> None:
        self.turns = count()

    def text(self, frame: str) -> str:
        """A frame, or its lines, with poisoned texts; what is no JSON stays."""
        return "\n".join(map(self._line, frame.split("\n")))

    def _line(self, line: str) -> str:
        try:
            message = json.loads(line)
        except ValueError:
            return line
        return json.dumps(self.value(message))

    def value(self, value: Any, *, is_text: bool = False) -> Any:
        if isinstance(value, dict):
            return {name: self.value(each, is_text=is_text or name in TEXTS) for name, each in value.items()}
        if isinstance(value, list):
            return [self.value(each, is_text=is_text) for each in value]
        return self.next() + value if is_text and isinstance(value, str) else value

    def next(self) -> str:
        return PAYLOADS[next(self.turns) % len(PAYLOADS)]


@pytest.fixture
def poison(simulator: SimulatorServer, monkeypatch: pytest.MonkeyPatch) -> Poison:
    """Everything that the simulator says from now on is poisoned."""
    poison = Poison()
    put = Link._put

    def poisoned(link: Link, reply: Reply) -> None:
        put(link, poison.text(reply) if isinstance(reply, str) else reply)

    monkeypatch.setattr(Link, "_put", poisoned)
    answer = simulator._rest._answer

    def poisoned_answer(request: Request) -> Response:
        response = answer(request)
        return replace(response, body=poison.value(response.body))

    monkeypatch.setattr(simulator._rest, "_answer", poisoned_answer)
    return poison


def leaks(raw: bytes) -> dict[str, list[bytes]]:
    """What came through, with a few bytes around it."""
    raw = re.sub(rb"\x1b\]22;[a-z]*\x07", b"", raw)  # the shape of the pointer: Textual's own
    found = {what: re.findall(b"(?s).{0,40}" + pattern + b".{0,20}", raw)[:3] for what, pattern in LEAKS.items()}
    return {what: where for what, where in found.items() if where}


def look_around(terminal: Terminal) -> None:
    """Go everywhere where a provider's text is shown."""
    terminal.until("3 of 3 live")
    for pane in "36":
        terminal.press(pane, "z")
        terminal.until(lambda: not terminal.pane("Quotes"))
        terminal.press("z")
        terminal.until(lambda: terminal.pane("Quotes"))
    terminal.press("4", "enter")
    terminal.until("news.example")
    terminal.press("enter", "1", "down", "down", "down")
    terminal.until("3 Book · BTC/USDT")
    terminal.press("/")
    terminal.until("Add a symbol")
    terminal.type("app")
    terminal.until("Apple")
    terminal.press("escape")


def scold(simulator: SimulatorServer) -> None:
    """Say errors on the connections that tell them to the user."""
    for payload in PAYLOADS:
        for link in simulator.links("quantcite"):
            link.insert(json.dumps({"type": "error", "error": "odd", "message": payload + "we are sorry"}))
        for link in simulator.links("aries"):
            error = {"action": "error", "error": {"code": "odd", "message": payload + "we are sorry"}}
            link.insert(json.dumps({"type": "event", "payload": error}))


@pytest.mark.fault("S1", "M49", "M50", "M53")
async def test_nothing_that_a_provider_says_commands_the_terminal(
    simulator: SimulatorServer, poison: Poison, tmp_path: Path
) -> None:
    computer = Computer(tmp_path)
    computer.secrets = {
        variable_name(provider, field): value
        for provider, fields in simulator.credentials().items()
        for field, value in fields.items()
    }
    with computer.run(configure(tmp_path, simulator)) as terminal:
        await asyncio.to_thread(look_around, terminal)
        scold(simulator)
        await asyncio.to_thread(terminal.until, "we are sorry")

        def is_reason_shown() -> bool:
            for link in simulator.links():  # again and again: a feed that is soon back shows it for a moment only
                link.hang_up(1011, poison.next()[:60] + "going away")
            return b"going away" in terminal.raw

        await until(is_reason_shown, limit_s=LIMIT_S)
        await asyncio.to_thread(terminal.until, re.compile(r"● aries.*● insightsentry.*● quantcite"))
        terminal.press("q")
        ended = await asyncio.to_thread(terminal.ended)
        assert ended.code == 0
        assert next(poison.turns) > 20 * len(PAYLOADS), "every payload came by many times"
        assert leaks(terminal.raw) == {}
        assert b"Traceback" not in terminal.raw


@pytest.mark.parametrize(
    "payload", [each for each in PAYLOADS if "PWNED" in each or "77;78" in each or "\u202e" in each]
)
def test_a_payload_that_came_through_would_be_seen(payload: str) -> None:
    assert leaks(b"\x1b[1;1Hbefore " + payload.encode() + b" after")


def has_stopped(terminal: Terminal) -> bool:
    return "\nState:\tT" in Path(f"/proc/{terminal.pid}/status").read_text()


@pytest.mark.fault("M69")
def test_a_suspended_program_gives_the_terminal_back_and_takes_it_again(tmp_path: Path) -> None:
    with Computer(tmp_path).start("demo") as terminal:
        terminal.until("AAPL")
        terminal.send(signal.SIGTSTP)
        terminal.until(lambda: has_stopped(terminal))
        terminal.until(lambda: not terminal.modes()[1049])  # the shell's screen is back
        before = len(terminal.raw)
        terminal.send(signal.SIGCONT)
        terminal.until(lambda: len(terminal.raw) > before + 1000 and terminal.modes()[1049])
        terminal.until("AAPL")
        terminal.press("q")
        ended = terminal.ended()
        assert (ended.code, ended.is_restored) == (0, True)


CRASH = """
import sys
from tui import app, cli

def draw_frame(self):
    secret = "planted-in-a-local"
    if self.hub is not None:
        raise ZeroDivisionError("a mistake of ours")

app.MarketApp.draw_frame = draw_frame
sys.exit(cli.main(["demo"]))
"""


@pytest.mark.fault("S7")
def test_a_crash_of_the_screen_shows_no_local_variable_and_ends_with_1(tmp_path: Path) -> None:
    with Terminal([sys.executable, "-c", CRASH], Computer(tmp_path).environment()) as terminal:
        ended = terminal.ended()
        assert (ended.code, ended.is_restored) == (1, True)
        assert b"ZeroDivisionError" in terminal.raw
        assert not terminal.modes()[1049]
        assert b"planted" not in terminal.raw
