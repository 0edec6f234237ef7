"""Symbol search over several providers: answers merged by symbol and ranked by exactness."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tui.market.names import Symbol
from tui.providers.base import SymbolMatch


@dataclass(slots=True)
class SearchMatch:
    """An instrument that matches.

    Attributes:
        symbol: In the user's spelling.
        description: For people; the longest that a provider gave.
        kind: `stock`, `crypto`, …, or "".
        codes: The provider's own code, by the name of the provider that found it.
        carried_by: Providers that could serve something of it, the ones that found it first.
    """

    symbol: Symbol
    description: str = ""
    kind: str = ""
    codes: dict[str, str] = field(default_factory=dict)
    carried_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What all providers answered.

    Attributes:
        matches: Best first.
        errors: Why a provider did not answer, by its name.
    """

    matches: list[SearchMatch]
    errors: Mapping[str, str]


def merge(answers: Iterable[SymbolMatch], query: str, limit: int) -> list[SearchMatch]:
    """One match a symbol, the best `limit` of them, exact ones first."""
    found: dict[Symbol, SearchMatch] = {}
    for answer in answers:
        match = found.setdefault(answer.symbol, SearchMatch(answer.symbol))
        match.codes.setdefault(answer.provider, answer.code)
        match.description = max(match.description, answer.description, key=len)
        match.kind = match.kind or answer.kind
    return sorted(found.values(), key=lambda match: _rank(match, query))[:limit]


def _rank(match: SearchMatch, query: str) -> tuple[int, int, int, str]:
    """Smaller is better: how exact, then how many providers have it, then short symbols."""
    return _distance(match, query), -len(match.codes), len(match.symbol), match.symbol


def _distance(match: SearchMatch, query: str) -> int:
    """0 for the symbol itself, 5 for a mere relation."""
    asked = _letters(query)
    symbol, description = _letters(match.symbol), match.description.casefold()
    if symbol == asked:
        return 0
    if any(_letters(code.rpartition(":")[2]) == asked for code in match.codes.values()):
        return 1
    if symbol.startswith(asked):
        return 2
    if any(word.startswith(query.strip().casefold()) for word in description.split()):
        return 3
    return 4 if asked in symbol or query.strip().casefold() in description else 5


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
