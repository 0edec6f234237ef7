"""Secrets that the tests plant, and the search for them in everything that a whole test run left behind.

Every secret of a test is recognisable: it is one that the simulator accepts or issues, or holds one of the words of
`WORDS`. All that the program writes by itself goes below the folder of the test run, its home folder included (see
`conftest.py`), and what its processes print is kept there too (`keep`). None of it may hold a secret, except where a
test or a command puts it on purpose: `HOLDERS`.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

from tui.simulator.server import dialects

PUBLIC: Final = {"client_id"}
"""Credential fields that are no secret: OAuth shows them in the address of the sign-in page."""
WORDS: Final = ("planted-", "S3CRET", "ws-demo-", "auth-code-", "qc_live_", "plain-key-", "ws_2f6c0e7b9d")
"""What stands in every other secret of the tests, and in what the simulator issues."""
HOLDERS: Final = {
    "*/secret": "the file that a test names in TICKDECK_…_FILE, as users do with secrets of a container",
    "*/simulator.toml": "the page that `tickdeck simulate` prints for its user: credentials of the simulator alone",
}
"""Files that hold a secret on purpose, by pattern, and why."""
MASK: Final = "***"
AROUND: Final = 60
"""How much of what stands on either side of a find is shown, in characters."""

_output = Path(os.devnull)


class Find(NamedTuple):
    """A secret where none may be.

    Attributes:
        where: The file or the test.
        line: Counted from 1.
        text: What stands around it; the secret itself is masked.
    """

    where: str
    line: int
    text: str


@cache
def pattern() -> re.Pattern[str]:
    """Any planted secret, as it is, in an address, or in base64."""
    secrets = {value for each in dialects() for name, value in each.credentials.items() if name not in PUBLIC}
    forms = {form for secret in secrets for form in (secret, quote(secret, safe=""), _base64(secret))}
    words = [*sorted(map(re.escape, forms), key=len, reverse=True), *map(re.escape, WORDS)]
    return re.compile(rf"(?:{'|'.join(words)})[\w.-]*")


def finds(where: str, text: str) -> Iterator[Find]:
    """Every line of a text that holds a planted secret."""
    if pattern().search(text):
        for number, line in enumerate(text.splitlines(), 1):
            if found := pattern().search(line):
                masked = pattern().sub(MASK, line[found.start() :])
                yield Find(where, number, pattern().sub(MASK, line[: found.start()])[-AROUND:] + masked[:AROUND])


def finds_below(folder: Path, holders: Iterable[str] = HOLDERS) -> Iterator[Find]:
    """Every planted secret in the names and contents of the files below a folder."""
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        yield from finds("the name of a file", name)
        if not any(Path("/", name).match(holder) for holder in holders):
            yield from finds(name, path.read_text(encoding="utf-8", errors="replace"))


def keep_below(folder: Path) -> None:
    """From now on keep what processes print in a folder of this one."""
    global _output
    _output = folder / "output"
    _output.mkdir()


def keep(printed: bytes) -> None:
    """Put what a process of the present test printed where it is searched at the end of the test run."""
    test = re.sub(r"[^\w.-]+", "_", os.environ["PYTEST_CURRENT_TEST"])[-150:]
    with (_output / test).open("ab") as file:
        file.write(printed)


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            if path.is_file() and not path.is_symlink():  # no sockets, no pipes, nothing twice
                yield path


def _base64(secret: str) -> str:
    """The part that is the same whatever follows the secret."""
    return base64.b64encode(secret.encode()[: len(secret) // 3 * 3]).decode()
