"""What feeds in reserve would show."""

from __future__ import annotations

from decimal import Decimal

from tests.feeds.plain import a_book, quote
from tui.feeds.standby import Standby
from tui.market.events import Quote
from tui.market.names import Kind, Subscription, Symbol

AAPL = Symbol("AAPL")
BOOK = Subscription(Kind.BOOK, AAPL)


def patch(ts_ns: int, **figures: Decimal | None) -> Quote:
    return Quote(source="a", ts_recv_ns=ts_ns, symbol=AAPL, **figures)


def test_patches_add_up_and_what_was_cleared_stays_cleared() -> None:
    standby = Standby()
    standby.keep("a:x", quote("AAPL"), patch(1, bid=Decimal(1), ask=Decimal(2)))
    standby.keep("a:x", quote("AAPL"), patch(2, ask=None, last=Decimal(3)))
    kept = standby.take("a:x", quote("AAPL"))
    assert kept == patch(2, bid=Decimal(1), ask=None, last=Decimal(3))
    assert kept is not None
    assert {"bid", "ask", "last"} < kept.model_fields_set
    assert "volume" not in kept.model_fields_set
    assert standby.take("a:x", quote("AAPL")) is None


def test_of_books_the_newest_is_kept_apart_by_feed() -> None:
    standby = Standby()
    standby.keep("a:x", BOOK, a_book("a", "AAPL", 1))
    standby.keep("a:x", BOOK, a_book("a", "AAPL", 2))
    standby.keep("b:x", BOOK, a_book("b", "AAPL", 1))
    assert standby.take("a:x", BOOK) == a_book("a", "AAPL", 2)
    assert standby.take("b:x", BOOK) == a_book("b", "AAPL", 1)


def test_what_nobody_wants_is_dropped() -> None:
    standby = Standby()
    standby.keep("a:x", BOOK, a_book("a", "AAPL", 1))
    standby.keep("a:x", quote("AAPL"), patch(1))
    standby.forget(BOOK)
    assert standby.take("a:x", BOOK) is None
    assert standby.take("a:x", quote("AAPL")) is not None
