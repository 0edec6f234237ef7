"""The codec contract, for each of the three sockets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.providers.aries.sessions import FRAMES, NOW_NS, TOKEN, credential, golden, want
from tests.providers.contract import CodecContract, golden_frames
from tui.market.names import Symbol, Wants
from tui.providers.aries.accounts import AccountsCodec
from tui.providers.aries.charts import ChartsCodec
from tui.providers.aries.codec import SessionCodec
from tui.providers.aries.market import MarketCodec
from tui.providers.aries.symbols import to_code, to_symbol
from tui.providers.base import SymbolTable


class _Aries(CodecContract):
    secret = TOKEN
    now_ns = NOW_NS

    def accepted(self) -> Sequence[str]:
        return [golden("session/auth_success.json")]

    def refused(self) -> Sequence[str]:
        required = golden("session/auth_required.json")
        return [
            golden("session/auth_failed.json"),
            '{"type":"response","id":"auth-1","payload":{"action":"error","error":"token is required"}}',
            '{"type":"event","payload":{"action":"error","error":{"code":401,"message":"token expired"}}}',
            f"{required}\n{required}",
        ]

    def unknown(self) -> Sequence[str]:
        return [
            '{"type":"event","payload":{"action":"update","type":"moonPhase","data":{"phase":"full"}}}',
            '{"type":"event","payload":{"action":"celebrate","timestamp":1795185600123}}',
            '{"type":"weather","data":[1,2,3]}',
            "[[1,2,3]]",
            '{"type":"response","id":"req-7","payload":{"data":{"expiryDates":["2026-12-18"]}}}',
        ]

    def codes(self) -> Mapping[Symbol, str]:
        return {
            Symbol("AAPL"): "AAPL",
            Symbol("SPX"): "SPX",
            Symbol("BRK.B"): "BRK.B",
            Symbol("AAPL 2026-12-18 200C"): "AAPL261218C00200000",
            Symbol("SPX 2026-12-18 6012.5P"): "SPX261218P06012500",
        }

    def to_code(self, symbol: Symbol) -> str | None:
        return to_code(symbol)

    def to_symbol(self, code: str) -> Symbol | None:
        return to_symbol(code)

    def golden(self) -> dict[str, str]:
        shared = {f"session/{name}": frame for name, frame in golden_frames(FRAMES / "session").items()}
        return super().golden() | shared


class TestMarket(_Aries):
    frames = FRAMES / "market"

    def codec(self) -> SessionCodec:
        return MarketCodec(credential(), SymbolTable())

    def wants(self) -> Sequence[Wants]:
        return [
            want("quote AAPL", "book AAPL", "trade AAPL", "quote SPX", "trade NVDA", "greeks AAPL 2026-12-18 200C"),
            want("quote AAPL", "quote MSFT"),
            want("book AAPL", "trade AAPL"),
            frozenset(),
            want(*(f"quote {chr(65 + n // 26)}{chr(65 + n % 26)}X" for n in range(230)), "quote BTC/USDT"),
        ]


class TestCharts(_Aries):
    frames = FRAMES / "charts"

    def codec(self) -> SessionCodec:
        return ChartsCodec(credential(), SymbolTable())

    def wants(self) -> Sequence[Wants]:
        return [want("bar AAPL 1m", "bar AAPL 5m"), want("bar AAPL 1d", "bar SPX 1m"), frozenset(), want("bar MSFT 1h")]


class TestAccounts(_Aries):
    frames = FRAMES / "accounts"

    def codec(self) -> SessionCodec:
        return AccountsCodec(credential(), SymbolTable(), account="TEST-ACCOUNT-001")

    def wants(self) -> Sequence[Wants]:
        return [want("news", "account"), want("news"), frozenset(), want("account")]
