"""Opening an address in the user's browser, without handing it our secrets or the terminal."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager

from tui.market.text import safe_url


def open_in_browser(url: str) -> bool:
    """Show a web page. False when there is no graphical browser, or the address is not one that may be opened.

    Over SSH, and without a display, Python would start a browser that takes the terminal over: nothing is opened then.
    """
    if safe_url(url) is None or not _has_display():
        return False
    with _without_secrets():
        return webbrowser.open(url)


def _has_display() -> bool:
    return sys.platform in ("darwin", "win32") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))


@contextmanager
def _without_secrets() -> Iterator[None]:
    """The browser inherits the environment: ours may hold keys."""
    ours = {name: value for name, value in os.environ.items() if name.startswith("TICKDECK_")}
    for name in ours:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(ours)
