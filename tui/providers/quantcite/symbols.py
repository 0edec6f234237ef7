"""Symbols and codes, both ways, and the index of pairs that search works on (reference, section 4.7).

QuantCite spells pairs as we do: `BTC/USDT`. What else its exchanges list (`BTC/USDT:USDT` for a future) passes through
unchanged once the index knows it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Final

from tui.errors import SymbolError
from tui.market.names import AssetClass, Symbol, asset_class, parse_symbol
from tui.providers.base import SymbolMatch

MAX_PAIRS: Final = 200_000
_NO_SEPARATORS: Final = str.maketrans("", "", "/- ")


class PairIndex:
    """Which pairs exist, and on which exchanges; filled once a run, shared by all connections of the provider."""

    def __init__(self) -> None:
        self.supported: frozenset[str] = frozenset()
        """Exchanges that the provider knows, or empty while it has not said."""
        self._venues: dict[str, list[str]] = {}
        self._compact: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._venues)

    def __contains__(self, code: object) -> bool:
        return code in self._venues

    def add(self, exchange: str, codes: Iterable[str]) -> None:
        """Take in the pairs of an exchange; beyond `MAX_PAIRS` new ones are left out."""
        for code in codes:
            venues = self._venues.get(code)
            if venues is None:
                if len(self._venues) >= MAX_PAIRS:
                    continue
                venues = self._venues[code] = []
                self._compact[code] = compact(code)
            if exchange not in venues:
                venues.append(exchange)

    def venues(self, code: str) -> tuple[str, ...]:
        """Exchanges that list a pair."""
        return tuple(self._venues.get(code, ()))

    def search(self, query: str, limit: int) -> list[str]:
        """Codes that match: the pair itself, then its exact base, then beginnings, then anything inside.

        Case, slash and dash do not matter. Equals are ordered by the number of exchanges, then by name.
        """
        wanted = compact(query)
        if not wanted:
            return []
        ranked = (
            (rank, -len(self._venues[code]), code)
            for code, letters in self._compact.items()
            if wanted in letters and (rank := _rank(wanted, letters, code)) is not None
        )
        return [code for _, _, code in heapq.nsmallest(limit, ranked)]


def compact(text: str) -> str:
    """Upper case without separators: `BTCUSDT` for `btc-usdt`."""
    return text.upper().translate(_NO_SEPARATORS)


def code_of(symbol: Symbol, index: PairIndex) -> str | None:
    """The provider's code by rule: a pair as it is spelled, or anything that the index lists."""
    return str(symbol) if asset_class(symbol) is AssetClass.PAIR or symbol in index else None


def symbol_of(code: str) -> Symbol | None:
    """The user's spelling of a code, or None when it is not one that a user could type."""
    try:
        return parse_symbol(code)
    except SymbolError:
        return None


def match(code: str, index: PairIndex) -> SymbolMatch | None:
    """A code as an answer of a search."""
    symbol = symbol_of(code)
    if symbol is None:
        return None
    base, _, quote = code.partition("/")
    venues = len(index.venues(code))
    description = f"{base} in {quote}, {venues} exchange{'' if venues == 1 else 's'}" if quote else code
    return SymbolMatch(symbol=symbol, code=code, description=description, kind="crypto", provider="quantcite")


def _rank(wanted: str, letters: str, code: str) -> int:
    base = compact(code.partition("/")[0])
    if letters == wanted:
        return 0
    if base == wanted:
        return 1
    return 2 if letters.startswith(wanted) else 3
