"""The newsfeed socket: ten items on every connect, none shown twice, none able to harm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import SecretStr

from tests.providers.insightsentry.stand_ins import FRAMES, KEY, Driver, of, pings
from tui.clock import NS
from tui.market.events import NewsItem, Notice
from tui.market.names import Kind, Subscription
from tui.providers.base import Close, Count, Credential, LoggedIn, LoginRefused, Send, Then
from tui.providers.insightsentry.newsfeed import NewsfeedCodec, SeenNews
from tui.providers.insightsentry.symbols import to_symbol

NEWS = Subscription(Kind.NEWS)


def feed(seen: SeenNews | None = None) -> Driver:
    driver = Driver(NewsfeedCodec(Credential(SecretStr(KEY)), to_symbol, seen or SeenNews()))
    driver.want(NEWS)
    return driver


def item(number: int, **more: Any) -> dict[str, Any]:
    return {
        "source": "Reuters",
        "title": f"Headline {number}",
        "content": "Text",
        "published_at": 1767623600 + number,
        "link": f"https://news.example/{number}",
        **more,
    }


def test_the_login_is_the_key_alone() -> None:
    (sent,) = of(Send, feed().signals)
    assert json.loads(sent.frame) == {"api_key": "ws_2f6c0e7b9d"}
    assert sent.purpose == "login"
    assert KEY not in repr(sent)


def test_the_item_of_the_reference_becomes_a_headline_with_the_users_symbols() -> None:
    made = feed().receive((FRAMES / "newsfeed" / "item.json").read_text())
    assert [type(each) for each in made] == [LoggedIn, NewsItem]
    (news,) = of(NewsItem, made)
    assert news.title == "Chip maker lifts full-year outlook on cloud demand"
    assert news.summary.startswith("The company raised")
    assert news.publisher == "Reuters"
    assert news.published_ns == 1767623600 * NS
    assert news.link == "https://news.example/chip-maker-outlook"
    assert news.symbols == ("NVDA", "AMD")


def test_symbols_without_a_short_spelling_keep_their_code() -> None:
    codes = ["BINANCE:ETHUSDT", "CME_MINI:ES1!", "LSE:VOD", 7, "nasdaq:nvda", "\x1b]52;", "BINANCE:ETHUSDT"]
    (news,) = of(NewsItem, feed().receive(item(1, related_symbols=codes)))
    assert news.symbols == ("ETH/USDT", "CME_MINI:ES1!", "LSE:VOD", "NVDA")


@pytest.mark.fault("I11")
@pytest.mark.parametrize("pack", [list, lambda i: {"data": i}, lambda i: {"news": i}, lambda i: {"items": i}])
def test_the_first_ten_may_come_packed_in_any_way(pack: Any) -> None:
    ten = [item(n) for n in range(10)]
    packed, single = feed(), feed()
    packed.receive(pack(ten))
    for each in ten:
        single.receive(each)
    assert len(of(NewsItem, packed.signals)) == 10
    assert of(NewsItem, packed.signals) == of(NewsItem, single.signals)


@pytest.mark.fault("M60")
def test_a_headline_from_the_future_does_not_stay_above_all_others() -> None:
    (news,) = of(NewsItem, feed().receive(item(1, published_at=2_000_000_000)))
    assert news.published_ns == news.ts_recv_ns


@pytest.mark.fault("I11")
def test_what_was_shown_is_not_shown_again_after_a_reconnect() -> None:
    seen = SeenNews()
    feed(seen).receive([item(n) for n in range(10)])
    made = feed(seen).receive([item(n) for n in range(1, 11)])
    assert [each.title for each in of(NewsItem, made)] == ["Headline 10"]


@pytest.mark.fault("I11")
def test_without_a_link_time_source_and_title_tell_items_apart() -> None:
    bare = {"title": "Same", "published_at": 1767623600, "source": "A"}
    driver = feed()
    for each in (bare, {**bare, "published_at": 1767623600.0}, {**bare, "source": "B"}, {**bare, "title": "Other"}):
        driver.receive(each)
    assert [(each.publisher, each.title) for each in of(NewsItem, driver.signals)] == [
        ("A", "Same"),
        ("B", "Same"),
        ("A", "Other"),
    ]


@pytest.mark.fault("S14")
def test_what_was_shown_is_remembered_within_bounds() -> None:
    seen = SeenNews(most=3)
    assert all(seen.is_new(each) for each in "abc")
    assert not seen.is_new("a")
    assert seen.is_new("d")
    assert not seen.is_new("a"), "it was asked for lately"
    assert seen.is_new("b"), "the oldest was forgotten"


@pytest.mark.fault("I11", "M49", "M52", "S3")
def test_hostile_text_and_links_arrive_harmless() -> None:
    title = "\x1b]52;c;QUFB\x07Chip [Q3] <b>up</b>\u202e [@click=app.quit]"
    made = feed().receive(item(1, title=title, content="a\x1b[2J\r\nb", link="javascript:alert(1)", source="\x9bX"))
    (news,) = of(NewsItem, made)
    assert news.title == "Chip [Q3] <b>up</b> [@click=app.quit]"
    assert news.summary == "a\nb"
    assert news.link is None


def test_a_bad_item_is_counted_and_its_neighbours_survive() -> None:
    made = feed().receive([None, {"title": "no time"}, {"published_at": 1767623600}, item(1)])
    assert len(of(NewsItem, made)) == 1
    assert [each.what for each in of(Count, made)] == ["rejected"] * 3


def test_an_item_without_a_title_takes_the_first_line_of_its_text() -> None:
    (news,) = of(NewsItem, feed().receive({"published_at": 1767623600, "content": "First\nSecond"}))
    assert news.title == "First"


def test_two_pings_without_any_frame_end_the_connection() -> None:
    driver = feed()
    driver.receive([])
    made = driver.wait(47, heartbeat_s=0)
    assert len(pings(made)) == 2
    assert not of(Close, made)
    (end,) = of(Close, driver.wait(2, heartbeat_s=0))
    assert end.then is Then.RETRY


def test_any_frame_after_a_ping_keeps_the_connection() -> None:
    driver = feed()
    for _ in range(20):
        driver.wait(20, heartbeat_s=0)
        driver.receive("pong")
    assert not of(Close, driver.signals)


def test_nothing_wanted_closes() -> None:
    (end,) = of(Close, feed().want())
    assert end.then is Then.IDLE


def test_status_and_errors_of_the_reference_are_understood_here_too() -> None:
    driver = feed()
    assert driver.receive({"message": "Connecting..."}) == []
    driver.receive({"event": "subscription_status", "status": "active"})
    assert len(of(LoggedIn, driver.signals)) == 1
    assert of(Notice, driver.receive({"message": "Maintenance"}))
    (end,) = of(Close, driver.receive({"error": "connection_evicted", "message": "Replaced"}))
    assert end.then is Then.FAIL
    assert of(LoginRefused, feed().receive({"message": "Invalid API key"}))


def test_an_error_that_only_lists_can_cause_retries_with_the_back_off() -> None:
    (end,) = of(Close, feed().receive({"message": "Request failed"}))
    assert end.then is Then.RETRY
