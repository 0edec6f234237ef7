"""InsightSentry's server on the simulated market: its two sockets, its limiter that says nothing, and its REST calls.

Written from the protocol reference alone, so that the client's reading of it is put to the test.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from tui.providers.insightsentry.simulator_frames import (
    MS,
    NS,
    codes,
    news_item,
    quote_fields,
    response_code,
    seconds_of,
    series_frame,
    tick_frame,
    wrapped,
)
from tui.providers.insightsentry.simulator_rest import RestCalls
from tui.simulator.dialect import Conversation, Dialect, Reply, Request, Response
from tui.simulator.market import Change, NewsPublished, QuoteChanged, SimBar, SimulatedMarket, TradePrinted

HEARTBEAT_NS: Final = 10 * NS
PING_NS: Final = 15 * NS
MINUTE_NS: Final = 60 * NS
MOST_LISTS: Final = 30
THROTTLE_NS: Final = NS // 4
WIDE_EVERY: Final = 8
RECENT_BARS: Final = 15
INITIAL_NEWS: Final = 10
_FIELDS: Final = frozenset(
    "code type bar_type bar_interval extended dadj recent_bars max_dp dp split badj settlement 24h currency "
    "unit".split()
)
_OLD_FIELDS: Final = frozenset({"interval_type", "interval_length"})
_ALLOWED: Final = frozenset({"api_key", "subscriptions", "slow_consumer_policy"})


class InsightSentryDialect(Dialect):
    """The provider's server."""

    provider: ClassVar[str] = "insightsentry"
    paths: ClassVar[Mapping[str, str]] = {"/insightsentry/live": "live", "/insightsentry/newsfeed": "newsfeed"}
    rest_prefix: ClassVar[str] = "/insightsentry"
    credentials: ClassVar[Mapping[str, str]] = {"api_key": "demo-insightsentry", "rapidapi_key": "demo-rapidapi"}

    def __init__(self, market: SimulatedMarket) -> None:
        super().__init__(market)
        self.symbols = codes(market)
        """The market's symbols by code."""
        self.lists: dict[str, deque[int]] = {}
        """When each key sent its latest subscription lists."""
        self.ignoring: dict[str, int] = {}
        """Until when the lists of a key are ignored."""
        self.rotations = 0
        self.logins = 0
        """Logins to the news feed, each of which packs its first items in another way."""
        self._rest = RestCalls(market, self._is_authorised, self._rotate)

    def conversation(self, channel: str) -> Conversation:
        """A new connection."""
        return LiveConversation(self) if channel == "live" else NewsfeedConversation(self)

    def rest(self, request: Request) -> Response:
        """Answer an HTTP request."""
        return self._rest.answer(request)

    @classmethod
    def settings(cls, ws_base: str, http_base: str) -> dict[str, Any]:
        """Settings that point here."""
        return {
            "live_url": f"{ws_base}/insightsentry/live",
            "newsfeed_url": f"{ws_base}/insightsentry/newsfeed",
            "rest_url": f"{http_base}/insightsentry",
            "rapidapi_url": f"{http_base}/insightsentry",
        }

    def accepts(self, key: object) -> bool:
        """Whether a key opens a socket: the dashboard key, or the WebSocket key that was issued last."""
        issued = f"ws-demo-{self.rotations}" if self.rotations else None
        return isinstance(key, str) and key in (self.credentials["api_key"], issued)

    def counts_list(self, key: str, now_ns: int) -> bool:
        """Count a subscription list; False when it is ignored, which nobody is told (8.1)."""
        sent = self.lists.setdefault(key, deque(maxlen=MOST_LISTS + 1))
        sent.append(now_ns)
        if now_ns < self.ignoring.get(key, 0):
            return False
        if sum(now_ns - at < MINUTE_NS for at in sent) > MOST_LISTS:
            self.violations["too many lists a minute"] += 1
            self.ignoring[key] = now_ns + MINUTE_NS
            return False
        return True

    def _rotate(self) -> str:
        for known in (self.lists, self.ignoring):
            known.pop(f"ws-demo-{self.rotations}", None)
        self.rotations += 1
        return f"ws-demo-{self.rotations}"

    def _is_authorised(self, headers: Mapping[str, str]) -> bool:
        return (
            headers.get("authorization") == f"Bearer {self.credentials['api_key']}"
            or headers.get("x-rapidapi-key") == self.credentials["rapidapi_key"]
        )


class _Talk(Conversation):
    """What both sockets do: say hello, answer pings, refuse bad keys."""

    def __init__(self, dialect: InsightSentryDialect) -> None:
        self.dialect = dialect
        self.market = dialect.market
        self.is_logged_in = False
        self._pinged_ns: int | None = None

    def opened(self, now_ns: int) -> list[Reply]:
        """A status text comes before the client has said anything (1)."""
        return [_json({"message": "Connecting..."})]

    def received(self, frame: str, now_ns: int) -> list[Reply]:
        """The bare text `ping`, or JSON."""
        if frame.strip() == "ping":
            return self._pong(now_ns)
        try:
            message = json.loads(frame)
        except ValueError:
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("api_key"), str):
            return self._wrong("wrong first message" if not self.is_logged_in else "malformed message")
        return list(self._request(message, now_ns))

    @abstractmethod
    def _request(self, message: dict[str, Any], now_ns: int) -> Iterator[Reply]:
        """React to a JSON object with a key in it."""

    def _pong(self, now_ns: int) -> list[Reply]:
        if self._pinged_ns is not None and now_ns - self._pinged_ns < PING_NS:
            self.dialect.violations["ping too soon"] += 1
        self._pinged_ns = now_ns
        return ["pong"]

    def _wrong(self, violation: str, text: str = "Subscriptions field or value is invalid") -> list[Reply]:
        self.dialect.violations[violation] += 1
        return [_json({"message": text})]

    def _login(self) -> list[Reply]:
        if self.is_logged_in:
            return []
        self.is_logged_in = True
        return [_json({"message": "Connected to SIM"})]


@dataclass(slots=True)
class _Series:
    """A running series of a client."""

    code: str
    symbol: str
    bar_code: str
    seconds: int
    history: int
    """Bars that the first frame carries; 0 for none."""
    only_complete: bool
    """`recent_bars` brings complete bars only (3.1)."""
    is_dirty: bool = True
    sent_ns: int = 0
    last_start_ns: int = 0


@dataclass(slots=True)
class _Quotes:
    """The quotes of one code, as the client knows them."""

    symbol: str
    known: dict[str, Any] = field(default_factory=dict)
    is_dirty: bool = True
    sent_ns: int = 0
    frames: int = 0


class LiveConversation(_Talk):
    """The market data socket: each list replaces the one before (3.1)."""

    def __init__(self, dialect: InsightSentryDialect) -> None:
        super().__init__(dialect)
        self._list: list[dict[str, Any]] = []
        self._listed_ns = 0
        self._quotes: dict[str, _Quotes] = {}
        self._series: dict[tuple[str, str], _Series] = {}
        self._ticks: dict[str, str] = {}
        self._beat_ns: int | None = None

    @property
    def listed(self) -> list[dict[str, Any]]:
        """The list as the server has it."""
        return list(self._list)

    def _request(self, message: dict[str, Any], now_ns: int) -> Iterator[Reply]:
        wanted = message.get("subscriptions")
        if not isinstance(wanted, list) or not message.keys() <= _ALLOWED:
            yield from self._wrong("wrong first message" if not self.is_logged_in else "malformed message")
        elif not self.dialect.accepts(message["api_key"]):
            yield _json({"message": "Invalid API key"})
        elif not self.dialect.counts_list(message["api_key"], now_ns):
            return
        elif not wanted:
            yield from self._wrong("empty list")
        elif (wrong := self._judged(wanted)) is not None:
            yield wrong
        else:
            yield from self._login()
            yield from self._replaced(wanted, now_ns)

    def _judged(self, wanted: list[Any]) -> str | None:
        """What is wrong with a list, as the answer to it: nothing of it is processed then (7.1)."""
        topics = []
        for each in wanted:
            if not isinstance(each, dict):
                return str(self._wrong("malformed message")[0])
            if _OLD_FIELDS & each.keys():
                return str(self._wrong("old field names", "Invalid interval")[0])
            if not each.keys() <= _FIELDS or each.get("type", "series") not in ("series", "quote"):
                return str(self._wrong("unknown field")[0])
            if not isinstance(code := each.get("code"), str) or code not in self.dialect.symbols:
                return _json({"message": "Invalid Symbol Code"})
            if each.get("type", "series") == "series" and _length(each) is None:
                return str(self._wrong("wrong bar", "Invalid bar type or interval")[0])
            topics.append(repr([each.get(name) for name in ("code", "type", "bar_type", "bar_interval")]))
        if len(set(topics)) < len(topics):
            self.dialect.violations["duplicate subscription"] += 1
        return None

    def _replaced(self, wanted: list[dict[str, Any]], now_ns: int) -> Iterator[Reply]:
        if _same(wanted, self._list) and now_ns - self._listed_ns < MINUTE_NS:
            self.dialect.violations["unchanged list resent"] += 1
        self._list, self._listed_ns = wanted, now_ns
        quotes, series, ticks = self._quotes, self._series, {}
        self._quotes, self._series = {}, {}
        for each in wanted:
            code, symbol = each["code"], self.dialect.symbols[each["code"]]
            if each.get("type") == "quote":
                self._quotes[code] = quotes.get(code) or _Quotes(symbol)
            elif each["bar_type"] == "tick":
                ticks[symbol] = code
            else:
                running = _running(each, symbol)
                key = (code, running.bar_code)
                self._series[key] = series.get(key) or running
                if key not in series:
                    yield from self._first(self._series[key], now_ns)
        self._ticks = ticks

    def _first(self, series: _Series, now_ns: int) -> Iterator[Reply]:
        if not series.history:
            return
        bars = self._bars(series, series.history + 1)
        if series.only_complete and bars and bars[-1].start_ns + series.seconds * NS > self.market.now_ns:
            bars = bars[:-1]
        bars = bars[-series.history :]
        series.last_start_ns = bars[-1].start_ns if bars else 0
        yield _json(series_frame(series.code, series.bar_code, series.seconds, bars, now_ns))

    def changed(self, changes: Sequence[Change], now_ns: int) -> list[Reply]:
        """Heartbeats, and what moved: at most four frames a second for each subscription."""
        return list(self._changed(changes, now_ns))

    def _changed(self, changes: Sequence[Change], now_ns: int) -> Iterator[Reply]:
        if self._beat_ns is None:
            self._beat_ns = now_ns
        if now_ns - self._beat_ns >= HEARTBEAT_NS:
            self._beat_ns = now_ns
            yield _json({"server_time": now_ns // MS})
        moved = {each.symbol for each in changes if isinstance(each, QuoteChanged | TradePrinted)}
        for trade in changes:
            if isinstance(trade, TradePrinted) and trade.symbol in self._ticks:
                yield _json(tick_frame(self._ticks[trade.symbol], trade.trade, now_ns))
        for quotes in self._quotes.values():
            quotes.is_dirty |= quotes.symbol in moved
            if quotes.is_dirty and now_ns - quotes.sent_ns >= THROTTLE_NS:
                yield from self._quote(quotes, now_ns)
        for series in self._series.values():
            series.is_dirty |= series.symbol in moved
            if series.is_dirty and now_ns - series.sent_ns >= THROTTLE_NS:
                yield from self._update(series, now_ns)

    def _quote(self, quotes: _Quotes, now_ns: int) -> Iterator[Reply]:
        """Flat and sparse mostly, wrapped and wide now and then: servers of both kinds exist (4.3)."""
        quotes.is_dirty, quotes.sent_ns = False, now_ns
        fields = quote_fields(self.market, quotes.symbol)
        news = {name: value for name, value in fields.items() if quotes.known.get(name) != value}
        if not news:
            return
        is_wide = quotes.frames % WIDE_EVERY == 0
        quotes.frames += 1
        quotes.known = fields
        yield _json(wrapped([fields], now_ns) if is_wide else {"code": fields["code"], **news})

    def _update(self, series: _Series, now_ns: int) -> Iterator[Reply]:
        """One bar a frame; when a new bar began, first the last state of the one before (4.1)."""
        series.is_dirty, series.sent_ns = False, now_ns
        for bar in self._bars(series, 2):
            if bar.start_ns >= series.last_start_ns:
                yield _json(series_frame(series.code, series.bar_code, series.seconds, [bar], now_ns))
                series.last_start_ns = bar.start_ns

    def _bars(self, series: _Series, count: int) -> list[SimBar]:
        return self.market.recent_bars(series.symbol, series.seconds, count)


class NewsfeedConversation(_Talk):
    """The news socket: the latest ten on every login, then one frame for each new item (5). There is no heartbeat."""

    def _request(self, message: dict[str, Any], now_ns: int) -> Iterator[Reply]:
        if message.keys() != {"api_key"}:
            yield from self._wrong("wrong first message")
        elif not self.dialect.accepts(message["api_key"]):
            yield _json({"message": "Invalid API key"})
        else:
            yield from self._login()
            yield from self._latest()

    def _latest(self) -> Iterator[Reply]:
        """How the ten are packed is not stated: each login packs them in another way."""
        items = [news_item(each, self.market.instruments) for each in self.market.news(INITIAL_NEWS)]
        way, self.dialect.logins = self.dialect.logins % 3, self.dialect.logins + 1
        if way == 0:
            yield from map(_json, items)
        else:
            yield _json(items if way == 1 else {"data": items})

    def changed(self, changes: Sequence[Change], now_ns: int) -> list[Reply]:
        """New items, one a frame."""
        if not self.is_logged_in:
            return []
        published = [each.news for each in changes if isinstance(each, NewsPublished)]
        return [_json(news_item(each, self.market.instruments)) for each in published]


def _running(wanted: Mapping[str, Any], symbol: str) -> _Series:
    bar_type, bar_interval = wanted["bar_type"], wanted["bar_interval"]
    asked = next((wanted[name] for name in ("dp", "max_dp") if isinstance(wanted.get(name), int)), 0)
    return _Series(
        code=wanted["code"],
        symbol=symbol,
        bar_code=response_code(bar_type, bar_interval),
        seconds=seconds_of(bar_type, bar_interval) or 60,
        history=min(asked, 1000) or (RECENT_BARS if wanted.get("recent_bars") is True else 0),
        only_complete=not asked,
    )


def _length(wanted: Mapping[str, Any]) -> int | None:
    bar_type, bar_interval = wanted.get("bar_type"), wanted.get("bar_interval")
    return 0 if bar_type == "tick" and bar_interval == 1 else seconds_of(bar_type, bar_interval)


def _same(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> bool:
    return sorted(map(repr, first)) == sorted(map(repr, second))


def _json(message: Any) -> str:
    return json.dumps(message)
