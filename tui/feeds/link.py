"""One open socket and its codec, from the upgrade to its end: reader, ticker and sender in one task group."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tui.clock import Clock
from tui.errors import TickdeckError
from tui.feeds import legibility
from tui.feeds.jumps import JumpWatch
from tui.feeds.outcome import Outcome, classify
from tui.feeds.pacing import SendLimiter
from tui.feeds.routes import subscription_of
from tui.feeds.transport import Transport
from tui.market.events import Event, Notice, Status
from tui.market.health import FeedStats
from tui.market.names import Kind, Subscription, Wants
from tui.market.terms import Severity
from tui.market.text import clean
from tui.providers.base import (
    Channel,
    Close,
    Codec,
    Count,
    Latency,
    LoggedIn,
    LoginRefused,
    Output,
    Pause,
    Provider,
    Renew,
    Resubscribing,
    Send,
    Signal,
    Then,
)

log = logging.getLogger(__name__)

BATCH: Final = 256
FEW: Final = 8
BATCH_S: Final = 0.005
RELEASE_S: Final = 0.12
"""What a codec holds back is decoded after this long when nobody asks: a little more than a frame of the screen."""
HISTORY_BARS: Final = 300
HISTORY_S: Final = 15.0
VET_S: Final = 3.0
"""Longest look at what is to be subscribed: after that it is asked for unseen."""
RENEW_S: Final = 30.0
MAX_QUEUED: Final = 5_000
SAMPLES_LOGGED: Final = 5


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a link is given by its feed.

    Attributes:
        provider: For history and fresh credentials.
        channel: Limits and name.
        emit: Takes every event.
        logged_in: Called once with the detail of the login, before anything else follows.
        stats: The feed's counters.
        clock: Stamps and timers.
        limiter: Budget of subscribe frames, shared by all that use the key.
        tick_s: Between two ticks.
    """

    provider: Provider
    channel: Channel
    emit: Callable[[Event], None]
    logged_in: Callable[[str], None]
    stats: FeedStats
    clock: Clock
    limiter: SendLimiter
    tick_s: float = 1.0


class Link:
    """Run a codec on an open socket until something ends it.

    Once it has ended nothing of it reaches the feed any more: late frames and answers of an old connection are lost.
    """

    def __init__(self, transport: Transport, codec: Codec, wants: Wants, around: Surroundings) -> None:
        self._transport = transport
        self._codec = codec
        self._around = around
        self._wants = wants
        self._asked: Wants | None = None
        self._ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None
        self._at_once: deque[Send] = deque()
        self._paced: deque[Send] = deque()
        self._wake = asyncio.Event()
        self._with_history: set[Subscription] = set()
        self._fetching = asyncio.Semaphore(2)
        self._is_live = False
        self._is_renewing = False
        self._release_due: asyncio.TimerHandle | None = None
        self._has_waited = True
        self._last_frame = self._last_login = around.clock.monotonic()
        self._jumps = JumpWatch(around.clock)
        self._legibility = legibility.Legibility(around.clock)
        self.delivered: set[Subscription] = set()
        """What records have come for."""
        self.has_data = False
        """Whether a record of a market has come."""
        self.frames_live = 0
        """Frames received since the login."""

    async def run(self) -> Outcome:
        """Log in, subscribe, receive, until the end. Leaves the socket to its owner to close."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                self._apply_safely(lambda: self._codec.opened(self._now_ns()))
                for body in (self._read, self._tick, self._send):
                    self._spawn(body())
                outcome = await self._ended
                for task in self._tasks:
                    task.cancel()
        finally:
            self.end(Outcome(Then.IDLE, "cancelled"))
        return outcome

    def end(self, outcome: Outcome) -> None:
        """End the link; the first outcome counts."""
        if not self._ended.done():
            self._ended.set_result(outcome)

    def set_wants(self, wants: Wants) -> None:
        """What it should deliver from now on; nothing ends it."""
        self._wants = wants
        if not wants:
            if self._is_live:
                self._apply_safely(lambda: self._codec.wanted(wants, self._now_ns()))
            self.end(Outcome(Then.IDLE, "nothing wanted"))
        self._wake.set()

    def ask_again(self) -> None:
        """Ask the codec once more for what is wanted: how it is wanted has changed."""
        self._asked = None
        self._wake.set()

    async def _read(self) -> None:
        """Take the frames that wait, but let others run after `BATCH` of them, or a few that took `BATCH_S`."""
        clock, stats, codec, receive = self._around.clock, self._around.stats, self._codec, self._transport.receive
        frames, turn_began = 0, clock.monotonic()
        while True:
            frame = await receive()
            now_ns, self._last_frame = clock.now_ns(), clock.monotonic()
            stats.received(len(frame), now_ns)
            self.frames_live += self._is_live
            if output := codec.received(frame, now_ns):
                self._apply(output)
            if self._release_due is None and codec.holds:
                self._release_due = asyncio.get_running_loop().call_later(RELEASE_S, self.release)
            frames += 1
            if frames >= BATCH or (frames >= FEW and self._last_frame - turn_began >= BATCH_S):
                stats.keeps_up(self._has_waited, now_ns)
                await asyncio.sleep(0)
                frames, turn_began = 0, clock.monotonic()
                self._watch_turn()

    def _watch_turn(self) -> None:
        """Notice whether the loop gets round before the turn ends: then there was nothing to read for a moment."""
        self._has_waited = False
        asyncio.get_running_loop().call_soon(self._waited)

    def _waited(self) -> None:
        self._has_waited = True

    def release(self) -> None:
        """Decode what the codec holds back: for whoever looks now, else `RELEASE_S` after it began to hold."""
        if self._release_due is not None:
            self._release_due.cancel()
            self._release_due = None
            self._apply_safely(lambda: self._codec.released(self._now_ns()))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._around.tick_s)
            self._watch()
            self._apply(self._codec.ticked(self._now_ns()))
            if self._is_waiting_for_budget or self._at_once:
                self._wake.set()  # budgets are timed by our clock, the sender's sleep by the loop's

    async def _send(self) -> None:
        """Send what is queued; sleep until there is more, or until the budget allows the next frame."""
        while True:
            self._wake.clear()
            await self._send_at_once()
            wait_s = await self._send_paced()
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def _watch(self) -> None:
        now, limits = self._around.clock.monotonic(), self._around.channel.limits
        if not self._is_live and not self._is_waiting_for_budget and now - self._last_login > limits.login_s:
            self.end(Outcome(Then.RETRY, f"no answer to the login for {limits.login_s:g} s"))
        if now - self._last_frame > limits.silence_s and self._is_live:
            self.end(Outcome(Then.RETRY, f"no data for {limits.silence_s:g} s"))
        if self._jumps.jumped():
            self.end(Outcome(Then.RECONNECT, "the clock changed or the machine slept"))

    @property
    def _is_waiting_for_budget(self) -> bool:
        return bool(self._paced) or self._are_wants_due()

    async def _send_at_once(self) -> None:
        held: deque[Send] = deque()
        while self._at_once:
            send = self._at_once.popleft()
            if send.purpose != "ping" and self._around.limiter.paused_s:
                held.append(send)
            else:
                await self._put(send)
        self._at_once = held

    async def _send_paced(self) -> float | None:
        """Send subscribe frames as far as the budget allows; seconds until the next may go, None when none waits.

        The codec is asked for frames only when one may go: of wants that change in the meantime the newest count.
        """
        limiter, limits = self._around.limiter, self._around.channel.limits
        while True:
            if wait_s := limiter.wait_s(limits):
                return wait_s if self._is_waiting_for_budget or self._at_once else None
            if not self._paced and self._are_wants_due():
                await self._ask()  # may take a while: look at the budget again
                if self._paced:
                    continue
            if not self._paced:
                return None
            limiter.spend()
            await self._put(self._paced.popleft())

    def _are_wants_due(self) -> bool:
        return self._wants != self._asked and (self._is_live or self._codec.login_is_subscription)

    async def _ask(self) -> None:
        wants = self._wants
        with suppress(TimeoutError):
            async with asyncio.timeout(VET_S):
                await self._around.provider.vet(wants)
        if wants != self._wants:
            return  # overtaken: whoever changed them has woken the sender
        self._asked = wants
        self._apply(self._codec.wanted(self._asked, self._now_ns()))
        self._fetch_histories()

    async def _put(self, send: Send) -> None:
        await self._transport.send(send.frame)
        if send.purpose != "ping":
            self._last_login = self._around.clock.monotonic()

    def _queue(self, send: Send) -> None:
        is_paced = send.purpose in ("subscribe", "unsubscribe")
        is_paced |= send.purpose == "login" and self._codec.login_is_subscription
        (self._paced if is_paced else self._at_once).append(send)
        if len(self._paced) + len(self._at_once) > MAX_QUEUED:
            self.end(Outcome(Then.RETRY, "too much to send"))
        self._wake.set()

    def _apply(self, output: Output) -> None:
        for signal in output:
            if self._ended.done():
                return
            self._apply_one(signal)

    def _apply_safely(self, output: Callable[[], Output]) -> None:
        """For calls from outside of the guarded tasks."""
        try:
            self._apply(output())
        except Exception as error:
            self._broke(error)

    def _apply_one(self, signal: Signal) -> None:
        match signal:
            case Event():
                if not isinstance(signal, Status | Notice):
                    self.has_data = True
                    self._legibility.read()
                self._note_delivery(signal)
                self._around.emit(signal)
            case Send():
                self._queue(signal)
            case LoggedIn():
                self._log_in(signal.detail)
            case LoginRefused() | Close():
                self.end(Outcome.of(signal))
            case Pause():
                self._around.limiter.pause(signal.seconds)
                self._notice(f"paused for {signal.seconds:.0f} s: {signal.reason}", Severity.WARNING)
                self._wake.set()
            case Renew() if not self._is_renewing:
                self._is_renewing = True
                self._spawn(self._renew())
            case Renew():
                return  # one at a time, however often the server asks
            case Resubscribing():
                self._around.stats.live_since_ns = self._now_ns()
            case Latency():
                self._around.stats.latency_s = signal.seconds
            case Count():
                self._count(signal)

    def _note_delivery(self, event: Event) -> None:
        subscription = subscription_of(event)
        if subscription in self._wants:
            self.delivered.add(subscription)

    def _log_in(self, detail: str) -> None:
        if self._is_live:  # a renewal in place
            return
        self._is_live = True
        self._last_frame = self._around.clock.monotonic()
        self._around.logged_in(detail)
        self._fetch_histories()
        self._wake.set()

    def _count(self, count: Count) -> None:
        counts = self._around.stats.counts
        counts[count.what] += count.number
        if count.sample and counts[count.what] <= SAMPLES_LOGGED:
            log.debug("%s %s: %s", self._feed, count.what, clean(count.sample))
        if count.what == "undecodable" and self._legibility.lost(count.number):
            self.end(Outcome(Then.RETRY, legibility.REASON, legibility.REMEDY))

    def _notice(self, text: str, severity: Severity, subscription: Subscription | None = None) -> None:
        self._around.emit(
            Notice(
                source=self._around.provider.name,
                ts_recv_ns=self._now_ns(),
                feed=self._feed,
                severity=severity,
                text=clean(text),
                subscription=subscription,
            )
        )

    def _fetch_histories(self) -> None:
        """Ask for the bars before now, once a connection for each series that the codec has been asked for."""
        if not self._is_live or self._asked is None:
            return
        bars = {wanted for wanted in self._asked if wanted.kind is Kind.BAR}
        for subscription in sorted(bars - self._with_history, key=str):
            self._spawn(self._fetch_history(subscription))
        self._with_history = bars

    async def _fetch_history(self, subscription: Subscription) -> None:
        try:
            async with self._fetching, asyncio.timeout(HISTORY_S):
                bars = await self._around.provider.history(subscription, HISTORY_BARS)
        except (TickdeckError, TimeoutError) as error:
            bars = []
            reason = str(error) or "no answer in time"
            self._notice(f"no history of {subscription}: {reason}", Severity.INFO, subscription)
        if subscription in self._with_history:
            self._apply(self._codec.history(subscription, bars))

    async def _renew(self) -> None:
        try:
            async with asyncio.timeout(RENEW_S):
                credential = await self._around.provider.credential(self._around.channel.name, fresh=True)
        except (TickdeckError, TimeoutError) as error:
            self._notice(f"login not renewed: {str(error) or 'no answer in time'}", Severity.WARNING)
            return
        finally:
            self._is_renewing = False
        self._apply(self._codec.renewed(credential, self._now_ns()))

    @property
    def _feed(self) -> str:
        return f"{self._around.provider.name}:{self._around.channel.name}"

    def _now_ns(self) -> int:
        return self._around.clock.now_ns()

    def _spawn(self, body: Coroutine[object, object, None]) -> None:
        if self._group is None or self._ended.done():
            body.close()
            return
        task = self._group.create_task(self._guarded(body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, body: Awaitable[None]) -> None:
        try:
            await body
        except Exception as error:
            self._broke(error)

    def _broke(self, error: Exception) -> None:
        outcome = classify(error, self._around.provider.name)
        if outcome.is_bug:
            log.exception("%s: internal error", self._feed, exc_info=error)
        self.end(outcome)
