"""A terminal can be closed while we draw on it; the program then has to leave, not to hang."""

from __future__ import annotations

import os
import signal
from typing import IO

from textual.driver import Driver


class Vanishing:
    """A terminal's stream that swallows everything once the terminal has gone, and hangs up on the program.

    Textual writes from a thread of its own, fed by a short queue. An error ends that thread, the queue fills up, and
    the event loop waits for it without end: signals go unheard and the process outlives its window.

    Args:
        file: The stream to write to.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write, or forget."""
        try:
            return self._file.write(text)
        except OSError:
            self._forget()
            return len(text)

    def flush(self) -> None:
        """Send what is buffered, or forget it."""
        try:
            self._file.flush()
        except OSError:
            self._forget()

    def fileno(self) -> int:
        """The descriptor underneath."""
        return self._file.fileno()

    def _forget(self) -> None:
        """Put nothing in the terminal's place: what is buffered must not fail again at the end of the program.

        The signal comes from the system only when we lead the session or the shell passes it on.
        """
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self._file.fileno())
        os.close(nothing)
        if hasattr(signal, "SIGHUP"):
            os.kill(os.getpid(), signal.SIGHUP)


def outliving(driver: type[Driver]) -> type[Driver]:
    """A driver like the given one that goes on when its terminal has gone."""

    class Outliving(driver):  # type: ignore[valid-type, misc]  # a class only known at run time
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **options)
            if file := getattr(self, "_file", None):  # before its writer starts
                self._file = Vanishing(file)

    return Outliving
