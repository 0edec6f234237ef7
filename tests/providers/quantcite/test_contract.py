from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.providers.contract import CodecContract
from tests.providers.quantcite.desk import BTC, ETH, FRAMES, GOLDEN, SECRET, SOL, book, make, quote
from tui.market.names import Symbol, Wants
from tui.providers.base import Codec
from tui.providers.quantcite.symbols import PairIndex, code_of, symbol_of


class TestContract(CodecContract):
    frames = FRAMES
    secret = SECRET

    def codec(self) -> Codec:
        return make(index=PairIndex())

    def accepted(self) -> Sequence[str]:
        return [GOLDEN["greeting.json"], GOLDEN["welcome.json"]]

    def refused(self) -> Sequence[str]:
        return [
            GOLDEN["authentication_failed.json"],
            GOLDEN["authentication_failed_seed.json"],
            GOLDEN["data_limit_exceeded.json"],
            '{"type": "authentication_error", "error": "invalid_api_key", "message": "no such key"}',
            '{"type": "authentication_error", "error": "api_key_not_found"}',
            '{"type": "authentication_error", "error": "account_suspended"}',
            '{"type": "authentication_error"}',
            '{"type": "data_limit_exceeded"}',
            '{"type": "error", "error": "Authentication failed"}',
        ]

    def wants(self) -> Sequence[Wants]:
        return [
            book(BTC, ETH) | quote(BTC),
            quote(BTC),
            frozenset(),
            book(SOL),
            book(BTC, ETH, SOL) | quote(SOL),
            book(Symbol("AAPL")),
        ]

    def unknown(self) -> Sequence[str]:
        return ['{"type": "server_news", "text": "hello"}', '{"type": "trade", "price": 1}', '{"kind": "untyped"}']

    def codes(self) -> Mapping[Symbol, str]:
        return {BTC: "BTC/USDT", Symbol("BTC/USDT:USDT"): "BTC/USDT:USDT", Symbol("1INCH/EUR"): "1INCH/EUR"}

    def to_code(self, symbol: Symbol) -> str | None:
        index = PairIndex()
        index.add("okx", ["BTC/USDT:USDT"])
        return code_of(symbol, index)

    def to_symbol(self, code: str) -> Symbol | None:
        return symbol_of(code)
