"""Complete books off the wire: validated at once where they are as documented, level by level where they are not.

From one book to the next most levels stay as they were, to the byte. So a book is cut into the texts of its levels, and
only those that were not seen before are read: by one expression when they look exactly as the reference shows them, by
pydantic when they do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from operator import gt, lt
from typing import Annotated, Any, Final, Literal, NamedTuple, NotRequired

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict  # pydantic wants this one below Python 3.12

from tui.market.terms import Level
from tui.providers import parse
from tui.providers.quantcite.wire import MAX_CODE, figure, names

MAX_LEVELS: Final = 200
"""Levels kept a side; the reference states no depth."""
_MAX_VENUES: Final = 100
_MAX_SETS: Final = 4096
_LEAST: Final = float(parse.MIN_NUMBER)
_MAX_KNOWN: Final = 4096
"""Levels remembered: about two megabytes."""

BOOK_TYPES: Final = frozenset(("aggregated_orderbook_update", "aggregated_orderbook_data"))
_BookType = Literal["aggregated_orderbook_update", "aggregated_orderbook_data"]


class _WireLevel(TypedDict):
    price: Annotated[Decimal, Field(ge=parse.MIN_NUMBER, lt=parse.MAX_NUMBER, allow_inf_nan=False)]
    amount: Annotated[Decimal, Field(ge=0, lt=parse.MAX_NUMBER, allow_inf_nan=False)]
    exchanges: Annotated[tuple[str, ...], Field(max_length=_MAX_VENUES)]


class _FloatLevel(TypedDict):
    """The same with numbers that are numbers: validated in half the time, and made Decimals afterwards."""

    price: Annotated[float, Field(strict=True, ge=_LEAST, lt=float(parse.MAX_NUMBER), allow_inf_nan=False)]
    amount: Annotated[float, Field(strict=True, ge=0, lt=float(parse.MAX_NUMBER), allow_inf_nan=False)]
    exchanges: Annotated[tuple[str, ...], Field(max_length=_MAX_VENUES)]


class _WireData(TypedDict):
    bids: list[_WireLevel]
    asks: list[_WireLevel]
    is_snapshot: NotRequired[bool]


class _WireBook(TypedDict):
    type: _BookType
    symbol: Annotated[str, Field(max_length=MAX_CODE)]
    timestamp: NotRequired[str]
    update_number: NotRequired[Annotated[int, Field(ge=0, lt=2**63)]]
    subscription_id: NotRequired[Annotated[str, Field(max_length=MAX_CODE)]]
    is_snapshot: NotRequired[bool]
    data: _WireData


_ADAPTER: Final = TypeAdapter(_WireBook)
_LEVELS: Final = TypeAdapter(list[_FloatLevel])
_VENUES: Final = TypeAdapter(Annotated[tuple[str, ...], Field(max_length=_MAX_VENUES)])


class _Layout(NamedTuple):
    """What stands before the first price of the bids, before that of the asks, and before every other price."""

    bids: bytes
    asks: bytes
    next: bytes


_LAYOUTS: Final = (
    _Layout(b'"bids": [{"price": ', b'}], "asks": [{"price": ', b'}, {"price": '),
    _Layout(b'"bids":[{"price":', b'}],"asks":[{"price":', b'},{"price":'),
)
_NUMBER: Final = r"(?:0|[1-9]\d{0,14}+)(?:\.\d{1,15}+)?"
_LEVEL: Final = re.compile(
    rf'^({_NUMBER}), ?+"amount": ?+({_NUMBER}), ?+"exchanges": ?+(\[[^]]*\]),'
    rf' ?+"exchange_count": ?+(?:0|[1-9]\d{{0,2}}+), ?+"value": ?+{_NUMBER}$',
    re.ASCII | re.MULTILINE,
)
"""A level from its price on, in a line of its own. Every field is there, and what is not zero is within all bounds."""


class Book(NamedTuple):
    """Sections 4.4 and 4.5: a complete book, best first.

    Attributes:
        code: The provider's symbol.
        is_update: True for an update of a subscription, False for the answer to a request.
        stamp_ns: Server's time, UTC, or None.
        number: Running number in its subscription, or None.
        subscription_id: Whose number it is, or "".
        bids: Highest first.
        asks: Lowest first.
        rejected: Levels left out because they were impossible.
        is_usable: False when it is marked as a delta, or when a side lost every level it had.
    """

    code: str
    is_update: bool
    stamp_ns: int | None
    number: int | None
    subscription_id: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    rejected: int = 0
    is_usable: bool = True
    is_delta: bool = False


class Cut(NamedTuple):
    """A book taken apart: the frame with empty sides, and the texts of its levels from behind `{"price": ` on."""

    frame: bytes
    bids: list[bytes]
    asks: list[bytes]


def cut_levels(raw: bytes) -> Cut:
    """Cut a book where one level ends and the price of the next begins.

    A quotation mark inside of a JSON string is escaped, so the marks looked for are the structure's own. Levels that do
    not begin with their price, or hold others, make pieces that are no levels: each has to validate as one, or the book
    is read whole.

    Raises:
        ValueError: it is not laid out as usual.
    """
    for layout in _LAYOUTS:
        head, _, rest = raw.partition(layout.bids)
        bids, _, rest = rest.partition(layout.asks)
        asks, found, tail = rest.rpartition(b"}]")
        if found:  # then the others were, too
            frame = b'%b"bids":[],"asks":[]%b' % (head, tail)
            return Cut(frame, bids.split(layout.next), asks.split(layout.next))
    raise ValueError("not laid out as usual")


class BookReader:
    """Decodes books; remembers levels by their texts, and the sets of venues, of which every level repeats one."""

    def __init__(self) -> None:
        self._venues: dict[str | tuple[str, ...], tuple[str, ...]] = {}
        self._known: dict[bytes, Level | tuple[()]] = {}
        self._prices: dict[str, Decimal] = {}

    def quick(self, raw: bytes) -> Book | None:
        """A book that is all as documented; None when it is anything else, to be read with patience."""
        for read in (self._by_level, self._whole):
            try:
                return read(raw)
            except ValueError:
                continue
        return None

    def _by_level(self, raw: bytes) -> Book:
        cut = cut_levels(raw)
        levels, count = self._levels(cut.bids + cut.asks), len(cut.bids)
        bids, asks = ([level for level in side if level] for side in (levels[:count], levels[count:]))
        return _book(_ADAPTER.validate_json(cut.frame), bids, asks)

    def _whole(self, raw: bytes) -> Book:
        """Every level anew: for figures in quotation marks, empty sides, and other layouts than the usual one."""
        message = _ADAPTER.validate_json(raw)
        bids, asks = (
            [
                (one["price"], one["amount"], self._clean(one["exchanges"]))
                for one in message["data"][side]
                if one["amount"] >= parse.MIN_NUMBER
            ]
            for side in ("bids", "asks")
        )
        return _book(message, bids, asks)

    def _levels(self, texts: list[bytes]) -> list[Level | tuple[()]]:
        """Levels by their texts, those that are not known yet read all at once; `()` where nothing rests."""
        known = self._known
        if len(known) > _MAX_KNOWN:
            known.clear()
        found: list[Any] = list(map(known.get, texts))
        if gaps := [place for place, level in enumerate(found) if level is None]:
            unknown = [texts[place] for place in gaps]
            for place, text, level in zip(gaps, unknown, self._plain(unknown) or self._validated(unknown), strict=True):
                found[place] = known[text] = level if level[1] else ()
        return found

    def _plain(self, texts: list[bytes]) -> list[Level]:
        """Levels that look exactly as documented; empty when one of them does not."""
        lines = b"\n".join(texts).decode()
        found = _LEVEL.findall(lines)
        if len(found) != len(texts) or lines.count("\n") >= len(texts):
            return []
        prices, sets = self._prices, self._venues
        return [
            (
                prices.get(price) or self._price(price),
                Decimal(amount),
                sets.get(venues) or self._named(venues, _VENUES.validate_json(venues)),
            )
            for price, amount, venues in found
        ]

    def _validated(self, texts: list[bytes]) -> Iterable[Level]:
        pieces = b'},{"price":'.join(texts)
        if pieces.count(b"{") >= len(texts):  # one that holds two levels could make up for one that was cut in two
            raise ValueError("more than a level")
        found = _LEVELS.validate_json(b'[{"price":%b}]' % pieces)
        if len(found) != len(texts):
            raise ValueError("cut inside of a level")
        return map(self._kept, found)

    def patient(self, message: dict[str, Any]) -> Book | None:
        """A book out of a JSON object with whatever oddities; None when it has no symbol or no sides."""
        code, data = parse.text(message.get("symbol"), MAX_CODE), message.get("data")
        if not code or not isinstance(data, dict):
            return None
        sides = [data.get(name, ()) for name in ("bids", "asks")]
        if not all(isinstance(side, list) for side in sides):
            return None
        bids, asks = ([self._level(item) for item in side] for side in sides)
        kept_bids, kept_asks = ([level for level in side if level is not None] for side in (bids, asks))
        is_delta = False in (message.get("is_snapshot"), data.get("is_snapshot"))
        is_lost = (bool(bids) and not kept_bids) or (bool(asks) and not kept_asks)
        number = figure(message.get("update_number"))
        return Book(
            code=code,
            is_update=message.get("type") == "aggregated_orderbook_update",
            stamp_ns=_stamp(message.get("timestamp")),
            number=None if number is None else int(number),
            subscription_id=parse.text(message.get("subscription_id"), MAX_CODE),
            bids=best_first([level for level in kept_bids if level[1]], highest=True),
            asks=best_first([level for level in kept_asks if level[1]], highest=False),
            rejected=len(bids) + len(asks) - len(kept_bids) - len(kept_asks),
            is_usable=not is_delta and not is_lost,
            is_delta=is_delta,
        )

    def _kept(self, one: _FloatLevel) -> Level:
        amount = one["amount"]
        rests = Decimal(repr(amount)) if amount >= _LEAST else Decimal(0)
        return self._price(repr(one["price"])), rests, self._clean(one["exchanges"])

    def _price(self, text: str) -> Decimal:
        price = Decimal(text)
        if not price:
            raise ValueError("not above zero")
        if len(self._prices) >= _MAX_KNOWN:
            self._prices.clear()
        self._prices[text] = price
        return price

    def _level(self, item: object) -> Level | None:
        if not isinstance(item, dict):
            return None
        try:
            price, amount = parse.positive(item.get("price")), parse.size(item.get("amount"))
        except ValueError:
            return None
        if price is None or amount is None:
            return None
        return price, amount, self._clean(tuple(filter(None, names(item.get("exchanges"))))[:_MAX_VENUES])

    def _clean(self, exchanges: tuple[str, ...]) -> tuple[str, ...]:
        found = self._venues.get(exchanges)
        return self._named(exchanges, exchanges) if found is None else found

    def _named(self, key: str | tuple[str, ...], exchanges: tuple[str, ...]) -> tuple[str, ...]:
        """The names made safe, remembered by the text or the tuple that they came as."""
        if len(self._venues) >= _MAX_SETS:
            self._venues.clear()
        found = self._venues[key] = names(list(exchanges))
        return found


def _book(message: _WireBook, bids: list[Level], asks: list[Level]) -> Book:
    is_delta = message.get("is_snapshot") is False or message["data"].get("is_snapshot") is False
    return Book(
        code=parse.text(message["symbol"], MAX_CODE),
        is_update=message["type"] == "aggregated_orderbook_update",
        stamp_ns=parse.time_ns(message.get("timestamp")),
        number=message.get("update_number"),
        subscription_id=parse.text(message.get("subscription_id"), MAX_CODE),
        bids=best_first(bids, highest=True),
        asks=best_first(asks, highest=False),
        is_usable=not is_delta,
        is_delta=is_delta,
    )


def best_first(levels: list[Level], *, highest: bool) -> tuple[Level, ...]:
    """The best `MAX_LEVELS` of one side; order is not promised, so neighbours are checked and sorted when they fail.

    Levels at the same price are one: amounts add up, venues join.
    """
    prices = [level[0] for level in levels]
    ordered = all(map(gt if highest else lt, prices, prices[1:]))
    return tuple((levels if ordered else _merged(levels, highest))[:MAX_LEVELS])


def _merged(levels: list[Level], highest: bool) -> list[Level]:
    prices: dict[Decimal, Level] = {}
    for price, amount, venues in levels:
        _, before, others = prices.get(price, (price, Decimal(0), ()))
        prices[price] = (price, before + amount, others + tuple(name for name in venues if name not in others))
    return sorted(prices.values(), reverse=highest)


def _stamp(value: object) -> int | None:
    try:
        return parse.time_ns(value)
    except ValueError:
        return None
