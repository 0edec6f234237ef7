"""A day's change, which Aries sends only in part (5.6)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tui.providers.aries.normalise import percent


@dataclass(slots=True)
class Day:
    """What is known of one symbol's day.

    Attributes:
        last: The last price.
        prev_close: Yesterday's close: `last` less the net change.
    """

    last: Decimal | None = None
    prev_close: Decimal | None = None

    def complete(self, patch: dict[str, Decimal | None]) -> None:
        """Add to a quote's patch what follows from it: previous close, change, change in per cent.

        No per cent are documented. A patch may bring a new last price without its change, which would otherwise
        stay that of an older price.
        """
        last, change = patch.get("last"), patch.get("change")
        self.last = last or self.last
        if change is not None and self.last is not None and (last is not None or self.prev_close is None):
            self.prev_close = self.last - change
            patch.setdefault("prev_close", self.prev_close)
        elif patch.get("prev_close") is not None:
            self.prev_close = patch["prev_close"]
        if self.prev_close is None:
            return
        if last is not None and change is None:
            change = patch["change"] = last - self.prev_close
        if change is not None and patch.get("change_percent") is None:
            patch["change_percent"] = percent(change, self.prev_close)
