"""Accounts: the newest of each order, position and figure, and no more than fits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tui.market.accounts import MAX_ACCOUNTS, MAX_CANDLES, MAX_FIGURES, MAX_LISTS, MAX_ORDERS, MAX_POSITIONS, Accounts
from tui.market.events import Balance, Order, PnlCandle, Position, Watchlist

STAMPS: dict[str, Any] = {"source": "aries", "ts_recv_ns": 1}
ONE = Decimal(1)


def order(number: str, status: str, updated_ns: int) -> Order:
    return Order(
        **STAMPS, account="A", client_order_id=number, symbol="AAPL", status=status, updated_ns=updated_ns
    )  # fmt: skip


def candle(start_ns: int, close: Decimal = ONE) -> PnlCandle:
    return PnlCandle(
        **STAMPS, account="A", interval="1m", start_ns=start_ns, open=ONE, high=ONE, low=ONE, close=close
    )  # fmt: skip


def test_an_older_order_event_does_not_undo_a_newer_one() -> None:
    accounts = Accounts()
    accounts.apply(order("1", "FILLED", 20))
    accounts.apply(order("1", "NEW", 10))
    assert accounts.orders["A", "1"].status == "FILLED"


def test_a_position_of_zero_is_closed() -> None:
    accounts = Accounts()
    for quantity in ("100", "0"):
        accounts.apply(Position(**STAMPS, account="A", symbol="AAPL", quantity=Decimal(quantity)))
    assert accounts.positions == {}


def test_figures_of_a_balance_are_merged_by_name() -> None:
    accounts = Accounts()
    accounts.apply(Balance(**STAMPS, account="A", figures={"cash": ONE, "equity": ONE}))
    accounts.apply(Balance(**STAMPS, account="A", figures={"cash": None}))
    assert accounts.balances["A"] == {"cash": None, "equity": ONE}


def test_a_candle_that_comes_again_takes_the_place_of_the_first() -> None:
    accounts = Accounts()
    for each in (candle(60), candle(120), candle(60, Decimal(2))):
        accounts.apply(each)
    assert {start: each.close for start, each in accounts.pnl["A", "1m"].items()} == {120: ONE, 60: Decimal(2)}


def test_what_accounts_hold_is_bounded_and_the_oldest_goes_first() -> None:
    accounts = Accounts()
    for number in range(1200):
        account = f"account {number}"
        accounts.apply(order(str(number), "NEW", number))
        accounts.apply(candle(number))
        accounts.apply(Position(**STAMPS, account=account, symbol="AAPL", quantity=ONE))
        accounts.apply(Balance(**STAMPS, account=account, figures={"totalEquity": ONE}))
        accounts.apply(Balance(**STAMPS, account="mine", figures={f"figure {number}": ONE}))
        accounts.apply(Watchlist(**STAMPS, id=str(number), name="x", symbols=()))
    assert len(accounts.orders) == MAX_ORDERS
    assert len(accounts.pnl["A", "1m"]) == MAX_CANDLES
    assert len(accounts.positions) == MAX_POSITIONS
    assert len(accounts.balances) == MAX_ACCOUNTS
    assert max(len(figures) for figures in accounts.balances.values()) <= MAX_FIGURES
    assert next(iter(accounts.watchlists)) == str(1200 - MAX_LISTS)
