"""Which markets are open (5.4)."""

from __future__ import annotations

from typing import Final

from tui.clock import to_datetime
from tui.market.events import MarketStatus
from tui.market.terms import Session
from tui.providers import parse
from tui.providers.aries.normalise import Body

MOST_NAMES: Final = 100
_EXTENDED: Final = frozenset({"extended-hours", "extended_hours", "extended hours", "extended"})
_PRE_HOURS: Final = range(8, 16)
"""UTC hours in which extended trading in New York comes before the regular session, summer and winter."""


def market_status(body: Body, ts_event_ns: int | None, ts_recv_ns: int) -> MarketStatus:
    """Read a market status.

    `{"market": "open", "earlyHours": false, "afterHours": false, "exchanges": {"nasdaq": "open"}, "currencies":
    {"crypto": "open"}, "indicesGroups": {"dow_jones": "open"}, "serverTime": "2026-11-20T14:40:00.000Z"}`
    """
    return MarketStatus(
        source="aries",
        feed="aries:market",
        ts_event_ns=ts_event_ns,
        ts_recv_ns=ts_recv_ns,
        session=_session(body, ts_event_ns or ts_recv_ns),
        exchanges=_names(body.get("exchanges")),
        currencies=_names(body.get("currencies")),
        indices=_names(body.get("indicesGroups")),
    )


def _session(body: Body, now_ns: int) -> Session:
    if body.get("earlyHours") is True:
        return Session.PRE
    if body.get("afterHours") is True:
        return Session.POST
    market = parse.text(body.get("market"), 40).lower()
    if market == "open":
        return Session.REGULAR
    if market in _EXTENDED:
        return Session.PRE if to_datetime(now_ns).hour in _PRE_HOURS else Session.POST
    return Session.CLOSED


def _names(value: object) -> dict[str, str]:
    """A map with whatever names the provider uses."""
    if not isinstance(value, dict):
        return {}
    pairs = list(value.items())[:MOST_NAMES]
    return {name: state for key, held in pairs if (name := parse.text(key, 40)) and (state := parse.text(held, 40))}
