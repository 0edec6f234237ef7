"""What rested in a book over the last ten minutes, second by second: exact, and packed so that it stays small.

A column is the last book of its second. It stands for the seconds after it, too, until the next one comes, unless the
book was not live in between: such seconds are a gap.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, chain, pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from tui.market.book import Touch, imbalance, touch
from tui.market.names import Symbol
from tui.market.terms import Side

if TYPE_CHECKING:
    from tui.market.events import BookSnapshot, Trade

NS: Final = 1_000_000_000
KEPT_S: Final = 600
"""Seconds that are kept."""
MAX_LEVELS: Final = 400
"""Levels a side that are kept of a book, best first."""
MAX_PRINTS: Final = 32
"""Prices and sides of trades that are kept of a second."""
MAX_SYMBOLS: Final = 4
"""Histories that are kept; with all of them full they take about 30 MB, or half of that with small numbers."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a book was like in one figure each.

    Attributes:
        second: Which second it is the last book of, UTC.
        best: Best prices.
        imbalance: Of the best ten levels a side, -1 to 1; None while a side is empty.
        follows: Whether the book was live from the column before until this one.
    """

    second: int
    best: Touch
    imbalance: float | None
    follows: bool


@dataclass(frozen=True, slots=True)
class HeatColumn(Summary):
    """A book as sums over its prices, so that the size in any price range is two look-ups away.

    Attributes:
        unit: Size of 1 in `sums`.
        scale: Prices are multiplied by this in `prices`.
        prices: Of all levels of both sides, ascending, as whole numbers.
        sums: Size below each of `prices`, and of all, as whole numbers.
    """

    unit: Decimal
    scale: int
    prices: Sequence[int]
    sums: Sequence[int]

    def bins(self, first: int, count: int, step: Decimal) -> list[int]:
        """What rests, bids and asks together, in each of `count` price buckets, in multiples of `unit`.

        Bucket n, counted from `first`, reaches from n × step up to, not including, (n + 1) × step.
        """
        numerator, denominator = step.as_integer_ratio()
        numerator *= self.scale
        prices, sums, found, below = self.prices, self.sums, 0, []
        for bucket in range(first, first + count + 1):
            found = bisect_left(prices, -(-bucket * numerator // denominator), found)
            below.append(sums[found])
        return [after - before for before, after in pairwise(below)]

    def size(self, bucket: int, step: Decimal) -> Decimal:
        """What rests in one price bucket."""
        return self.bins(bucket, 1, step)[0] * self.unit


_Column = TypeVar("_Column", bound=Summary)
"""One or the other."""


def pack(book: BookSnapshot, follows: bool = True) -> HeatColumn:
    """The column of a book."""
    levels = [level[:2] for level in chain(book.bids[:MAX_LEVELS], book.asks[:MAX_LEVELS])]
    levels.sort()
    prices, scale = _whole([price for price, _ in levels])
    sizes, parts = _whole([size for _, size in levels])
    return HeatColumn(
        second=book.ts_recv_ns // NS,
        best=touch(book),
        imbalance=imbalance(book),
        follows=follows,
        unit=1 / Decimal(parts),
        scale=scale,
        prices=_compact(prices),
        sums=_compact(accumulate(sizes, initial=0)),
    )


def summarise(book: BookSnapshot, follows: bool = True) -> Summary:
    """The same without its levels: much less to do."""
    return Summary(book.ts_recv_ns // NS, touch(book), imbalance(book), follows)


def _whole(values: Sequence[Decimal]) -> tuple[list[int], int]:
    """Numbers multiplied by a power of ten that makes them whole, and that power; exact in any decimal context."""
    exponents = [value.as_tuple().exponent for value in values]
    factor: int = 10 ** max((-exponent for exponent in exponents if isinstance(exponent, int)), default=0)
    factor = max(factor, 1)
    ratios = (value.as_integer_ratio() for value in values)
    return [numerator * factor // denominator for numerator, denominator in ratios], factor


def _compact(values: Iterable[int]) -> Sequence[int]:
    """Four bytes a number; eight or more only where the largest one needs them."""
    numbers = tuple(values)
    for code in "Iq":
        with suppress(OverflowError):
            return array(code, numbers)
    return numbers


class Print(NamedTuple):
    """What was traded in a second at one price by takers of one side (None when that is not known)."""

    price: Decimal
    side: Side | None
    size: Decimal


class HeatHistory:
    """The columns of one symbol, oldest first, at most one a second, and its trades."""

    def __init__(self) -> None:
        self._closed: list[HeatColumn] = []
        self._book: BookSnapshot | None = None
        self._follows = False
        self._packed: HeatColumn | None = None
        self._prints: OrderedDict[int, dict[tuple[Decimal, Side | None], Decimal]] = OrderedDict()

    def record(self, book: BookSnapshot, *, follows: bool) -> None:
        """Take the newest book.

        Args:
            book: All of it; nothing is worked out before its second is over or someone looks.
            follows: Whether the one before it was live until now.
        """
        second = book.ts_recv_ns // NS
        before = None if self._book is None else self._book.ts_recv_ns // NS
        if before is not None and before < second:
            self._closed += self.columns[-1:]
        elif before != second:
            self._set_back(second)
        if before != second:
            self._follows = follows
        self._book, self._packed = book, None
        while len(self._closed) > 1 and self._closed[1].second <= second - KEPT_S:
            del self._closed[0]  # the one that is left may still stand for the oldest second

    def trade(self, trade: Trade) -> None:
        """Add a trade to its second; prices beyond `MAX_PRINTS` of a second are left out."""
        second = trade.ts_recv_ns // NS
        while self._prints and next(reversed(self._prints)) > second:  # the clock was set back
            self._prints.popitem()
        prints = self._prints.setdefault(second, {})
        key = trade.price, trade.side
        if key in prints or len(prints) < MAX_PRINTS:
            prints[key] = prints.get(key, Decimal()) + trade.size
        while len(self._prints) > 1 and (len(self._prints) > KEPT_S or next(iter(self._prints)) <= second - KEPT_S):
            self._prints.popitem(last=False)

    @property
    def first_second(self) -> int | None:
        """The oldest second there is anything about."""
        oldest = self._closed[0] if self._closed else self._newest()
        return oldest.second if oldest else None

    @property
    def columns(self) -> list[HeatColumn]:
        """All of them, the present second's too."""
        newest = self._newest()
        return [*self._closed, newest] if newest else []

    def window(self, end: int, count: int, seconds: int = 1, *, is_live: bool = True) -> list[HeatColumn | None]:
        """The column that stands for each of `count` stretches of so many seconds, oldest first; None for a gap.

        Args:
            end: The last second that counts, in the last stretch; stretches start at multiples of their length.
            count: How many.
            seconds: Their length. The last book of a stretch stands for it.
            is_live: Whether the newest column still stands at `end`.
        """
        columns = self.columns
        last = end // seconds
        return [
            _standing(columns, stretch * seconds, min(stretch * seconds + seconds - 1, end), is_live)
            for stretch in range(last - count + 1, last + 1)
        ]

    def summaries(self, end: int, count: int, *, is_live: bool = True) -> list[Summary | None]:
        """The same for single seconds, without levels: those of a book that is about to be superseded are not packed.

        Args:
            end: The last second.
            count: How many.
            is_live: Whether the newest still stands at `end`.
        """
        columns: list[Summary] = [*self._closed]
        if self._book is not None:
            columns.append(self._packed or summarise(self._book, self._follows))
        return [_standing(columns, second, second, is_live) for second in range(end - count + 1, end + 1)]

    def prints(self, second: int, seconds: int = 1) -> list[Print]:
        """The trades of a stretch, second by second."""
        found = (self._prints.get(second + n, {}) for n in range(seconds))
        return [Print(price, side, size) for one in found for (price, side), size in one.items()]

    def _set_back(self, second: int) -> None:
        """The clock was set back: what it calls the future now is forgotten."""
        while self._closed and self._closed[-1].second >= second:
            self._closed.pop()

    def _newest(self) -> HeatColumn | None:
        if self._packed is None and self._book is not None:
            self._packed = pack(self._book, self._follows)
        return self._packed


def _standing(columns: Sequence[_Column], first: int, last: int, is_live: bool) -> _Column | None:
    index = bisect_right(columns, last, key=attrgetter("second"))
    if not index:
        return None
    column = columns[index - 1]
    goes_on = columns[index].follows if index < len(columns) else is_live
    return column if column.second >= first or goes_on else None


class HeatRecorder:
    """The histories of the symbols whose books were watched last."""

    def __init__(self) -> None:
        self._histories: OrderedDict[Symbol, HeatHistory] = OrderedDict()

    def of(self, symbol: Symbol) -> HeatHistory | None:
        """The history of a symbol, None when its book was never watched or that is too long ago."""
        return self._histories.get(symbol)

    def record(self, book: BookSnapshot, *, follows: bool) -> None:
        """Take a book; see `HeatHistory.record`."""
        history = self._histories.setdefault(book.symbol, HeatHistory())
        self._histories.move_to_end(book.symbol)
        if len(self._histories) > MAX_SYMBOLS:
            self._histories.popitem(last=False)
        history.record(book, follows=follows)

    def trade(self, trade: Trade) -> None:
        """Take a trade of a symbol whose book is watched."""
        if history := self._histories.get(trade.symbol):
            history.trade(trade)
