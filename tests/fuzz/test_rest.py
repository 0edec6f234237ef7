"""REST answers: whatever comes back, a provider gives events that are possible or raises one of our own errors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.day.server import MemoryServer
from tests.fuzz.mutations import values
from tests.providers.contract import drained
from tui.clock import ManualClock
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.errors import RestError, TickdeckError
from tui.feeds.hub import FeedHub
from tui.market.names import Interval, Kind, Subscription, Symbol
from tui.market.store import MarketStore
from tui.market.text import clean
from tui.providers.aries import AriesProvider
from tui.providers.aries.simulator.tokens import CLIENT, REFRESH
from tui.providers.base import Provider
from tui.providers.insightsentry import InsightSentry
from tui.providers.parse import load_json
from tui.simulator.market import SimulatedMarket

BARS = Subscription(Kind.BAR, Symbol("AAPL"), Interval.M5)
MARKET = SimulatedMarket(7, ManualClock().now_ns())
Call = Callable[[Provider], Awaitable[Any]]


async def more(provider: Provider) -> Any:
    """What only some providers can be asked."""
    match provider:
        case InsightSentry():
            return await provider.quotes([Symbol("AAPL"), Symbol("SPX")])
        case AriesProvider():
            return [*await provider.news(Symbol("AAPL")), *await provider.watchlists()]
    return []


CALLS: dict[str, Call] = {
    "search": lambda provider: provider.search("apple", 20),
    "history": lambda provider: provider.history(BARS, 100),
    "verify": lambda provider: provider.verify(),
    "credential": lambda provider: provider.credential(provider.channels[-1].name, fresh=True),
    "upkeep": lambda provider: provider.upkeep(),
    "more": more,
}


class BrokenServer(MemoryServer):
    """Its answers are nearly right."""

    def __init__(self, now_ns: Callable[[], int], data: st.DataObject) -> None:
        super().__init__(now_ns, MARKET)
        self._data = data

    def _answer(self, method: str, url: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Any:
        good = super()._answer(method, url, query, headers, body)
        broken = self._data.draw(values([good]) | st.just(good), label=url)
        try:
            return load_json(json.dumps(broken))  # as it is read: some of it is no JSON to us
        except ValueError as error:
            raise RestError("the answer is no JSON") from error


def providers(server: MemoryServer, clock: ManualClock, folder: Path) -> dict[str, Provider]:
    settings_ = server.settings()
    settings_["insightsentry"]["key"] = "rapidapi"
    tokens = {"refresh_token": REFRESH, "client_id": CLIENT}
    secrets = FixedSecrets({**server.credentials(), "aries": tokens})
    config = Config().with_providers(settings_, only=True)
    hub = FeedHub(config, MarketStore(clock.now_ns), secrets, server, clock, state_dir=folder)
    return hub.providers


@pytest.mark.fault("M55")
@pytest.mark.parametrize("name", ["aries", "insightsentry", "quantcite"])
@pytest.mark.parametrize("call", CALLS)
@given(data=st.data())
@settings(deadline=None)
def test_no_answer_makes_a_provider_raise_anything_but_its_own(
    tmp_path_factory: pytest.TempPathFactory, name: str, call: str, data: st.DataObject
) -> None:
    clock = ManualClock()
    provider = providers(BrokenServer(clock.now_ns, data), clock, tmp_path_factory.getbasetemp() / "fuzz")[name]

    async def ask() -> Any:
        try:
            return await CALLS[call](provider)
        except TickdeckError as error:
            return str(error)

    answer = asyncio.run(ask())
    if isinstance(answer, list) and call in ("history", "more"):
        drained(answer)
    elif isinstance(answer, str):
        assert clean(answer) == answer
