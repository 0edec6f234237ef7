"""The accounts socket: news, orders, positions, balances, profit and loss, watchlists (sections 7 and 8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Final

from tui.market.events import Event
from tui.market.names import Kind, Subscription, Wants
from tui.market.terms import Severity
from tui.providers.aries import guesses, ledger, wire
from tui.providers.aries.codec import SessionCodec
from tui.providers.aries.guesses import What
from tui.providers.aries.news import news_item
from tui.providers.aries.normalise import Body, Fields, Message
from tui.providers.base import Credential, Send, Signal, SymbolTable

NEWS: Final = Subscription(Kind.NEWS)
ACCOUNT: Final = Subscription(Kind.ACCOUNT)
TOPICS: Final[dict[Subscription, tuple[str, ...]]] = {NEWS: ("news",), ACCOUNT: ("account", "pnl", "watchlist")}
OWNED: Final = frozenset({"account", "pnl"})
"""Topics that need an account's id."""


class AccountsCodec(SessionCodec):
    """Topics: one a frame, so that an error speaks of one topic."""

    channel = "accounts"
    offers: ClassVar[frozenset[Kind]] = frozenset({Kind.NEWS, Kind.ACCOUNT})

    def __init__(
        self,
        credential: Credential,
        symbols: SymbolTable,
        *,
        account: str = "",
        pnl_interval: str = "5m",
        detail: str = "",
        jitter_s: float = 0.0,
        warnings: Sequence[str] = (),
    ) -> None:
        """Prepare a codec for one connection.

        Args:
            credential: The access token.
            symbols: User spelling to code and back.
            account: Whose orders, positions and profit to follow; "" when nobody knows.
            pnl_interval: Of profit and loss candles, one of `15s 1m 5m 15m 1h 1d 1mo`.
            detail: What to tell with the login: that the account is simulated.
            jitter_s: Added to the time of each renewal.
            warnings: Told to the user when the socket opens.
        """
        super().__init__(credential, symbols, jitter_s=jitter_s, warnings=warnings)
        self.detail = detail
        self._account = account
        self._pnl_interval = pnl_interval
        self._attempt: dict[str, int] = {}  # by topic: which spelling is in use
        self._sent: set[str] = set()
        self._frames: dict[str, str] = {}

    def changed(self, want: Wants, now_ns: int) -> Iterator[Signal]:
        """Subscribe topics that are new, unsubscribe those that nobody wants."""
        topics = [topic for subscription in sorted(want) for topic in TOPICS.get(subscription, ())]
        for topic in sorted(self._sent - set(topics)):
            self._sent.discard(topic)
            payload = self._payload(topic)
            yield Send(wire.unsubscribe(self.next_id("unsub"), payload), purpose="unsubscribe")
        new = [topic for topic in topics if topic not in self._sent]
        if not self._account and OWNED & set(new):
            yield self.notice("no account is known: orders and positions are not followed", now_ns)
        for topic in new:
            self._sent.add(topic)
            if self._account or topic not in OWNED:
                yield self._subscribe(topic)

    def forget(self) -> None:
        """Forget all subscriptions, but not which spellings the server takes."""
        self._sent.clear()
        self._frames.clear()

    def failed(self, request_id: str, text: str, now_ns: int) -> Iterator[Signal] | None:
        """A topic was refused: try its next spelling, else it is not to be had (7.1)."""
        topic = self._frames.pop(request_id, None)
        return None if topic is None else self._fall_back(topic, text, now_ns)

    def _fall_back(self, topic: str, text: str, now_ns: int) -> Iterator[Signal]:
        if topic not in self._sent:
            return
        self._attempt[topic] = self._attempt.get(topic, 0) + 1
        if self._attempt[topic] < len(_spellings(topic)):
            yield self._subscribe(topic)
            return
        self._attempt[topic] = 0
        whole = {"news": NEWS, "account": ACCOUNT}.get(topic)  # the other topics only add to the account
        yield self.notice(f"{topic}: {text}", now_ns, refused=whole)

    def _subscribe(self, topic: str) -> Send:
        request_id = self.next_id("sub")
        self._frames[request_id] = topic
        for old in list(self._frames)[:-50]:
            del self._frames[old]
        return Send(wire.subscribe(request_id, self._payload(topic)), purpose="subscribe")

    def _payload(self, topic: str) -> list[dict[str, Any]] | dict[str, Any]:
        """`[{"topic": "pnl", "accountId": "TEST-ACCOUNT-001", "interval": "5m"}]`, or the object alone (7.1)."""
        name, is_array = _spellings(topic)[self._attempt.get(topic, 0)]
        entry = {"topic": name}
        if topic in OWNED:
            entry["accountId"] = self._account
        if topic == "pnl":
            entry["interval"] = self._pnl_interval
        return [entry] if is_array else entry

    def event(self, what: What | None, body: Body, message: Message, ts_recv_ns: int) -> Iterator[Signal]:
        """Dispatch one body by the name of its event, else by its keys (7.2, 17)."""
        if what is What.INFO:
            text = f"account information changed: {ledger.changed_keys(body)}"
            yield self.notice(text, ts_recv_ns, severity=Severity.INFO)
        elif what is What.NEWS:
            item, rejected = news_item(body, message.ts_ns, ts_recv_ns)
            self.count("rejected", rejected)
            if item is not None:
                yield item
        elif what is What.WATCHLIST:
            yield self._watchlist(body, message, ts_recv_ns)
        elif what in (What.ORDER, What.POSITION, What.BALANCE, What.PNL):
            yield from self._entry(what, body, message, ts_recv_ns)
        else:
            self.count("unknown", sample=message.name)

    def _entry(self, what: What, body: Body, message: Message, ts_recv_ns: int) -> Iterator[Event]:
        fields = Fields(body)
        stamps = (message.ts_ns, ts_recv_ns)
        event: Event | None
        match what:
            case What.ORDER:
                event = ledger.order(fields, self._account, *stamps)
            case What.POSITION:
                event = ledger.position(fields, self._account, *stamps)
            case What.BALANCE:
                event = ledger.balance(fields, self._account, *stamps)
            case _:
                event = ledger.pnl_candle(fields, self._account, self._pnl_interval, *stamps)
        self.count("rejected", fields.rejected if event is not None else max(fields.rejected, 1))
        if event is not None:
            yield event

    def _watchlist(self, body: Body, message: Message, ts_recv_ns: int) -> Event:
        """A full list, or word that one changed: the form of a change is not documented, so nothing is guessed."""
        fields = Fields(body)
        found = ledger.watchlist(fields, message.ts_ns, ts_recv_ns)
        return found or self.notice("a watchlist was changed at Aries", ts_recv_ns, severity=Severity.INFO)


def _spellings(topic: str) -> list[tuple[str, bool]]:
    """Names and forms of a topic in the order to try them: as an array first, the seed's name first."""
    return [(name, is_array) for is_array in (True, False) for name in guesses.TOPICS[topic]]
