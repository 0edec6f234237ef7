"""FeedConnection: the state loop of one channel, for as long as the program runs."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Final

from tui.clock import NS, Clock
from tui.errors import RestError
from tui.feeds.backoff import Backoff
from tui.feeds.jumps import JumpWatch
from tui.feeds.link import Link, Surroundings
from tui.feeds.outcome import Outcome, classify
from tui.feeds.oversize import Oversize, excused
from tui.feeds.pacing import DialLimiter, SendLimiter
from tui.feeds.transport import Connect, Transport, WebSocketConnector
from tui.market.events import Event, Notice, Status
from tui.market.health import FeedStats
from tui.market.names import Subscription, Wants
from tui.market.terms import FeedState
from tui.providers.base import Channel, Codec, Credential, Provider, Then
from tui.redaction import MASK, MIN_SECRET

log = logging.getLogger(__name__)

CREDENTIAL_S: Final = 30.0
STOP_S: Final = 2.0
PLANNED_IN_A_ROW: Final = 2
BUG_WINDOW_S: Final = 600.0
FLAPS: Final = 5
FLAP_WINDOW_S: Final = 600.0
"""A feed that was lost `FLAPS` times within this time is said to be unstable."""
MAX_REFUSED: Final = 1000

_INTERRUPTED: Final = Outcome(Then.IDLE, "interrupted")


class FeedConnection:
    """One channel of a provider: dials while something is wanted, logs in, receives, backs off, and says so.

    `idle` (nothing wanted) → `connecting` → `authenticating` → `live` → `backing off` → …; `failed` waits for
    `retry_now`. Each change is a `Status` event.

    Args:
        provider: Makes codecs, credentials and history.
        channel: The socket.
        sink: Takes every event, at once.
        stats: Counters, shared with whoever shows them.
        clock: Stamps and timers.
        limiter: Budget of subscribe frames, shared by all that use the key.
        random: For the jitter.
        connect: Opens the channel.
        dials: Budget of dials, shared by all feeds.
        tick_s: Between two ticks of the codec and the watchdogs.
    """

    def __init__(
        self,
        provider: Provider,
        channel: Channel,
        sink: Callable[[Event], None],
        stats: FeedStats,
        clock: Clock,
        limiter: SendLimiter,
        random: Random,
        connect: Connect | None = None,
        dials: DialLimiter | None = None,
        *,
        tick_s: float = 1.0,
    ) -> None:
        self.provider = provider
        self.channel = channel
        self.stats = stats
        self.refused: set[Subscription] = set()
        """What this source will not serve, until somebody calls `forgive` or `retry_now`."""
        self._sink = sink
        self._clock = clock
        self._limiter = limiter
        self._connect = connect or WebSocketConnector()
        self._dials = dials or DialLimiter(clock)
        self._tick_s = tick_s
        self._jumps = JumpWatch(clock)
        self._backoff = Backoff(channel.limits, random)
        self._wants: Wants = frozenset()
        self._status: tuple[FeedState, str, str, int | None] = (FeedState.IDLE, "", "", None)
        self._live_since: float | None = None
        self._link: Link | None = None
        self._opening: asyncio.Task[tuple[Transport, Codec]] | None = None
        self._not_before = 0.0
        self._planned = self._strikes = 0
        self._bugs: deque[float] = deque(maxlen=16)
        self._losses: deque[float] = deque(maxlen=FLAPS)
        self._secret = ""
        self._oversize = Oversize()
        self._delivered: Wants = frozenset()
        self._is_refreshed = self._needs_fresh = False
        self._is_stopping = False
        self._detail = ""
        self._until_change = False
        self._changed = asyncio.Event()
        self._finished = asyncio.Event()
        self._finished.set()

    @property
    def name(self) -> str:
        """`<provider>:<channel>`."""
        return f"{self.provider.name}:{self.channel.name}"

    @property
    def state(self) -> FeedState:
        """What it is doing."""
        return self._status[0]

    @property
    def reason(self) -> str:
        """Why it is in this state, for a person."""
        return self._status[1]

    @property
    def is_live(self) -> bool:
        """Connected and logged in."""
        return self.state is FeedState.LIVE

    @property
    def live_since(self) -> float | None:
        """Monotonic seconds of the present login, or None while not live."""
        return self._live_since

    @property
    def has_data(self) -> bool:
        """Whether the present connection has delivered a record."""
        return self._link is not None and self._link.has_data

    @property
    def wants(self) -> Wants:
        """What it should deliver."""
        return self._wants

    def set_wants(self, wants: Wants) -> None:
        """What it should deliver from now on. Nothing lets it go idle."""
        if wants == self._wants:
            return
        self._wants = wants
        self.stats.subscriptions = len(wants)
        if self._link is not None:
            self._link.set_wants(wants)
        elif not wants:
            self._interrupt_opening()
        elif self._until_change and self.state is FeedState.FAILED:
            self._change(FeedState.IDLE)
        self._changed.set()

    def release(self) -> None:
        """Decode what waits for somebody to look."""
        if self._link is not None:
            self._link.release()

    def ask_again(self) -> None:
        """Ask again for what it should deliver: the provider was told to deliver it otherwise."""
        if self._link is not None:
            self._link.ask_again()

    def retry_now(self) -> None:
        """Connect anew at once: from backing off, from failed, and from live too. Refusals are forgiven."""
        self.refused.clear()
        self.stats.refused.clear()
        self._not_before = 0.0
        self._planned = self._strikes = 0
        self._bugs.clear()
        self._is_refreshed = False
        if self.state is FeedState.FAILED:
            self._change(FeedState.IDLE)
        elif self.is_live and self._link is not None:
            self._link.end(Outcome(Then.RECONNECT, "reconnecting on request"))
        self._changed.set()

    def forgive(self, subscription: Subscription) -> None:
        """Forget that it was refused, so that it may be asked for again."""
        self.refused.discard(subscription)
        self.stats.refused.pop(str(subscription), None)

    def refresh_note(self, *more: str) -> None:
        """Note anew what the login said, what the provider says of its budgets, and `more`, a line each."""
        lines = (self._detail, self.provider.note(self.channel.name), *more)
        self.stats.note = "\n".join(line for line in lines if line)

    async def stop(self) -> None:
        """End `run`: close the socket with 1000, or break off what is under way, within two seconds."""
        self._is_stopping = True
        if self._link is not None:
            self._link.end(Outcome(Then.IDLE, "stopped"))
        self._interrupt_opening()
        self._changed.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self._finished.wait()

    async def run(self) -> None:
        """Do all of it until `stop` or cancellation; nothing that a server does ends it."""
        self._finished.clear()
        try:
            while not self._is_stopping:
                if self.state is FeedState.FAILED:
                    await self._wait()
                elif not self._wants:
                    self._change(FeedState.IDLE)
                    await self._wait()
                elif (delay_s := self._not_before - self._clock.monotonic()) > 0:
                    await self._wait(delay_s)
                else:
                    await self._attempt()
        finally:
            self._change(FeedState.IDLE)
            self._finished.set()

    async def _wait(self, seconds: float | None = None) -> None:
        """Until somebody changed something, or time is up, or a sleep of the machine has made waiting pointless."""
        self._changed.clear()
        if self._jumps.jumped():
            self._not_before = 0.0
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(None if seconds is None else min(seconds, self._tick_s)):
                await self._changed.wait()

    async def _attempt(self) -> None:
        """One connection, from the dial to its end and what follows."""
        self._change(FeedState.CONNECTING)
        try:
            transport, codec = await self._open()
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) and task.cancelling():
                raise
            self._follow(_INTERRUPTED)  # only the dial was cancelled, by `_interrupt_opening`
        except Exception as error:
            self._follow(self._classify(error))
        else:
            await self._converse(transport, codec)

    async def _open(self) -> tuple[Transport, Codec]:
        opening = self._opening = asyncio.create_task(self._dial())
        try:
            return await opening
        except asyncio.CancelledError:
            if opening.done() and not opening.cancelled() and opening.exception() is None:
                await opening.result()[0].close()  # it opened in the very moment of the cancellation
            raise
        finally:
            self._opening = None

    async def _dial(self) -> tuple[Transport, Codec]:
        codec = self.provider.codec(self.channel.name, await self._credential())
        await self._dials.acquire()
        async with self.provider.dialling(self.channel.name):
            self.stats.attempts += 1
            return await self._connect(self.channel), codec

    async def _credential(self) -> Credential:
        is_fresh = self._needs_fresh
        try:
            async with asyncio.timeout(CREDENTIAL_S):
                credential = await self.provider.credential(self.channel.name, fresh=is_fresh)
        except TimeoutError as error:
            raise RestError("the credential did not come in time") from error
        if is_fresh:
            self._needs_fresh, self._is_refreshed = False, True
        self._secret = credential.secret.get_secret_value()
        return credential

    async def _converse(self, transport: Transport, codec: Codec) -> None:
        """Run a link to its end. The state changes before the socket is closed: that may take a while."""
        try:
            is_due = self._wants and not self._is_stopping
            self._follow(await self._run_link(transport, codec) if is_due else _INTERRUPTED)
        except asyncio.CancelledError:
            self._change(FeedState.IDLE)
            raise
        finally:
            self._link = None
            await transport.close()

    async def _run_link(self, transport: Transport, codec: Codec) -> Outcome:
        self.stats.connects += 1
        self.stats.reconnects = self.stats.connects - 1
        self._change(FeedState.AUTHENTICATING)
        link = self._link = Link(transport, codec, self._wants, self._surroundings())
        try:
            return await link.run()
        except Exception as error:
            return self._classify(error)
        finally:
            self._delivered = (self._delivered | link.delivered) & self._wants
            live_s = 0.0 if self._live_since is None else self._clock.monotonic() - self._live_since
            if self._backoff.ended(live_s, link.frames_live > 0):
                self._planned = self._strikes = 0
                self._is_refreshed = False

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            self.provider,
            self.channel,
            self._emit,
            self._logged_in,
            self.stats,
            self._clock,
            self._limiter,
            self._tick_s,
        )

    def _classify(self, error: Exception) -> Outcome:
        outcome = classify(error, self.provider.name)
        if outcome.is_bug:
            log.error("%s: internal error", self.name, exc_info=error)
        return outcome

    def _interrupt_opening(self) -> None:
        if self._opening is not None:
            self._opening.cancel()

    def _follow(self, outcome: Outcome) -> None:
        """Go on after the end of an attempt as its outcome says."""
        if self._is_stopping or not self._wants:
            self._change(FeedState.IDLE)
            return
        if blamed := self._oversize.blame(outcome, self._wants, self._delivered):
            self._give_up(blamed, outcome.reason)
            outcome = excused(outcome)
        can_refresh = outcome.refresh and not self._is_refreshed
        self._needs_fresh |= can_refresh
        self._until_change = outcome.until_change
        if outcome.then is Then.FAIL and not can_refresh:
            self._change(FeedState.FAILED, outcome.reason, outcome.remedy, needs_key=outcome.needs_key)
        elif outcome.then is Then.RETRY and self._is_out_of_patience(outcome):
            self._change(FeedState.FAILED, outcome.reason, outcome.remedy or "Retry when it is repaired.")
        elif outcome.then is Then.RETRY or self._planned >= PLANNED_IN_A_ROW:
            self._back_off(self._with_flaps(outcome.reason), self._backoff.next(outcome.delay_s), outcome.remedy)
        else:
            self._planned += 1
            self._back_off(outcome.reason, outcome.delay_s, outcome.remedy)

    def _give_up(self, subscription: Subscription, reason: str) -> None:
        """Refuse a subscription by ourselves, so that the others live."""
        self._emit(
            Notice(
                source=self.provider.name,
                ts_recv_ns=self._clock.now_ns(),
                feed=self.name,
                text=f"given up: {reason}",
                subscription=subscription,
                refused=True,
                ours=True,
            )
        )

    def _back_off(self, reason: str, delay_s: float, remedy: str) -> None:
        self._not_before = self._clock.monotonic() + delay_s
        self._change(FeedState.BACKING_OFF, reason, remedy, delay_s)

    def _with_flaps(self, reason: str) -> str:
        """The reason for a loss, and whether it keeps happening to a connection that works in between."""
        now = self._clock.monotonic()
        if self._live_since is not None:
            self._losses.append(now)
        is_unstable = len(self._losses) == FLAPS and now - self._losses[0] < FLAP_WINDOW_S
        return f"{reason}; unstable, lost {FLAPS} times in 10 min" if is_unstable else reason

    def _is_out_of_patience(self, outcome: Outcome) -> bool:
        if not outcome.patience:
            return False
        if not outcome.is_bug:
            self._strikes += 1
            return self._strikes >= outcome.patience
        now = self._clock.monotonic()
        self._bugs.append(now)
        return sum(now - at < BUG_WINDOW_S for at in self._bugs) >= outcome.patience

    def _logged_in(self, detail: str) -> None:
        self._live_since = self._clock.monotonic()
        self.stats.live_since_ns = self._clock.now_ns()  # before the status: values of now are live at once
        self._detail = detail
        self.refresh_note()
        self._change(FeedState.LIVE, detail)

    def _emit(self, event: Event) -> None:
        if isinstance(event, Notice) and event.refused and event.subscription and len(self.refused) < MAX_REFUSED:
            self.refused.add(event.subscription)
            self.stats.refused[str(event.subscription)] = event.text
        self._sink(event)

    def _change(
        self,
        state: FeedState,
        reason: str = "",
        remedy: str = "",
        retry_in_s: float | None = None,
        *,
        needs_key: bool = False,
    ) -> None:
        now_ns = self._clock.now_ns()
        retry_at_ns = None if retry_in_s is None else now_ns + int(retry_in_s * NS)
        if len(self._secret) >= MIN_SECRET:
            reason = reason.replace(self._secret, MASK)  # servers like to repeat what they refuse
        if (state, reason, remedy, retry_at_ns) == self._status:
            return
        if state is not FeedState.LIVE:
            self._live_since = self.stats.live_since_ns = self.stats.behind_since_ns = None
        self._status = (state, reason, remedy, retry_at_ns)
        log.info("%s %s%s", self.name, state, f": {reason}" if reason else "")
        self._sink(
            Status(
                source=self.provider.name,
                ts_recv_ns=now_ns,
                feed=self.name,
                state=state,
                reason=reason,
                remedy=remedy,
                retry_at_ns=retry_at_ns,
                needs_key=needs_key,
            )
        )
