"""Figures computed from a series of bars. Pure; floats are enough, they are drawn and not traded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tui.market.names import Interval

if TYPE_CHECKING:
    from tui.market.events import Bar

NS: Final = 1_000_000_000
_DAY_S: Final = 86_400


def moving_average(values: Sequence[float], length: int) -> list[float | None]:
    """The simple moving average.

    Args:
        values: Oldest first.
        length: How many values each average takes in.

    Returns:
        One figure a value; None until `length` values are known.

    Raises:
        ValueError: `length` is not positive.
    """
    if length < 1:
        raise ValueError("an average takes in at least one value")
    out: list[float | None] = []
    for index in range(len(values)):
        # summed anew each time: a running sum would carry rounding on without end
        window = values[index + 1 - length : index + 1] if index + 1 >= length else ()
        out.append(sum(window) / length if window else None)
    return out


def vwap(bars: Iterable[Bar], interval: Interval) -> list[float | None]:
    """The volume-weighted average of typical prices, (high + low + close) / 3, since a period began.

    The period is the UTC day for bars within a day, the calendar month for days, the calendar year for weeks. When
    the first bar lies inside of a period, its figure counts from that bar.

    Returns:
        One figure a bar; None while the period has no volume.
    """
    out: list[float | None] = []
    period: int | None = None
    value = total = 0.0
    for bar in bars:
        if (current := period_of(bar.start_ns, interval)) != period:
            period, value, total = current, 0.0, 0.0
        size = float(bar.volume) if bar.volume else 0.0
        value += float(bar.high + bar.low + bar.close) / 3 * size
        total += size
        out.append(value / total if total > 0 else None)
    return out


def period_of(start_ns: int, interval: Interval) -> int:
    """A number that changes when the volume-weighted average starts anew."""
    seconds = start_ns // NS
    if interval.seconds < _DAY_S:
        return seconds // _DAY_S
    # a day is named by the nearest midnight: exchanges start theirs at their own
    moment = datetime.fromtimestamp(seconds, UTC) + timedelta(hours=12)
    return moment.year if interval is Interval.W1 else moment.year * 12 + moment.month
