"""The month's data: counted here day by day, asked of the provider once an hour, projected, warned of and capped."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from tui.clock import NS
from tui.market import format as fmt
from tui.providers.quantcite.meter import DAY_S, GIB, DataMeter, span
from tui.providers.quantcite.rest import Account
from tui.providers.quantcite.wire import DataUsage
from tui.usage import Tally, UsageFile, period_end, period_start, today

log = logging.getLogger(__name__)

SAVE_NS: Final = 30 * NS
SPARE_S: Final = 5.0
"""After a reset, for clocks that differ a little."""
MORE: Final = 1.25
MORE_BYTES: Final = 50 * 1024 * 1024
"""What the provider may count beyond ours before somebody else is suspected: by this part, and by this much."""
REMEDY: Final = "Raise data_cap_percent in the settings, or wait for the monthly reset."


@dataclass(frozen=True, slots=True)
class Told:
    """What the provider said of the key's usage.

    Attributes:
        bytes: Used in the billing period.
        ours: What had ever come to this machine by then.
        until: The day on which that figure begins anew.
    """

    bytes: int
    ours: int
    until: date


class Allowance:
    """How much of the month's data a key has used.

    The provider's own figure counts where it is known, with what came here since; else what all programs of this
    machine have counted since the last reset.

    Args:
        gigabytes: What the plan allows a month, until the provider says; 0 when that is not known.
        warn_percent: From here on the user is warned; 0 never.
        cap_percent: From here on nothing is received; 0 never.
    """

    def __init__(self, gigabytes: float = 0.0, warn_percent: float = 0.0, cap_percent: float = 0.0) -> None:
        self.meter = DataMeter()
        self._limit = int(gigabytes * GIB)
        self._warn_percent = warn_percent
        self._cap_percent = cap_percent
        self._tally = Tally()
        self._file: UsageFile | None = None
        self._saved = 0
        self._saving = 0
        self._saved_ns = 0
        self._told: Told | None = None
        self._is_warned = False

    def is_due(self, now_ns: int) -> bool:
        """Whether it is time to save again."""
        return now_ns - self._saved_ns >= SAVE_NS

    async def save(self, file: UsageFile, now_ns: int) -> None:
        """Add what came since the last time to the day's count on disk."""
        if file is not self._file:  # of another key: what was told of the one before does not hold
            self._file, self._told = file, None
        count, self._saved_ns = self.meter.total - self._saved, now_ns
        self._saved += count
        self._saving += count
        try:
            await file.update(lambda tally: tally.add_bytes(today(now_ns), count))
            self._tally = file.tally
        finally:
            self._saving -= count

    def said(self, usage: DataUsage, now_ns: int) -> None:
        """Take over what the provider says, on the socket or by HTTP."""
        if (used := usage.used_bytes) is not None:
            self._told = Told(used, self._ever, self._ends(now_ns))
        self._limit = usage.limit_bytes or self._limit

    async def compare(self, file: UsageFile, account: Account, now_ns: int) -> list[str]:
        """Take over what HTTP says (section 9.3); a sentence when more is counted there than came here."""
        if (resets_ns := account.resets_ns(now_ns)) is not None:
            await file.update(lambda tally: tally.reset_on(today(resets_ns)))
            self._tally = file.tally
        before = self._told
        self.said(account.data_usage, now_ns)
        return list(self._differences(before))

    def _differences(self, before: Told | None) -> Iterator[str]:
        if before is None or self._told is None:
            return
        theirs, ours = self._told.bytes - before.bytes, self._told.ours - before.ours
        log.info("data since the last look: %d bytes here, %d by the provider's count", ours, theirs)
        if theirs > ours * MORE + MORE_BYTES:
            counts = f"QuantCite counted {fmt.data(theirs)} lately, {fmt.data(ours)} came here"
            yield f"{counts}: something else uses this key"

    def used(self, now_ns: int) -> int:
        """Bytes used in this billing period."""
        if self._told is not None and today(now_ns) < self._told.until:
            return self._told.bytes + self._ever - self._told.ours
        first = period_start(today(now_ns), self._tally.resets_on)
        return self._tally.bytes_since(first) + self._unsaved

    def percent(self, now_ns: int) -> float:
        """Part of the allowance; 0 while that is not known."""
        return self.used(now_ns) / self._limit * 100 if self._limit else 0.0

    def warnings(self, now_ns: int) -> Iterator[str]:
        """One sentence when most is used; again only after it was less."""
        was_warned = self._is_warned
        self._is_warned = 0 < self._warn_percent <= self.percent(now_ns)
        if self._is_warned and not was_warned:
            rate = self.meter.rate(now_ns)
            left = max(self._limit - self.used(now_ns), 0)
            lasts = f": at this rate the rest lasts {span(left / rate)}" if rate else ""
            yield f"{self._usage(now_ns)}{lasts}"

    def beyond(self, now_ns: int) -> tuple[str, float] | None:
        """Why nothing may be received any more, and when to look again in seconds: at the reset, at most in a day."""
        if not 0 < self._cap_percent <= self.percent(now_ns):
            return None
        ends = self._ends(now_ns)
        left_s = datetime(ends.year, ends.month, ends.day, tzinfo=UTC).timestamp() - now_ns / NS
        return f"{self._usage(now_ns)}: beyond the limit in the settings", min(left_s + SPARE_S, DAY_S)

    def note(self, now_ns: int) -> str:
        """`8.41 of 50 GB used (16.8 %), 1.2G today`, then how long 50 GB last and what most goes to."""
        if not self._ever:
            return ""
        at_day = self._tally.bytes_since(today(now_ns)) + self._unsaved
        lines = [f"{self._usage(now_ns)}, {fmt.data(at_day)} today", "; ".join(self._outlook(now_ns))]
        return "\n".join(line for line in lines if line)

    def _outlook(self, now_ns: int) -> Iterator[str]:
        if self._limit and (rate := self.meter.rate(now_ns)):
            yield f"at this rate {self._limit / GIB:g} GB last {span(self._limit / rate)}"
        if largest := self.meter.largest():
            yield f"most for {largest[0]} ({largest[1]:.0%})"

    def _usage(self, now_ns: int) -> str:
        used = Decimal(self.used(now_ns)) / GIB
        if not self._limit:
            return f"{used:.2f} GB used this month"
        return f"{used:.2f} of {self._limit / GIB:g} GB used ({self.percent(now_ns):.1f} %)"

    @property
    def _unsaved(self) -> int:
        return self.meter.total - self._saved + self._saving

    @property
    def _ever(self) -> int:
        """Bytes that ever came to this machine with the key, as far as other programs have saved theirs."""
        return self._tally.bytes_ever + self._unsaved

    def _ends(self, now_ns: int) -> date:
        return period_end(today(now_ns), self._tally.resets_on)
