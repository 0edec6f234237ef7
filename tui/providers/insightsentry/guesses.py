"""What the provider's documents leave open, in one place: correct a guess here when a live server shows otherwise.

Section numbers are those of the protocol reference. Everything else in this package is stated by provider material.
"""

from __future__ import annotations

from typing import Final

from tui.market.names import Interval

BAR_UNITS: Final = {"s": 1, "S": 1, "m": 60, "h": 3600, "H": 3600, "d": 86_400, "D": 86_400, "w": 604_800, "W": 604_800}
"""Unit letters in seconds. Only `s`, `m` and `D` were seen; `M` is a month and stays unknown."""
TICK_CODES: Final = frozenset({"tick", "1tick", "1T", "T", "tick1"})
"""Response codes of a feed of single trades. None was ever seen."""

BENIGN: Final = ("connecting", "connected")
"""Status texts start with these."""
KEY_WORDS: Final = ("invalid", "unauthorized", "expired")
"""Together with `key` they mean that the key was refused."""
OVER_LIMIT: Final = ("exceeds the number of symbols", "symbol limit")
"""The list holds more than the plan allows."""
FULL_WORDS: Final = ("exceed", "maximum", "limit", "too many")
"""Together with `connections` they mean that the key has no connection to spare."""
ERROR_WORDS: Final = (
    "invalid", "error", "fail", "unknown", "not found", "unsupported", "denied", "exceed", "malformed", "required",
)  # fmt: skip
"""Any other text with one of these is taken for a legacy error; without, it is only shown."""

PARTIAL_ERRORS: Final = frozenset(
    {"invalid_symbol", "invalid_bar_interval", "invalid_currency_code", "invalid_unit_code", "series_error"}
)
"""One subscription failed, the rest of the list is active."""
BARS_ONLY_ERRORS: Final = frozenset({"invalid_bar_interval", "series_error"})
"""Of these, the ones that say nothing about the quotes of the same code."""
THROTTLED_ERRORS: Final = frozenset({"processing_throttled", "reconnect_throttled"})
RECONNECT_ACTIONS: Final = frozenset({"reconnect", "reconnect_and_send_request", "reconnect_with_current_entitlements"})
EVICTED_ERRORS: Final = frozenset({"connection_evicted"})
FULL_ERRORS: Final = frozenset({"max_connections_exceeded"})
BUSY_ERRORS: Final = frozenset({"server_busy", "internal_server_error"})
ACCOUNT_ERRORS: Final = frozenset({"subscription_expired", "websocket_access_required"})
KEY_ERRORS: Final = frozenset({"unauthorized", "invalid_api_key", "invalid_key", "api_key_expired", "invalid_token"})
"""Kinds that refuse the key. None is documented; texts are matched with `KEY_WORDS` as well."""

NEWS_LISTS: Final = ("data", "news", "items")
SEARCH_LISTS: Final = ("symbols", "data", "results")

INDEX_CODES: Final = {
    "SPX": "SP:SPX",
    "NDX": "NASDAQ:NDX",
    "COMP": "NASDAQ:IXIC",
    "DJI": "DJ:DJI",
    "VIX": "CBOE:VIX",
    "RUT": "TVC:RUT",
    "NYA": "TVC:NYA",
    "OEX": "SP:OEX",
    "MID": "SP:MID",
    "SML": "SP:SML",
}
"""Unverified: search shows the real ones, and `[symbols]` in the configuration corrects them."""
ARCA: Final = "AMEX"
"""Exchange prefix of funds listed at NYSE Arca."""
CRYPTO: Final = "BINANCE"
"""Exchange of pairs against a stable coin or another coin; the prefix itself is documented."""
CRYPTO_FIAT: Final = "COINBASE"
"""Exchange of coins against US dollars, euros and pounds."""
FOREX: Final = "FX"
"""Exchange prefix of currency pairs."""

BAR_REQUESTS: Final = {
    Interval.S1: ("second", 1),
    Interval.M1: ("minute", 1),
    Interval.M5: ("minute", 5),
    Interval.M15: ("minute", 15),
    Interval.H1: ("hour", 1),
    Interval.D1: ("day", 1),
    Interval.W1: ("week", 1),
}
"""`bar_type` and `bar_interval` by interval (3.1). The socket's page has no `week` in its oldest edition."""
ASSUMED_KEY_LIFE_S: Final = 6 * 86_400
"""Life of a rotated key whose answer holds no `expiration` (9): a week by the documents, less a margin."""
