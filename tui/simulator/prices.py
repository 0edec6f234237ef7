"""Random returns that hang together: a market, its sectors, and volatility that comes in clusters."""

from math import exp
from random import Random
from typing import Final

from tui.simulator.instruments import Instrument, per_second

STEPS_PER_S: Final = 10

_MARKET_VOLATILITY: Final = 0.15
_SECTOR_VOLATILITY: Final = 0.10
_CRYPTO_VOLATILITY: Final = 0.42
# Coins feel the stock market a little.
_CRYPTO_BETA: Final = 0.8


def stream(seed: int, *names: object) -> Random:
    """Make the random stream of one part of the market.

    Parts that draw from streams of their own do not disturb each other: a symbol's prices stay the same whoever
    else is looked at. Text seeds go through SHA-512, so they do not depend on `PYTHONHASHSEED`.
    """
    return Random("/".join(str(each) for each in (seed, *names)))


class Clustering:
    """A volatility multiplier around 1 that large moves push up and calm lets sink, over a minute or so."""

    __slots__ = ("_log", "value")

    def __init__(self) -> None:
        self._log = 0.0
        self.value = 1.0

    def update(self, normal: float) -> float:
        """Take in the standard normal draw of a step; return the multiplier for the next."""
        # 0.8 is the mean of |normal|, so the pushes cancel out in the long run.
        self._log = self._log * 0.998 + 0.022 * (abs(normal) - 0.8)
        self.value = exp(self._log)
        return self.value


class Factors:
    """Returns of one step that many symbols share: the stock market, its sectors, and coins."""

    def __init__(self, seed: int, instruments: list[Instrument]) -> None:
        scale = STEPS_PER_S**-0.5
        self._stocks_random = stream(seed, "factors", "stocks")
        self._crypto_random = stream(seed, "factors", "crypto")
        self._market_sigma = per_second(_MARKET_VOLATILITY, always_open=False) * scale
        self._sector_sigma = per_second(_SECTOR_VOLATILITY, always_open=False) * scale
        self._crypto_sigma = per_second(_CRYPTO_VOLATILITY, always_open=True) * scale
        self._clustering = Clustering()
        self._crypto_clustering = Clustering()
        self.market = 0.0
        """Return of the stock market in this step."""
        self.crypto = 0.0
        """Return of coins in this step."""
        self.sectors = {each.sector: 0.0 for each in instruments if each.kind == "stock"}
        """What each sector returns beyond the market."""

    def step(self, activity: float) -> None:
        """Draw the returns of one step; `activity` of 0 closes the stock market, less than 1 calms it."""
        if activity > 0:
            gauss = self._stocks_random.gauss
            calm = activity**0.5
            normal = gauss(0.0, 1.0)
            self.market = normal * self._market_sigma * self._clustering.value * calm
            self._clustering.update(normal)
            for sector in self.sectors:
                self.sectors[sector] = gauss(0.0, 1.0) * self._sector_sigma * self._clustering.value * calm
        normal = self._crypto_random.gauss(0.0, 1.0)
        self.crypto = normal * self._crypto_sigma * self._crypto_clustering.value
        self._crypto_clustering.update(normal)
        if activity > 0:
            self.crypto += _CRYPTO_BETA * self.market

    def on(self, instrument: Instrument) -> float:
        """What this step's shared returns do to a stock or a coin, as a logarithmic return."""
        if instrument.kind == "crypto":
            return instrument.beta * self.crypto
        return instrument.beta * self.market + self.sectors[instrument.sector]
