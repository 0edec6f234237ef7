"""Trades into bars."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tui.clock import NS
from tui.market.events import Bar
from tui.market.names import Interval, Symbol
from tui.providers.aries.bars import BarBuilder, Tick

AAPL = Symbol("AAPL")
START_NS = 1_795_185_600 * NS  # a whole minute


def builder(interval: Interval = Interval.M1, *, history: list[Bar] | None = None) -> BarBuilder:
    made = BarBuilder("aries", AAPL, interval)
    if history is not None:
        made.seed(history)
    return made


def bar(start_ns: int, *, interval: Interval = Interval.M1, volume: int | None = 100, closed: bool = False) -> Bar:
    ten = Decimal(10)
    return Bar(
        source="aries", ts_recv_ns=start_ns, symbol=AAPL, interval=interval, start_ns=start_ns,
        open=ten, high=ten + 1, low=ten - 1, close=ten, volume=None if volume is None else Decimal(volume),
        closed=closed,
    )  # fmt: skip


def tick(price: str, second: float, size: int | None = 5, *, base_ns: int = START_NS) -> Tick:
    ts_ns = base_ns + int(second * NS)
    return Tick(Decimal(price), None if size is None else Decimal(size), ts_ns, ts_ns)


def figures(made: Bar) -> tuple[str, ...]:
    return tuple(str(value) for value in (made.open, made.high, made.low, made.close, made.volume))


def test_nothing_is_built_before_the_history_has_come() -> None:
    assert builder().trade(tick("10", 1)) == []


def test_a_trade_goes_on_with_the_running_bar_of_the_history() -> None:
    [made] = builder(history=[bar(START_NS)]).trade(tick("12", 30)) or []
    assert (made.start_ns, made.closed) == (START_NS, False)
    assert figures(made) == ("10", "12", "9", "12", "105")


def test_the_first_trade_of_a_new_bar_closes_the_one_before() -> None:
    closed, opened = builder(history=[bar(START_NS)]).trade(tick("12", 61)) or []
    assert (closed.start_ns, closed.closed, figures(closed)) == (START_NS, True, ("10", "11", "9", "10", "100"))
    assert (opened.start_ns, opened.closed, figures(opened)) == (
        START_NS + 60 * NS,
        False,
        ("12", "12", "12", "12", "5"),
    )


def test_intervals_without_a_trade_stay_empty() -> None:
    closed, opened = builder(history=[bar(START_NS)]).trade(tick("12", 600)) or []
    assert [closed.start_ns, opened.start_ns] == [START_NS, START_NS + 600 * NS]


def test_a_trade_older_than_the_running_bar_changes_nothing() -> None:
    made = builder(history=[bar(START_NS)])
    assert made.trade(tick("12", -1)) is None
    assert made.running == bar(START_NS)


def test_without_a_history_bars_start_with_the_first_trade() -> None:
    [made] = builder(history=[]).trade(tick("12", 90)) or []
    assert (made.start_ns, figures(made)) == (START_NS + 60 * NS, ("12", "12", "12", "12", "5"))


def test_bars_keep_step_with_a_history_that_starts_at_half_past() -> None:
    half_past = START_NS // (3600 * NS) * 3600 * NS + 1800 * NS
    history = [bar(half_past + hour * 3600 * NS, interval=Interval.H1) for hour in range(3)]
    made = builder(Interval.H1, history=history)
    last_ns = history[-1].start_ns
    _, opened = made.trade(tick("12", 3700, base_ns=last_ns)) or []
    assert opened.start_ns == last_ns + 3600 * NS


def test_one_short_bar_does_not_put_the_others_out_of_step() -> None:
    """A day may open with a bar from half past to the full hour."""
    hour = 3600 * NS
    base = START_NS // hour * hour
    history = [bar(base + number * hour, interval=Interval.H1) for number in range(3)] + [
        bar(base + 20 * hour + hour // 2, interval=Interval.H1)
    ]
    made = builder(Interval.H1, history=history)
    [running] = made.trade(tick("12", 60, base_ns=history[-1].start_ns)) or []
    assert running.start_ns == history[-1].start_ns
    _, opened = made.trade(tick("12", 1801, base_ns=history[-1].start_ns)) or []
    assert opened.start_ns == base + 21 * hour


def test_days_go_on_from_the_start_of_the_running_one() -> None:
    friday_ns = int(datetime(2026, 11, 20, 5, tzinfo=UTC).timestamp()) * NS
    made = builder(Interval.D1, history=[bar(friday_ns, interval=Interval.D1)])
    [running] = made.trade(tick("12", 86_000, base_ns=friday_ns)) or []
    assert running.start_ns == friday_ns
    _, monday = made.trade(tick("12", 3 * 86_400 + 50, base_ns=friday_ns)) or []
    assert monday.start_ns == friday_ns + 3 * 86_400 * NS


def test_a_price_without_a_trade_moves_the_running_bar_and_adds_no_volume() -> None:
    made = builder(history=[bar(START_NS)])
    [running] = made.price(tick("12", 30, None))
    assert figures(running) == ("10", "12", "9", "12", "100")
    assert made.price(tick("12", 31, None)) == [], "nothing changed"
    assert made.price(tick("13", 61, None)) == [], "it opens no bar"
    assert made.price(tick("13", -1, None)) == []


def test_an_index_opens_bars_with_new_values_only() -> None:
    made = builder(history=[bar(START_NS, volume=None)])
    assert made.index(tick("10", 61, None)) == []
    closed, opened = made.index(tick("10.5", 62, None)) or []
    assert (closed.closed, opened.volume) == (True, None)


@given(
    st.lists(st.tuples(st.integers(-100, 400), st.integers(1, 50), st.integers(0, 9)), max_size=60),
    st.booleans(),
)
def test_bars_agree_with_the_trades_whatever_their_order(trades: list[tuple[int, int, int]], seeded: bool) -> None:
    made = builder(history=[bar(START_NS, volume=0)] if seeded else [])
    shown: dict[int, Bar] = {}
    taken: dict[int, list[tuple[int, int]]] = {}
    for second, price, size in trades:
        out = made.trade(tick(str(price), second, size))
        for each in out or ():
            shown[each.start_ns] = each
        if out:
            taken.setdefault(out[-1].start_ns, []).append((price, size))
    starts = list(shown)
    assert starts == sorted(starts), "bars are never reordered"
    assert all(each.closed for each in list(shown.values())[:-1])
    for start_ns, each in shown.items():
        if start_ns in taken and not (seeded and start_ns == START_NS):
            prices = [price for price, _ in taken[start_ns]]
            assert [each.open, each.high, each.low, each.close] == [prices[0], max(prices), min(prices), prices[-1]]
            assert each.volume == sum(size for _, size in taken[start_ns])
