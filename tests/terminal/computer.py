"""A computer with nothing on it but the program: a private home, no desktop, no keyring."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.terminal.driver import LIMIT_S, Size, Terminal

PROGRAM = str(Path(sys.executable).with_name("tickdeck"))
TRUE_COLOUR = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
SIXTEEN_COLOURS = {"TERM": "xterm"}
NO_COLOUR = {**TRUE_COLOUR, "NO_COLOR": "1"}
_EXPORT = re.compile(r"^# +export (\w+)=(.*)$", re.MULTILINE)


class Computer:
    """Where programs are started.

    Args:
        folder: An empty folder for everything the programs may write.

    Attributes:
        secrets: Environment variables that hold credentials.
    """

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.temporary = folder / "tmp"
        self.home.mkdir()
        self.temporary.mkdir()
        self.secrets: Mapping[str, str] = {}

    def environment(self, look: Mapping[str, str] = TRUE_COLOUR) -> dict[str, str]:
        """All the variables that programs see."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "LANG": "C.UTF-8",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "TICKDECK_UVLOOP": "0",  # as for everybody who did not ask for it
            **look,
            **self.secrets,
        }

    def start(self, *arguments: str, size: Size = (140, 45), look: Mapping[str, str] = TRUE_COLOUR) -> Terminal:
        """Start `tickdeck` on a terminal of its own."""
        return Terminal([PROGRAM, *arguments], self.environment(look), size)

    def run(self, config: Path, *, size: Size = (140, 45)) -> Terminal:
        """Start `tickdeck run` with a configuration file."""
        return self.start("run", "--config", str(config), size=size)

    def simulators(self) -> list[int]:
        """Processes of simulators that were started here, by whomever, and still do something."""
        ours = f"HOME={self.home}\0".encode()
        return [
            int(process.name)
            for process in Path("/proc").glob("[0-9]*")
            if b"\0simulate\0" in _read(process / "cmdline") and ours in _read(process / "environ")
        ]

    def files(self) -> list[str]:
        """Every file that was left behind, by its path from the home folder."""
        folders = (self.home, self.temporary)
        return sorted(os.path.relpath(path, self.home) for f in folders for path in f.rglob("*") if path.is_file())


class Simulation:
    """`tickdeck simulate` as a process of its own. `with` ends it, and fails when clients broke rules of a protocol.

    Args:
        computer: Where to start it.
        port: 0 takes a free one.

    Attributes:
        page: What it prints: a configuration, with the credentials in comments.
        secrets: The environment variables that the page says to export.
        config: The page, saved as a file.
    """

    def __init__(self, computer: Computer, port: int = 0) -> None:
        self._process = subprocess.Popen(
            [PROGRAM, "simulate", "--port", str(port)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=computer.environment(),
        )  # fmt: skip
        assert self._process.stdout
        self.page = os.read(self._process.stdout.fileno(), 65536).decode()  # it is written in one go
        self.secrets = dict(_EXPORT.findall(self.page))
        self.config = computer.home / "simulator.toml"
        self.config.write_text(self.page)

    @property
    def port(self) -> int:
        """Where WebSockets are served."""
        found = re.search(r"ws://127\.0\.0\.1:(\d+)", self.page)
        assert found, self.page
        return int(found[1])

    def kill(self) -> None:
        """End it without a word to anybody."""
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.returncode is None:  # it was not killed before
            self._process.terminate()
            _, complaints = self._process.communicate(timeout=LIMIT_S)
            assert kind or not complaints, complaints.decode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has ended, or belongs to somebody else
        return b""
