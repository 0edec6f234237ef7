"""The accounts socket: topics, orders, positions, balances, profit and loss, watchlists, news."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.providers.aries.sessions import NOW_NS, credential, error, events, golden, live, of, one, sent, update, want
from tests.providers.contract import drained
from tui.clock import NS
from tui.market.events import Balance, NewsItem, Notice, Order, PnlCandle, Position, Watchlist
from tui.market.store import MarketStore
from tui.market.terms import Severity
from tui.providers.aries.accounts import NEWS, AccountsCodec
from tui.providers.base import Count, SymbolTable

ID = "TEST-ACCOUNT-001"


def accounts(*names: str, account: str = ID, interval: str = "5m") -> AccountsCodec:
    return live(AccountsCodec(credential(), SymbolTable(), account=account, pnl_interval=interval), want(*names))


def test_each_topic_has_a_frame_of_its_own() -> None:
    codec = accounts()
    frames = sent(codec.wanted(want("news", "account"), NOW_NS))
    assert [frame["payload"] for frame in frames] == [
        [{"topic": "account", "accountId": ID}],
        [{"topic": "pnl", "accountId": ID, "interval": "5m"}],
        [{"topic": "watchlistUpdates"}],
        [{"topic": "news"}],
    ]
    assert len({frame["id"] for frame in frames}) == 4


def test_a_topic_that_nobody_wants_is_unsubscribed() -> None:
    [frame] = sent(accounts("news", "account").wanted(want("account"), NOW_NS))
    assert (frame["type"], frame["payload"]) == ("unsubscribe", [{"topic": "news"}])


@pytest.mark.fault("A14")
def test_the_watchlist_has_the_name_of_the_seed_first_and_then_the_other() -> None:
    codec = accounts()
    frames = sent(codec.wanted(want("account"), NOW_NS))
    [again] = sent(codec.received(error(frames[2]["id"], "unknown topic"), NOW_NS))
    assert again["payload"] == [{"topic": "watchlist"}]
    [bare] = sent(codec.received(error(again["id"], "unknown topic"), NOW_NS))
    assert bare["payload"] == {"topic": "watchlistUpdates"}


def test_a_topic_that_is_refused_in_every_form_is_told_and_not_asked_for_again() -> None:
    codec = accounts()
    [frame] = sent(codec.wanted(want("news"), NOW_NS))
    [bare] = sent(codec.received(error(frame["id"], "invalid payload"), NOW_NS))
    assert bare["payload"] == {"topic": "news"}
    [notice] = of(drained(codec.received(error(bare["id"], "scope missing"), NOW_NS)), Notice)
    assert (notice.text, notice.subscription, notice.refused) == ("news: scope missing", NEWS, True)
    assert not sent(codec.wanted(want("news"), NOW_NS))


def test_the_account_survives_without_profit_and_loss() -> None:
    codec = accounts()
    frame = sent(codec.wanted(want("account"), NOW_NS))[1]
    [bare] = sent(codec.received(error(frame["id"], "no"), NOW_NS))
    [notice] = of(drained(codec.received(error(bare["id"], "no"), NOW_NS)), Notice)
    assert not notice.refused


def test_without_an_account_only_what_needs_none_is_asked_for() -> None:
    codec = accounts(account="")
    signals = drained(codec.wanted(want("news", "account"), NOW_NS))
    assert [frame["payload"][0]["topic"] for frame in sent(signals)] == ["watchlistUpdates", "news"]
    assert len(of(signals, Notice)) == 1


@pytest.mark.fault("A15")
def test_an_order_keeps_every_figure() -> None:
    order = one(accounts().received(golden("accounts/order.json"), NOW_NS), Order)
    assert (order.account, order.client_order_id, order.order_id) == (
        ID,
        "clord-20261120-aapl-001",
        "ord-7f3a9c2e-0001",
    )
    assert (order.symbol, order.side, order.order_type, order.time_in_force) == ("AAPL", "BUY", "LIMIT", "DAY")
    assert order.status == "PARTIALLY_FILLED"
    assert [order.quantity, order.filled, order.remaining] == [100, 40, 60]
    assert [order.limit_price, order.average_price] == [Decimal("187.00"), Decimal("186.98")]
    assert order.stop_price is None, "an empty text means that it does not apply"
    assert order.updated_ns == 1_795_185_598 * NS


@pytest.mark.fault("M60")
def test_an_order_from_the_future_does_not_shut_out_what_becomes_of_it() -> None:
    codec, store = accounts(), MarketStore(lambda: NOW_NS)
    for updated, status in (("2031-01-01T00:00:00Z", "PARTIALLY_FILLED"), ("2026-11-20T14:40:00Z", "FILLED")):
        message = json.loads(golden("accounts/order.json"))
        message["payload"]["data"] |= {"updatedAt": updated, "ordStatus": status}
        store.apply(one(codec.received(json.dumps(message), NOW_NS), Order))
    assert [order.status for order in store.accounts.orders.values()] == ["FILLED"]


@pytest.mark.parametrize("place", ["type", "event", "topic", "action"])
@pytest.mark.parametrize("name", ["account.order", "order", "orderUpdate", "ACCOUNT.ORDER"])
def test_the_name_of_an_event_may_stand_in_four_places(place: str, name: str) -> None:
    message = json.loads(golden("accounts/order.json"))
    del message["payload"]["type"]
    message["payload"][place] = name
    assert events(accounts().received(json.dumps(message), NOW_NS), Order)


@pytest.mark.fault("A15")
def test_a_snapshot_may_hold_everything_in_lists() -> None:
    signals = drained(accounts().received(golden("accounts/snapshot.json"), NOW_NS))
    assert [type(signal) for signal in signals] == [Order, Order, Position, Balance]
    assert [order.account for order in of(signals, Order)] == [ID, ID]
    assert of(signals, Order)[1].status == "WORKING"


@pytest.mark.fault("A15")
def test_orders_may_come_as_a_list_in_a_response() -> None:
    order = one(accounts().received(golden("accounts/orders_as_list.json"), NOW_NS), Order)
    assert order.client_order_id == "clord-1"


def test_unknown_states_are_shown_as_they_are() -> None:
    frame = golden("accounts/order.json").replace("PARTIALLY_FILLED", "HELD_BY\\u001b[31m_BROKER")
    assert one(accounts().received(frame, NOW_NS), Order).status == "HELD_BY_BROKER"


def test_positions_are_read_in_both_spellings() -> None:
    new = one(accounts().received(golden("accounts/position.json"), NOW_NS), Position)
    assert [new.quantity, new.average_price, new.unrealized] == [100, Decimal("170.25"), Decimal("1717.00")]
    assert [new.realized_today, new.daily] == [0, Decimal("117.00")]
    old = one(accounts().received(golden("accounts/position_older.json"), NOW_NS), Position)
    assert [old.quantity, old.realized_today] == [-100, Decimal("3.50")]


def test_a_balance_is_a_patch_under_the_providers_names() -> None:
    balance = one(accounts().received(golden("accounts/balance.json"), NOW_NS), Balance)
    assert balance.figures == {
        "totalEquity": Decimal("125000.50"),
        "sodTtlEquity": Decimal("124880.00"),
        "netBuyingPower": Decimal("50000.00"),
        "realizedPl": Decimal(0),
        "unrealizedPl": Decimal("1717.00"),
        "sma": None,
        "pendingOrdersCount": Decimal(2),
    }


def test_an_impossible_figure_is_counted_and_its_neighbours_stay() -> None:
    data = {"accountId": ID, "totalEquity": "a lot", "realizedPl": "1", "currency": "USD"}
    signals = drained(accounts().received(update("account.balance", data), NOW_NS))
    assert of(signals, Balance)[0].figures == {"realizedPl": Decimal(1)}
    assert of(signals, Count) == [Count("rejected", 1)]


def test_what_has_no_key_is_counted() -> None:
    codec = accounts()
    for name, data in (("order", {"symbol": "AAPL"}), ("position", {"symbol": "AAPL"}), ("pnl", {"open": 1})):
        assert drained(codec.received(update(name, data), NOW_NS)) == [Count("rejected", 1)]


def test_profit_and_loss_candles_are_named_by_their_start() -> None:
    candle = one(accounts().received(golden("accounts/pnl.json"), NOW_NS), PnlCandle)
    assert (candle.account, candle.interval, candle.start_ns) == (ID, "1m", 1_795_185_600 * NS)
    assert [candle.open, candle.high, candle.low, candle.close] == [
        Decimal(text) for text in ("112.10", "131.75", "108.40", "126.02")
    ]
    seconds = one(accounts(interval="15m").received(golden("accounts/pnl_list.json"), NOW_NS), PnlCandle)
    assert (seconds.interval, seconds.start_ns) == ("15m", 1_795_185_600 * NS)


def test_a_whole_watchlist_is_taken_and_a_change_of_unknown_form_is_only_told() -> None:
    codec = accounts()
    found = one(codec.received(golden("accounts/watchlist.json"), NOW_NS), Watchlist)
    assert (found.id, found.name, found.symbols) == ("12345", "Tech Stocks", ("AAPL", "GOOGL", "MSFT"))
    notice = one(codec.received(golden("accounts/watchlist_changed.json"), NOW_NS), Notice)
    assert notice.severity is Severity.INFO


def test_account_information_is_one_line_with_the_changed_keys() -> None:
    notice = one(accounts().received(golden("accounts/info.json"), NOW_NS), Notice)
    assert notice.text == "account information changed: status"


def test_news_is_read_under_any_spelling() -> None:
    item = one(accounts("news").received(golden("accounts/news.json"), NOW_NS), NewsItem)
    assert (item.id, item.title, item.publisher) == ("n-1", "Chip maker lifts forecast", "Example Wire")
    assert (item.summary, item.link) == ("Orders & margins grow.", "https://news.example/chips")
    assert item.published_ns == 1_763_649_360 * NS
    assert item.symbols == ("NVDA", "AMD")


@pytest.mark.fault("M52", "S3")
def test_news_may_come_in_lists_and_bad_links_are_dropped() -> None:
    first, second = events(accounts("news").received(golden("accounts/news_list.json"), NOW_NS), NewsItem)
    assert (first.id, first.symbols, first.published_ns) == ("77", ("SPX", "AAPL"), 1_763_647_200 * NS)
    assert (second.id, second.link, second.symbols) == ("u-2", None, ("AAPL",))


@pytest.mark.fault("M49")
def test_hostile_news_is_plain_text() -> None:
    data = {
        "title": "\x1b]52;c;QUFB\x07ACME [Q3] \u202ebeats<script>alert(1)</script> &lt;b&gt;",
        "summary": "<p>one</p><p>two &#27;[31m</p>",
        "url": "https://user:pw@evil.example/",
    }
    item = one(accounts("news").received(update("news", data), NOW_NS), NewsItem)
    assert item.title == "ACME [Q3] beatsalert(1) <b>"
    assert item.summary == "one\ntwo [31m"
    assert item.link is None


def test_an_item_without_an_id_has_one_that_stays_the_same() -> None:
    def item(**fields: object) -> NewsItem:
        return one(accounts("news").received(update("news", {"title": "A", "time": 1795185600, **fields}), 1), NewsItem)

    assert item().id == item().id != item(title="B").id
    assert item(link="https://news.example/a").id == "https://news.example/a"


def test_news_without_a_title_is_counted() -> None:
    assert drained(accounts("news").received(update("news", {"id": "1"}), NOW_NS)) == [Count("rejected", 1)]
