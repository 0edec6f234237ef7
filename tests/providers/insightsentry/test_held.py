"""Quotes that come faster than anybody looks: patches of a symbol are laid over each other and read once."""

from __future__ import annotations

import json
from decimal import Decimal

from tests.providers.insightsentry.stand_ins import Driver, bar, live_codec, of, quote
from tui.clock import NS
from tui.market.events import Bar, Quote
from tui.market.names import Symbol
from tui.providers.base import HOLD_S, Count, Signal

AAPL, MSFT = "NASDAQ:AAPL", "NASDAQ:MSFT"


class Socket(Driver):
    """A codec that is live on two symbols, and hears bytes as they come from a socket."""

    def __init__(self) -> None:
        super().__init__(live_codec())
        self.want(quote("AAPL"), quote("MSFT"), bar("AAPL"))
        self.receive({"message": "Connected to SIM"})

    def patch(self, code: str = AAPL, after_s: float = 0.0, **fields: object) -> list[Signal]:
        self.now_ns += int(after_s * NS)
        return self.receive(json.dumps({"code": code, **fields}).encode())

    def release(self) -> list[Quote]:
        return of(Quote, list(self.codec.released(self.now_ns)))


def test_the_first_patch_is_read_at_once_and_those_right_behind_it_as_one() -> None:
    socket = Socket()
    assert of(Quote, socket.patch(last_price=189.5))
    assert not socket.codec.holds
    assert socket.patch(bid=189.4) == []
    assert socket.patch(bid=189.45, ask=189.6) == []
    assert socket.codec.holds
    (made,) = socket.release()
    assert made.model_fields_set >= {"bid", "ask"}
    assert "last" not in made.model_fields_set, "what no patch holds is no part of the quote"
    assert (made.bid, made.ask) == (Decimal("189.45"), Decimal("189.6"))
    assert not socket.codec.holds
    assert socket.release() == []


def test_an_explicit_null_clears_whatever_came_before_it() -> None:
    socket = Socket()
    socket.patch(last_price=189.5)
    socket.patch(bid=189.4, bid_size=3)
    socket.patch(bid=None)
    (made,) = socket.release()
    assert "bid" in made.model_fields_set
    assert made.bid is None
    assert made.bid_size == 3


def test_each_symbol_waits_for_itself_with_its_own_time() -> None:
    socket = Socket()
    socket.patch(last_price=1.5)
    socket.patch(MSFT, last_price=2.5)
    socket.patch(last_price=1.6)
    socket.patch(MSFT, after_s=0.01, last_price=2.6)
    made = {each.symbol: each for each in socket.release()}
    assert {symbol: str(each.last) for symbol, each in made.items()} == {"AAPL": "1.6", "MSFT": "2.6"}
    assert made[Symbol("MSFT")].ts_recv_ns - made[Symbol("AAPL")].ts_recv_ns == NS // 100


def test_after_a_while_a_quote_is_read_at_once_again() -> None:
    socket = Socket()
    socket.patch(last_price=189.5)
    assert of(Quote, socket.patch(after_s=HOLD_S, last_price=189.6))


def test_what_is_read_at_once_lies_over_what_waits() -> None:
    socket = Socket()
    socket.patch(last_price=189.5)
    socket.patch(bid=189.4, ask=189.6)
    wrapped = {"last_update": 1767623871204, "total_items": 1, "data": [{"code": AAPL, "bid": 189.5}]}
    (made,) = of(Quote, socket.receive(json.dumps(wrapped).encode()))
    assert (made.bid, made.ask) == (Decimal("189.5"), Decimal("189.6"))
    assert socket.release() == []


def test_whatever_is_no_plain_quote_is_read_at_once() -> None:
    socket = Socket()
    socket.patch(last_price=189.5)
    bars = {"code": AAPL, "bar_type": "1m", "last_update": 1767623871204, "series": [
        {"time": 1767623820, "open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5, "volume": 3},
    ]}  # fmt: skip
    assert of(Bar, socket.receive(json.dumps(bars).encode()))
    assert of(Quote, socket.patch(surprise=1)) == []
    assert of(Count, socket.receive(b'{"code": "NASDAQ:AAPL", "bid": 1.5')) == [
        Count("undecodable", sample='{"code": "NASDAQ:AAPL", "bid": 1.5')
    ]
    assert of(Count, socket.patch(last_price="1" * 3000)), "far too long for a quote"
    assert not socket.codec.holds


def test_an_impossible_figure_is_counted_when_it_is_read() -> None:
    socket = Socket()
    socket.patch(last_price=189.5)
    socket.patch(bid=-1, ask=189.6)
    released = list(socket.codec.released(socket.now_ns))
    assert [count.what for count in of(Count, released)] == ["rejected"]
    assert [str(made.ask) for made in of(Quote, released)] == ["189.6"]


def test_what_nobody_wants_any_more_when_it_is_released_is_late() -> None:
    socket = Socket()
    socket.patch(last_price=189.5)
    socket.patch(last_price=189.6)
    socket.want(quote("MSFT"))
    assert list(socket.codec.released(socket.now_ns)) == [Count("late")]


def test_nothing_is_released_once_the_connection_is_over() -> None:
    socket = Socket()
    socket.patch(last_price=189.5)
    socket.patch(last_price=189.6)
    socket.receive({"error": "invalid_api_key", "message": "Invalid API key"})
    assert list(socket.codec.released(socket.now_ns)) == []
