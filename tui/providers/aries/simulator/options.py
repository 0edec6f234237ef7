"""Option contracts that are made up from the simulated stocks: a plain Black-Scholes price and its Greeks."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from tui.clock import NS

_CODE: Final = re.compile(r"([A-Z][A-Z0-9.]{0,5})(\d{2})(\d{2})(\d{2})([CP])(\d{8})")
_RATE: Final = 0.04
_YEAR_S: Final = 365.0 * 86_400
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Contract:
    """What the code of an option says: `AAPL261218C00200000`."""

    root: str
    expires_ns: int
    is_call: bool
    strike: float

    @classmethod
    def parse(cls, code: str) -> Contract | None:
        """From a code, or None when it is not one."""
        match = _CODE.fullmatch(code)
        if match is None:
            return None
        root, year, month, day, right, strike = match.groups()
        try:
            expires = datetime(2000 + int(year), int(month), int(day), 21, tzinfo=UTC)
        except ValueError:
            return None
        return cls(root, int(expires.timestamp()) * NS, right == "C", int(strike) / 1000)


@dataclass(frozen=True, slots=True)
class Value:
    """What a contract is worth, in dollars, and how that changes."""

    price: Decimal
    delta: float
    gamma: float
    theta: float
    vega: float
    rho: float
    volatility: float


def value(contract: Contract, spot: Decimal, volatility: float, now_ns: int) -> Value:
    """Price a contract; `volatility` is yearly, and rises away from the money."""
    years = max((contract.expires_ns - now_ns) / NS, 3600.0) / _YEAR_S
    at, strike = float(spot), contract.strike
    sigma = volatility * (1 + 0.6 * abs(math.log(at / strike)))
    root = sigma * math.sqrt(years)
    d1 = (math.log(at / strike) + (_RATE + sigma * sigma / 2) * years) / root
    d2 = d1 - root
    sign = 1.0 if contract.is_call else -1.0
    discount = strike * math.exp(-_RATE * years)
    price = sign * (at * _normal(sign * d1) - discount * _normal(sign * d2))
    density = math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
    decay = -at * density * sigma / (2 * math.sqrt(years)) - sign * _RATE * discount * _normal(sign * d2)
    return Value(
        price=max(Decimal(repr(round(price, 2))), _CENT),
        delta=round(sign * _normal(sign * d1), 4),
        gamma=round(density / (at * root), 4),
        theta=round(decay / 365, 4),
        vega=round(at * density * math.sqrt(years) / 100, 4),
        rho=round(sign * discount * years * _normal(sign * d2) / 100, 4),
        volatility=round(sigma, 4),
    )


def _normal(x: float) -> float:
    return (1 + math.erf(x / math.sqrt(2))) / 2
