"""A codec and the simulator's side of it, in one process: what one says the other hears at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.providers.aries.sessions import credential
from tests.providers.contract import drained
from tui.market.names import Kind, Wants
from tui.providers.aries.accounts import AccountsCodec
from tui.providers.aries.charts import ChartsCodec
from tui.providers.aries.codec import SessionCodec
from tui.providers.aries.market import MarketCodec
from tui.providers.aries.simulator import AriesDialect
from tui.providers.base import (
    Close,
    LoggedIn,
    LoginRefused,
    Output,
    Renew,
    Send,
    Signal,
    SymbolTable,
)
from tui.simulator.dialect import Hangup, Reply
from tui.simulator.market import STEP_NS, SimulatedMarket

TOKEN = "demo-aries"


class Talk:
    """One connection. Ends when either side closes it, as `over` says.

    Attributes:
        said: All that the codec put out but frames.
        sent: The frames that it sent.
    """

    def __init__(
        self,
        channel: str,
        *,
        dialect: AriesDialect | None = None,
        codec: SessionCodec | None = None,
        token: str = TOKEN,
    ) -> None:
        self.dialect = dialect or AriesDialect(SimulatedMarket(seed=7))
        self.market = self.dialect.market
        self.codec = codec or self._codec(channel, token)
        self.said: list[Signal] = []
        self.sent: list[Send] = []
        self.over: Signal | Hangup | None = None
        self.wants: Wants = frozenset()
        self.now_ns = self.market.now_ns
        self._conversation = self.dialect.conversation(channel)

    def start(self, wants: Wants = frozenset()) -> Talk:
        self.wants = wants
        login = self.codec.opened(self.now_ns)
        self.hear(self._conversation.opened(self.now_ns))  # the greeting is under way while we log in
        self.say(login)
        return self

    def want(self, wants: Wants) -> None:
        self.wants = wants
        self.say(self.codec.wanted(wants, self.now_ns))
        for subscription in sorted(wants):
            if subscription.kind is Kind.BAR:
                self.say(self.codec.history(subscription, []))

    def run(self, seconds: float) -> Talk:
        """Let time pass; the codec is ticked once a second."""
        for step in range(round(seconds * 10)):
            self.now_ns += STEP_NS
            self.hear(self._conversation.changed(self.market.advance(self.now_ns), self.now_ns))
            if step % 10 == 9:
                self.say(self.codec.ticked(self.now_ns))
            if self.over is not None:
                break
        return self

    def of(self, kind: type[Any]) -> list[Any]:
        return [signal for signal in self.said if isinstance(signal, kind)]

    def say(self, output: Output) -> None:
        for signal in drained(output):
            if self.over is not None:
                return
            if isinstance(signal, Send):
                self.sent.append(signal)
                self.hear(self._conversation.received(signal.frame, self.now_ns))
                continue
            self.said.append(signal)
            if isinstance(signal, LoggedIn):
                self.want(self.wants)
            elif isinstance(signal, Close | LoginRefused):
                self.over = signal
            elif isinstance(signal, Renew):
                self.say(self.codec.renewed(credential(token=TOKEN), self.now_ns))

    def hear(self, replies: Iterable[Reply]) -> None:
        for reply in replies:
            if isinstance(reply, Hangup):
                self.over = self.over or reply
            elif self.over is None:
                self.say(self.codec.received(reply, self.now_ns))

    def _codec(self, channel: str, token: str) -> SessionCodec:
        match channel:
            case "market":
                return MarketCodec(credential(token=token), SymbolTable())
            case "charts":
                return ChartsCodec(credential(token=token), SymbolTable())
            case _:
                account = self.market.account.id
                return AccountsCodec(credential(token=token), SymbolTable(), account=account)
