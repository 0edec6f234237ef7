"""What is done every few seconds beside the feeds: budgets saved and shown, other users of a key noticed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

from tui.clock import Clock
from tui.errors import TickdeckError
from tui.feeds.connection import FeedConnection
from tui.feeds.instances import Instances
from tui.feeds.pacing import SendLimiter
from tui.market.events import Notice
from tui.market.terms import Severity
from tui.providers.base import Provider

log = logging.getLogger(__name__)

BEAT_S: Final = 2.0
CLAIM_S: Final = 30.0
"""Between two looks at who else uses a key, unless a feed was dialled meanwhile."""
LOOK_S: Final = 30.0
"""Longest upkeep of one provider: it may ask by HTTP."""
LAST_S: Final = 1.0
"""The same when the program ends."""
SHARED: Final = "the key is also used by another tickdeck"


class Upkeep:
    """Looks after the providers whose feeds are in use.

    Args:
        providers: By name.
        feeds: By `<provider>:<channel>`.
        limiters: Budgets of subscribe frames by provider.
        instances: Who else uses a key.
        clock: Timers and stamps.
        notify: Takes notices.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        feeds: Mapping[str, FeedConnection],
        limiters: Mapping[str, SendLimiter],
        instances: Instances,
        clock: Clock,
        notify: Callable[[Notice], None],
    ) -> None:
        self._providers = providers
        self._feeds = feeds
        self._limiters = limiters
        self._instances = instances
        self._clock = clock
        self._notify = notify
        self._shared: set[str] = set()
        self._claims: dict[str, tuple[int, float]] = {}

    async def run(self) -> None:
        """Look after all of them until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(BEAT_S)

    async def look(self) -> None:
        """Look after each once; a mistake of one costs the others nothing."""
        await asyncio.gather(*(self._look(provider) for provider in self._used()))

    async def close(self) -> None:
        """Save what is to be saved, and let go of the keys."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_S):
                    await asyncio.gather(*(self._tend(provider, is_last=True) for provider in self._used()))
        finally:
            self._instances.close()

    def _used(self) -> list[Provider]:
        return [
            provider
            for provider in self._providers.values()
            if any(feed.wants or feed.stats.attempts for feed in self._feeds_of(provider))
        ]

    async def _look(self, provider: Provider) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                await self._claim(provider)
                await self._tend(provider)
        except TimeoutError:
            log.info("%s: the upkeep took too long", provider.name)
        for feed in self._feeds_of(provider):
            feed.refresh_note(SHARED if provider.name in self._shared else "")

    async def _tend(self, provider: Provider, *, is_last: bool = False) -> None:
        try:
            self._publish(await provider.upkeep(is_last=is_last))
        except TickdeckError as error:
            log.info("%s: %s", provider.name, error)
        except Exception:  # a mistake of ours must not stop the others
            log.exception("%s: the upkeep failed", provider.name)

    async def _claim(self, provider: Provider) -> None:
        """Say it once when somebody else holds the key, and leave half of the minute's budget to them."""
        dials, now = self._dials(provider), self._clock.monotonic()
        asked = self._claims.get(provider.name)
        if asked is not None and asked[0] == dials and now - asked[1] < CLAIM_S:
            return
        self._claims[provider.name] = dials, now
        was_shared = provider.name in self._shared
        is_shared = await self._instances.is_shared(provider)
        self._limiters[provider.name].sharers = 2 if is_shared else 1
        (self._shared.add if is_shared else self._shared.discard)(provider.name)
        if is_shared and not was_shared:
            self._publish([self._shared_notice(provider)])

    def _shared_notice(self, provider: Provider) -> Notice:
        title = provider.title
        text = f"another tickdeck uses the same {title} key: {title} may cut both. Close one of them."
        return Notice(source=provider.name, ts_recv_ns=self._clock.now_ns(), severity=Severity.WARNING, text=text)

    def _publish(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            self._notify(notice)

    def _dials(self, provider: Provider) -> int:
        return sum(feed.stats.attempts for feed in self._feeds_of(provider))

    def _feeds_of(self, provider: Provider) -> list[FeedConnection]:
        return [feed for feed in self._feeds.values() if feed.provider is provider]
