"""REST: symbol search, history, accounts, news, watchlists (section 14). Pure readers, and the calls around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from tui.clock import NS
from tui.errors import RestError
from tui.market.events import Bar, NewsItem, Watchlist
from tui.market.names import Interval, Subscription, Symbol
from tui.market.text import clean
from tui.providers import parse
from tui.providers.aries import guesses, ledger, normalise
from tui.providers.aries.guesses import What
from tui.providers.aries.news import news_item
from tui.providers.aries.normalise import Fields
from tui.providers.aries.symbols import bare, to_symbol
from tui.providers.aries.tokens import TokenKeeper
from tui.providers.base import HttpClient, SymbolMatch

RESOLUTIONS: Final[dict[Interval, str]] = {
    Interval.M1: "1",
    Interval.M5: "5",
    Interval.M15: "15",
    Interval.H1: "60",
    Interval.D1: "1D",
    Interval.W1: "1W",
}
"""Minutes as bare numbers; a lower-case `1m` would be a month (14.2)."""
MOST_FOUND: Final = 100
MOST_BARS: Final = 20_000
_WEEKEND_S: Final = 4 * 86_400
_SPARSE: Final = {False: 6, True: 3}
"""How many times longer than its bars a span must be: markets close at night; with and without extended hours."""
_UNAUTHORIZED: Final = 401


class AriesRest:
    """The calls. Each repeats once with a refreshed token when the server says 401.

    Args:
        http: The client.
        tokens: Access tokens.
        url: Base address.
        now_ns: UTC nanoseconds.
    """

    def __init__(self, http: HttpClient, tokens: TokenKeeper, url: str, now_ns: Callable[[], int]) -> None:
        self._http = http
        self._tokens = tokens
        self._url = url.rstrip("/")
        self._now_ns = now_ns

    async def search(self, query: str, limit: int) -> list[SymbolMatch]:
        """`GET /v1/marketdata/search` (14.1): stocks and indices; a leading dot finds options."""
        words = {"query": query, "limit": str(min(max(limit, 1), MOST_FOUND))}
        return matches(await self._get("/v1/marketdata/search", words))

    async def history(self, subscription: Subscription, code: str, count: int, *, extended: bool) -> list[Bar]:
        """`GET /v1/chart/history` (14.2): the latest `count` bars, oldest first, the running one included.

        Asks once more where the server points to when the first span has no data.
        """
        symbol, interval = subscription.symbol, subscription.interval
        if symbol is None or interval not in RESOLUTIONS:
            return []
        now_ns = self._now_ns()
        end_s = now_ns // NS + interval.seconds
        span_s = _span_s(interval, count, extended=extended)
        answer = await self._bars(code, interval, end_s - span_s, end_s, extended=extended)
        if (earlier_s := points_to(answer)) and earlier_s < end_s:
            end_s = earlier_s + interval.seconds
            answer = await self._bars(code, interval, max(end_s - span_s, 1), end_s, extended=extended)
        return bars(answer, symbol, interval, now_ns)[-count:]

    async def accounts(self) -> list[dict[str, Any]]:
        """`GET /v1/users/me/accounts` (14.5): the user's accounts as the provider describes them."""
        answer = await self._get("/v1/users/me/accounts", {})
        found = answer.get("accounts") if isinstance(answer, dict) else answer
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    async def news(self, code: str | None, limit: int) -> list[NewsItem]:
        """`GET /v1/news` (8): parameters and answer are guesses; an odd answer is no news."""
        symbol_key, limit_key = guesses.NEWS_QUERY
        query = {limit_key: str(limit)} | ({symbol_key: code} if code else {})
        answer = await self._get("/v1/news", query)
        now_ns = self._now_ns()
        items = (news_item(body, None, now_ns)[0] for _, body in normalise.bodies(answer, What.NEWS))
        return [item for item in items if item is not None]

    async def watchlists(self, account: str) -> list[Watchlist]:
        """`GET /v1/accounts/{id}/watchlist` (14.5)."""
        answer = await self._get(f"/v1/accounts/{quote(account, safe='')}/watchlist", {})
        now_ns = self._now_ns()
        lists = (ledger.watchlist(Fields(body), None, now_ns) for _, body in normalise.bodies(answer, What.WATCHLIST))
        return [each for each in lists if each is not None]

    async def _bars(self, code: str, interval: Interval, from_s: int, to_s: int, *, extended: bool) -> Any:
        query = {
            "symbol": code,
            "resolution": RESOLUTIONS[interval],
            "from": str(max(from_s, 1)),
            "to": str(to_s),
        }
        if extended and interval.seconds < Interval.D1.seconds:
            query["includeExtended"] = "true"
        return await self._get("/v1/chart/history", query)

    async def _get(self, path: str, query: Mapping[str, str]) -> Any:
        try:
            return await self._ask(path, query, fresh=False)
        except RestError as error:
            if error.status != _UNAUTHORIZED:
                raise
        return await self._ask(path, query, fresh=True)

    async def _ask(self, path: str, query: Mapping[str, str], *, fresh: bool) -> Any:
        token = await self._tokens.token(fresh=fresh)
        headers = {"Authorization": f"Bearer {token.access.get_secret_value()}"}
        return await self._http.get(self._url + path, query=query, headers=headers)


def matches(answer: Any) -> list[SymbolMatch]:
    """Read search results: `[{"symbol": "AAPL", "description": "Apple Inc.", "tag": "XNAS", "type": "stock"}]`."""
    found: list[SymbolMatch] = []
    for row in answer[:MOST_FOUND] if isinstance(answer, list) else ():
        if not isinstance(row, dict):
            continue
        code = bare(parse.text(row.get("symbol"), 40))
        symbol = to_symbol(code)
        if symbol is not None:
            description = parse.text(row.get("description"), 200)
            kind = parse.text(row.get("type"), 40).lower()
            found.append(SymbolMatch(symbol, code, description, kind, "aries"))
    return found


def bars(answer: Any, symbol: Symbol, interval: Interval, now_ns: int) -> list[Bar]:
    """Read parallel columns (14.2), oldest first and each start once; impossible rows are left out.

    `{"s": "ok", "t": [1795185000], "o": [186.30], "h": [186.47], "l": [186.21], "c": [186.41], "v": [41230]}`

    Raises:
        RestError: the server answered with an error, with columns of different lengths, or with something else.
    """
    state = answer.get("s") if isinstance(answer, dict) else None
    if state == "no_data":
        return []
    if state != "ok":
        reason = parse.text(answer.get("errmsg"), 200) if isinstance(answer, dict) else ""
        raise RestError(f"Aries has no history: {reason or 'an answer of another form'}")
    columns = [answer.get(key) for key in "tohlc"]
    volumes = answer.get("v")
    if not all(isinstance(column, list) for column in columns) or len({len(column) for column in columns}) > 1:
        raise RestError("Aries answered with a history of uneven columns")
    if not isinstance(volumes, list) or len(volumes) != len(columns[0]):
        volumes = [None] * len(columns[0])
    rows = zip(*columns, volumes, strict=True)
    found = {bar.start_ns: bar for row in rows if (bar := _bar(row, symbol, interval, now_ns))}
    starts = sorted(found)[-MOST_BARS:]
    return [found[start].model_copy(update={"closed": start != starts[-1] or found[start].closed}) for start in starts]


def points_to(answer: Any) -> int | None:
    """UTC seconds at which the latest earlier data lies, when a span had none; else None."""
    if not isinstance(answer, dict) or answer.get("s") != "no_data":
        return None
    try:
        stamp = parse.time_ns(answer.get("nextTime"))
    except ValueError:
        return None
    return None if stamp is None else stamp // NS


def _bar(row: Sequence[Any], symbol: Symbol, interval: Interval, now_ns: int) -> Bar | None:
    try:
        start_ns = parse.past_ns(row[0], now_ns + interval.seconds * NS)
        volume = parse.size(row[5])
        opened, high, low, close = (parse.positive(value) for value in row[1:5])
    except ValueError:
        return None
    if start_ns is None or opened is None or high is None or low is None or close is None:
        return None
    if not low <= min(opened, close) <= max(opened, close) <= high:
        return None
    return Bar(
        source="aries",
        ts_recv_ns=now_ns,
        symbol=symbol,
        interval=interval,
        start_ns=start_ns,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=volume,
        closed=start_ns + interval.seconds * NS <= now_ns,
    )


def _span_s(interval: Interval, count: int, *, extended: bool) -> int:
    """How far back to ask so that `count` bars are in it, nights and weekends considered."""
    if interval.seconds >= Interval.D1.seconds:
        return interval.seconds * count * 3 // 2 + _WEEKEND_S
    return interval.seconds * count * _SPARSE[extended] + _WEEKEND_S


def account_label(account: Mapping[str, Any]) -> str:
    """An account for people: its id, and that it is simulated when it is."""
    name = clean(account_id(account), 40) or "unnamed"
    return f"{name} (simulated)" if account.get("is_sim") is True else name


def is_named(account: Mapping[str, Any], name: str) -> bool:
    """Whether any of an account's ids is `name`."""
    return name in (parse.text(account.get(key), 80) for key in guesses.ACCOUNT_IDS)


def account_id(account: Mapping[str, Any]) -> str:
    """The id by which the accounts socket knows an account, or "" (7.1)."""
    for key in guesses.ACCOUNT_IDS:
        if found := parse.text(account.get(key), 80):
            return found
    return ""
