"""The `live` socket: quotes and bars by one list that is replaced as a whole. Protocol reference 3, 4 and 7."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Final

from tui.clock import NS
from tui.market.events import Bar, Notice
from tui.market.names import Kind, Subscription, Symbol, Wants
from tui.market.terms import Severity
from tui.providers.base import Close, Count, Credential, Output, Send, Signal, Then
from tui.providers.insightsentry import decode, guesses
from tui.providers.insightsentry.codec import MASK, SocketCodec
from tui.providers.insightsentry.decode import SOURCE
from tui.providers.insightsentry.held import HeldQuotes
from tui.providers.insightsentry.problems import CHANGE
from tui.providers.insightsentry.trials import Trials
from tui.providers.insightsentry.wire import (
    FrameKind,
    Problem,
    SeriesOptions,
    Topic,
    classify,
    codes_in,
    interval_of,
    is_tick,
    subscription_frame,
)

KINDS: Final = frozenset({Kind.QUOTE, Kind.BAR, Kind.TRADE})
ACCEPTED_NS: Final = 5 * NS
"""A list that has met no error for this long has been taken."""
PROBE_GAP_NS: Final = 4 * NS
"""Suspects are added back no faster than this, well within twenty lists a minute."""
IGNORED_NS: Final = (15 + 65) * NS
"""No data for a new code in 15 s may mean that the list was ignored: after 65 s more it is sent once again (8.1)."""
LATE_NS: Final = 15 * NS
RECONNECT_S: Final = 2.0
RESEND_BASE_S: Final = 2.0
RESEND_CAP_S: Final = 60.0
ALL_REFUSED: Final = Close("every subscription was refused", Then.RETRY, 5.0)
"""Something else may be wanted by then; closing as idle would connect again at once."""


class LiveCodec(SocketCodec):
    """One connection to `/live`.

    Args:
        credential: The WebSocket key.
        code_of: The provider's code of a symbol, or None when it has none.
        trials: What is known of subscriptions; outlives the connection.
        options: How series are asked for.
        can_rotate: True when a refused key can be replaced by fetching a new one.
    """

    login_is_subscription: ClassVar[bool] = True

    def __init__(
        self,
        credential: Credential,
        code_of: Callable[[Symbol], str | None],
        trials: Trials,
        options: SeriesOptions,
        *,
        can_rotate: bool = False,
    ) -> None:
        super().__init__("live", credential, can_rotate=can_rotate)
        self._code_of = code_of
        self._trials = trials
        self._options = options
        self._wanted: dict[Topic, list[Subscription]] = {}
        self._sent: dict[Topic, None] = {}
        self._sent_ns = 0
        self._removed: set[Topic] = set()
        self._unanswered: set[Topic] = set()
        self._seems_ignored = False
        self._repeated = False
        self._resend_ns: int | None = None
        self._resends = 0
        self._probe: str | None = None
        self._told: set[Topic] = set()
        self._open_bars: dict[tuple[Topic, Symbol], Bar] = {}
        self._held = HeldQuotes()

    def opened(self, now_ns: int) -> Output:
        """Nothing goes out before the first list, which is the login: it may have to wait for the budget."""
        return ()

    def wanted(self, want: Wants, now_ns: int) -> Output:
        """Send the whole list with the key when it differs from the last one; close when nothing is left of it."""
        if self._is_closed:
            return []
        self._wanted = {}
        self._held.forget()
        for each in sorted(want, key=str):
            if (topic := topic_of(each, self._code_of)) is not None:
                self._wanted.setdefault(topic, []).append(each)
        self._open_bars = {key: bar for key, bar in self._open_bars.items() if key[0] in self._wanted}
        self._trials.keep_refusals(self._wanted)
        return list(self._settled(now_ns))

    def history(self, subscription: Subscription, bars: Sequence[Bar]) -> Output:
        """Bars from REST, less those that the socket has overtaken meanwhile."""
        topic = topic_of(subscription, self._code_of)
        last = None if topic is None or not bars else self._open_bars.get((topic, bars[-1].symbol))
        if last is None:
            return bars
        older = [bar for bar in bars if bar.start_ns < last.start_ns]
        return [bar if bar.closed else bar.model_copy(update={"closed": True}) for bar in older]

    def _settled(self, now_ns: int) -> Iterator[Signal]:
        if not self._wanted:
            yield from self._close(Close("nothing is wanted", Then.IDLE))
            return
        yield from self._refusals(now_ns)
        if self._trials.wait_s(now_ns):
            self._trials.hold_back(self._wanted)
        listed = self._listed(now_ns)
        if not listed:
            yield from self._close(ALL_REFUSED)
        elif set(listed) != set(self._sent) and self._resend_ns is None:
            yield self._send(listed, now_ns)

    def _listed(self, now_ns: int) -> list[Topic]:
        """What may be sent: all that is wanted, less the refused, less the suspects but the one on probation."""
        allowed = [topic for topic in self._wanted if self._trials.refusal(topic, now_ns) is None]
        listed = [topic for topic in allowed if topic.code == self._probe or not self._trials.is_suspect(topic)]
        if not listed and allowed:
            self._probe = allowed[0].code
            return [topic for topic in allowed if topic.code == self._probe]
        return listed

    def _send(self, listed: Sequence[Topic], now_ns: int) -> Send:
        new = set(listed) - set(self._sent)
        self._removed = set(self._sent) - set(listed)
        self._unanswered = new | (self._unanswered & set(listed))
        self._repeated = self._repeated and not new
        self._seems_ignored = False
        if not self._sent_ns:
            self._keepalive.opened(now_ns)
        self._sent = dict.fromkeys(listed)
        self._sent_ns = now_ns
        return Send(
            subscription_frame(self._key, listed, self._options),
            "subscribe",
            recorded=subscription_frame(MASK, listed, self._options),
        )

    def _refusals(self, now_ns: int) -> Iterator[Signal]:
        self._told &= set(self._wanted)
        for topic in self._wanted:
            words = self._trials.refusal(topic, now_ns)
            if words is not None and topic not in self._told:
                self._told.add(topic)
                yield from self._refusal_notices(topic, words, now_ns)

    def _refusal_notices(self, topic: Topic, words: str, now_ns: int) -> Iterator[Signal]:
        for each in self._wanted.get(topic, ()):
            yield Notice(
                source=SOURCE,
                feed=self._feed,
                severity=Severity.ERROR,
                text=f"{topic.code}: {words}",
                subscription=each,
                refused=True,
                ts_recv_ns=now_ns,
            )

    def _time_passed(self, now_ns: int) -> Iterator[Signal]:
        if self._resend_ns is not None:
            if now_ns >= self._resend_ns:
                self._resend_ns = None
                yield from self._repeat(now_ns)
            return
        if self._sent and self._is_logged_in and now_ns >= self._sent_ns + ACCEPTED_NS:
            self._trials.accepted(self._sent)
        if self._is_ignored() and not self._repeated and now_ns >= self._sent_ns + IGNORED_NS:
            self._repeated = True
            yield from self._repeat(now_ns)
            return
        yield from self._probed(now_ns)

    def _is_ignored(self) -> bool:
        return bool(self._unanswered) or self._seems_ignored

    def _repeat(self, now_ns: int) -> Iterator[Signal]:
        if listed := self._listed(now_ns):
            yield self._send(listed, now_ns)

    def _probed(self, now_ns: int) -> Iterator[Signal]:
        """Add suspects back one code at a time: the one that brings the error again is the bad one (7.3)."""
        waiting = [topic.code for topic in self._wanted if self._trials.is_suspect(topic)]
        if not waiting or self._probe in waiting or now_ns < self._sent_ns + PROBE_GAP_NS:
            return
        if not all(map(self._trials.is_accepted, self._sent)) or self._trials.wait_s(now_ns):
            return
        self._probe = waiting[0]
        yield from self._settled(now_ns)

    def received(self, frame: str | bytes, ts_recv_ns: int) -> Output:
        """Decode one frame, or let it wait when it is a quote that may be one of many."""
        if isinstance(frame, bytes) and self._held.take(frame, ts_recv_ns):
            self._keepalive.heard()
            self._garbled = 0
            return ()
        return super().received(frame, ts_recv_ns)

    @property
    def holds(self) -> bool:
        """Whether quotes wait."""
        return bool(self._held)

    def released(self, now_ns: int) -> Output:
        """Read the quotes that wait."""
        if self._is_closed:
            return []
        return [signal for held in self._held.drain() for signal in self._quote(held.row, None, held.ts_recv_ns)]

    def _alive(self, detail: str = "") -> Iterator[Signal]:
        """Heartbeats come before the key has been seen: only what follows the first list answers it."""
        if self._sent_ns:
            yield from super()._alive(detail)

    def _message(self, message: Any, now_ns: int) -> Iterator[Signal]:
        kind = classify(message)
        if kind is FrameKind.UNKNOWN:
            yield self._unknown(message)
        elif kind is FrameKind.ERROR:
            yield from self._error(message, now_ns)
        elif kind is FrameKind.TEXT:
            yield from self._text(message["message"], now_ns)
        else:
            yield from self._alive()
            yield from self._data(kind, message, now_ns)

    def _data(self, kind: FrameKind, message: dict[str, Any], now_ns: int) -> Iterator[Signal]:
        match kind:
            case FrameKind.STATUS:
                yield from self._status(message, now_ns)
            case FrameKind.SERIES:
                yield from self._series(message, now_ns)
            case FrameKind.QUOTES:
                for row in message["data"][: decode.MAX_ROWS]:
                    yield from self._quote(row, message.get("last_update"), now_ns)
            case FrameKind.QUOTE:
                yield from self._quote(message, None, now_ns)
            case _:  # a heartbeat has done its work by arriving
                return

    def _quote(self, row: Any, updated: object, now_ns: int) -> Iterator[Signal]:
        code = row.get("code") if isinstance(row, dict) else None
        if not isinstance(code, str):
            yield Count("rejected")
            return
        topic = Topic(code, Kind.QUOTE)
        if topic in self._sent:
            row = self._held.read(code, row, now_ns)
        rejected = 0
        for each in self._takers(topic):
            made, rejected = decode.quote(row, _symbol(each), updated, now_ns)
            if made is not None:
                yield made
        yield from self._arrived(topic, rejected, now_ns)

    def _series(self, message: dict[str, Any], now_ns: int) -> Iterator[Signal]:
        topic = self._series_topic(message)
        if topic is None:
            is_ours = any(each.code == message.get("code") for each in self._wanted)
            yield Count("unknown" if is_ours else "late", sample=self._safe(message.get("bar_type"), 20))
            return
        rejected = 0
        for each in self._takers(topic):
            if topic.interval is None:
                trades, rejected = decode.ticks(message, _symbol(each), now_ns)
                yield from trades
            else:
                bars, rejected = decode.bars(message, _symbol(each), topic.interval, now_ns)
                yield from self._with_closed(topic, bars)
        yield from self._arrived(topic, rejected, now_ns)

    def _series_topic(self, message: dict[str, Any]) -> Topic | None:
        """Whose series this is; when the code of the bars cannot be read, the only series of that symbol's (4.1)."""
        code, bar_type = message.get("code"), message.get("bar_type")
        interval = interval_of(bar_type)
        if interval is not None and isinstance(code, str):
            return Topic(code, Kind.BAR, interval)
        series = [topic for topic in self._wanted if topic.code == code and topic.kind is not Kind.QUOTE]
        if is_tick(bar_type):
            series = [topic for topic in series if topic.interval is None]
        return series[0] if len(series) == 1 else None

    def _with_closed(self, topic: Topic, bars: Sequence[Bar]) -> Iterator[Bar]:
        """The bars, and before them the one that was open until a later start proved it closed."""
        if not bars:
            return
        newest = bars[-1]
        last = self._open_bars.get((topic, newest.symbol), newest)
        if newest.start_ns < last.start_ns:  # a correction of the past: nothing in it is open
            yield from (bar.model_copy(update={"closed": True}) for bar in bars)
            return
        if bars[0].start_ns > last.start_ns:
            yield last.model_copy(update={"closed": True, "ts_recv_ns": newest.ts_recv_ns})
        self._open_bars[topic, newest.symbol] = newest
        yield from bars

    def _takers(self, topic: Topic) -> Iterable[Subscription]:
        return self._wanted.get(topic, ()) if topic in self._sent else ()

    def _arrived(self, topic: Topic, rejected: int, now_ns: int) -> Iterator[Signal]:
        """Data for a topic is the only proof that its subscription works (1)."""
        if topic not in self._sent or topic not in self._wanted:
            if topic in self._removed and now_ns >= self._sent_ns + LATE_NS:
                self._seems_ignored = True
            yield Count("late")
            return
        if topic in self._unanswered:
            self._unanswered.clear()
        self._resends = 0
        self._trials.delivered(topic)
        if rejected:
            yield Count("rejected", rejected, sample=self._safe(topic.code, 60))

    def _status(self, message: dict[str, Any], now_ns: int) -> Iterator[Signal]:
        if message.get("status") != "active":
            return
        self._unanswered.clear()
        count = message.get("subscription_count")
        if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < len(self._sent):
            yield self._notice(f"the provider runs {count} of {len(self._sent)} subscriptions", now_ns)

    def _dropped(self, trouble: Problem, said: str, now_ns: int) -> Iterator[Signal]:
        """One subscription failed while the rest is active: no reconnect (7.2)."""
        bars_only = trouble.kind in guesses.BARS_ONLY_ERRORS
        named = [t for t in self._sent if t.code in trouble.codes and not (bars_only and t.kind is Kind.QUOTE)]
        guilty = named or (self._trials.on_trial(list(self._sent)) if not trouble.codes else [])
        if not named and len(guilty) != 1:
            yield self._notice(said, now_ns, Severity.ERROR)
            return
        yield from self._refuse(guilty, said, now_ns)
        if not self._listed(now_ns):
            yield from self._close(ALL_REFUSED)

    def _refuse(
        self, guilty: Sequence[Topic], said: str, now_ns: int, *, stops_lists: bool = False
    ) -> Iterator[Signal]:
        self._trials.refuse(guilty, said, now_ns, stops_lists=stops_lists)
        for topic in guilty:
            self._sent.pop(topic, None)
            self._unanswered.discard(topic)
            self._told.add(topic)
            yield from self._refusal_notices(topic, said, now_ns)

    def _resend(self, delay_s: float, now_ns: int) -> Iterator[Signal]:
        """The same list again on the same socket, after the longer of the server's delay and our own back-off (7.2)."""
        wait_s = max(delay_s, min(RESEND_BASE_S * 2**self._resends, RESEND_CAP_S))
        self._resends = min(self._resends + 1, 10)
        self._resend_ns = now_ns + int(wait_s * NS)
        yield from ()

    def _invalid(self, said: str, now_ns: int) -> Iterator[Signal]:
        """A legacy error stops the whole request and seldom says which code was wrong (7.1, 7.3)."""
        guilty = self._trials.blame(list(self._sent), codes_in(said))
        if guilty:
            yield from self._refuse(guilty, said, now_ns, stops_lists=True)
        else:
            names = ", ".join(sorted({topic.code for topic in self._sent if self._trials.is_suspect(topic)}))
            yield self._notice(f"{said}: one of {names} or more; looking for it" if names else said, now_ns)
        is_cured = bool(guilty) or any(map(self._trials.is_suspect, self._sent))
        yield from self._start_over(said, now_ns, is_cured=is_cured)

    def _over_limit(self, said: str, now_ns: int) -> Iterator[Signal]:
        """More than the plan allows: give up what never delivered, or else the second half of the list (8.2)."""
        sent = list(self._sent)
        excess = [topic for topic in sent if not self._trials.has_delivered(topic)]
        if len(excess) == len(sent):
            excess = sent[(len(sent) + 1) // 2 :] or sent
        yield from self._refuse(excess or sent[-1:], said, now_ns)
        yield from self._start_over(said, now_ns, is_cured=True)

    def _start_over(self, said: str, now_ns: int, *, is_cured: bool) -> Iterator[Signal]:
        """Connect again without what was refused, as soon as the limit of reconnects allows; give up when that is no
        cure (7.3).
        """
        wait_s = self._trials.wait_s(now_ns)
        if not self._listed(now_ns):
            yield from self._close(ALL_REFUSED)
        elif is_cured or not wait_s:
            delay_s = max(wait_s, RECONNECT_S)
            self._trials.reconnects(now_ns + int(delay_s * NS))
            yield from self._close(Close(said, Then.RECONNECT, delay_s))
        else:
            yield from self._close(Close(said, Then.FAIL, remedy=CHANGE, until_change=True))


def topic_of(want: Subscription, code_of: Callable[[Symbol], str | None]) -> Topic | None:
    """What a subscription is called in lists, or None when this socket does not have it."""
    code = code_of(want.symbol) if want.symbol else None
    has_length = want.kind is Kind.BAR
    if code is None or want.kind not in KINDS or has_length != (want.interval is not None):
        return None
    return Topic(code, want.kind, want.interval)


def _symbol(subscription: Subscription) -> Symbol:
    assert subscription.symbol is not None  # `wanted` keeps only what has one
    return subscription.symbol
