"""The past of an instrument, made up on request so that it ends where the live market begins.

Seconds of the last 15 minutes, minutes of five days and days of three years are walked backwards from the start
price. Minutes of the last quarter of an hour are made of the seconds, the latest five days of the minutes, so all
intervals agree. The shared market part of the returns is the same for all symbols.

Stocks and indices have a session of 6 h 30 min a day, on weekdays, at the hours of today's, which began 6 h 10 min
before the simulation did: whenever a demo starts, its charts end with hours of trading. A session belongs to the day
(UTC) on which the simulation's clock stood at the same time; coins trade around the clock.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import groupby
from math import exp, log, log1p
from random import Random
from typing import Final

from tui.simulator.instruments import Instrument, per_second
from tui.simulator.prices import stream
from tui.simulator.sessions import DAY_S, SECOND_NS

Row = list[int]
"""Start in seconds (UTC); open, high, low, close in ticks; volume in size steps."""

SECONDS_S: Final = 900
MINUTE_DAYS: Final = 5
YEARS: Final = 3

_SESSION_S: Final = 23_400
_OPEN_BEFORE_S: Final = 370 * 60
_MARKET: Final = {True: 0.42, False: 0.15}
_DRIFT: Final = {True: 0.25, False: 0.10}
_YEAR_DAYS: Final = {True: 365, False: 252}
_DAY_LENGTH_S: Final = {True: DAY_S, False: _SESSION_S}


def floor_day(start_s: int) -> int:
    """Find the start of the UTC day, in seconds."""
    return start_s - start_s % DAY_S


def floor_to(start_s: int, interval_s: int) -> int:
    """Find the start of the interval that holds a moment; weeks start on Monday."""
    shift = 4 * DAY_S if interval_s == 7 * DAY_S else 0
    return (start_s - shift) // interval_s * interval_s + shift


def merged(start_s: int, rows: Sequence[Row]) -> Row:
    """Make one bar out of the bars within it."""
    return [
        start_s,
        rows[0][1],
        max(row[2] for row in rows),
        min(row[3] for row in rows),
        rows[-1][4],
        sum(row[5] for row in rows),
    ]


class Calendar:
    """When bars of the past start, and the shared returns in them, for either coins or everything else."""

    def __init__(self, seed: int, start_ns: int, *, always_open: bool) -> None:
        start_s = start_ns // SECOND_NS
        self.always_open = always_open
        self.today = floor_day(start_s)
        minute = start_s - start_s % 60
        cut = minute - SECONDS_S
        self.seconds = list(range(cut, start_s))
        self.days_of_minutes = self._minutes(minute, cut)
        """(day, starts of its minutes before `seconds`), oldest first."""
        oldest = self.days_of_minutes[0][0]
        span = range(oldest - YEARS * 365 * DAY_S, oldest, DAY_S)
        self.days = [day for day in span if always_open or _is_weekday(day)]
        group = "crypto" if always_open else "stocks"
        random = stream(seed, "history", group)
        minutes = sum(len(starts) for _, starts in self.days_of_minutes)
        sigma = per_second(_MARKET[always_open], always_open=always_open)
        self.second_returns = _shared_returns(random, len(self.seconds), sigma)
        self.minute_returns = _shared_returns(random, minutes, sigma * 60**0.5)
        day_sigma = _MARKET[always_open] * _YEAR_DAYS[always_open] ** -0.5
        self.day_returns = _shared_returns(random, len(self.days), day_sigma)

    def _minutes(self, minute: int, cut: int) -> list[tuple[int, list[int]]]:
        if self.always_open:
            first = floor_day(cut) - (MINUTE_DAYS - 1) * DAY_S
            return [(day, list(starts)) for day, starts in groupby(range(first, cut, 60), floor_day)]
        opened = minute - _OPEN_BEFORE_S
        days = [(self.today, list(range(opened, cut, 60)))]
        back = 0
        while len(days) < MINUTE_DAYS:
            back += DAY_S
            if _is_weekday(self.today - back):
                days.append((self.today - back, list(range(opened - back, opened - back + _SESSION_S, 60))))
        return days[::-1]


class History:
    """The bars of one instrument up to the start of the simulation, oldest first."""

    def __init__(self, instrument: Instrument, seed: int, calendar: Calendar, rate: float) -> None:
        self._instrument = instrument
        self._calendar = calendar
        self._random = stream(seed, instrument.symbol, "history")
        self._ticks = float(1 / instrument.tick)
        # The mean of the log-normal order sizes of the live market is about 1.8 times their median.
        steps = float(instrument.typical_size / instrument.size_step)
        self._volume_per_s = instrument.trades_per_s * rate * steps * 1.8
        self._trades_per_s = instrument.trades_per_s * rate
        price = float(instrument.start_price)
        self.seconds, price = self._seconds(price)
        self.minutes, days, price = self._minutes(price)
        self.days = self._days(price) + days

    def _seconds(self, price: float) -> tuple[list[Row], float]:
        calendar = self._calendar
        sigma = self._instrument.own_sigma
        rows, price = self._walk(calendar.seconds, calendar.second_returns, sigma, 1, price)
        if self._instrument.is_index:
            return rows, price
        silence = exp(-self._trades_per_s)
        draw = self._random.random
        # The first second of each minute always trades, so that no minute of an open market lacks a bar.
        kept = [row for row in rows[:-1] if row[0] % 60 == 0 or draw() > silence]
        return kept + rows[-1:], price

    def _minutes(self, price: float) -> tuple[list[Row], list[Row], float]:
        calendar, instrument = self._calendar, self._instrument
        sigma = instrument.own_sigma * 60**0.5
        night = 0.5 * instrument.volatility * 252**-0.5
        latest = [merged(start, list(rows)) for start, rows in groupby(self.seconds, lambda row: row[0] // 60 * 60)]
        minutes_by_day: list[list[Row]] = []
        days: list[Row] = []
        end = len(calendar.minute_returns)
        for day, starts in reversed(calendar.days_of_minutes):
            shared = calendar.minute_returns[end - len(starts) : end]
            end -= len(starts)
            rows, price = self._walk(starts, shared, sigma, 60, price)
            if not calendar.always_open:
                price *= exp(self._random.gauss(0.0, night))
            rows_of_day = rows + [row for row in latest if self._day_of(row[0]) == day]
            minutes_by_day.append(rows_of_day)
            if rows_of_day:
                days.append(merged(day, rows_of_day))
        minutes = [row for rows in reversed(minutes_by_day) for row in rows]
        # Just after midnight today has no minutes but those made of seconds.
        if calendar.always_open and (rest := [row for row in latest if row[0] > minutes[-1][0]]):
            minutes += rest
            days.insert(0, merged(floor_day(rest[0][0]), rest))
        return minutes, days[::-1], price

    def _day_of(self, start_s: int) -> int:
        return floor_day(start_s) if self._calendar.always_open else self._calendar.today

    def _days(self, price: float) -> list[Row]:
        calendar, instrument = self._calendar, self._instrument
        length = _DAY_LENGTH_S[calendar.always_open]
        sigma = instrument.volatility * _YEAR_DAYS[calendar.always_open] ** -0.5
        return self._walk(calendar.days, calendar.day_returns, sigma, length, price)[0]

    def _walk(
        self, starts: Sequence[int], shared: Sequence[float], sigma: float, length_s: int, price: float
    ) -> tuple[list[Row], float]:
        """Walk back from `price` at the end of the last bar; return the bars and the price before the first."""
        draw, gauss = self._random.random, self._random.gauss
        beta, ticks, volume = self._instrument.beta, self._ticks, self._volume_per_s * length_s
        # A volatility index is pulled back to its start; others grow over the years.
        anchor = log(price) if beta < 0 else None
        pull = 1 - exp(-length_s / _SESSION_S / 12)
        always_open = self._calendar.always_open
        year_s = _DAY_LENGTH_S[always_open] * _YEAR_DAYS[always_open]
        drift = _DRIFT[always_open] * length_s / year_s if beta > 0 else 0.0
        wick = 0.4 * (sigma**2 + (beta * shared[-1]) ** 2) ** 0.5 if shared else 0.0
        rows = []
        close = round(price * ticks)
        for start, market in zip(reversed(starts), reversed(shared), strict=True):
            change = beta * market + sigma * gauss(0.0, 1.0)
            wick = 0.95 * wick + 0.02 * abs(change)
            if anchor is not None:
                change -= pull * (anchor - log(price))
            price *= exp(-drift - change)
            opened = round(price * ticks) or 1
            reach = wick * price * ticks
            high = max(opened, close) + int(-reach * log1p(-draw()))
            low = min(opened, close) - int(-reach * log1p(-draw()))
            traded = int(volume * (0.35 - 0.65 * log1p(-draw()))) + 1 if volume else 0
            rows.append([start, opened, high, max(low, 1), close, traded])
            close = opened
        rows.reverse()
        return rows, price


def rows_between(rows: Sequence[Row], start_s: int, end_s: int) -> Sequence[Row]:
    """Cut out the bars that start from `start_s` up to, not including, `end_s`."""
    return rows[bisect_left(rows, [start_s]) : bisect_left(rows, [end_s])]


def _is_weekday(day_s: int) -> bool:
    return (day_s // DAY_S + 3) % 7 < 5


def _shared_returns(random: Random, count: int, sigma: float) -> list[float]:
    """Draw returns whose volatility comes in clusters, oldest first."""
    returns = []
    level = 0.0
    for _ in range(count):
        normal = random.gauss(0.0, 1.0)
        returns.append(normal * sigma * exp(level))
        level = level * 0.97 + 0.07 * (abs(normal) - 0.8)
    return returns
