"""The simulated REST calls (13, 14)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from tui.clock import NS
from tui.providers.aries.simulator.accounts import balance, news, order, position
from tui.providers.aries.simulator.options import Contract
from tui.providers.aries.simulator.tokens import TokenDesk
from tui.simulator.dialect import Request, Response
from tui.simulator.market import Instrument, SimulatedMarket

RESOLUTIONS: Final = {
    "1": 60, "3": 180, "5": 300, "15": 900, "30": 1800, "45": 2700, "60": 3600, "120": 7200, "240": 14_400,
    "D": 86_400, "1D": 86_400, "W": 604_800, "1W": 604_800,
}  # fmt: skip
MARKETS: Final = {"NASDAQ": "XNAS", "NYSE": "XNYS"}
MOST_BARS: Final = 20_000


def answer(request: Request, market: SimulatedMarket, tokens: TokenDesk) -> Response:
    """Answer one call."""
    if (request.method, request.path) == ("POST", "/v1/oauth2/token"):
        return tokens.token(_body(request))
    if request.path == "/oauth2/authorize":
        return tokens.authorize(request.query)
    if request.path == "/tv/health":
        return Response({"status": "ok"})
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or token not in tokens.access:
        return Response({"error": "unauthorized", "message": "invalid token"}, 401)
    match request.path:
        case "/v1/marketdata/search":
            return _search(request.query, market)
        case "/v1/chart/history":
            return Response(_history(request.query, market))
        case "/v1/news":
            return Response({"news": [news(item) for item in _news(request.query, market)]})
        case _:
            return _account(request.path, market)


def _search(query: Mapping[str, str], market: SimulatedMarket) -> Response:
    words = query.get("query", "")
    limit = query.get("limit", "20")
    if not words or not limit.isdecimal() or not 1 <= int(limit) <= 100:
        return Response({"error": "bad_request", "message": "query is required"}, 400)
    if words.startswith("."):
        return Response(_options(words[1:].upper(), market)[: int(limit)])
    found = [each for each in market.search(words, 100) if each.kind != "crypto"][: int(limit)]
    return Response([_row(each) for each in found])


def _row(each: Instrument) -> dict[str, str]:
    kind = "index" if each.is_index else "stock"
    return {
        "symbol": each.symbol,
        "description": each.description,
        "tag": MARKETS.get(each.exchange, each.exchange),
        "type": kind,
    }


def _options(words: str, market: SimulatedMarket) -> list[dict[str, str]]:
    """Calls and puts around the money that expire in December of the next year."""
    instrument = market.instruments.get(words)
    if instrument is None or instrument.kind != "stock":
        return []
    middle = round(float(instrument.start_price) / 5) * 5
    year = 26
    rows = []
    for strike in range(max(middle - 25, 5), middle + 30, 5):
        for right, name in (("C", "Call"), ("P", "Put")):
            code = f"{words}{year}1218{right}{strike * 1000:08d}"
            rows.append(
                {
                    "symbol": code,
                    "description": f"{words} Dec 18 20{year} {strike} {name}",
                    "tag": "OPRA",
                    "type": "option",
                }
            )
    return rows


def _history(query: Mapping[str, str], market: SimulatedMarket) -> dict[str, Any]:
    """Parallel columns; always HTTP 200, what is wrong stands in `s` (14.2)."""
    symbol, resolution = query.get("symbol", ""), query.get("resolution", "")
    instrument = market.instruments.get(symbol)
    start, end = (int(text) if (text := query.get(name, "")).isdecimal() else 0 for name in ("from", "to"))
    if Contract.parse(symbol):
        return {"s": "no_data"}
    if instrument is None or instrument.kind == "crypto":
        return {"s": "error", "errmsg": f"unknown symbol {symbol}"}
    if resolution not in RESOLUTIONS or not 1 <= start < end:
        return {"s": "error", "errmsg": "invalid resolution or range"}
    step_s = RESOLUTIONS[resolution]
    end = min(end, market.now_ns // NS + 1)
    bars = market.bars(symbol, step_s, start * NS, end * NS)[-MOST_BARS:] if start < end else []
    if not bars:
        latest = market.recent_bars(symbol, step_s, 1)
        return {"s": "no_data", **({"nextTime": latest[-1].start_ns // NS} if latest else {})}
    columns = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
    figures = {key: [float(getattr(bar, name)) for bar in bars] for key, name in columns.items()}
    times = [bar.start_ns // NS for bar in bars]
    return {"s": "ok", "t": times, **figures, "nextTime": times[-1] + step_s}


def _news(query: Mapping[str, str], market: SimulatedMarket) -> list[Any]:
    symbol = query.get("ticker") or query.get("symbol")
    limit = query.get("limit", "")
    items = [each for each in market.news(200) if symbol is None or symbol in each.symbols]
    return items[-(int(limit) if limit.isdecimal() and int(limit) else 20) :]


def _account(path: str, market: SimulatedMarket) -> Response:
    account = market.account
    match path.strip("/").split("/"):
        case ["v1", "users", "me", "accounts"]:
            row = {"id": 107, "status": "ACTIVE", "is_sim": True, "account_type": "MARGIN"}
            return Response({"accounts": [{**row, "sterling_account_id": account.id}]})
        case [_, "accounts", name, *_] if name != account.id:
            return Response({"error": "not_found", "message": "no such account"}, 404)
        case ["v1", "accounts", _, "balances"]:
            return Response(balance(account))
        case ["v1", "accounts", _, "positions"]:
            rows = [position(account, each) for each in account.positions]
            return Response({"positions": rows, "availability": {"available": True, "source": "cache"}})
        case ["v2", "accounts", _, "orders"]:
            active = [order(account, each) for each in account.orders if each.status != "FILLED"]
            return Response({"orders": active, "nextCursor": 0})
        case ["v1", "accounts", _, "watchlist"]:
            lists = [{"id": 1, "name": "Simulated", "symbols": ["AAPL", "NVDA", "SPX"]}]
            return Response({"user_id": "sim", "watchlist": lists})
        case _:
            return Response({"error": "not_found", "message": "no such route"}, 404)


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
