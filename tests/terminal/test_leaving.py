"""However the program is ended, it is over soon and the terminal is as it was."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.terminal.computer import PROGRAM, Computer, Simulation
from tests.terminal.driver import Ended, Terminal, busyness

pytestmark = pytest.mark.terminal

LEAVE_S = 2.0 * busyness()
ON = {7, 25}
"""Private modes that a terminal has on when nobody touched it: lines wrap, the cursor shows."""
ALTERNATE_SCREEN = b"\x1b[?1049h"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Computer, Path]]:
    """A computer with a simulator, and the configuration that points there."""
    computer = Computer(tmp_path_factory.mktemp("leaving"))
    with Simulation(computer) as simulation:
        computer.secrets = simulation.secrets
        yield computer, simulation.config


def assert_restored(terminal: Terminal, end: Ended) -> None:
    """The shell's terminal is the shell's again."""
    assert end.is_restored, "echo or line editing is off"
    modes = terminal.modes()
    assert {1000, 1003, 1006, 1049, 2004, 25} <= set(modes), "the screen was never taken"
    assert {number for number, is_on in modes.items() if is_on} == ON
    assert terminal.keyboard_level() == 0
    assert b"Traceback" not in terminal.raw


@pytest.mark.fault("M69")
@pytest.mark.fault("M69", "M74")
@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda terminal: terminal.send(signal.SIGINT), 130),
        (lambda terminal: terminal.send(signal.SIGHUP), 129),
        (lambda terminal: terminal.press("ctrl+c"), 130),
        (lambda terminal: terminal.press("q"), 0),
    ],
    ids=["SIGINT", "SIGHUP", "ctrl+c", "q"],
)
def test_signals_and_keys_end_a_live_dashboard_in_order(
    shared: tuple[Computer, Path], end: Callable[[Terminal], None], code: int
) -> None:
    computer, config = shared
    with computer.run(config) as terminal:
        terminal.until(r"3 of 3 live")
        end(terminal)
        ended = terminal.ended()
        assert (ended.code, ended.seconds < LEAVE_S) == (code, True), ended
        assert_restored(terminal, ended)


@pytest.mark.fault("M69")
@pytest.mark.fault("M69")
def test_a_terminated_demo_takes_its_simulator_along(computer: Computer) -> None:
    with computer.start("demo") as terminal:
        terminal.until("3 of 3 live")
        assert len(computer.simulators()) == 1
        terminal.send(signal.SIGTERM)
        ended = terminal.ended()
        assert (ended.code, ended.seconds < LEAVE_S) == (143, True), ended
        assert_restored(terminal, ended)
        assert computer.simulators() == []


@pytest.mark.fault("M69")
def test_a_closed_window_ends_the_program_even_when_the_shell_does_not_pass_it_on(computer: Computer) -> None:
    with computer.start("demo") as terminal:
        terminal.until("3 of 3 live")
        terminal.hang_up()
        ended = terminal.ended()
        assert (ended.code, ended.seconds < LEAVE_S) == (129, True), ended
        assert computer.simulators() == []


@pytest.mark.fault("M69", "M74")
@pytest.mark.parametrize(
    "moment",
    [
        lambda _, terminal: terminal.catches(signal.SIGTERM),
        lambda _, terminal: ALTERNATE_SCREEN in terminal.raw,
        lambda computer, _: computer.simulators(),
    ],
    ids=["the command is read", "the terminal is taken", "the simulator starts"],
)
def test_ctrl_c_is_taken_at_its_word_at_every_moment_of_the_start(
    computer: Computer, moment: Callable[[Computer, Terminal], object]
) -> None:
    with computer.start("demo") as terminal:
        terminal.until(lambda: moment(computer, terminal))
        terminal.press("ctrl+c")
        ended = terminal.ended()
        assert (ended.code, ended.seconds < LEAVE_S) == (130, True), ended
        assert ended.is_restored
        assert ALTERNATE_SCREEN not in terminal.raw or not terminal.modes()[1049]
        assert b"Traceback" not in terminal.raw
        assert computer.simulators() == []


@pytest.mark.fault("M74")
def test_q_typed_while_it_starts_is_not_lost(computer: Computer) -> None:
    with computer.start("demo") as terminal:
        terminal.press("q")
        ended = terminal.ended()
        assert ended.code == 0
        assert_restored(terminal, ended)
        assert (computer.simulators(), computer.files()) == ([], [])


@pytest.mark.fault("M74")
def test_quitting_does_not_wait_for_connections_that_are_refused(computer: Computer, simulation: Simulation) -> None:
    simulation.kill()
    with computer.run(simulation.config) as terminal:
        terminal.until("connection refused")
        terminal.press("q")
        ended = terminal.ended()
        assert (ended.code, ended.seconds < LEAVE_S) == (0, True), ended
        assert_restored(terminal, ended)


@pytest.mark.parametrize("command", ["run", "demo"])
def test_a_redirected_standard_error_is_refused_with_a_message(
    computer: Computer, command: str, tmp_path: Path
) -> None:
    file = tmp_path / "errors"
    with Terminal(["/bin/sh", "-c", 'exec "$@" 2> "$0"', str(file), PROGRAM, command],
                  computer.environment()) as terminal:  # fmt: skip
        assert terminal.ended().code == 1
        assert terminal.raw == b""
    assert "standard error" in file.read_text()
    assert "tickdeck watch" in file.read_text()
