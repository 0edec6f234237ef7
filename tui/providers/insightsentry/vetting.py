"""Codes are looked up by REST before they are sent: an unknown one stops a whole list (protocol reference 7.1, 7.3)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from tui.errors import TickdeckError
from tui.market.names import Subscription, Symbol, Wants
from tui.providers.base import SymbolMatch, SymbolTable
from tui.providers.insightsentry.live import topic_of
from tui.providers.insightsentry.rest import Rest
from tui.providers.insightsentry.symbols import to_code
from tui.providers.insightsentry.trials import Trials

MOST_SYMBOLS: Final = 12
"""Symbols looked up for one list; the rest is sent unseen, so that a long list does not use up the plan's requests."""
AT_ONCE: Final = 4
MOST_MATCHES: Final = 50
OPTIONS: Final = "OPRA:"
"""Search is not said to know these (11.1)."""
UNKNOWN: Final = "InsightSentry does not know this symbol"


class Vetting:
    """Looks up what only our rules vouch for, and refuses what the server does not know.

    Args:
        symbols: The provider's table of codes; searching adds to it.
        trials: What is known of codes, and where refusals are kept for the codec.
        search: The provider's search.
        rest: Its REST calls.
        now_ns: UTC nanoseconds.
    """

    def __init__(
        self,
        symbols: SymbolTable,
        trials: Trials,
        search: Callable[[str, int], Awaitable[Sequence[SymbolMatch]]],
        rest: Rest,
        now_ns: Callable[[], int],
    ) -> None:
        self._symbols = symbols
        self._trials = trials
        self._search = search
        self._rest = rest
        self._now_ns = now_ns
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def vet(self, want: Wants) -> None:
        """Look up the doubtful symbols; where REST fails nothing is refused. Each result counts as it comes."""
        doubtful: defaultdict[Symbol, list[Subscription]] = defaultdict(list)
        for each in sorted(want, key=str):
            if each.symbol is not None and self._is_doubtful(each):
                doubtful[each.symbol].append(each)
        await asyncio.gather(*(self._look_up(symbol, doubtful[symbol]) for symbol in list(doubtful)[:MOST_SYMBOLS]))

    def _is_doubtful(self, want: Subscription) -> bool:
        topic = topic_of(want, self._code)
        if topic is None or topic.code.startswith(OPTIONS) or self._trials.is_known(topic.code):
            return False
        was_found = topic.code in self._symbols.kept.values() or topic.code in self._symbols.found.values()
        return not was_found and self._trials.refusal(topic, self._now_ns()) is None

    async def _look_up(self, symbol: Symbol, wants: Iterable[Subscription]) -> None:
        try:
            async with self._at_once:
                is_known = await self._is_known(symbol)
        except TickdeckError:
            return
        topics = [topic for each in wants if (topic := topic_of(each, self._code))]
        if is_known:
            for topic in topics:
                self._trials.vouch(topic.code)
        else:
            self._trials.refuse(topics, UNKNOWN, self._now_ns(), stops_lists=True)

    async def _is_known(self, symbol: Symbol) -> bool:
        """Whether search lists the code, or the server has facts about it: search may not list everything."""
        found = await self._search((self._code(symbol) or symbol).rpartition(":")[2], MOST_MATCHES)
        code = self._code(symbol)  # search may have found a better one than the rules
        return code is None or any(match.code == code for match in found) or await self._rest.is_there(code)

    def _code(self, symbol: Symbol) -> str | None:
        return self._symbols.code(symbol, to_code)
