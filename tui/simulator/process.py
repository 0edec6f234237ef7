"""The simulator as a child process: so that its work never delays the screen, and it ends with its parent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import tui
from tui.errors import TickdeckError

START_LIMIT_S: Final = 15.0
_END_LIMIT_S: Final = 2.0


class Addresses(NamedTuple):
    """Where a simulator is and what it accepts.

    Attributes:
        providers: Settings by provider that point at it.
        credentials: Accepted secrets: value by field by provider.
    """

    providers: dict[str, dict[str, Any]]
    credentials: dict[str, dict[str, str]]


class SimulatorProcess:
    """`tickdeck simulate` as a child. It ends when its standard input does: at `stop`, or whenever we die.

    Args:
        seed: Passed on; None for the usual market.
        faults: `none`, `some` or `many`.
    """

    def __init__(self, *, seed: int | None = None, faults: str = "none") -> None:
        command = [sys.executable, "-m", "tui", "simulate", "--port", "0", "--json", "--faults", faults]
        if seed is not None:
            command += ["--seed", str(seed)]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,  # never the terminal: the screen is drawn there
            env={name: value for name, value in os.environ.items() if not name.startswith("TICKDECK_")},
            cwd=Path(tui.__file__).parents[1],  # the same package as ours, whatever folder the user is in
            start_new_session=True,  # a Ctrl+C or Ctrl+Z in the terminal is meant for us
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def addresses(self, limit_s: float = START_LIMIT_S) -> Addresses:
        """Wait until it listens.

        Raises:
            TickdeckError: it ended, or said nothing in time.
        """
        assert self._process.stdout is not None
        overdue = threading.Timer(limit_s, self._process.kill)
        overdue.start()
        try:
            line = self._process.stdout.readline()
        finally:
            overdue.cancel()
        try:
            said = json.loads(line)
            return Addresses(said["providers"], said["credentials"])
        except (ValueError, KeyError, TypeError):
            self._errors.seek(0)
            words = self._errors.read().decode(errors="replace").strip().splitlines()
            reason = words[-1] if words else f"no answer within {limit_s:g} s"
            raise TickdeckError(f"the simulator did not start: {reason}") from None

    def stop(self) -> None:
        """End it, by force if it does not go by itself."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(_END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
