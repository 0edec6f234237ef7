"""What the dashboard tells of by itself."""

from __future__ import annotations

import pytest

from tests.conftest import until
from tests.test_app import add, dashboard, shows, text_of
from tui.app import MarketApp
from tui.feeds.refusals import OWN
from tui.market.events import Notice, Status
from tui.market.names import Kind, Subscription, Symbol
from tui.market.store import FeedRecord
from tui.market.terms import FeedState
from tui.simulator.server import SimulatorServer
from tui.telling import MOST_TOLD, REPEAT_NS, Failures, Repeats, notice_text

BOOK = Subscription(Kind.BOOK, Symbol("ZZZQ"))
REMEDY = "Run: tickdeck credentials set aries"


def toasts(app: MarketApp) -> list[str]:
    return [each.message for each in app._notifications]


def words_of(app: MarketApp, pane_id: str) -> str:
    """What a pane says, however it is wrapped."""
    assert app.main
    return " ".join(text_of(app.main.pane(pane_id)).replace("│", " ").split())


def failed(feed: str, reason: str = "key rejected", *, needs_key: bool = True) -> FeedRecord:
    status = Status(
        source=feed.partition(":")[0], ts_recv_ns=1, feed=feed, state=FeedState.FAILED, reason=reason, remedy=REMEDY,
        needs_key=needs_key,
    )  # fmt: skip
    return FeedRecord(status=status)


def records(*all_: FeedRecord) -> dict[str, FeedRecord]:
    return {record.status.feed: record for record in all_ if record.status}


def test_a_failure_is_told_once_a_provider_with_what_can_be_done() -> None:
    failures = Failures()
    three = records(failed("aries:market"), failed("aries:charts"), failed("aries:accounts"))
    assert list(failures.fresh(three, "C")) == [f"aries: key rejected. Press C to enter a key here. {REMEDY}"]
    assert list(failures.fresh(three, "C")) == []
    assert list(failures.fresh({}, "C")) == []
    assert len(list(failures.fresh(three, "C"))) == 1, "it was well in between"


def test_a_failure_that_no_key_cures_does_not_ask_for_one() -> None:
    (text,) = Failures().fresh(records(failed("aries:market", "wrong address", needs_key=False)), "C")
    assert text == f"aries: wrong address. {REMEDY}"


@pytest.mark.parametrize(
    ("notice", "text"),
    [
        ({"source": "aries", "text": "late"}, "aries: late"),
        ({"source": "aries", "text": "late", "subscription": BOOK}, "aries: book ZZZQ: late"),
        (
            {"source": OWN, "text": "no provider knows it", "subscription": BOOK, "suggestions": ("ZZZ", "ZZ")},
            "ZZZQ: no provider knows it. Did you mean ZZZ, ZZ?",
        ),
    ],
)
def test_notices_name_who_says_what_of_which_symbol(notice: dict[str, object], text: str) -> None:
    assert notice_text(Notice(ts_recv_ns=1, **notice)) == text


@pytest.mark.fault("M27", "I9")
async def test_mistyped_symbols_are_told_once_each_and_cost_nobody_a_reconnect(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        live = "insightsentry:live"
        assert app.hub
        feed = app.hub.feeds[live]
        await until(lambda: feed.has_data)
        for symbol in ("ZZZQ", "YYYQ"):
            await add(app, pilot, symbol)
            await until(lambda s=symbol: any(s in text for text in toasts(app)))  # type: ignore[misc]
            told = [text for text in toasts(app) if symbol in text]
            assert len(told) == 1
            assert told[0].startswith(f"{symbol}: no provider knows it")
            await until(lambda s=symbol: shows(app, "quotes", s, "no provider knows it"))  # type: ignore[misc]
        assert feed.is_live
        assert feed.stats.reconnects == 0
        assert not simulator.violations()


@pytest.mark.fault("M54")
async def test_a_rejected_key_is_told_once_with_the_remedy_and_shown_where_data_is_missing(
    simulator: SimulatorServer,
) -> None:
    wrong = simulator.credentials() | {"quantcite": {"api_key": "wrong-key-0123456789"}}
    async with dashboard(simulator, secrets=wrong, symbols=("BTC/USDT",)) as (app, _):
        await until(lambda: any(text.startswith("quantcite: ") for text in toasts(app)))
        (told,) = [text for text in toasts(app) if text.startswith("quantcite: ")]
        assert "key rejected" in told
        assert "Press C to enter a key here." in told
        assert "tickdeck credentials set quantcite" in told
        await until(lambda: "press C to enter a key" in words_of(app, "book"))


def test_the_same_text_is_news_again_after_half_a_minute() -> None:
    repeats = Repeats()
    assert repeats.is_news("no route", 0)
    assert repeats.is_news("no key", 1)
    assert not repeats.is_news("no route", REPEAT_NS - 1)
    assert repeats.is_news("no route", REPEAT_NS)


def test_of_very_many_texts_the_newest_are_remembered() -> None:
    repeats = Repeats()
    for number in range(2 * MOST_TOLD):
        assert repeats.is_news(f"notice {number}", number)
    assert not repeats.is_news(f"notice {2 * MOST_TOLD - 1}", 2 * MOST_TOLD)
    assert repeats.is_news("notice 0", 2 * MOST_TOLD)
