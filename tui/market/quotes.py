"""The merged quote of a symbol: patches of some fields on top of what is known of the others."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tui.market.names import Symbol
from tui.market.terms import QUOTE_FIELDS

if TYPE_CHECKING:
    from tui.market.events import Quote

NS: Final = 1_000_000_000
MAX_SPARK: Final = 120
SPARK_STEP_NS: Final = 5 * NS
SUSPECT_JUMP: Final = Decimal("0.2")
_MERGED: Final = frozenset(QUOTE_FIELDS)
_PRICES: Final = frozenset({"bid", "ask", "last"})


@dataclass(slots=True, eq=False)
class QuoteState:
    """The merged quote of a symbol.

    Attributes:
        values: Known fields only (names of `QUOTE_FIELDS`).
        received_ns: When each field last came.
        direction: Sign of the last move of `last` (or of the mid when there is none): 1, -1, or 0.
        moved_ns: When it last moved, or 0.
        suspects: Fields whose last jump was too large to believe until a second update agrees.
        spark: Bounded samples of the price, oldest first, at most one in five seconds; to be drawn, so floats will do.
        sampled_ns: When the newest of them came.
        version: Another number with every change.
    """

    symbol: Symbol
    source: str
    ts_recv_ns: int
    ts_event_ns: int | None = None
    values: dict[str, Any] = field(default_factory=dict)
    received_ns: dict[str, int] = field(default_factory=dict)
    derived: bool = False
    direction: int = 0
    moved_ns: int = 0
    suspects: set[str] = field(default_factory=set)
    spark: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_SPARK))
    sampled_ns: int = 0
    version: int = 0

    def get(self, name: str) -> Decimal | None:
        """A figure by field name, or None when unknown."""
        value = self.values.get(name)
        return value if isinstance(value, Decimal) else None

    @property
    def price(self) -> Decimal | None:
        """The last trade, else the mid of bid and ask, else None."""
        if (last := self.get("last")) is not None:
            return last
        bid, ask = self.get("bid"), self.get("ask")
        return None if bid is None or ask is None else (bid + ask) / 2

    @property
    def is_delayed(self) -> bool:
        """Late by contract."""
        return bool(self.values.get("delayed"))

    def merge(self, event: Quote, live_since_ns: int | None) -> list[Decimal]:
        """Take over the fields that an event names; those it names as None are not known any more.

        Args:
            event: Of the same symbol and source.
            live_since_ns: Since when the present connection is live. What the first patch on a new connection leaves
                out is not brought back to life.

        Returns:
            The prices that came.
        """
        self.version += 1
        before, now_ns = self.price, event.ts_recv_ns
        if live_since_ns is not None and self.ts_recv_ns < live_since_ns <= now_ns:
            self._clear()
        came = []
        for name in _MERGED.intersection(event.model_fields_set):
            value = getattr(event, name)
            self.received_ns[name] = now_ns
            if value is None:
                self.values.pop(name, None)
                self.suspects.discard(name)
                continue
            if name in _PRICES:
                self._doubt(name, value)
                came.append(value)
            self.values[name] = value
        self.ts_recv_ns, self.derived = now_ns, event.derived
        self.ts_event_ns = event.ts_event_ns or self.ts_event_ns
        self._note_move(before, self.price, now_ns)
        return came

    def _clear(self) -> None:
        self.values.clear()
        self.received_ns.clear()
        self.suspects.clear()

    def _doubt(self, name: str, price: Decimal) -> None:
        known = self.get(name)
        if known and abs(price - known) > abs(known) * SUSPECT_JUMP:
            self.suspects.add(name)
        else:
            self.suspects.discard(name)

    def _note_move(self, before: Decimal | None, after: Decimal | None, now_ns: int) -> None:
        if before is not None and after is not None and after != before:
            self.direction, self.moved_ns = (1 if after > before else -1), now_ns
        if after is not None and (not self.spark or now_ns - self.sampled_ns >= SPARK_STEP_NS):
            self.spark.append(float(after))
            self.sampled_ns = now_ns
