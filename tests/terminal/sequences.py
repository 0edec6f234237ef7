"""Which control characters on a terminal are the program's own, and which came from somebody else."""

from __future__ import annotations

import re

_OWN = re.compile(
    rb"\x1b\[0m|\x1b\[(?:\d;)*[34]8;2;\d+;\d+;\d+(?:;48;2;\d+;\d+;\d+)?m"  # full colours only, one run at a time
    rb"|\x1b\[\d+;\d+H|\x1b\[\d+C"  # the cursor to a cell, and over cells that stay
    rb"|\x1b\[\?(?:7|25|1000|1003|1004|1006|1015|1049|2004|2026)[hl]"  # wrapping, cursor, mouse, focus, screen, paste
    rb"|\x1b\[>\d+u|\x1b\[<u|\x1b\[\?20(?:26|48)\$p"  # the keyboard's reports, questions to the terminal
    rb"|\x1b\]22;[a-z-]*\x07"  # the pointer's shape
    rb"|(?<!\r)\r\n"
)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069].{0,30}")


def foreign(raw: bytes) -> list[str]:
    """Control characters, with what follows, that a screen in full colours does not write by itself."""
    return _CONTROL.findall(_OWN.sub(b"", raw).decode(errors="backslashreplace"))
