import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tui.commands.simulate import toml_value
from tui.config import Config, parse_config
from tui.errors import TickdeckError
from tui.providers import providers
from tui.simulator.process import SimulatorProcess


@contextmanager
def simulate(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "simulate", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def is_running(pid: int) -> bool:
    """Whether a process that is not our child still does something."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def page_of(stdout: IO[str]) -> str:
    """What was printed up to the last provider's table."""
    lines = [stdout.readline()]
    while not (lines[-1].startswith(f"[providers.{max(providers())}]")):
        lines.append(stdout.readline())
    return "".join(lines)


def test_the_page_is_a_configuration_that_points_at_the_server() -> None:
    with simulate("--port", "0", "--seed", "5") as process:
        assert process.stdout
        page = page_of(process.stdout)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=10)
        assert (process.returncode, errors) == (130, "")
    page += rest
    assert "export TICKDECK_QUANTCITE_API_KEY=demo-quantcite\n" in page
    config = parse_config(page, Path("simulator.toml"))
    assert set(config.providers) == set(providers())
    urls = [value for section in tomllib.loads(page)["providers"].values() for value in section.values()]
    assert all("//127.0.0.1:" in url for url in urls if isinstance(url, str) and "://" in url)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_it_in_order(number: signal.Signals, code: int) -> None:
    with simulate("--port", "0") as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(number)
        assert process.wait(10) == code


async def test_what_clients_did_wrong_is_said_at_the_end() -> None:
    with simulate("--port", "0") as process:
        assert process.stdout
        page = page_of(process.stdout) + process.stdout.readline()
        settings = tomllib.loads(page)["providers"]["quantcite"]
        async with connect(settings["url"], proxy=None) as client:
            for _ in range(2):
                await client.send("this is no message")
                await client.recv()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
    assert errors == "tickdeck: clients of quantcite broke rules of its protocol: not a message (2)\n"


def test_a_taken_port_is_said_and_ends_with_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with simulate("--port", str(port)) as process:
            output, errors = process.communicate(timeout=10)
    assert (process.returncode, output) == (1, "")
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in errors


def test_with_json_it_ends_when_its_input_does() -> None:
    with simulate("--port", "0", "--json") as process:
        assert process.stdout
        said = json.loads(process.stdout.readline())
        assert set(said["providers"]) == set(said["credentials"]) == set(providers())
        output, errors = process.communicate(timeout=10)  # closes its input
    assert (process.returncode, output, errors) == (0, "", "")


async def test_the_child_process_serves_until_it_is_stopped() -> None:
    with SimulatorProcess(seed=5) as simulator:
        addresses = await asyncio.to_thread(simulator.addresses)
        config = Config().with_providers(addresses.providers, only=True)
        assert all(settings.enabled for settings in config.providers.values())
        base = addresses.providers["quantcite"]["url"].rpartition("/quantcite")[0]
        with pytest.raises(InvalidStatus):
            await connect(f"{base}/nothing", proxy=None)
        pid = simulator.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_child_process_ends_with_its_parent() -> None:
    code = "import sys; from tui.simulator.process import SimulatorProcess as P; p = P(); p.addresses(); print(p.pid)"
    parent = subprocess.Popen(
        [sys.executable, "-c", f"{code}; sys.stdout.flush(); sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.kill()  # no clean-up of any kind
    parent.communicate()
    deadline = time.monotonic() + 10
    while is_running(child):
        assert time.monotonic() < deadline, "the simulator outlives its parent"
        time.sleep(0.01)


def test_a_child_that_cannot_start_is_an_error_with_its_words() -> None:
    with SimulatorProcess(faults="plenty") as simulator, pytest.raises(TickdeckError, match="invalid choice: 'plenty'"):
        simulator.addresses()


def test_a_child_that_says_nothing_is_given_up() -> None:
    with SimulatorProcess() as simulator, pytest.raises(TickdeckError, match="did not start"):
        simulator.addresses(limit_s=0.001)


@pytest.mark.parametrize(
    "value", ["a", 'q"\\\n', True, 3, 0.5, ["binance", "okx"], [], {"AAPL": "NASDAQ:AAPL", "n": [1, 2]}]
)
def test_settings_survive_toml(value: object) -> None:
    assert tomllib.loads(f"x = {toml_value(value)}") == {"x": value}


def test_what_toml_cannot_say_is_an_error() -> None:
    with pytest.raises(TypeError):
        toml_value(None)
