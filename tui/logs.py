"""The log: a bounded file that only its owner can read, without secrets and without terminal control."""

from __future__ import annotations

import logging
import os
import queue
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from typing import Final

from tui import paths, redaction
from tui.redaction import Redactor, escape_controls

MAX_BYTES: Final = 5 * 1024 * 1024
FILES: Final = 5
"""How many rolled files are kept besides the current one."""
QUEUE: Final = 10_000
"""Lines that may wait for the disk; more are dropped and counted."""
_LINE: Final = "%(asctime)s.%(msecs)03d %(levelname)-7s %(name)s: %(message)s"
_CHATTY: Final = {"websockets": logging.INFO, "httpx2": logging.WARNING, "httpcore2": logging.WARNING,
                  "httpx": logging.WARNING, "asyncio": logging.WARNING, "keyring": logging.WARNING}  # fmt: skip
"""Libraries that would log keys and frames at a lower level."""


class RedactingFormatter(logging.Formatter):
    """Formats a record, then removes secrets and escapes control characters, the traceback included."""

    def __init__(self, fmt: str = _LINE, *, redactor: Redactor = redaction.LIVE) -> None:
        super().__init__(fmt, "%Y-%m-%dT%H:%M:%S")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """One line, and an indented one for each line of a traceback."""
        try:
            record.message = record.getMessage()
        except Exception as error:  # wrong arguments in a log call must not cost the line
            record.message = f"{record.msg!s} ({type(error).__name__} in its arguments)"
        record.asctime = self.formatTime(record, self.datefmt)
        lines = [self.formatMessage(record)]
        if record.exc_info and record.exc_info[0]:
            lines += self.formatException(record.exc_info).splitlines()
        if record.stack_info:
            lines += record.stack_info.splitlines()
        return "\n    ".join(escape_controls(self._redactor.redact(line)) for line in lines)


class PrivateFileHandler(RotatingFileHandler):
    """A rotating file that is made 0600 and never opened through a link."""

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        handle = os.open(self.baseFilename, flags, 0o600)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise OSError(f"{self.baseFilename} is not a regular file")
        if os.name == "posix":
            os.fchmod(handle, 0o600)
        return os.fdopen(handle, "a", encoding="utf-8", errors="backslashreplace")


class DroppingQueueHandler(QueueHandler):
    """Hands formatted lines to another thread, so that a slow disk never holds the screen up."""

    def __init__(self, lines: queue.Queue[logging.LogRecord], redactor: Redactor) -> None:
        super().__init__(lines)
        self.setFormatter(RedactingFormatter(redactor=redactor))
        self.dropped = 0

    def enqueue(self, record: logging.LogRecord) -> None:
        """Put a line, or count it as dropped when the disk is too far behind."""
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1


@contextmanager
def logging_to(
    file: Path | None, level: str = "info", *, to_stderr: bool = False, redactor: Redactor = redaction.LIVE
) -> Iterator[None]:
    """Send the program's log to a file while the block runs.

    A file that cannot be written costs the log, not the program.

    Args:
        file: The log file; None for no file.
        level: Lowest level that is written there.
        to_stderr: Show warnings on standard error too; not while a screen is drawn there.
        redactor: Knows the secrets.
    """
    root = logging.getLogger()
    before, raises = root.level, logging.raiseExceptions
    handlers: list[logging.Handler] = []
    listener: QueueListener | None = None
    if to_stderr:
        handlers.append(_stderr_handler(redactor))
    if file is not None and (to_disk := _file_handler(file)):
        lines: queue.Queue[logging.LogRecord] = queue.Queue(QUEUE)
        handlers.append(DroppingQueueHandler(lines, redactor))
        listener = QueueListener(lines, to_disk)
        listener.start()
    _quieten()
    root.setLevel(level.upper() if listener else logging.WARNING)
    handlers = handlers or [logging.NullHandler()]  # with none at all, Python would write to the screen
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            root.removeHandler(handler)
        root.setLevel(before)
        if listener:
            listener.stop()
            with suppress(OSError):  # what waits for a disk that is full is lost
                listener.handlers[0].close()
        logging.raiseExceptions = raises


def _file_handler(file: Path) -> logging.Handler | None:
    try:
        paths.private_dir(file.parent)
        handler = PrivateFileHandler(file, maxBytes=MAX_BYTES, backupCount=FILES)
    except OSError as error:
        sys.stderr.write(f"tickdeck: no log is written: {file}: {error.strerror or error}\n")
        return None
    handler.setFormatter(logging.Formatter("%(message)s"))  # what comes through the queue is formatted
    return handler


def _stderr_handler(redactor: Redactor) -> logging.Handler:
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(RedactingFormatter("tickdeck: %(message)s", redactor=redactor))
    return handler


def _quieten() -> None:
    logging.raiseExceptions = False  # a failing handler would write its trouble over the screen
    for name, level in _CHATTY.items():
        logging.getLogger(name).setLevel(level)
