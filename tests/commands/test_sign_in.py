from __future__ import annotations

import asyncio
import os
import re
import socket
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.commands.program import configure, read, terminal
from tui.simulator.server import SimulatorServer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def read_until(screen: int, words: str, count: int = 1) -> str:
    shown = ""
    while shown.count(words) < count:
        chunk = read(screen)
        assert chunk, shown
        shown += chunk.decode()
    return shown


def sign_in(file: Path) -> tuple[int, str]:
    """Skip all fields, sign in, and go where the command sends the browser. Exit code, and what was shown after."""
    with terminal("credentials", "set", "aries", "--config", str(file)) as (process, screen):
        for _ in range(4):
            read_until(screen, "Enter to skip")
            os.write(screen, b"\n")
        read_until(screen, "with the browser now? [y/N]")
        os.write(screen, b"y\n")
        shown = read_until(screen, "paste the address")
        found = re.search(r"http://\S+/oauth2/authorize\?\S+", shown)
        assert found, shown
        with urlopen(found[0], timeout=20) as page:
            assert b"Signed in" in page.read()
        shown = ""
        while chunk := read(screen):
            shown += chunk.decode()
        return process.wait(20), shown


@pytest.mark.terminal
async def test_signing_in_with_the_browser_stores_the_tokens(
    simulator: SimulatorServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [*os.environ]:
        if name.startswith(("TICKDECK_", "DISPLAY", "WAYLAND_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.keyrings.MemoryKeyring")
    monkeypatch.setenv("TICKDECK_ARIES_CLIENT_ID", simulator.credentials()["aries"]["client_id"])
    monkeypatch.setenv("HOME", str(tmp_path))
    file = configure(tmp_path, simulator)
    text = file.read_text()
    redirect = f'[providers.aries]\nredirect_uri = "http://127.0.0.1:{free_port()}/callback"'
    file.write_text(text.replace("[providers.aries]", redirect))
    code, shown = await asyncio.to_thread(sign_in, file)
    assert code == 0, shown
    assert "aries: signed in" in shown
