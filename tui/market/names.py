"""What can be asked for: symbols in the user's spelling, kinds of data, bar intervals, subscriptions."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple, NewType

from tui.errors import SymbolError

Symbol = NewType("Symbol", str)
"""An instrument as the user spells it, in canonical form: `AAPL`, `BTC/USDT`, `AAPL 2026-12-18 200C`, `NASDAQ:AAPL`."""


class Kind(StrEnum):
    """A kind of data that a pane can want."""

    QUOTE = "quote"
    BAR = "bar"
    BOOK = "book"
    TRADE = "trade"
    NEWS = "news"
    GREEKS = "greeks"
    ACCOUNT = "account"


class Interval(StrEnum):
    """The length of a bar. Case matters nowhere: there is no month."""

    S1 = "1s"
    M1 = "1m"
    M5 = "5m"
    M15 = "15m"
    H1 = "1h"
    D1 = "1d"
    W1 = "1w"

    @property
    def seconds(self) -> int:
        """Length in seconds."""
        return _SECONDS[self]

    def start_of(self, ts_ns: int) -> int:
        """UTC nanoseconds at which the bar that holds `ts_ns` starts; weeks start on Monday."""
        step = self.seconds * 1_000_000_000
        shift = 4 * 86_400 * 1_000_000_000 if self is Interval.W1 else 0  # 1970-01-05 was a Monday
        return (ts_ns - shift) // step * step + shift


_SECONDS: Final = {
    Interval.S1: 1,
    Interval.M1: 60,
    Interval.M5: 300,
    Interval.M15: 900,
    Interval.H1: 3600,
    Interval.D1: 86_400,
    Interval.W1: 604_800,
}


class AssetClass(StrEnum):
    """What the spelling of a symbol says about the instrument."""

    EQUITY = "equity"
    INDEX = "index"
    PAIR = "pair"
    OPTION = "option"
    CODE = "code"


class Subscription(NamedTuple):
    """Something that someone wants.

    `symbol` is None for whole streams (news, account); `interval` is set for bars only.
    """

    kind: Kind
    symbol: Symbol | None = None
    interval: Interval | None = None

    def __str__(self) -> str:
        return " ".join(part for part in (self.kind.value, self.symbol, self.interval) if part)


Wants = frozenset[Subscription]
"""All that one connection should deliver."""

INDICES: Final = frozenset("SPX NDX DJI VIX RUT COMP NYA OEX MID SML".split())
_STABLE: Final = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "DAI")
_FIAT: Final = ("USD", "EUR", "GBP", "JPY", "BTC", "ETH")
_COINS: Final = frozenset(
    "BTC ETH SOL BNB XRP ADA DOGE DOT AVAX LINK LTC BCH TRX TON SHIB UNI ATOM ETC XLM NEAR APT ARB OP SUI".split()
)
_OSI: Final = re.compile(r"^([A-Z][A-Z0-9.]{0,5}?) *(\d{2})(\d{2})(\d{2})([CP])(\d{8})$")
_OPTION: Final = re.compile(r"^([A-Z][A-Z0-9.]{0,5}) (\d{4})-(\d{2})-(\d{2}) (\d+(?:\.\d{1,3})?)([CP])$")
_PAIR: Final = re.compile(r"^([A-Z0-9]{1,15})[/-]([A-Z0-9]{2,10})$")
_CODE: Final = re.compile(r"^[A-Z0-9_./-]+:[A-Z0-9_./!-]+$")
_TICKER: Final = re.compile(r"^[A-Z][A-Z0-9]{0,11}(\.[A-Z]{1,3})?$")
MAX_SYMBOL: Final = 40


class Option(NamedTuple):
    """An option contract: `strike` as the user writes it, without trailing zeros."""

    root: str
    expiry: date
    strike: str
    right: str


def parse_symbol(text: str) -> Symbol:
    """Canonical spelling of what a person typed.

    `btc-usdt`, `BTCUSDT` and `BTC/USDT` are one symbol; so are an option's OSI form and `AAPL 2026-12-18 200C`.

    Raises:
        SymbolError: nothing that could be a symbol.
    """
    words = " ".join(text.upper().split())
    if not words or len(words) > MAX_SYMBOL:
        raise SymbolError(f"{text[:MAX_SYMBOL]!r} is not a symbol", remedy="Try AAPL, BTC/USDT or NASDAQ:AAPL.")
    if _CODE.match(words):
        return Symbol(words)
    if option := _option(words):
        return Symbol(f"{option.root} {option.expiry.isoformat()} {option.strike}{option.right}")
    if pair := _PAIR.match(words):
        return Symbol(f"{pair[1]}/{pair[2]}")
    if pair_without_slash := _split_pair(words):
        return Symbol("/".join(pair_without_slash))
    if _TICKER.match(words):
        return Symbol(words)
    raise SymbolError(f"{text!r} is not a symbol", remedy="Try AAPL, BTC/USDT or NASDAQ:AAPL.")


def asset_class(symbol: Symbol) -> AssetClass:
    """What kind of instrument the spelling names."""
    if ":" in symbol:
        return AssetClass.CODE
    if " " in symbol:
        return AssetClass.OPTION
    if "/" in symbol:
        return AssetClass.PAIR
    return AssetClass.INDEX if symbol in INDICES else AssetClass.EQUITY


def split_option(symbol: Symbol) -> Option | None:
    """The parts of an option's symbol, or None when it is not one."""
    return _option(symbol)


def osi(option: Option) -> str:
    """OSI form with an unpadded root: `AAPL261218C00200000` (strike × 1000 in eight digits)."""
    thousandths = round(float(option.strike) * 1000)
    return f"{option.root}{option.expiry:%y%m%d}{option.right}{thousandths:08d}"


def _option(words: str) -> Option | None:
    try:
        if match := _OPTION.match(words):
            root, year, month, day, strike, right = match.groups()
            return Option(root, date(int(year), int(month), int(day)), _plain(strike), right)
        if match := _OSI.match(words):
            root, year, month, day, right, thousandths = match.groups()
            strike = f"{int(thousandths) / 1000:.3f}"
            return Option(root, date(2000 + int(year), int(month), int(day)), _plain(strike), right)
    except ValueError:  # a day that no calendar has
        return None
    return None


def _plain(strike: str) -> str:
    whole, _, fraction = strike.partition(".")
    fraction = fraction.rstrip("0")
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{fraction}" if fraction else whole


def _split_pair(words: str) -> tuple[str, str] | None:
    for quote in _STABLE:
        if words.endswith(quote) and len(words) - len(quote) >= 2:
            return words[: -len(quote)], quote
    for quote in _FIAT:
        if words.endswith(quote) and words[: -len(quote)] in _COINS:
            return words[: -len(quote)], quote
    return None
