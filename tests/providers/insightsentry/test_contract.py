"""Both codecs under the contract that holds for all, with every message of the reference and the seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from tests.providers.contract import CodecContract
from tests.providers.insightsentry.stand_ins import FRAMES, KEY, bar, live_codec, quote
from tui.market.names import Interval, Kind, Subscription, Symbol, Wants
from tui.providers.base import Codec, Credential
from tui.providers.insightsentry.newsfeed import NewsfeedCodec, SeenNews
from tui.providers.insightsentry.symbols import to_code, to_symbol

REFUSALS = (
    '{"message": "Invalid API key"}',
    '{"message": "Unauthorized: the key has expired"}',
    '{"error": "subscription_expired", "message": "Subscription expired"}',
    '{"error": "websocket_access_required", "message": "This plan has no WebSocket access"}',
    '{"error": "invalid_api_key", "message": "Key rejected", "retryable": false}',
)
CODES = {
    Symbol("AAPL"): "NASDAQ:AAPL",
    Symbol("BTC/USDT"): "BINANCE:BTCUSDT",
    Symbol("SPX"): "SP:SPX",
    Symbol("AAPL 2026-04-17 150C"): "OPRA:AAPL260417C150.0",
    Symbol("CME_MINI:ES1!"): "CME_MINI:ES1!",
}


class _Shared(CodecContract):
    secret = KEY
    text_frames = frozenset({"pong"})

    def refused(self) -> Sequence[str]:
        return REFUSALS

    def codes(self) -> Mapping[Symbol, str]:
        return CODES

    def to_code(self, symbol: Symbol) -> str | None:
        return to_code(symbol)

    def to_symbol(self, code: str) -> Symbol | None:
        return to_symbol(code)


class TestLive(_Shared):
    frames = FRAMES / "live"

    def codec(self) -> Codec:
        return live_codec()

    def accepted(self) -> Sequence[str]:
        return ['{"message": "Connecting..."}', '{"message": "Connected to W:EUROPE-WEST"}']

    def wants(self) -> Sequence[Wants]:
        ticks = Subscription(Kind.TRADE, Symbol("ETH/USDT"))
        return [
            frozenset({quote("AAPL"), quote("MSFT"), quote("ETH/USDT"), bar("AAPL"), bar("MSFT", Interval.M5), ticks}),
            frozenset({quote("AAPL")}),
            frozenset({quote("AAPL"), quote("NASDAQ:AAPL"), bar("AAPL", Interval.W1)}),
            frozenset({bar("BTC/USDT", Interval.S1)}),
            frozenset(),
        ]

    def unknown(self) -> Sequence[str]:
        return ['{"type": "auth", "ok": true}', '{"c": "AAPL", "lp": 1.5}', '{"volume": 3}', '{"event": "other"}']


class TestNewsfeed(_Shared):
    frames = FRAMES / "newsfeed"

    def codec(self) -> Codec:
        return NewsfeedCodec(Credential(SecretStr(KEY)), to_symbol, SeenNews())

    def accepted(self) -> Sequence[str]:
        return ["[]"]

    def wants(self) -> Sequence[Wants]:
        return [frozenset({Subscription(Kind.NEWS)}), frozenset()]

    def unknown(self) -> Sequence[str]:
        return ['{"type": "auth", "ok": true}', '{"code": "NASDAQ:AAPL", "bid": 1.5}', '{"event": "other"}']
