"""Noticing that another program of this user works with the same key: one lock a key, held as long as we run."""

from __future__ import annotations

import logging
from pathlib import Path

from tui.keyfiles import KeyFiles
from tui.locks import FileLock
from tui.providers.base import Provider

log = logging.getLogger(__name__)


class Instances:
    """Who else uses our keys. Nobody is kept from working: whoever comes second is only told.

    Args:
        folder: The state folder, or None to share nothing with other programs.
    """

    def __init__(self, folder: Path | None) -> None:
        self._files = KeyFiles(folder)
        self._locks: dict[str, FileLock] = {}

    async def is_shared(self, provider: Provider) -> bool:
        """Whether another program holds the lock of the provider's key; we hold it from now on when nobody did."""
        secret = await provider.account()
        path = None if secret is None else await self._files.path(provider.name, secret, ".lock")
        lock = self._locks.get(provider.name)
        if lock is None or lock.path != path:
            if lock is not None:
                lock.release()  # another key was entered
                del self._locks[provider.name]
            if path is None:
                return False
            lock = self._locks[provider.name] = FileLock(path)
        try:
            return not lock.acquire()
        except OSError as error:
            log.warning("%s cannot be locked: %s", lock.path.name, error.strerror)
            return False

    def close(self) -> None:
        """Let go of all keys."""
        for lock in self._locks.values():
            lock.release()
        self._locks.clear()
