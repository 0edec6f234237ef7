"""The two axes of a chart: a price scale whose grid lies on round prices, and labels along the time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from tui.market.names import Interval

NS: Final = 1_000_000_000
_ROUND: Final = tuple(map(Decimal, ("1", "2", "2.5", "5", "10")))
_EPSILON: Final = 1e-6
_ROOMY: Final = 0.6
"""Below this share of the rows in use a scale is given up for a closer one."""


class PriceScale(NamedTuple):
    """Which row a price falls on.

    The centres of the rows are whole multiples of `step / rows_per_step`, so every grid line is a round price and its
    label is that price exactly.

    Attributes:
        step: Price between two grid lines.
        rows_per_step: Rows between two grid lines.
        top: Centre of the first row, in rows above the price 0.
        rows: Height.
    """

    step: Decimal
    rows_per_step: int
    top: int
    rows: int

    def part(self, price: float, parts: int) -> int:
        """Index from the top when every row is cut into `parts`; outside of 0 … rows × parts - 1 when off the chart."""
        above = self.top + 0.5 - price * self.rows_per_step / float(self.step)
        return int((above * parts + _EPSILON) // 1)

    def half(self, price: float) -> int:
        """Half row from the top, kept on the chart."""
        half, last = self.part(price, 2), 2 * self.rows - 1
        return 0 if half < 0 else last if half > last else half

    def row(self, price: float) -> int:
        """Row from the top, kept on the chart."""
        return min(max(self.part(price, 1), 0), self.rows - 1)

    def shows(self, price: float) -> bool:
        """Whether a price lies on the chart."""
        return 0 <= self.part(price, 1) < self.rows

    @property
    def grid(self) -> list[tuple[int, Decimal]]:
        """Row and price of every grid line, from the top."""
        centres = ((row, self.top - row) for row in range(self.rows))
        return [(row, self.step * (n // self.rows_per_step)) for row, n in centres if n % self.rows_per_step == 0]

    def suits(self, low: Decimal, high: Decimal, rows: int) -> bool:
        """Whether a range can stay on this scale: all of it shows and it still uses most of the rows."""
        used = float(high - low) * self.rows_per_step / float(self.step)
        return rows == self.rows and self.shows(float(low)) and self.shows(float(high)) and used >= _ROOMY * (rows - 1)


def price_scale(low: Decimal, high: Decimal, rows: int, decimals: int) -> PriceScale:
    """The closest scale that shows a range of prices.

    Args:
        low: Lowest price that must show.
        high: Highest price that must show.
        rows: Height of the chart, at least 1.
        decimals: Precision of the instrument: no grid step is finer than its last digit.
    """
    tick = Decimal(1).scaleb(-decimals)
    need = max((high - low) / max(rows - 1, 1), tick / 4)
    choices = [(_round_step(need * n, tick), n) for n in _spacings(rows)]
    step, spacing = min(choices, key=lambda choice: choice[0] / choice[1] * (100 + 3 * abs(choice[1] - 4)))
    middle = float(low + high) / 2 * spacing / float(step)
    return PriceScale(step, spacing, round(middle + (rows - 1) / 2), rows)


def _spacings(rows: int) -> Sequence[int]:
    return (2, 3) if rows < 9 else (3, 4, 5) if rows < 28 else (4, 5, 6)


def _round_step(raw: Decimal, tick: Decimal) -> Decimal:
    raw = max(raw, tick)
    power = Decimal(1).scaleb(raw.adjusted())
    steps = (factor * power for factor in _ROUND)
    return next((step for step in steps if step >= raw and step % tick == 0), 10 * power)


class TimeMark(NamedTuple):
    """A label of the time axis: column of its bar, first column of its text, text, whether it starts a day or more."""

    x: int
    left: int
    text: str
    is_major: bool


_MIN_SPACING: Final = 9
_MIN_SPACING_SECONDS: Final = 12
_CLOCK_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200)
_DAY, _WEEK, _MONTH, _QUARTER, _YEAR = 86_400, 604_800, 2_629_746, 7_889_238, 31_556_952
_STEPS: Final = (*_CLOCK_STEPS, _DAY, _WEEK, _MONTH, _QUARTER, _YEAR)
_MONTHS: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def moment_of(start_ns: int, interval: Interval) -> datetime:
    """UTC time of a bar. Bars of a day or a week are named by a date: the one whose midnight, anywhere, is nearest."""
    moment = datetime.fromtimestamp(start_ns // NS, UTC)
    if interval.seconds < _DAY:
        return moment
    return (moment + timedelta(hours=12)).replace(hour=0, minute=0, second=0)


def moment_text(start_ns: int, interval: Interval) -> str:
    """When a bar started, always as wide: ` 5 Jan 14:35`, with seconds for bars of a second, ` 5 Jan 2026` for days."""
    moment = moment_of(start_ns, interval)
    date = f"{moment.day:>2} {_MONTHS[moment.month - 1]}"
    if interval.seconds >= _DAY:
        return f"{date} {moment.year}"
    return f"{date} {moment:%H:%M:%S}" if interval is Interval.S1 else f"{date} {moment:%H:%M}"


def time_marks(bars: Sequence[tuple[int, int]], interval: Interval, cells: int, width: int) -> list[TimeMark]:
    """Labels under the bars that begin something: an hour, a day, a month, as dense as there is room for.

    Args:
        bars: Column of the middle and start (UTC nanoseconds) of each bar, oldest first.
        interval: Length of the bars.
        cells: Columns a bar.
        width: Columns of the axis.
    """
    return list(_marks(tuple(bars), interval, cells, width))


@lru_cache(maxsize=8)
def _marks(bars: Sequence[tuple[int, int]], interval: Interval, cells: int, width: int) -> Sequence[TimeMark]:
    spacing = _MIN_SPACING_SECONDS if interval is Interval.S1 else _MIN_SPACING
    step = next((step for step in _STEPS if step * cells >= spacing * interval.seconds), _YEAR)
    found: list[tuple[int, int, str]] = []
    before: datetime | None = None
    for x, start_ns in bars:
        moment = moment_of(start_ns, interval)
        if before is not None and (unit := _begins(before, moment, step)):
            found.append((unit, x, _label(moment, unit, interval, step)))
        before = moment
    if not found and before is not None:
        x, start_ns = bars[0]
        moment = moment_of(start_ns, interval)
        found.append((0, x, _label(moment, _DAY if interval.seconds >= _DAY else step, interval, step)))
    return _placed(found, width)


def _begins(before: datetime, moment: datetime, step: int) -> int:
    """The largest unit, no finer than the step, that starts between two times; 0 for none."""
    if moment.year != before.year:
        return _YEAR
    months = before.month, moment.month
    if step <= _QUARTER and (months[0] - 1) // 3 != (months[1] - 1) // 3:
        return _QUARTER
    if step <= _MONTH and months[0] != months[1]:
        return _MONTH
    days = before.toordinal() - 1, moment.toordinal() - 1  # day 1 of the year 1 was a Monday
    if step <= _WEEK and days[0] // 7 != days[1] // 7:
        return _WEEK
    if step <= _DAY and days[0] != days[1]:
        return _DAY
    seconds = _seconds(before), _seconds(moment)
    return step if step < _DAY and seconds[0] // step != seconds[1] // step else 0


def _seconds(moment: datetime) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _label(moment: datetime, unit: int, interval: Interval, step: int) -> str:
    month = _MONTHS[moment.month - 1]
    if unit < _DAY:
        return f"{moment:%H:%M:%S}" if step < 60 else f"{moment:%H:%M}"
    if interval.seconds < _DAY or unit < _MONTH:
        return f"{moment.day} {month}"
    return str(moment.year) if unit == _YEAR else month


def _placed(found: Sequence[tuple[int, int, str]], width: int) -> list[TimeMark]:
    marks: list[TimeMark] = []
    for unit, x, text in sorted(found, key=lambda item: (-item[0], item[1])):
        left = min(max(x - len(text) // 2, 0), width - len(text))
        clear = all(left >= m.left + len(m.text) + 2 or left + len(text) + 2 <= m.left for m in marks)
        if left >= 0 and clear:
            marks.append(TimeMark(x, left, text, unit >= _DAY))
    return sorted(marks)
