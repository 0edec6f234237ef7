"""The REST side of InsightSentry's dialect (protocol reference 9 and 11)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

from tui.providers.insightsentry.simulator_frames import (
    NS,
    code_of,
    codes,
    news_item,
    quote_fields,
    response_code,
    search_row,
    seconds_of,
    series_frame,
    wrapped,
)
from tui.simulator.dialect import Request, Response
from tui.simulator.market import SimulatedMarket

WEEK_S: Final = 7 * 86_400
PAGE: Final = 50


class RestCalls:
    """The calls.

    Args:
        market: What is shown.
        is_valid: Whether a request's headers hold a key.
        rotate: Issues a WebSocket key and ends the one before.
    """

    def __init__(
        self, market: SimulatedMarket, is_valid: Callable[[Mapping[str, str]], bool], rotate: Callable[[], str]
    ) -> None:
        self._market = market
        self._is_valid = is_valid
        self._rotate = rotate

    def answer(self, request: Request) -> Response:
        """Answer a GET; the path is without the prefix."""
        if request.method != "GET":
            return _error(404, "not_found", "No such call")
        if request.path == "/v2/websocket-key":
            return self._websocket_key(request)
        if not self._is_valid(request.headers):
            return _error(401, "unauthorized", "Invalid API key")
        match [unquote(part) for part in request.path.strip("/").split("/")]:
            case ["v3", "symbols", "search"]:
                return self._search(request.query)
            case ["v3", "symbols", "exchanges"]:
                return self._exchanges()
            case ["v3", "symbols", "quotes"]:
                return self._quotes(request.query)
            case ["v3", "symbols", code, ("series" | "info") as what]:
                symbol = codes(self._market).get(code)
                if symbol is None:
                    return _error(404, "invalid_symbol", "Invalid Symbol Code")
                return self._series(code, symbol, request.query) if what == "series" else self._info(symbol)
            case ["v3", "newsfeed"]:
                return self._news(request.query)
            case ["v3", "newsfeed", "list"]:
                sources = sorted({each.publisher for each in self._market.news(500)})
                return Response({"last_update": self._market.now_ns // NS, "data": sources})
        return _error(404, "not_found", "No such call")

    def _websocket_key(self, request: Request) -> Response:
        if "x-rapidapi-key" not in request.headers or not self._is_valid(request.headers):
            return _error(401, "unauthorized", "Invalid API key")
        expiration = self._market.now_ns // NS + WEEK_S
        return Response({"api_key": self._rotate(), "expiration": expiration, "note": "Valid for 7 days"})

    def _search(self, query: Mapping[str, str]) -> Response:
        found = self._market.search(query.get("query", ""), 200) if query.get("query") else []
        rows = [search_row(each) for each in found or (() if query.get("query") else self._market.instruments.values())]
        for name in ("type", "exchange", "country"):
            if name in query:
                rows = [row for row in rows if row[name].lower() == query[name].lower()]
        page = _whole(query.get("page"), 1, 1, 10_000)
        part = rows[(page - 1) * PAGE : page * PAGE]
        return Response({"current_page": page, "has_more": len(rows) > page * PAGE, "symbols": part})

    def _exchanges(self) -> Response:
        names = sorted({code_of(each).partition(":")[0] for each in self._market.instruments.values()})
        return Response({"current_page": 1, "has_more": False, "exchanges": [{"exchange": name} for name in names]})

    def _quotes(self, query: Mapping[str, str]) -> Response:
        asked = [code for code in query.get("codes", "").split(",") if code]
        if not asked or len(asked) > 10:
            return _error(400, "bad_request", "codes: 1 to 10 codes are required")
        known = codes(self._market)
        rows = [quote_fields(self._market, known[code]) for code in asked if code in known]
        return Response(wrapped(rows, self._market.now_ns))

    def _series(self, code: str, symbol: str, query: Mapping[str, str]) -> Response:
        bar_type = query.get("bar_type", "day")
        bar_interval = _whole(query.get("bar_interval"), 1, 1, 1440)
        seconds = seconds_of(bar_type, bar_interval)
        if seconds is None:  # unsupported values fall back to 1 without a word
            bar_interval, seconds = 1, seconds_of(bar_type, 1)
        if seconds is None:
            return _error(400, "invalid_bar_type", "bar_type is not supported")
        asked = _whole(query.get("dp"), 3000, 1, 30_000)
        count = 1 if asked == 1 else math.ceil(asked / 500) * 500
        bars = self._market.recent_bars(symbol, seconds, count)
        return Response(series_frame(code, response_code(bar_type, bar_interval), seconds, bars, self._market.now_ns))

    def _info(self, symbol: str) -> Response:
        row = search_row(self._market.instruments[symbol])
        return Response({**row, "name": row["description"], "delay_seconds": 0})

    def _news(self, query: Mapping[str, str]) -> Response:
        items = [news_item(each, self._market.instruments) for each in reversed(self._market.news(500))]
        if words := [each for each in query.get("keywords", "").lower().split(",") if each]:
            items = [each for each in items if any(word in f"{each}".lower() for word in words)]
        limit, page = _whole(query.get("limit"), 500, 1, 500), _whole(query.get("page"), 1, 1, 10_000)
        part = items[(page - 1) * limit : page * limit]
        answer: dict[str, Any] = {
            "last_update": self._market.now_ns // NS,
            "total_items": len(items),
            "current_items": len(part),
            "page": page,
            "has_next": len(items) > page * limit,
            "data": part,
        }
        return Response(answer)


def _error(status: int, kind: str, message: str) -> Response:
    return Response({"error": kind, "message": message}, status=status)


def _whole(text: str | None, default: int, least: int, most: int) -> int:
    return min(max(int(text), least), most) if text and text.isascii() and text.isdigit() else default
