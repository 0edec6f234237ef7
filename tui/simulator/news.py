"""News that comes out every half minute or so and moves what it is about."""

from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random
from typing import Final, NamedTuple

from tui.simulator.headlines import BROKERS, CLOSINGS, COIN, COMPANY, MARKET, PUBLISHERS, Template
from tui.simulator.instruments import Instrument
from tui.simulator.prices import stream
from tui.simulator.records import SimNews
from tui.simulator.sessions import SECOND_NS

_ITEMS_KEPT: Final = 200
_ITEMS_AT_START: Final = 12
_PAST_S: Final = 6 * 3_600
_BETWEEN_S: Final = (20.0, 40.0)
_MARKET_SYMBOLS: Final = ("SPX", "SPY")
_MARKET_SHARE: Final = 0.1
_COIN_SHARE: Final = 0.35
_NAME_ENDS: Final = (", Inc.", " Inc.", " Corporation", " & Co.", " Incorporated", " Company", " Systems", " Group")


class Impact(NamedTuple):
    """What an item does: logarithmic returns of its symbols, at once and over the next half minute."""

    jump: float
    drift: float


class NewsDesk:
    """Writes the news; `items` holds the latest, newest last."""

    def __init__(self, seed: int, start_ns: int, instruments: Sequence[Instrument]) -> None:
        self.items: deque[SimNews] = deque(maxlen=_ITEMS_KEPT)
        self._random = stream(seed, "news")
        self._stocks = [each for each in instruments if each.kind == "stock"]
        self._coins = [each for each in instruments if each.kind == "crypto"]
        self._recent: deque[str] = deque(maxlen=20)
        self._count = 0
        prices = {each.symbol: each.start_price for each in instruments}
        ages = sorted((self._random.uniform(90, _PAST_S) for _ in range(_ITEMS_AT_START)), reverse=True)
        for age in ages:
            self._write(start_ns - int(age * SECOND_NS), prices.__getitem__, is_open=True)
        self._next_ns = start_ns + self._pause_ns()

    def is_due(self, now_ns: int) -> bool:
        """Tell whether it is time for the next item."""
        return now_ns >= self._next_ns

    def publish(self, now_ns: int, price: Callable[[str], Decimal], *, is_open: bool) -> tuple[SimNews, Impact]:
        """Write an item.

        Args:
            now_ns: The market's time, UTC.
            price: Last price of a symbol.
            is_open: Whether stocks trade; if not, only coins make news.
        """
        self._next_ns = now_ns + self._pause_ns()
        return self._write(now_ns, price, is_open=is_open)

    def _pause_ns(self) -> int:
        return int(self._random.uniform(*_BETWEEN_S) * SECOND_NS)

    def _write(self, ns: int, price: Callable[[str], Decimal], *, is_open: bool) -> tuple[SimNews, Impact]:
        random = self._random
        lot = random.random()
        instrument, rival = None, None
        symbols: tuple[str, ...] = ()
        if is_open and lot < _MARKET_SHARE:
            symbols, templates = _MARKET_SYMBOLS, MARKET
        elif not is_open or lot < _MARKET_SHARE + _COIN_SHARE:
            instrument, templates = _favourite(random, self._coins), COIN
        else:
            instrument, templates = _favourite(random, self._stocks), COMPANY
            rival = random.choice([each for each in self._stocks if each is not instrument])
        direction, title, content = self._template(templates)
        if instrument:
            names_rival = rival is not None and "{rival}" in title
            symbols = (instrument.symbol, rival.symbol) if rival and names_rival else (instrument.symbol,)
        closing = random.choice(CLOSINGS[direction])
        words = {
            "name": _short_name(instrument),
            "symbol": symbols[0],
            "rival": _short_name(rival),
            "price": f"{price(symbols[0]):,}",
            "percent": f"{random.uniform(1.5, 14):.1f}",
            "number": f"{random.uniform(1.2, 24):.1f}",
            "count": str(random.randrange(25, 480)),
            "broker": random.choice(BROKERS),
        }
        self._count += 1
        item = SimNews(
            id=self._count,
            ns=ns,
            title=title.format_map(words),
            content=f"{content} {closing}".strip().format_map(words),
            publisher=random.choice(PUBLISHERS),
            link=f"https://news.example/{ns // SECOND_NS}/{self._count}",
            symbols=symbols,
        )
        self.items.append(item)
        return item, self._impact(direction, instrument)

    def _template(self, templates: Sequence[Template]) -> Template:
        """Choose one that was not used lately."""
        fresh = [each for each in templates if each[1] not in self._recent] or templates
        chosen = self._random.choice(fresh)
        self._recent.append(chosen[1])
        return chosen

    def _impact(self, direction: int, instrument: Instrument | None) -> Impact:
        scale = 0.0006 if instrument is None else 0.0012 + 0.004 * instrument.volatility
        size = scale * self._random.uniform(0.7, 1.8) * direction
        return Impact(0.6 * size, 0.4 * size)


def _favourite(random: Random, instruments: Sequence[Instrument]) -> Instrument:
    """Choose one; those at the head of the catalogue make the news more often."""
    return instruments[int(random.random() ** 1.6 * len(instruments))]


def _short_name(instrument: Instrument | None) -> str:
    if instrument is None:
        return ""
    name = instrument.description.removesuffix(" / Tether").removesuffix(" Class A").removeprefix("The ")
    for end in _NAME_ENDS:
        name = name.removesuffix(end)
    return name
