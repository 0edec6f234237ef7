"""Numbers, times and texts in every form the protocol references allow, and nothing else.

Absent (`None`, `""`) is None; impossible raises ValueError, which a decoder counts as `rejected` while the neighbours
survive. Nothing here raises anything else, whatever JSON holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from pydantic_core import from_json

from tui.clock import NS
from tui.market.text import clean

MAX_JSON: Final = 32 * 1024 * 1024
"""Largest text that `load_json` takes, in bytes or characters."""
MAX_NUMBER: Final = Decimal(10) ** 20
"""No price, size, volume, sum of money or stamp in nanoseconds is this large."""
MIN_NUMBER: Final = Decimal(10) ** -18
"""Nothing but zero is smaller than this; it also keeps `1e-999999` from becoming a million digits on the screen."""
AHEAD_NS: Final = 86_400 * NS
"""A stamp further ahead of our clock is wrong: were it believed, all that follows would seem late. Less may be our
clock's fault, or a zone's."""
_MAX_DIGITS: Final = 40
_ZERO: Final = Decimal(0)
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_COMPACT_DATE: Final = re.compile(r"(?:19|20)\d{6}", re.ASCII)
_FRACTION: Final = re.compile(r"[.,](\d{1,18})", re.ASCII)
_MIN_NS: Final = -2_208_988_800 * NS  # 1900
_MAX_NS: Final = 7_258_118_400 * NS  # 2200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WITHOUT_ZONE: Final = datetime(1970, 1, 1)
_WITH_MICROSECONDS: Final = len("2026-01-05T14:37:51.204871")


def load_json(text: str | bytes) -> Any:
    """Decode JSON from a stranger: bounded in size and depth (about 200), no NaN, no Infinity, no `1e400`.

    Raises:
        ValueError: not JSON, too large, too deep, or with a number that is not finite.
    """
    if len(text) > MAX_JSON:
        raise ValueError("too large")
    try:
        value = from_json(text, allow_inf_nan=False)
    except TypeError as error:  # a str with lone surrogates
        raise ValueError("not UTF-8") from error
    if not _is_finite(value):
        raise ValueError("a number is out of range")
    return value


def number(value: object) -> Decimal | None:
    """A finite decimal from an int, a float (by its shortest spelling) or a decimal string; None when absent.

    Raises:
        ValueError: anything else, or too large, too small, or too long to be a figure of a market.
    """
    if type(value) is float:
        return _from_float(value)
    if value is None:
        return None
    if type(value) is int:
        if not -(10**20) < value < 10**20:  # before Decimal: that is slow for 4,000 digits
            raise ValueError("a number is out of range")
        return Decimal(value)
    if type(value) is str:
        return _from_text(value.strip())
    if type(value) is Decimal:
        return _bounded(value)
    raise ValueError("not a number")


def positive(value: object) -> Decimal | None:
    """Like `number`, for what must be above zero: prices of what cannot cost nothing. Raises ValueError."""
    if type(value) is float and value > 0:
        return _from_float(value)
    found = number(value)
    if found is not None and found <= 0:
        raise ValueError("not above zero")
    return found


def size(value: object) -> Decimal | None:
    """Like `number`, for what cannot be negative: sizes, volumes, counts. Raises ValueError."""
    if type(value) is float and value >= 0:
        return _from_float(value)
    found = number(value)
    if found is not None and found < 0:
        raise ValueError("negative")
    return found


def time_ns(value: object) -> int | None:
    """UTC nanoseconds from seconds, milliseconds, microseconds or nanoseconds (by magnitude) or ISO 8601.

    Numbers may be strings. A time without a zone is UTC, a date is its midnight, up to nine decimals are kept.
    Absent, 0 and year 1 (the zero of some languages) are None.

    Raises:
        ValueError: not a time, or outside of the years 1900 to 2199.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        text = value.strip()
        if len(text) > _MAX_DIGITS:
            raise ValueError("not a time")
        is_date = text[4:5] == "-" and text[:4].isdigit()  # as most of them are: no need to look for other layouts
        if is_date or _COMPACT_DATE.fullmatch(text) or not _NUMBER.fullmatch(text):
            return _from_iso(text)
        value = text
    found = value if type(value) is int else number(value)
    return None if not found else _plausible(_by_magnitude(found))


def past_ns(value: object, now_ns: int) -> int | None:
    """Like `time_ns`, for when something happened: at most `AHEAD_NS` after `now_ns`. Raises ValueError."""
    found = time_ns(value)
    if found is not None and found > now_ns + AHEAD_NS:
        raise ValueError("a time to come")
    return found


def text(value: object, limit: int) -> str:
    """Text made safe to show, cut to `limit` characters; numbers as they are written, anything else is `""`."""
    if isinstance(value, str):
        return clean(value, limit)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    try:
        return clean(str(value), limit)
    except ValueError:  # an integer of thousands of digits
        return ""


def _is_finite(value: Any) -> bool:
    stack: list[Iterable[Any]] = [(value,)]
    while stack:
        for item in stack.pop():
            kind = type(item)
            if kind is float:
                if item - item != 0:
                    return False
            elif kind is dict:
                stack.append(item.values())
            elif kind is list:
                stack.append(item)
    return True


def _from_float(value: float) -> Decimal:
    """Cheaper than `_bounded`: a float has no more than 17 digits, and not a number compares as out of range."""
    if 1e-18 <= value < 1e20 or -1e20 < value <= -1e-18:
        return Decimal(repr(value))
    if value == 0:
        return _ZERO
    raise ValueError("a number is out of range")


def _from_text(value: str) -> Decimal | None:
    if not value:
        return None
    if len(value) > _MAX_DIGITS or not _NUMBER.fullmatch(value):
        raise ValueError("not a number")
    return _bounded(Decimal(value))


def _bounded(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError("not finite")
    if not value:
        return _ZERO
    if not MIN_NUMBER <= abs(value) < MAX_NUMBER or len(value.as_tuple().digits) > _MAX_DIGITS:
        raise ValueError("a number is out of range")
    return value


def _by_magnitude(value: Decimal | int) -> int:
    """Below 1e11 it counts seconds, below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds."""
    if -(10**11) < value < 10**11:
        return int(value * NS)
    if -(10**14) < value < 10**14:
        return int(value * 1_000_000)
    return int(value * 1000) if -(10**17) < value < 10**17 else int(value)


def _from_iso(value: str) -> int | None:
    if len(value) == _WITH_MICROSECONDS and value[19] == ".":
        moment = datetime.fromisoformat(value)
        nanoseconds = moment.microsecond * 1000
    else:
        fraction = _FRACTION.search(value)
        whole = value if fraction is None else value[: fraction.start()] + value[fraction.end() :]
        moment = datetime.fromisoformat(whole)
        nanoseconds = int(fraction[1][:9].ljust(9, "0")) if fraction else 0
    if moment.year == 1:
        return None
    since = moment - (_EPOCH_WITHOUT_ZONE if moment.tzinfo is None else _EPOCH)
    return _plausible((since.days * 86_400 + since.seconds) * NS + nanoseconds)


def _plausible(stamp_ns: int) -> int:
    if not _MIN_NS <= stamp_ns < _MAX_NS:
        raise ValueError("not a time of our age")
    return stamp_ns
