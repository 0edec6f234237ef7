"""Values that are computed, not traded: indices over a basket of stocks, and one of volatility."""

from collections.abc import Mapping
from math import exp, log
from typing import Final

from tui.simulator.bars import BarTable
from tui.simulator.instruments import Instrument
from tui.simulator.prices import STEPS_PER_S, stream
from tui.simulator.sessions import SECOND_NS

# How much of an index is in the basket below; the rest of it follows the market as a whole.
_BASKETS: Final[Mapping[str, tuple[float, Mapping[str, float]]]] = {
    "SPX": (
        0.6,
        {"AAPL": 14, "NVDA": 14, "MSFT": 13, "AMZN": 9, "META": 6, "GOOGL": 8, "TSLA": 5, "AVGO": 5, "JPM": 4, "LLY": 3}
        | {"V": 3, "XOM": 3, "UNH": 3, "JNJ": 3, "WMT": 3, "NFLX": 2, "CRM": 1, "ORCL": 1},
    ),
    "NDX": (
        0.8,
        {"AAPL": 14, "NVDA": 13, "MSFT": 12, "AMZN": 9, "AVGO": 7, "META": 6, "TSLA": 6, "GOOGL": 7, "NFLX": 4}
        | {"AMD": 2, "CSCO": 3, "ADBE": 2, "QCOM": 2, "INTC": 1},
    ),
    "DJI": (
        0.7,
        {"GS": 12, "UNH": 11, "MSFT": 9, "CRM": 7, "V": 6, "JPM": 5, "AMZN": 5, "AAPL": 4, "BA": 4, "CVX": 3, "JNJ": 3}
        | {"NVDA": 3, "DIS": 2, "WMT": 2, "KO": 2},
    ),
}
_STEPS_BETWEEN: Final = 5
# The expected volatility comes back to where it was, over an hour or so.
_PULL: Final = 1 / (3_600 * STEPS_PER_S)


class Index:
    """An index: a value every half second of regular hours."""

    def __init__(self, instrument: Instrument, seed: int, start_ns: int, bars: BarTable) -> None:
        self.instrument = instrument
        self.bars = bars
        self.last = int(instrument.start_price / instrument.tick)
        self.last_ns = start_ns // SECOND_NS * SECOND_NS
        self.fair = float(self.last)
        self.change = 0.0
        """Logarithmic return in the latest step."""
        self._random = stream(seed, instrument.symbol, "index")
        self._sigma = instrument.own_sigma * STEPS_PER_S**-0.5
        self._anchor = log(self.fair)
        self._basket_part, weights = _BASKETS.get(instrument.symbol, (0.0, {}))
        total = sum(weights.values())
        self._weights = {symbol: weight / total for symbol, weight in weights.items()}

    def step(
        self, moment: int, to_ns: int, market: float, changes: Mapping[str, float], activity: float, *, is_shown: bool
    ) -> bool:
        """Move on by one step.

        Args:
            moment: Number of the step.
            to_ns: When it ends, UTC.
            market: Return of the market in it.
            changes: Returns of the stocks in it.
            activity: How busy the session is, 1 for regular hours.
            is_shown: Whether values are published at all.

        Returns:
            Whether a new value was published.
        """
        basket = sum(weight * changes[symbol] for symbol, weight in self._weights.items())
        rest = self.instrument.beta * market + self._sigma * activity**0.5 * self._random.gauss(0.0, 1.0)
        self.change = self._basket_part * basket + (1 - self._basket_part) * rest
        if self.instrument.beta < 0:
            self.change += _PULL * (self._anchor - log(self.fair))
        self.fair *= exp(self.change)
        if not is_shown or moment % _STEPS_BETWEEN:
            return False
        value = round(self.fair)
        is_new = value != self.last
        self.last, self.last_ns = value, to_ns - 1
        self.bars.add(self.last_ns, value, 0)
        return is_new
