"""InsightSentry's REST calls: search, quotes, past bars, and new WebSocket keys. Protocol reference 9 and 11."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from pydantic import SecretStr

from tui.clock import NS
from tui.errors import CredentialError, RestError, SymbolError
from tui.market.events import Bar, Quote
from tui.market.names import Interval, Symbol, parse_symbol
from tui.providers.base import HttpClient
from tui.providers.insightsentry import decode, guesses
from tui.providers.insightsentry.wire import interval_of
from tui.providers.parse import text, time_ns

MOST_CODES: Final = 10
"""Codes in one call for quotes."""
NOT_THERE: Final = frozenset({400, 404, 422})
MOST_BARS: Final = 30_000
TIMEOUT_S: Final = 15.0
_REMEDIES: Final = {
    401: "Store a valid key with `tickdeck credentials set insightsentry`.",
    402: "The plan does not include this: check it on the InsightSentry dashboard.",
    403: "The plan does not include this: check it on the InsightSentry dashboard.",
    404: "InsightSentry does not know this symbol: search for its code.",
    429: "The plan's request limit is reached: wait a minute, or look at the quota on the dashboard.",
}


@dataclass(frozen=True, slots=True)
class Found:
    """One answer of a symbol search; texts are safe to show."""

    code: str
    description: str
    kind: str


def bearer(key: SecretStr) -> dict[str, str]:
    """Headers of direct subscribers."""
    return {"Authorization": f"Bearer {key.get_secret_value()}"}


def rapidapi(key: SecretStr, url: str) -> dict[str, str]:
    """Headers of RapidAPI subscribers; the host is that of the address called."""
    return {"x-rapidapi-key": key.get_secret_value(), "x-rapidapi-host": urlsplit(url).netloc}


class Rest:
    """The calls, on the HTTP client that was passed in.

    Args:
        http: The client.
        base_url: `https://api.insightsentry.com`, or RapidAPI's address.
        headers: Makes the headers that authorise a call; may raise CredentialError.
    """

    def __init__(self, http: HttpClient, base_url: str, headers: Callable[[], Awaitable[Mapping[str, str]]]) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._headers = headers

    async def search(self, query: str, limit: int) -> list[Found]:
        """Instruments that match (11.1). Raises RestError or CredentialError."""
        answer = await self._get("symbol search", "/v3/symbols/search", {"query": query, "page": "1"})
        rows = answer if isinstance(answer, list) else _listed(answer, guesses.SEARCH_LISTS)
        found = [_found(row) for row in rows if isinstance(row, dict)]
        return [each for each in found if each is not None][:limit]

    async def quotes(self, symbols: Mapping[str, Symbol], ts_recv_ns: Callable[[], int]) -> list[Quote]:
        """The present quotes of codes (11.3), ten codes a call. Raises RestError or CredentialError."""
        codes = list(symbols)
        made: list[Quote] = []
        for first in range(0, len(codes), MOST_CODES):
            part = ",".join(codes[first : first + MOST_CODES])
            answer = await self._get("quotes", "/v3/symbols/quotes", {"codes": part})
            updated = answer.get("last_update") if isinstance(answer, dict) else None
            for row in _listed(answer, ("data",)):
                symbol = symbols.get(str(row.get("code"))) if isinstance(row, dict) else None
                if symbol is not None and (patch := decode.quote(row, symbol, updated, ts_recv_ns())[0]) is not None:
                    made.append(patch)
        return made

    async def is_there(self, code: str) -> bool:
        """Whether the server has facts about a code (11.6). Raises RestError or CredentialError."""
        try:
            await self._get("symbol facts", f"/v3/symbols/{quote(code, safe=':!.')}/info", {})
        except RestError as error:
            if error.status in NOT_THERE:
                return False
            raise
        return True

    async def bars(
        self,
        code: str,
        symbol: Symbol,
        interval: Interval,
        count: int,
        *,
        extended: bool,
        ts_recv_ns: Callable[[], int],
    ) -> list[Bar]:
        """Past bars and the running one, oldest first (11.4).

        Raises:
            RestError: also when the server answered with another length of bars: it falls back without a word.
            CredentialError: no key, or it was refused.
        """
        bar_type, bar_interval = guesses.BAR_REQUESTS[interval]
        query = {"bar_type": bar_type, "bar_interval": str(bar_interval), "dp": str(min(max(count, 1), MOST_BARS))}
        if not extended:
            query["extended"] = "false"
        answer = await self._get("bar history", f"/v3/symbols/{quote(code, safe=':!.')}/series", query)
        if not isinstance(answer, dict) or not isinstance(answer.get("series"), list):
            raise _unreadable("bar history")
        if interval_of(answer.get("bar_type")) not in (interval, None):
            given = text(answer.get("bar_type"), 20)
            raise RestError(f"InsightSentry has no {interval} bars of {code}: it answered with {given}")
        return decode.bars(answer, symbol, interval, ts_recv_ns())[0][-count:]

    async def _get(self, what: str, path: str, query: Mapping[str, str]) -> Any:
        return await call(self._http, what, f"{self._base_url}{path}", query, await self._headers())


async def websocket_key(http: HttpClient, base_url: str, rapidapi_key: SecretStr, now_ns: int) -> tuple[SecretStr, int]:
    """Get a new WebSocket key and its end of validity in UTC nanoseconds (9).

    **This ends the validity of the previous key at once.** `{"api_key": "…", "expiration": 1747580931}`.

    Raises:
        RestError, CredentialError: nothing new was issued, as far as we can tell.
    """
    url = f"{base_url.rstrip('/')}/v2/websocket-key"
    answer = await call(http, "key rotation", url, {}, rapidapi(rapidapi_key, base_url))
    key = answer.get("api_key") if isinstance(answer, dict) else None
    if not isinstance(key, str) or not key.strip():
        raise _unreadable("key rotation")
    try:
        expires_at_ns = time_ns(answer.get("expiration"))
    except ValueError:
        expires_at_ns = None
    return SecretStr(key.strip()), expires_at_ns or now_ns + guesses.ASSUMED_KEY_LIFE_S * NS


async def call(http: HttpClient, what: str, url: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Any:
    """GET with errors explained (11.8): what failed, why in the server's words, and what to do.

    Raises:
        CredentialError: the key was refused.
        RestError: anything else.
    """
    try:
        answer = await http.get(url, query=query, headers=headers, timeout_s=TIMEOUT_S)
    except RestError as error:
        remedy = error.remedy or _REMEDIES.get(error.status or 0, "")
        if error.status == 401:
            raise CredentialError(f"InsightSentry {what}: the key was refused", remedy=remedy) from error
        raise RestError(
            f"InsightSentry {what}: {error}", status=error.status, retry_after_s=error.retry_after_s, remedy=remedy
        ) from error
    if isinstance(answer, dict) and _is_error(answer):
        words = text(answer.get("message"), 200) or text(answer.get("error"), 200)
        raise RestError(f"InsightSentry {what}: {words}")
    return answer


def _is_error(answer: dict[str, Any]) -> bool:
    """A 200 may still hold only a complaint."""
    return isinstance(answer.get("error"), str) or (len(answer) == 1 and isinstance(answer.get("message"), str))


def _listed(answer: Any, names: Sequence[str]) -> list[Any]:
    lists = [answer[name] for name in names if isinstance(answer.get(name), list)] if isinstance(answer, dict) else []
    if not lists:
        raise _unreadable("answer")
    return list(lists[0])


def _found(row: dict[str, Any]) -> Found | None:
    """`{"name": "MSFT", "description": "Microsoft Corporation", "code": "NASDAQ:MSFT", "type": "STOCK", …}`."""
    try:
        code = parse_symbol(text(row.get("code"), 40))
    except SymbolError:
        return None
    if ":" not in code:
        return None
    names = [text(row.get(name), 120) for name in ("description", "name")]
    return Found(code, names[0] or names[1], text(row.get("type"), 30).lower())


def _unreadable(what: str) -> RestError:
    return RestError(f"InsightSentry {what}: an answer that cannot be read", remedy="Try again later.")
