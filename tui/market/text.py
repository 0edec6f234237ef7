"""Text from outside, made harmless: no terminal control, no direction tricks, bounded length."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit

_SEQUENCES: Final = re.compile(
    r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)"  # OSC DCS SOS PM APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI
    r"|\x1b[ -/]*[0-~]?"  # other escapes
)
_SPACES: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PARTS: Final[dict[int, str | None]] = {
    **dict.fromkeys([0xFE0E, 0xFE0F, *range(0x1F3FB, 0x1F400)]),  # variants and skin tones
    **{0x1F1E6 + letter: chr(ord("A") + letter) for letter in range(26)},  # flags
}
"""Terminals disagree on the width of emoji made of several characters, and rows would shift; on their parts they agree.
The joiner between them goes with the other format characters."""
MAX_URL: Final = 2048
MAX_MARKS: Final = 4


def clean(text: str, limit: int = 400) -> str:
    """Make text from outside safe to show, to log and to export.

    Cut first, then whole escape sequences are dropped, control characters become spaces, format characters
    (bidirectional controls among them) go, emoji are taken apart, lone surrogates are replaced, at most four
    combining marks stay on a character, and none that has no character before it.

    Args:
        text: Anything a provider sent.
        limit: Characters kept; a cut text ends in `…`.
    """
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    text = _SPACES.sub(" ", _SEQUENCES.sub("", text))
    if text.isascii():
        return text.strip()
    return "".join(_kept(text.translate(_PARTS).lstrip())).strip()


def clean_lines(text: str, limit: int = 4000) -> str:
    """Like `clean`, but line breaks stay: for article bodies."""
    lines = text[:limit].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(clean(line, limit) for line in lines).strip()


def safe_url(url: str | None) -> str | None:
    """The URL when it may be opened, else None: http or https, a host, no user, no control characters or spaces."""
    if not url or len(url) > MAX_URL or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return None
    return url


def _kept(text: str) -> list[str]:
    out: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if category == "Cs":
            out.append("\ufffd")
        elif category in ("Cf", "Co", "Cn"):
            continue
        elif category.startswith("M"):
            marks += 1
            if out and marks <= MAX_MARKS:
                out.append(char)
            continue
        else:
            out.append(char)
        marks = 0
    return out
