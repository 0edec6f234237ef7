"""The operating system's keyring, kept in one thread of its own with a time limit.

A locked keyring may show a prompt that nobody answers, and its interface knows no time limit. So all calls run in one
daemon thread that is left behind when it hangs: neither the screen nor the end of the program waits for it.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tui.errors import KeyringUnavailable

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE: Final = "tickdeck"
LIMIT_S: Final = 8.0
NOTICE_S: Final = 1.0
"""After this long a person should be told what the program waits for."""
_INSTEAD: Final = "or give the secret in the environment (tickdeck credentials list shows the names)"
_SIGNS: Final = ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "DISPLAY", "WAYLAND_DISPLAY", "PYTHON_KEYRING_BACKEND")
"""Variables of a session with a bus, and the one that names a keyring outright."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Backend:
    """Which keyring is in use.

    Attributes:
        name: Its class, with the module.
        priority: How much it recommends itself; below 1 it is not recommended.
    """

    name: str
    priority: float


class KeyringThread:
    """Calls into the keyring, one at a time.

    Args:
        limit_s: Longest wait for an answer; a call that takes longer is abandoned.
        on_wait: Called once for each call that takes longer than a second.
    """

    def __init__(self, limit_s: float = LIMIT_S, on_wait: Callable[[], None] | None = None) -> None:
        self._limit_s = limit_s
        self._on_wait = on_wait
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[KeyringBackend], Any]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._running: Future[Any] | None = None
        self._overdue: Future[Any] | None = None

    async def get(self, user: str) -> str | None:
        """The stored text, or None. Raises KeyringUnavailable."""
        return await self._call(lambda keyring: keyring.get_password(SERVICE, user))

    async def set(self, user: str, text: str) -> None:
        """Store a text, and make sure that it can be read back. Raises KeyringUnavailable."""

        def store(keyring: KeyringBackend) -> bool:
            keyring.set_password(SERVICE, user, text)
            return keyring.get_password(SERVICE, user) == text

        if not await self._call(store):
            raise KeyringUnavailable("the keyring did not keep what was stored", remedy=f"Use another one, {_INSTEAD}.")

    async def delete(self, user: str) -> bool:
        """Remove a text; False when there was none. Raises KeyringUnavailable."""

        def delete(keyring: KeyringBackend) -> bool:
            if keyring.get_password(SERVICE, user) is None:
                return False
            keyring.delete_password(SERVICE, user)
            return True

        return await self._call(delete)

    async def backend(self) -> Backend:
        """Which keyring is in use. Raises KeyringUnavailable."""
        return await self._call(lambda keyring: Backend(_class_name(keyring), float(keyring.priority)))

    async def _call(self, job: Callable[[KeyringBackend], _T]) -> _T:
        if self._overdue and not self._overdue.done():  # that answer has to come first
            raise _no_answer(self._limit_s)
        future: Future[_T] = Future()
        self._jobs.put((future, job))
        self._start()
        waiting = asyncio.wrap_future(future)
        try:
            await asyncio.wait([waiting], timeout=min(NOTICE_S, self._limit_s))
            if not waiting.done() and self._on_wait:
                self._on_wait()
            await asyncio.wait([waiting], timeout=max(0.0, self._limit_s - NOTICE_S))
            if waiting.done():
                return waiting.result()
            self._overdue = self._running
            raise _no_answer(self._limit_s)
        finally:
            waiting.cancel()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="keyring", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            future, job = self._jobs.get()
            if not future.set_running_or_notify_cancel():
                continue
            self._running = future
            try:
                future.set_result(job(_backend()))
            except BaseException as error:
                future.set_exception(_unavailable(error))
            del future, job  # while it waits for work, the thread holds no secret


def _backend() -> KeyringBackend:
    """The keyring to use: refuses those that keep nothing, keep it readable, or ask on the terminal."""
    if not _may_be_one():
        raise _none()
    import keyring
    from keyring.backends import null

    chosen = keyring.get_keyring()
    candidates: list[KeyringBackend] = list(getattr(chosen, "backends", ())) or [chosen]
    for candidate in candidates:
        if not isinstance(candidate, null.Keyring) and not type(candidate).__module__.startswith("keyrings."):
            return candidate
    raise _refused(candidates[0])


def _may_be_one() -> bool:
    """Whether looking for a keyring can find one.

    The library loads every keyring that it knows to look for one, cryptography and all: 8 MiB that stay. On Linux its
    own are all reached over the session's bus; others are named by a variable, by its file, or by an entry point.
    """
    if sys.platform != "linux" or "keyring" in sys.modules or any(map(os.environ.get, _SIGNS)):
        return True
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    if (folder / "python_keyring" / "keyringrc.cfg").exists():
        return True
    return not all(entry.module.startswith("keyring.") for entry in entry_points(group="keyring.backends"))


def _refused(backend: KeyringBackend) -> KeyringUnavailable:
    name = _class_name(backend)
    if name.startswith("keyrings."):
        what = "keeps secrets in a plain file" if "Plaintext" in name else "asks for a password on the terminal"
        return KeyringUnavailable(
            f"the keyring {name} {what} and is not used",
            remedy=f"Start the keyring of your desktop (gnome-keyring, KWallet, KeePassXC), {_INSTEAD}.",
        )
    return KeyringUnavailable(
        "the keyring is switched off (null backend): it would forget everything",
        remedy=f"Unset PYTHON_KEYRING_BACKEND or change keyringrc.cfg, {_INSTEAD}.",
    )


def _unavailable(error: BaseException) -> KeyringUnavailable:
    """What a failure of the keyring means for a person. Its own words are left out: they could repeat a secret."""
    if isinstance(error, KeyringUnavailable):
        return error
    from keyring import errors

    if isinstance(error, errors.NoKeyringError):
        return _none()
    if isinstance(error, errors.KeyringLocked):
        what = "the keyring is locked"
        remedy = f"Unlock it (log in to the desktop, or run gnome-keyring-daemon --unlock), {_INSTEAD}."
    elif isinstance(error, errors.InitError):
        what = "the keyring has never been set up"
        remedy = f"Run gnome-keyring-daemon --unlock once and give it a new password, {_INSTEAD}."
    elif isinstance(error, errors.PasswordSetError):
        what = "the keyring refused to store the secret"
        remedy = f"Check that it is unlocked and not read-only, {_INSTEAD}."
    elif isinstance(error, errors.PasswordDeleteError):
        what = "the keyring refused to remove the secret"
        remedy = "Check that it is unlocked and not read-only."
    else:
        what = f"the keyring failed ({type(error).__name__})"
        remedy = f"Run tickdeck doctor, {_INSTEAD}."
    return KeyringUnavailable(what, remedy=remedy)


def _none() -> KeyringUnavailable:
    return KeyringUnavailable(
        "there is no keyring here",
        remedy=f"Start one (gnome-keyring, KWallet, KeePassXC) in this session, {_INSTEAD}.",
    )


def _no_answer(limit_s: float) -> KeyringUnavailable:
    return KeyringUnavailable(
        f"the keyring did not answer within {limit_s:g} s",
        remedy=f"It may be asking for its password on another screen: answer it, {_INSTEAD}.",
    )


def _class_name(backend: KeyringBackend) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"
