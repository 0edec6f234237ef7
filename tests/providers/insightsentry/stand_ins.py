"""What the tests put in the place of the world: a store of secrets, an HTTP client, and short ways to say things."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr

from tui.clock import NS, ManualClock
from tui.market.names import Interval, Kind, Subscription, Symbol
from tui.providers.base import Codec, Credential, ProviderContext, Send, Signal
from tui.providers.insightsentry import InsightSentry, InsightSentrySettings
from tui.providers.insightsentry.live import LiveCodec
from tui.providers.insightsentry.symbols import to_code
from tui.providers.insightsentry.trials import Trials
from tui.providers.insightsentry.wire import SeriesOptions

FRAMES = Path(__file__).parent / "frames"
NOW_NS = 1_767_623_871_204_000_000
KEY = "ws_2f6c0e7b9d"
T = TypeVar("T")


def quote(symbol: str) -> Subscription:
    return Subscription(Kind.QUOTE, Symbol(symbol))


def bar(symbol: str, interval: Interval = Interval.M1) -> Subscription:
    return Subscription(Kind.BAR, Symbol(symbol), interval)


def live_codec(
    trials: Trials | None = None, options: SeriesOptions | None = None, *, can_rotate: bool = False
) -> LiveCodec:
    credential = Credential(SecretStr(KEY))
    return LiveCodec(credential, to_code, trials or Trials(), options or SeriesOptions(), can_rotate=can_rotate)


class Driver:
    """Calls a codec and moves the time, as a connection would."""

    def __init__(self, codec: Codec, now_ns: int = NOW_NS) -> None:
        self.codec = codec
        self.now_ns = now_ns
        self.signals: list[Signal] = list(codec.opened(now_ns))

    def want(self, *subscriptions: Subscription) -> list[Signal]:
        return self._note(self.codec.wanted(frozenset(subscriptions), self.now_ns))

    def receive(self, message: object) -> list[Signal]:
        frame = message if isinstance(message, str | bytes) else json.dumps(message)
        return self._note(self.codec.received(frame, self.now_ns))

    def wait(self, seconds: float, *, heartbeat_s: int = 10) -> list[Signal]:
        """Tick once a second; a heartbeat comes every ten seconds, or never with 0."""
        made: list[Signal] = []
        for second in range(1, int(seconds) + 1):
            self.now_ns += NS
            made += self._note(self.codec.ticked(self.now_ns))
            if heartbeat_s and second % heartbeat_s == 0:
                made += self.receive({"server_time": self.now_ns // 1_000_000})
        return made

    def _note(self, output: Any) -> list[Signal]:
        made = list(output)
        self.signals += made
        return made


def lists(signals: list[Signal]) -> list[list[dict[str, Any]]]:
    """Subscription lists among what was sent."""
    return [json.loads(each.frame)["subscriptions"] for each in subscribes(signals)]


def codes(signals: list[Signal]) -> list[list[str]]:
    return [[each["code"] for each in sent] for sent in lists(signals)]


def subscribes(signals: list[Signal]) -> list[Send]:
    return [each for each in signals if isinstance(each, Send) and each.purpose == "subscribe"]


def pings(signals: list[Signal]) -> list[Send]:
    return [each for each in signals if isinstance(each, Send) and each.purpose == "ping"]


def of(kind: type[T], signals: list[Signal]) -> list[T]:
    return [each for each in signals if isinstance(each, kind)]


class Secrets:
    """A store in memory; keeps what happened in `log`, which others may share to see the order."""

    def __init__(self, log: list[str] | None = None, **secrets: str) -> None:
        self.secrets = dict(secrets)
        self.log: list[str] = [] if log is None else log

    async def get(self, provider: str, field: str) -> SecretStr | None:
        assert provider == "insightsentry"
        found = self.secrets.get(field)
        return None if found is None else SecretStr(found)

    async def put(self, provider: str, field: str, secret: SecretStr) -> None:
        assert provider == "insightsentry"
        self.log.append(f"put {field}")
        self.secrets[field] = secret.get_secret_value()


class Http:
    """Answers GETs by the end of the path; an answer may be an exception or a function of the query."""

    def __init__(self, answers: Mapping[str, Any] | None = None, log: list[str] | None = None) -> None:
        self.answers: dict[str, Any] = dict(answers or {})
        self.log: list[str] = [] if log is None else log
        self.requests: list[tuple[str, dict[str, str], dict[str, str]]] = []

    async def get(
        self, url: str, *, query: Mapping[str, str] = {}, headers: Mapping[str, str] = {}, timeout_s: float = 10.0
    ) -> Any:
        self.log.append(f"get {url}")
        self.requests.append((url, dict(query), dict(headers)))
        answer = next(found for end, found in self.answers.items() if url.endswith(end))
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            made = answer(query)
            return await made if hasattr(made, "__await__") else made
        return answer

    async def post(
        self, url: str, *, body: Mapping[str, Any], headers: Mapping[str, str] = {}, timeout_s: float = 10.0
    ) -> Any:
        raise AssertionError("InsightSentry has no POST")


def provider(
    tmp_path: Path,
    http: Http | None = None,
    secrets: Secrets | None = None,
    clock: ManualClock | None = None,
    **keys: Any,
) -> InsightSentry:
    """The provider with its files in the test's folder."""
    context = ProviderContext(
        settings=InsightSentrySettings(**keys),
        secrets=secrets or Secrets(api_key="dashboard-key"),
        http=http or Http(),
        now_ns=(clock or ManualClock(NOW_NS)).now_ns,
        state_dir=tmp_path / "state",
    )
    return InsightSentry(context)
