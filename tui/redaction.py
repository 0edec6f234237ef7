"""Secrets out of texts: the ones that are known, in every form they travel in, and whatever looks like one."""

from __future__ import annotations

import base64
import re
from typing import Final
from urllib.parse import quote

MASK: Final = "***"
MIN_SECRET: Final = 6
"""Shorter values are not searched for: they would black out ordinary words."""
_BEARER: Final = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE)
_JWT: Final = re.compile(r"\beyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){1,2}")
_USER: Final = re.compile(r"(?<=://)[^/\s@]+@")
_PAIR: Final = re.compile(
    r"""((?:key|token|secret|passwd|password|authorization|signature)\b\\?["']?\s*[:=]\s*)(\\?["'])?([^\s"'\\&,;}\])]+)""",
    re.IGNORECASE,
)
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Redactor:
    """Knows the live secrets. Safe to use from several threads."""

    def __init__(self) -> None:
        self._forms: frozenset[str] = frozenset()
        self._known: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """Hide this value from now on: as it is, quoted for a URL, and in base64."""
        if len(secret) < MIN_SECRET or secret in self._forms:
            return
        encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
        forms = {secret, quote(secret, safe=""), encoded, encoded.translate(str.maketrans("+/", "-_"))}
        self._forms |= forms
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first)))

    def redact(self, text: str) -> str:
        """The text with every secret replaced by `***`."""
        if self._known:
            text = self._known.sub(MASK, text)
        text = _BEARER.sub(rf"\1 {MASK}", text)
        text = _JWT.sub(MASK, text)
        text = _USER.sub(f"{MASK}@", text)
        return _PAIR.sub(rf"\1\2{MASK}", text)


def escape_controls(text: str) -> str:
    r"""Control characters as `\x1b`: a log that is read in a terminal must not command it, nor forge lines."""
    return _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


LIVE: Final = Redactor()
"""The secrets of this process: filled by the credential store, used by every log handler."""
