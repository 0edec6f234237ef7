"""What leaves the program: who is dialled, who may dial us, what children and crashes are given."""

from __future__ import annotations

import ast
import asyncio
import os
import re
import socket
import subprocess
import sys
import tomllib
import webbrowser
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.commands.program import configure, run
from tests.faults.test_silence import WANTS
from tests.feeds.plain import until
from tests.feeds.test_hub import running
from tui.browser import open_in_browser
from tui.clock import Clock
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.feeds.hub import FeedHub
from tui.feeds.transport import Transport
from tui.market.store import MarketStore
from tui.providers.aries.oauth import Callback, SignIn
from tui.providers.base import Channel
from tui.rest import RestClient
from tui.simulator.server import SimulatorServer

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "tui").rglob("*.py"))
OWNERS = {"aries.com", "insightsentry.com", "quantcite.com", "rapidapi.com"}
"""Whose hosts are in the configuration."""


def trees() -> Iterator[tuple[Path, ast.AST]]:
    for path in SOURCES:
        yield path, ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.fault("S16")
def test_the_source_names_no_host_but_those_of_the_providers() -> None:
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for host in re.findall(r"\b(?:https?|wss?)://([\w-]+(?:\.[\w-]+)+)", node.value):
                    owner = ".".join(host.split(".")[-2:])
                    is_example = owner.endswith(".example") or host == "127.0.0.1"
                    assert is_example or owner in OWNERS, f"{path}:{node.lineno}: {host}"


@pytest.mark.fault("S16")
async def test_nothing_is_dialled_but_the_channels_that_are_wanted() -> None:
    dialled: list[str] = []

    async def connect(channel: Channel) -> Transport:
        dialled.append(channel.url)
        raise ConnectionRefusedError

    config, clock, http = Config(), Clock(), RestClient()
    hub = FeedHub(config, MarketStore(clock.now_ns), FixedSecrets(SECRETS), http, clock, connect=connect)
    async with running(hub):
        await asyncio.sleep(0.2)
        assert dialled == [], "nothing is wanted yet"
        hub.want("test", frozenset().union(*WANTS.values()))
        await until(lambda: len(set(dialled)) == 3)
    assert set(dialled) == {
        "wss://api.aries.com/v1/market/ws",
        "wss://realtime.insightsentry.com/live",
        "wss://data.quantcite.com/api/v1/ws",
    }
    assert http._clients == {}, "no call was made"
    await http.close()


SECRETS = {
    "aries": {"access_token": "planted-aries-token"},
    "insightsentry": {"api_key": "planted-insightsentry-key"},
    "quantcite": {"api_key": "planted-quantcite-key"},
}


def listening() -> set[str]:
    """Addresses on which this process listens."""
    inodes = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            if found := re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"/proc/self/fd/{name}")):
                inodes.add(found[1])
        except FileNotFoundError:
            continue
    hosts = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                hosts.add(fields[1].split(":")[0])
    return hosts


LOOPBACK = {"0100007F", "00000000000000000000000001000000"}


@pytest.mark.fault("S17")
async def test_whatever_listens_listens_on_this_machine_only() -> None:
    before = listening()
    async with SimulatorServer(seed=7):
        assert listening() - before <= LOOPBACK
        assert listening() & LOOPBACK
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with Callback(SignIn("https://login.example/", "client", f"http://127.0.0.1:{port}/callback")):
        assert listening() - before <= LOOPBACK


@pytest.mark.fault("S17")
def test_nothing_else_listens() -> None:
    servers = {"serve", "start_server", "create_server", "HTTPServer", "TCPServer", "start_unix_server"}
    found = {
        path.relative_to(ROOT / "tui").as_posix()
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in servers
    }
    assert found == {"simulator/server.py", "simulator/rest.py", "providers/aries/oauth.py"}


@pytest.mark.fault("S13")
def test_a_browser_is_started_without_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, list[str]]] = []

    def note(url: str) -> bool:
        seen.append((url, [name for name in os.environ if name.startswith("TICKDECK_")]))
        return True

    monkeypatch.setattr(webbrowser, "open", note)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("TICKDECK_QUANTCITE_API_KEY", "planted-secret")
    assert open_in_browser("https://news.example/a")
    assert seen == [("https://news.example/a", [])]
    assert os.environ["TICKDECK_QUANTCITE_API_KEY"] == "planted-secret"
    for hostile in ("file:///etc/passwd", "javascript:alert(1)", "--help", "https://x/\x1b]52;c;x\x07"):
        assert not open_in_browser(hostile)
    assert len(seen) == 1


@pytest.mark.fault("S13")
def test_children_get_a_list_of_arguments_and_an_environment_of_their_own() -> None:
    for path, tree in trees():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = ast.unparse(call.func)
            assert name not in ("os.system", "os.popen", "os.execv", "os.spawnv"), path
            assert "create_subprocess" not in name, path
            if name.startswith("subprocess."):
                options = {each.arg: ast.unparse(each.value) for each in call.keywords}
                assert "shell" not in options, path
                assert "TICKDECK_" in options["env"], path
        is_importing = re.search(r"^(?:import|from) webbrowser", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert not is_importing or path.name == "browser.py", path


@pytest.mark.fault("S22")
def test_a_crash_of_the_interpreter_writes_no_memory_to_a_disk() -> None:
    limit = "print(resource.getrlimit(resource.RLIMIT_CORE))"
    script = f"import resource; from tui.cli import main; main(['--version']); {limit}"
    done = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -S -c unlimited 2> /dev/null; exec "$@"', "sh", sys.executable, "-c", script],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1].startswith("(0, ")


@pytest.mark.fault("S6")
async def test_no_command_leaves_a_secret_in_a_file_or_on_the_screen(
    simulator: SimulatorServer, tmp_path: Path
) -> None:
    config = configure(tmp_path, simulator)
    home = {name: str(tmp_path) for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    for commands in (
        ["watch", "AAPL", "BTC/USDT", "--seconds", "3", "--log-level", "debug"], ["doctor", "--log-level", "debug"],
        ["credentials", "list"],
    ):  # fmt: skip
        done = await run(*commands, "--config", str(config), credentials=simulator.credentials(), environment=home)
        texts = [done.out, done.err, *(text for path, text in files(tmp_path).items() if path != config)]
        for fields in simulator.credentials().values():
            for secret in fields.values():
                assert not any(secret in text for text in texts), commands
    assert any(path.name.endswith(".log") for path in files(tmp_path)), "there was a log to look through"


def files(folder: Path) -> dict[Path, str]:
    return {path: path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()}


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return {
        canonicalize_name(name): version
        for name, _, version in (line.partition("==") for line in lines if line and not line.startswith("#"))
    }


@pytest.mark.fault("S19")
def test_every_dependency_and_what_it_depends_on_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    waiting = [Requirement(line) for line in [*project["dependencies"], *extras["dev"]]]
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(name)
        assert re.fullmatch(r"[\w.!+-]+", pinned().get(name, "")), f"{name} is not pinned"
        waiting += [Requirement(line) for line in metadata.requires(name) or []]
    assert len(seen) > 20
