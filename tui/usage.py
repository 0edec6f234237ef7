"""What a key has used, day by day: connections and bytes, kept on disk and shared by all processes of this user."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from tui.clock import to_datetime
from tui.keyfiles import KeyFiles
from tui.locks import held
from tui.paths import write_private

log = logging.getLogger(__name__)

MOST_DAYS: Final = 100
MAX_FILE: Final = 64 * 1024
MAX_COUNT: Final = 2**63 - 1
T = TypeVar("T")
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]


class Day(BaseModel):
    """What was used on one day, in UTC.

    Attributes:
        connections: Sockets opened.
        bytes: Payload received.
    """

    model_config = ConfigDict(extra="ignore")

    connections: Count = 0
    bytes: Count = 0


class Tally(BaseModel):
    """What a key has used.

    Attributes:
        days: By day in UTC; the oldest go.
        bytes_ever: Payload received since the first day, those that went included.
        dialled_s: When a socket was dialled last and opened, or is being dialled, in UTC seconds.
        resets_on: When the provider begins its next billing period, as far as it has said.
    """

    model_config = ConfigDict(extra="ignore")

    days: Annotated[dict[date, Day], Field(max_length=MOST_DAYS)] = {}
    bytes_ever: Count = 0
    dialled_s: Count = 0
    resets_on: date | None = None

    def day(self, on: date) -> Day:
        """The record of a day, made when it is new."""
        found = self.days.setdefault(on, Day())
        for old in sorted(self.days)[:-MOST_DAYS]:
            del self.days[old]
        return found

    def add_bytes(self, on: date, count: int) -> None:
        """Payload was received on a day."""
        self.day(on).bytes += count
        self.bytes_ever += count

    def reset_on(self, on: date) -> None:
        """The provider has said when its next billing period begins."""
        self.resets_on = on

    def connections_on(self, on: date) -> int:
        """Sockets opened on a day."""
        return self.days[on].connections if on in self.days else 0

    def bytes_since(self, first: date) -> int:
        """Payload received from a day on."""
        return sum(day.bytes for on, day in self.days.items() if on >= first)


class UsageFile:
    """The tally of one key. Every change is made on the file's newest state, under a lock, in a thread.

    A file that cannot be read or written costs its contents, not the count of this run.

    Args:
        path: The file; None keeps the tally in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.tally = Tally()
        """As of the last change."""

    async def update(self, change: Callable[[Tally], T]) -> T:
        """Change the tally and save it; what `change` raises leaves it as it was on disk.

        Args:
            change: Changes the tally that it is given. Runs in a thread.
        """
        if self.path is not None:
            return await asyncio.to_thread(self._update, self.path, change)
        return change(self.tally)

    def _update(self, path: Path, change: Callable[[Tally], T]) -> T:
        try:
            with held(path.with_suffix(".busy")):
                tally = _read(path)
                result = change(tally)
                write_private(path, tally.model_dump_json(indent=1))
        except OSError as error:
            log.warning("%s cannot be kept: %s", path.name, error.strerror or error)
            self.path = None
            return change(self.tally)
        self.tally = tally
        return result


class Usages:
    """The tallies of one provider's keys: usually one, another when the user enters another key.

    Args:
        provider: The provider's name.
        folder: The state folder, or None to keep them in memory.
    """

    def __init__(self, provider: str, folder: Path | None) -> None:
        self._provider = provider
        self._keys = KeyFiles(folder)
        self._files: dict[Path | None, UsageFile] = {}

    async def of(self, secret: SecretStr | None) -> UsageFile:
        """The tally of a key; one in memory when there is no key, or nowhere to keep it."""
        path = None if secret is None else await self._keys.path(self._provider, secret, ".json")
        return self._files.setdefault(path, UsageFile(path))


def today(now_ns: int) -> date:
    """The day in UTC."""
    return to_datetime(now_ns).date()


def period_start(on: date, resets_on: date | None) -> date:
    """First day of the monthly period that a day lies in: by the day of the month of a reset, else the calendar's."""
    wanted = resets_on.day if resets_on else 1
    start = _in_month(on, wanted)
    return start if start <= on else _in_month(on.replace(day=1) - timedelta(days=1), wanted)


def period_end(on: date, resets_on: date | None) -> date:
    """First day of the period after the one that a day lies in."""
    wanted = resets_on.day if resets_on else 1
    end = _in_month(on, wanted)
    return end if end > on else _in_month(on.replace(day=28) + timedelta(days=4), wanted)


def _in_month(on: date, day: int) -> date:
    """A day of the same month, or the month's last one when it is shorter."""
    last = (on.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return last.replace(day=min(day, last.day))


def _read(path: Path) -> Tally:
    try:
        with path.open("rb") as file:
            return Tally.model_validate_json(file.read(MAX_FILE))
    except FileNotFoundError:
        return Tally()
    except ValidationError:
        log.warning("%s cannot be understood: it starts anew", path.name)
        return Tally()
