"""What sources refuse of a symbol, gathered over kinds and sources and said once, when nobody is left to ask."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Final

from tui.clock import NS
from tui.feeds.search import SearchMatch, SearchResult
from tui.market.events import Notice
from tui.market.names import Subscription, Symbol, Wants
from tui.market.store import Freshness, MarketStore
from tui.market.terms import Severity

OWN: Final = "tickdeck"
"""Source of what no provider says: it follows from what all of them say."""
PATIENCE_S: Final = 10.0
"""What has neither come nor been refused for so long is not waited for."""
MOST_SYMBOLS: Final = 200
MOST_SUGGESTIONS: Final = 20
MOST_MATCHES: Final = 6
MOST_SUGGESTED: Final = 3
SHORTEST: Final = 2
"""Letters that are worth a search."""


def did_you_mean(suggestions: Sequence[str]) -> str:
    """The best few suggestions as a question, or ""."""
    return f"Did you mean {', '.join(suggestions[:MOST_SUGGESTED])}?" if suggestions else ""


@dataclass(slots=True)
class _Case:
    """What is known of a symbol that somebody refused: the newest refusal of each subscription, and what was told."""

    since_ns: int
    refusals: dict[Subscription, Notice] = field(default_factory=dict)
    suggestions: dict[str, None] = field(default_factory=dict)
    told: frozenset[Subscription] = frozenset()


class Refusals:
    """Gathers refusals and makes one notice a symbol of them.

    Args:
        store: Knows who serves what, and what has come.
        wanted: All that somebody wants.
        search: Asks all providers for symbols.
        publish: Takes the notices.
    """

    def __init__(
        self,
        store: MarketStore,
        wanted: Callable[[], Wants],
        search: Callable[[str, int], Awaitable[SearchResult]],
        publish: Callable[[Notice], None],
    ) -> None:
        self._store = store
        self._wanted = wanted
        self._search = search
        self._publish = publish
        self._cases: dict[Symbol, _Case] = {}
        self._looking = asyncio.Lock()
        self._has_cases = asyncio.Event()

    def note(self, notice: Notice) -> None:
        """A source has refused something."""
        subscription = notice.subscription
        if subscription is None or subscription.symbol is None:
            return
        if len(self._cases) >= MOST_SYMBOLS and subscription.symbol not in self._cases:
            return
        case = self._cases.setdefault(subscription.symbol, _Case(self._store.now_ns()))
        self._has_cases.set()
        case.refusals[subscription] = notice
        room = MOST_SUGGESTIONS - len(case.suggestions)
        case.suggestions |= dict.fromkeys(notice.suggestions[: max(0, room)])

    async def some(self) -> None:
        """Wait until anything is refused that somebody wants; returns at once while that is so."""
        await self._has_cases.wait()

    async def look(self) -> None:
        """Say what has been decided since the last call; call it a few times a second while there are `some`."""
        async with self._looking:
            await self._look()

    async def _look(self) -> None:
        wanted: dict[Symbol, list[Subscription]] = {}
        for each in sorted(self._wanted(), key=str):
            if each.symbol in self._cases:
                wanted.setdefault(each.symbol, []).append(each)
        self._cases = {symbol: case for symbol, case in self._cases.items() if symbol in wanted}
        if not self._cases:
            self._has_cases.clear()
        for symbol, subscriptions in wanted.items():
            await self._judge(symbol, subscriptions)

    async def _judge(self, symbol: Symbol, wanted: Sequence[Subscription]) -> None:
        case = self._cases[symbol]
        gone = [each for each in wanted if self._store.serving(each) is None]
        refused = [each for each in gone if each in case.refusals]
        if not refused or case.told.issuperset(refused):
            return
        if len(gone) == len(wanted):
            is_first, case.told = not case.told, frozenset(refused)
            ours = next((notice.text for each in refused if (notice := case.refusals[each]).ours), "")
            text, alike = (ours, []) if ours else await self.explain(symbol, refused)
            suggestions = case.suggestions | dict.fromkeys(alike)
            self._say(text, refused, suggestions, Severity.ERROR if is_first else Severity.INFO)
        elif not self._is_undecided(case, wanted):
            case.told = frozenset(refused)
            kinds = ", ".join(dict.fromkeys(each.kind.value for each in refused))
            self._say(f"no {kinds}: {case.refusals[refused[0]].text}", refused[:1], case.suggestions, Severity.WARNING)

    def _is_undecided(self, case: _Case, wanted: Sequence[Subscription]) -> bool:
        """Whether something of it may still come, or be refused."""
        if self._store.now_ns() - case.since_ns > PATIENCE_S * NS:
            return False
        open_ = (each for each in wanted if self._store.serving(each) is not None)
        return any(self._store.freshness(each) is Freshness.ABSENT for each in open_)

    async def explain(self, symbol: Symbol, missing: Sequence[Subscription]) -> tuple[str, list[Symbol]]:
        """Why nobody serves a symbol: nobody has it (then what is spelled like it follows), or nobody offers that."""
        found = await self._like(symbol)
        if any(match.symbol == symbol for match in found):
            return f"no provider offers its {', '.join(sorted({each.kind.value for each in missing}))}", []
        return "no provider knows it", [match.symbol for match in found]

    async def _like(self, symbol: Symbol) -> list[SearchMatch]:
        """What search finds, or else finds without the last letter: the closest spelling first."""
        for query in (symbol, symbol[:-1]):
            if len(query) >= SHORTEST and (found := (await self._search(query, MOST_MATCHES)).matches):
                return sorted(found, key=lambda match: -SequenceMatcher(None, match.symbol, symbol).ratio())
        return []

    def _say(self, text: str, about: Sequence[Subscription], suggestions: dict[str, None], severity: Severity) -> None:
        """One notice that is shown, and a quiet one for each further subscription: each says why it is empty."""
        for number, subscription in enumerate(about):
            self._publish(
                Notice(
                    source=OWN,
                    ts_recv_ns=self._store.now_ns(),
                    severity=severity if number == 0 else Severity.INFO,
                    text=text,
                    subscription=subscription,
                    refused=True,
                    suggestions=tuple(suggestions),
                )
            )
