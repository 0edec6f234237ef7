"""Books that come faster than anybody looks: only the newest of each symbol is decoded, and nothing goes uncounted."""

from __future__ import annotations

import json

import pytest

from tests.providers.quantcite.desk import BTC, ETH, GOLDEN, SECRET, Desk, book, of
from tui.clock import NS
from tui.market.events import BookSnapshot, Notice
from tui.providers.base import HOLD_S, Count, Signal

HOLD_NS = int(HOLD_S * NS)


def update(number: int, symbol: str = "BTC/USDT", price: float = 97210.4, **others: object) -> bytes:
    message = json.loads(GOLDEN["update.json"]) | {"update_number": number, "symbol": symbol} | others
    message["data"]["bids"][0]["price"] = price
    return json.dumps(message).encode()


class FastDesk(Desk):
    """A desk that is subscribed, and hears bytes as they come from a socket."""

    def __init__(self) -> None:
        super().__init__()
        self.login()
        self.want(book(BTC, ETH))

    def take(self, frame: bytes, after_s: float = 0.0) -> list[Signal]:
        self.now_ns += int(after_s * NS)
        return self.keep(self.codec.received(frame, self.now_ns))

    def release(self) -> list[Signal]:
        return self.keep(self.codec.released(self.now_ns))


def numbers(signals: list[Signal]) -> list[int | None]:
    return [each.sequence for each in of(signals, BookSnapshot)]


def test_the_first_book_is_decoded_at_once_and_of_those_right_behind_it_the_newest() -> None:
    desk = FastDesk()
    assert numbers(desk.take(update(1))) == [1]
    assert not desk.codec.holds
    assert [desk.take(update(n, price=97300.0 + n)) for n in (2, 3, 4)] == [[], [], []]
    assert desk.codec.holds
    (newest,) = of(desk.release(), BookSnapshot)
    assert newest.sequence == 4
    assert newest.bids[0][0] == 97304
    assert not desk.codec.holds
    assert desk.release() == []


def test_a_book_that_waits_keeps_its_time_of_arrival() -> None:
    desk = FastDesk()
    desk.take(update(1))
    desk.take(update(2), after_s=0.01)
    came_ns = desk.now_ns
    desk.now_ns += NS
    assert [each.ts_recv_ns for each in of(desk.release(), BookSnapshot)] == [came_ns]


def test_each_symbol_waits_for_itself() -> None:
    desk = FastDesk()
    for number in (1, 2):
        desk.take(update(number))
        desk.take(update(number, "ETH/USDT", subscription_id="sub_77"))
    desk.take(update(3))
    assert sorted((each.symbol, each.sequence) for each in of(desk.release(), BookSnapshot)) == [(BTC, 3), (ETH, 2)]


def test_after_a_while_a_book_is_decoded_at_once_again() -> None:
    desk = FastDesk()
    desk.take(update(1))
    assert numbers(desk.take(update(2), after_s=HOLD_S)) == [2]


def test_any_other_message_comes_after_the_book_that_came_before_it() -> None:
    desk = FastDesk()
    desk.take(update(1))
    desk.take(update(2))
    before, after = desk.take(GOLDEN["exchange_unavailable.json"].encode())
    assert isinstance(before, BookSnapshot)
    assert isinstance(after, Notice)
    assert not desk.codec.holds


def test_lost_updates_are_counted_although_no_book_around_them_is_decoded() -> None:
    desk = FastDesk()
    desk.take(update(1))
    for number in (5, 6, 8):
        desk.take(update(number))
    assert of(desk.release(), Count) == [Count("gap", 4)]
    desk.take(update(9))
    desk.take(update(11))
    assert of(desk.release(), Count) == [Count("gap", 1)]


def test_every_byte_is_counted_and_that_once() -> None:
    desk = FastDesk()
    frames = [update(n) for n in range(1, 6)]
    meter = desk.codec._allowance.meter
    before = meter.total
    for frame in frames:
        desk.take(frame)
    desk.release()
    assert meter.total - before == sum(map(len, frames))
    assert meter.by_code == {"BTC/USDT": sum(map(len, frames))}


def test_what_does_not_plainly_follow_is_decoded_at_once() -> None:
    desk = FastDesk()
    desk.take(update(10))
    assert numbers(desk.take(update(1, subscription_id="sub_9"))) == [1], "another subscription"
    assert of(desk.take(update(1, subscription_id="sub_9")), Count) == [Count("late")], "a number that came before"
    swapped = json.loads(update(2, subscription_id="sub_9"))
    frame = json.dumps({"type": swapped.pop("type"), "data": swapped.pop("data"), **swapped}).encode()
    assert numbers(desk.take(frame)) == [2], "fields in another order"
    assert of(desk.take(update(3, "DOGE/USDT")), Count) == [Count("late")], "a symbol that nobody wants"


def test_what_nobody_wants_any_more_when_it_is_released_is_silence() -> None:
    desk = FastDesk()
    desk.take(update(1))
    desk.take(update(2))
    desk.want(book(ETH))
    assert desk.release() == []


def test_a_held_frame_that_cannot_be_read_is_counted_when_its_turn_comes() -> None:
    desk = FastDesk()
    desk.take(update(1))
    whole = update(2)
    assert desk.take(whole[: len(whole) // 2]) == []
    (count,) = of(desk.release(), Count)
    assert count.what == "undecodable"
    desk.take(update(3))
    odd = json.loads(update(4))
    odd["data"]["bids"][0]["amount"] = "a lot"
    desk.take(json.dumps(odd).encode())
    released = desk.release()
    assert of(released, Count) == [Count("rejected", 1)]
    assert numbers(released) == [4]


def test_a_key_that_comes_back_in_a_held_frame_goes_no_further() -> None:
    desk = FastDesk()
    desk.take(update(1))
    broken = update(2).replace(b'"exchanges": ["kraken"]', f'"exchanges": ["{SECRET}"]'.encode())
    desk.take(broken)
    assert SECRET not in repr(desk.release())


@pytest.mark.fault("Q4", "M60")
def test_a_number_from_the_future_that_waited_shuts_out_two_updates_and_no_more() -> None:
    desk = FastDesk()
    desk.take(update(1))
    desk.take(update(9_000_000_000, timestamp="2031-01-05T14:37:51"))
    assert of(desk.take(update(2)), Count)[-1] == Count("late")
    assert desk.take(update(3)) == [Count("late")]
    assert numbers(desk.take(update(4))) == [4]
    assert desk.take(update(5)) == []
    assert numbers(desk.release()) == [5]


def test_late_updates_among_those_that_wait_are_dropped() -> None:
    desk = FastDesk()
    for number in (1, 2, 6):
        desk.take(update(number))
    assert of(desk.take(update(3)), Count)[-1] == Count("late")
    desk.take(update(7))
    assert of(desk.take(update(4)), Count)[-1] == Count("late")
    assert of(desk.take(update(5)), Count)[-1] == Count("late")
    assert numbers(desk.take(update(8)) + desk.release()) == [8]
