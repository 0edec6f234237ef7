"""The program as a child process, beside a simulator in the test's own loop."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.planted import keep
from tui.commands.simulate import toml_value
from tui.credentials import variable_name
from tui.simulator.server import SimulatorServer

PROGRAM = [sys.executable, "-m", "tui"]


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def configure(folder: Path, simulator: SimulatorServer) -> Path:
    """A configuration file that points every provider at the simulator."""
    lines: list[str] = []
    for provider, settings in simulator.settings().items():
        lines += [f"[providers.{provider}]", *(f"{key} = {toml_value(value)}" for key, value in settings.items())]
    file = folder / "config.toml"
    file.write_text("\n".join(lines))
    file.chmod(0o600)
    return file


async def run(
    *arguments: str,
    credentials: Mapping[str, Mapping[str, str]] | None = None,
    backend: str = "keyring.backends.fail.Keyring",
    environment: Mapping[str, str] | None = None,
) -> Done:
    """Run a command with these credentials in its environment and this keyring backend."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TICKDECK_", "XDG_"))}
    given = {
        variable_name(provider, field): value
        for provider, fields in (credentials or {}).items()
        for field, value in fields.items()
    }
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, *arguments,
        env={**kept, "PYTHON_KEYRING_BACKEND": backend, "TICKDECK_UVLOOP": "0", **given, **(environment or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    keep(out + err)
    return Done(process.returncode or 0, out.decode(), err.decode())


@contextmanager
def terminal(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a command on a pseudo terminal: the process and our end, where what it shows is read and keys are typed."""
    screen, inside = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, *arguments], stdin=inside, stdout=inside, stderr=inside, start_new_session=True
    )
    os.close(inside)
    try:
        yield process, screen
    finally:
        process.kill()
        process.wait()
        os.close(screen)


def read(screen: int) -> bytes:
    """Some of what the terminal shows; empty at the end."""
    try:
        shown = os.read(screen, 4096)
    except OSError:  # Linux says so when nobody holds the other end any more
        return b""
    keep(shown)
    return shown
