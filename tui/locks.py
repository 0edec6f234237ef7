"""Locks between the processes of one user: a file that one of them holds.

The system lets go of a lock when its holder ends, however it ends: a lock file that is left behind locks nothing.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from tui.errors import RestError
from tui.paths import private_dir

LIMIT_S: Final = 30.0
POLL_S: Final = 0.05
HELD_S: Final = 5.0
RETRY_S: Final = 60.0


class FileLock:
    """A lock that excludes all other processes of this user, and other holders in this one.

    Args:
        path: The lock file; made when it is missing, readable by its owner only, never removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether this object holds it."""
        return self._handle is not None

    def acquire(self) -> bool:
        """Take the lock unless somebody else has it; never waits.

        Returns:
            Whether it is held now.

        Raises:
            OSError: the file cannot be opened, or this place knows no locks.
        """
        if self._handle is None:
            handle = _open(self.path)
            try:
                is_ours = _try_lock(handle)
            except OSError:
                os.close(handle)
                raise
            if not is_ours:
                os.close(handle)
                return False
            self._handle = handle
        return True

    def release(self) -> None:
        """Let go of it, if it is held."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


@asynccontextmanager
async def locked(path: Path | None, what: str, limit_s: float | None = None) -> AsyncIterator[None]:
    """Hold a lock while something happens that must happen in one process at a time.

    Args:
        path: The lock file; None locks nothing, for who shares nothing with other processes.
        what: What the holder does, for the message: `renewing the key`.
        limit_s: Longest wait for it; `LIMIT_S` when None.

    Raises:
        RestError: it could not be had in time, or the file cannot be opened.
    """
    if path is None:
        yield
        return
    lock = FileLock(path)
    deadline = time.monotonic() + (LIMIT_S if limit_s is None else limit_s)
    while not _acquired(lock):
        if time.monotonic() > deadline:
            raise RestError(f"another tickdeck has been {what} for too long", retry_after_s=RETRY_S)
        await asyncio.sleep(POLL_S)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def held(path: Path, limit_s: float = HELD_S) -> Iterator[None]:
    """Like `locked`, for threads: waits by blocking.

    Raises:
        OSError: it could not be had in time (TimeoutError), or the file cannot be opened.
    """
    lock = FileLock(path)
    deadline = time.monotonic() + limit_s
    while not lock.acquire():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path.name} is held by another process")
        time.sleep(POLL_S)
    try:
        yield
    finally:
        lock.release()


def _acquired(lock: FileLock) -> bool:
    """On the event loop: it takes microseconds, and a lock taken in a thread could not be cancelled."""
    try:
        return lock.acquire()
    except OSError as error:
        remedy = f"Check the folder {lock.path.parent}."
        raise RestError(f"cannot use the lock file {lock.path.name}", remedy=remedy) from error


def _open(path: Path) -> int:
    private_dir(path.parent)
    return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0), 0o600)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
