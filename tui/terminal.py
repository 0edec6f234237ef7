"""Textual's driver, kept in step with a terminal that may be closed or dragged to another size while we draw on it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from typing import IO

from textual import events
from textual.driver import Driver
from textual.geometry import Size


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


def steady(driver: type[Driver], key_pressed: Callable[[], None] = lambda: None) -> type[Driver]:
    """A driver like the given one that survives the end of its terminal and never misses its last size.

    Args:
        driver: Textual's for this platform.
        key_pressed: Called for each key, in the thread that reads the keyboard.
    """

    class Steady(driver):  # type: ignore[valid-type, misc]  # a class only known at run time
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **options)
            if file := getattr(self, "_file", None):  # before its writer starts
                self._file = Vanishing(file)

        def process_message(self, message: events.Event) -> None:
            """Tell of keys before they stand in line."""
            if isinstance(message, events.Key):
                key_pressed()
            super().process_message(message)

        def start_application_mode(self) -> None:
            """Hear of sizes in the event loop.

            Textual reads them in a signal handler. The next signal may interrupt it between reading and telling: then
            the older size is told last, and the screen stays at it.
            """
            super().start_application_mode()
            if (number := getattr(signal, "SIGWINCH", None)) and hasattr(self, "_get_terminal_size"):
                asyncio.get_running_loop().add_signal_handler(number, self._size_changed)

        def _size_changed(self) -> None:
            if not getattr(self, "_in_band_window_resize", False):  # else the terminal itself tells
                size = Size(*self._get_terminal_size())
                self._app.post_message(events.Resize(size, size))

    return Steady
