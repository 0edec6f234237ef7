"""The program as users run it: a process with a configuration, an environment and no keyring."""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import Namespace
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.planted import keep
from tui.commands.simulate import page
from tui.credentials import variable_name
from tui.simulator.server import SimulatorServer


class Result(NamedTuple):
    code: int | None
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Program:
    """Runs commands against a simulator.

    Args:
        server: Where the configuration points; it is in this process.
        folder: For the configuration and the log.
    """

    def __init__(self, server: SimulatorServer, folder: Path) -> None:
        self.config = folder / "simulator.toml"
        self.config.write_text("\n".join(page(server, Namespace(faults="none", rate=1))))
        self.folder = folder
        self.secrets = {
            variable_name(provider, field): value
            for provider, fields in server.credentials().items()
            for field, value in fields.items()
        }

    async def start(
        self, *arguments: str, secrets: Mapping[str, str] | None = None, before: Sequence[str] = ()
    ) -> Process:
        """Start a command; without `secrets` it has those that the simulator accepts. `before` is what starts it."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TICKDECK_")}
        home = {name: str(self.folder) for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")}
        keyring = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
        known = self.secrets if secrets is None else secrets
        command = [*before, sys.executable, "-m", "tui", *arguments, "--config", str(self.config)]
        return await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=2**20, env={**clean, **home, **keyring, **known}
        )

    async def run(
        self, *arguments: str, secrets: Mapping[str, str] | None = None, before: Sequence[str] = ()
    ) -> Result:
        """Run a command to its end."""
        process = await self.start(*arguments, secrets=secrets, before=before)
        try:
            async with asyncio.timeout(30):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        keep(out + err)
        return Result(process.returncode, out.decode(), err.decode())
