"""Figures as text: fixed widths are the caller's business, but nothing here ever grows past 24 characters."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Final

UNKNOWN: Final = "–"
MINUS: Final = "-"
_LIMIT: Final = Decimal(10) ** 15
_SCALES: Final = ((Decimal(10) ** 12, "T"), (Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(1000), "k"))
NS: Final = 1_000_000_000
CALM_AGE_S: Final = 10


@lru_cache(maxsize=1024)  # what two frames show: more is remembered, and never asked for again
def price(value: Decimal | None, decimals: int) -> str:
    """A price in the instrument's precision, thousands grouped: `97,211.25`."""
    if value is None or abs(value) >= _LIMIT:
        return UNKNOWN
    return f"{value:,.{decimals}f}"


def signed(value: Decimal | None, decimals: int) -> str:
    """A change with its sign: `+1.17`; zero has none."""
    if value is None or abs(value) >= _LIMIT:
        return UNKNOWN
    text = f"{value:+,.{decimals}f}"
    return text[1:] if not text.strip("+-0.,") else text


def percent(value: Decimal | None) -> str:
    """A percentage with its sign: `+1.18%`."""
    return UNKNOWN if value is None or abs(value) >= 10**6 else f"{signed(value, 2)}%"


def size(value: Decimal | None) -> str:
    """A size with three to four significant figures, at most seven characters: `0.8125`, `12.34`, `1,234`, `45.6k`."""
    if value is None:
        return UNKNOWN
    magnitude = abs(value)
    if magnitude == 0:
        return "0"
    if magnitude < Decimal("0.0001"):
        return "<0.0001"
    if magnitude < 1:
        return f"{value:.4f}"
    if magnitude < 100:
        return f"{value:.2f}"
    if magnitude < 1000:
        return f"{value:.1f}"
    if magnitude < 10_000:
        return f"{value:,.0f}"
    return compact(value)


def compact(value: Decimal | None) -> str:
    """A large figure with three significant digits and a letter: `18.2M`."""
    if value is None or abs(value) >= _LIMIT:
        return UNKNOWN
    for scale, letter in _SCALES:
        if abs(value) >= scale:
            scaled = value / scale
            decimals = 2 if abs(scaled) < 10 else 1 if abs(scaled) < 100 else 0
            return f"{scaled:.{decimals}f}{letter}"
    return f"{value:.0f}" if value == value.to_integral_value() or abs(value) >= 100 else f"{value:.2f}"


def data(count: float) -> str:
    """Bytes with a binary letter: `12.3K`."""
    for letter in ("B", "K", "M", "G"):
        if abs(count) < 1024 or letter == "G":
            return f"{count:.0f}{letter}" if letter == "B" or abs(count) >= 100 else f"{count:.1f}{letter}"
        count /= 1024
    return UNKNOWN


def age(seconds: float | None) -> str:
    """How long ago, at most four characters: `0.2s`, `12s`, `3m`, `2h`, `5d`."""
    if seconds is None:
        return UNKNOWN
    if seconds < 0.95:
        return f"{max(seconds, 0.0):.1f}s"
    for length, letter in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= length:
            return f"{min(seconds // length, 999):.0f}{letter}"
    return f"{seconds:.0f}s"


def calm_age(seconds: float | None) -> str:
    """An age that only informs: in steps of five seconds from ten on, as one that counts each draws the eye."""
    return age(seconds if seconds is None or seconds < CALM_AGE_S else seconds // 5 * 5)


def latency(seconds: float | None) -> str:
    """A round trip: `0.4ms`, `120ms`, `2.1s`."""
    if seconds is None:
        return UNKNOWN
    if seconds >= 1:
        return f"{seconds:.1f}s"
    return f"{seconds * 1000:.1f}ms" if seconds < 0.01 else f"{seconds * 1000:.0f}ms"


def time_of_day(ns: int, zone: tzinfo = UTC, *, with_seconds: bool = True) -> str:
    """`14:37:51` in a time zone."""
    return _time_of_day(ns // NS, zone, with_seconds)


@lru_cache(maxsize=256)
def _time_of_day(seconds: int, zone: tzinfo, with_seconds: bool) -> str:
    return f"{datetime.fromtimestamp(seconds, zone):{'%H:%M:%S' if with_seconds else '%H:%M'}}"
