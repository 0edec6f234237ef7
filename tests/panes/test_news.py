"""The news pane."""

from __future__ import annotations

import pytest

from tests.panes.conftest import set_feed, text_of
from tui.market.events import NewsItem
from tui.market.names import Symbol
from tui.market.store import MarketStore
from tui.market.terms import FeedState
from tui.panes.base import Desk
from tui.panes.news import NEWS, NewsPane


@pytest.fixture
def pane(desk: Desk) -> NewsPane:
    pane = NewsPane(desk)
    pane.on_mount()
    return pane


def put(store: MarketStore, title: str, minutes_ago: int, *symbols: str) -> None:
    store.apply(
        NewsItem(
            source="insightsentry",
            ts_recv_ns=store.now_ns(),
            id=title,
            title=title,
            summary="First paragraph.\nSecond paragraph.",
            link="https://news.example/a",
            publisher="Reuters",
            published_ns=store.now_ns() - minutes_ago * 60 * 10**9,
            symbols=tuple(Symbol(symbol) for symbol in symbols),
        )
    )


def test_newest_comes_first_and_unread_is_marked(pane: NewsPane, store: MarketStore) -> None:
    put(store, "Older", 30)
    put(store, "Newer", 5)
    rows = text_of(pane.rows(50, 10))
    assert ["Newer" in rows[0], "Older" in rows[1]] == [True, True]
    assert all("●" in row for row in rows)
    assert ("2 unread", pane.desk.palette.muted) in pane.heading()


@pytest.mark.fault("M50")
def test_brackets_in_a_headline_are_shown_as_they_are(pane: NewsPane, store: MarketStore) -> None:
    put(store, "ACME [Q3] beats [/] [@click=app.quit]", 1)
    assert "ACME [Q3] beats [/] [@click=app.quit]" in text_of(pane.rows(80, 10))[0]


def test_reading_shows_text_publisher_and_host_and_marks_as_read(pane: NewsPane, store: MarketStore) -> None:
    put(store, "Chip maker lifts outlook", 5, "NVDA")
    pane.selected_id = "Chip maker lifts outlook"
    pane.is_reading = True
    pane._read.add("Chip maker lifts outlook")
    shown = "\n".join(text_of(pane.rows(60, 12)))
    assert "First paragraph." in shown
    assert "Second paragraph." in shown
    assert "Reuters · news.example · NVDA" in shown
    assert "●" not in shown


def test_the_filter_leaves_only_the_selected_symbol(pane: NewsPane, store: MarketStore) -> None:
    put(store, "About Nvidia", 5, "NVDA")
    put(store, "About Apple", 3, "AAPL")
    pane.set_reactive(NewsPane.symbol, Symbol("NVDA"))
    pane.is_filtered = True
    assert [item.title for item in pane.items()] == ["About Nvidia"]
    pane.set_reactive(NewsPane.symbol, Symbol("TSLA"))
    assert "No news of TSLA yet." in "\n".join(text_of(pane.rows(50, 5)))


def test_a_new_headline_does_not_move_the_selection(pane: NewsPane, store: MarketStore) -> None:
    put(store, "First", 5)
    pane.selected_id = "First"
    put(store, "Second", 1)
    assert pane.items()[pane._index(pane.items())].id == "First"


def test_without_news_it_says_what_it_waits_for_and_stale_news_says_so(pane: NewsPane, store: MarketStore) -> None:
    set_feed(store, "insightsentry:newsfeed", FeedState.CONNECTING, NEWS)
    assert "connecting to insightsentry:newsfeed" in "\n".join(text_of(pane.rows(50, 5)))
    put(store, "Old", 1)
    set_feed(store, "insightsentry:newsfeed", FeedState.BACKING_OFF)
    assert [text for text, _ in pane.corner()] == ["stale"]
