"""Codes of Aries: equities and indices as people type them, options in OSI form (5.1)."""

from __future__ import annotations

import re
from typing import Final

from tui.errors import SymbolError
from tui.market.names import (
    AssetClass,
    Interval,
    Kind,
    Subscription,
    Symbol,
    asset_class,
    osi,
    parse_symbol,
    split_option,
)

_OPTION_CODE: Final = re.compile(r"[A-Z][A-Z0-9.]{0,5}\d{6}[CP]\d{8}")
_BARS: Final = frozenset(Interval) - {Interval.S1}
_NO_INDEX: Final = frozenset({Kind.TRADE, Kind.BOOK})


def to_code(symbol: Symbol) -> str | None:
    """`AAPL` is `AAPL`, `AAPL 2026-12-18 200C` is `AAPL261218C00200000`; pairs and foreign codes have none."""
    match asset_class(symbol):
        case AssetClass.EQUITY | AssetClass.INDEX:
            return symbol
        case AssetClass.OPTION:
            option = split_option(symbol)
            return None if option is None else osi(option)
        case _:
            return None


def to_symbol(code: str) -> Symbol | None:
    """The user's spelling of a code, with or without the `O:` of REST; None when it is no instrument of Aries."""
    try:
        symbol = parse_symbol(bare(code))
    except SymbolError:
        return None
    return symbol if to_code(symbol) is not None else None


def bare(code: str) -> str:
    """A code without the `O:` that REST puts before options."""
    return code.removeprefix("O:")


def is_option(code: str) -> bool:
    """Whether a code is an option contract: those need a `symbolType` and have Greeks."""
    return _OPTION_CODE.fullmatch(code) is not None


def offered(subscription: Subscription) -> bool:
    """Whether the kind exists for this sort of instrument, judged by spelling.

    Indices have neither bid, ask, prints nor depth; Greeks are for options; bars shorter than a minute do not exist.
    """
    kind, symbol, interval = subscription
    if kind in (Kind.NEWS, Kind.ACCOUNT):
        return symbol is None  # the news topic follows the user's portfolio and takes no symbol (8)
    if symbol is None:
        return False
    if kind is Kind.BAR:
        return interval in _BARS
    instrument = asset_class(symbol)
    if kind is Kind.GREEKS:
        return instrument is AssetClass.OPTION
    return instrument is not AssetClass.INDEX or kind not in _NO_INDEX
