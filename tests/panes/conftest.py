"""A desk on a store that tests fill by hand, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tui.market.events import Status
from tui.market.names import Subscription, parse_symbol
from tui.market.store import MarketStore
from tui.market.terms import FeedState
from tui.panes.base import Desk
from tui.themes import load_themes
from tui.widgets.lines import Line


@pytest.fixture
def desk(store: MarketStore) -> Desk:
    symbols = [parse_symbol(text) for text in ("AAPL", "SPX", "BTC/USDT")]
    return Desk(store=store, palette=load_themes().get("tickdeck-dark"), names={"main": symbols})


def text_of(rows: Sequence[Line]) -> list[str]:
    """Rows as plain text, trailing spaces cut."""
    return ["".join(segment.text for segment in row.segments).rstrip() for row in rows]


def style_at(row: Line, text: str) -> str:
    """The colour of the segment that holds a text, as `#rrggbb`."""
    segment = next(segment for segment in row.segments if text in segment.text)
    assert segment.style
    assert segment.style.color
    assert segment.style.color.triplet
    return segment.style.color.triplet.hex


def set_feed(
    store: MarketStore, feed: str, state: FeedState = FeedState.LIVE, *subscriptions: Subscription, reason: str = ""
) -> None:
    """Put a feed into a state and let it serve subscriptions."""
    if state is FeedState.LIVE:
        store.feed(feed).stats.live_since_ns = store.now_ns()
    store.apply(Status(source=feed.split(":")[0], ts_recv_ns=store.now_ns(), feed=feed, state=state, reason=reason))
    for subscription in subscriptions:
        store.assign(subscription, feed)
