"""Everything about Aries that is assumed and not documented, in one place: correct it here, nowhere else.

The public pages leave out the bodies of most push events and a few request forms (section 18 of the reference).
What is read goes through `SYNONYMS` and `KINDS`; what is sent takes its undocumented words from the rest.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class What(StrEnum):
    """What a pushed body is about."""

    STATUS = "market status"
    QUOTE = "quote"
    TRADE = "trade"
    LEVEL2 = "level 2"
    PRINT = "time and sales"
    GREEKS = "greeks"
    ORDER = "order"
    POSITION = "position"
    BALANCE = "balance"
    INFO = "account information"
    ACCOUNT = "account"
    PNL = "profit and loss"
    WATCHLIST = "watchlist"
    NEWS = "news"


PREFIXES: Final[tuple[tuple[str, What], ...]] = (
    ("marketstatus", What.STATUS),
    ("quote", What.QUOTE),
    ("trade", What.TRADE),
    ("price", What.TRADE),
    ("equitycomposite", What.TRADE),
    ("level2", What.LEVEL2),
    ("l2", What.LEVEL2),
    ("orderbook", What.LEVEL2),  # before `order`
    ("depth", What.LEVEL2),
    ("timeandsales", What.PRINT),
    ("tns", What.PRINT),
    ("tas", What.PRINT),
    ("greek", What.GREEKS),
    ("accountorder", What.ORDER),
    ("order", What.ORDER),
    ("accountposition", What.POSITION),
    ("position", What.POSITION),
    ("accountbalance", What.BALANCE),
    ("balance", What.BALANCE),
    ("accountinfo", What.INFO),
)
"""How the name of an event begins, in lower case and without punctuation; first match wins (section 17)."""

INSIDE: Final[tuple[tuple[str, What], ...]] = (
    ("pnl", What.PNL),
    ("watchlist", What.WATCHLIST),
    ("news", What.NEWS),
)
"""What the name of an event holds somewhere, when no prefix matches."""

WHOLE: Final[dict[str, What]] = {"account": What.ACCOUNT, "accupdates": What.ACCOUNT}
"""Whole names of an event that holds a bit of everything: a snapshot of an account."""

KEYS: Final[tuple[tuple[tuple[str, ...], What], ...]] = (
    (("orderBook",), What.LEVEL2),
    (("quotes",), What.LEVEL2),
    (("market", "exchanges"), What.STATUS),
    (("delta",), What.GREEKS),
    (("gamma",), What.GREEKS),
    (("theta",), What.GREEKS),
    (("vega",), What.GREEKS),
    (("clOrdId",), What.ORDER),
    (("averagePrice", "quantity"), What.POSITION),
    (("totalEquity",), What.BALANCE),
    (("netBuyingPower",), What.BALANCE),
    (("price", "size", "tradeSeq"), What.PRINT),
    (("price", "size", "tick"), What.PRINT),
    (("lastPrice",), What.TRADE),
    (("openPrice",), What.TRADE),
    (("totalVolume",), What.TRADE),
    (("lp",), What.TRADE),
    (("bidPrice",), What.QUOTE),
    (("askPrice",), What.QUOTE),
    (("bid",), What.QUOTE),
    (("ask",), What.QUOTE),
    (("title",), What.NEWS),
    (("headline",), What.NEWS),
)
"""Keys that must all be there for a body without a usable name to be of a kind; first match wins (section 17)."""

PLURALS: Final[dict[str, What]] = {
    "orders": What.ORDER,
    "positions": What.POSITION,
    "balances": What.BALANCE,
    "balance": What.BALANCE,
    "candles": What.PNL,
    "watchlists": What.WATCHLIST,
    "watchlist": What.WATCHLIST,
    "news": What.NEWS,
    "articles": What.NEWS,
    "items": What.NEWS,
}
"""Keys under which a body holds a list of bodies (7.2, 8), and what those are about."""

SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    # quotes and trades (5.5, 5.6, 6, 17)
    "bid": ("bidPrice", "bid", "bp", "b"),
    "ask": ("askPrice", "ask", "ap", "a"),
    "bid_size": ("bidSize", "bid_size", "bs"),
    "ask_size": ("askSize", "ask_size", "as"),
    "last": ("lastPrice", "lp", "last", "last_price", "price"),
    "change": ("netChange", "ch", "change"),
    "change_percent": ("chp", "changePercent", "change_percent"),
    "volume": ("totalVolume", "volume", "v", "vol"),
    "open": ("openPrice", "open_price", "open", "o"),
    "high": ("highPrice", "high_price", "high", "h"),
    "low": ("lowPrice", "low_price", "low", "l"),
    "prev_close": ("prev_close_price", "previousClose", "closePrice"),
    "time": ("tradeTimestamp", "quoteTimestamp", "timestamp", "time", "t"),
    # prints (5.8)
    "price": ("price", "lastPrice", "lp", "p"),
    "size": ("size", "lastSize"),
    "venue": ("tradeExchange", "exchange", "x"),
    "sequence": ("tradeSeq", "seq", "sequence"),
    # Greeks (5.9)
    "delta": ("delta",),
    "gamma": ("gamma",),
    "theta": ("theta",),
    "vega": ("vega",),
    "rho": ("rho",),
    "implied_volatility": ("impliedVolatility", "iv", "impliedVol"),
    # accounts (7.3 to 7.7)
    "account": ("accountId", "tradingAccountId", "account_id"),
    "quantity": ("quantity", "qty"),
    "average_price": ("averagePrice", "avgPrice"),
    "unrealized": ("unrealizedPl", "unrealizedPnL"),
    "realized_today": ("todayRealizedPnL", "realizedPl"),
    "daily": ("dailyPl",),
    "close": ("close", "closePrice", "c"),
    # news (8); a dot steps into an object
    "news_id": ("id", "newsId", "articleId", "article_id", "uuid"),
    "title": ("title", "headline"),
    "summary": ("summary", "teaser", "description", "text", "body"),
    "url": ("url", "articleUrl", "article_url", "link"),
    "publisher": ("source", "publisher.name", "publisher", "author", "site"),
    "published": (
        "publishedAt", "published_at", "publishedUtc", "published_utc", "datetime", "createdAt", "created", "time",
        "timestamp",
    ),
    "symbols": ("symbols", "tickers", "related", "stocks", "symbol"),
}  # fmt: skip
"""Our word for a field, and the provider's, best first."""

STATUS_KEYS: Final = ("market", "earlyHours", "afterHours", "exchanges", "currencies", "indicesGroups")
"""The parts of a market status that are kept between messages (5.4)."""

SYMBOL_KEYS: Final = ("symbol", "s", "n", "ticker")
"""Where a body names its instrument; `s` is not one when it says `ok`."""

EVENT_NAME_KEYS: Final = ("type", "event", "topic", "action")
"""Where the name of an event may stand in the payload (7.2)."""

ACTIONS: Final[dict[tuple[str, str], str]] = {("auth", "success"): "authsuccess"}
"""Older spellings of control actions (16): `{"action": "auth", "message": "success"}`."""

NEWS_ACTIONS: Final = frozenset({"update", "publish"})
"""Actions that bring data: an `error` beside one of these is a field like any other (11)."""

TOKEN_WORDS: Final = ("token", "authentic", "unauthor", "credential", "expired", "forbidden", "denied", "signature")
"""An error text with one of these refuses the token; any other refuses the form of the request (3.1, 3.3)."""

SESSION_MS: Final[dict[str, int]] = {"market": 2_700_000, "charts": 2_700_000, "accounts": 3_900_000}
"""How long a login lasts when the server does not say (3.2)."""
SECONDS_BELOW: Final = 100_000
"""An `expiresIn` below this counts seconds, not milliseconds."""

QUOTE_FIELDS: Final = ("bidPrice", "bidSize", "askPrice", "askSize", "quoteTimestamp")
TRADE_FIELDS: Final = (
    "lastPrice", "netChange", "totalVolume", "openPrice", "highPrice", "lowPrice", "tradeTimestamp",
)  # fmt: skip
LEAST_QUOTE_FIELDS: Final = ("bidPrice", "askPrice")
LEAST_TRADE_FIELDS: Final = ("lastPrice",)
"""Asked for when only prints, depth or Greeks are wanted: leaving both lists out would bring everything (5.2)."""
ALL_FIELDS: Final = ("*",)

LEVEL2_KEY: Final = "level2"
LEVEL2_VALUE: Final = True
"""The switch of depth in a subscription. Other candidates: `level2Fields: ["*"]`, `orderBook: true`,
`fields: ["level2"]` (5.2)."""

MOST_SYMBOLS_A_FRAME: Final = 100

TOPICS: Final[dict[str, tuple[str, ...]]] = {
    "account": ("account",),
    "pnl": ("pnl",),
    "watchlist": ("watchlistUpdates", "watchlist"),  # the seed's name first
    "news": ("news",),
}
"""Topics of the accounts socket, and their names in the order to try them (7.1)."""

ACCOUNT_IDS: Final = ("sterling_account_id", "apex_account_id", "id")
"""Which of an account's ids the accounts socket means (7.1)."""

NEWS_QUERY: Final = ("ticker", "limit")
"""Query names of `GET /v1/news` (8)."""
