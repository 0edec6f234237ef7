"""The bars pane: candles, axes, legend, states, keys."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

import pytest
from textual.app import App, ComposeResult

from tests.panes.conftest import set_feed, style_at, text_of
from tui.clock import ManualClock
from tui.market.events import Bar, Notice, Status
from tui.market.names import Interval, Kind, Subscription, Symbol
from tui.market.store import MarketStore
from tui.market.terms import FeedState
from tui.panes.bars import BarsPane
from tui.panes.base import Desk, Pane
from tui.widgets.lines import Line

NS = 1_000_000_000
BTC = Symbol("BTC/USDT")
M5 = Subscription(Kind.BAR, BTC, Interval.M5)
FEED = "aries:charts"
BODIES = re.compile("[┃║█▌▐▄▀▛▜▙▟▖▗▘▝▒╻╹╽╿]")


@pytest.fixture
def pane(desk: Desk, store: MarketStore) -> BarsPane:
    set_feed(store, FEED, FeedState.LIVE, M5)
    pane = BarsPane(desk)
    pane.set_reactive(BarsPane.symbol, BTC)
    return pane


def put(
    store: MarketStore,
    closes: Iterable[str],
    *,
    interval: Interval = Interval.M5,
    volume: str | None = "5",
    first: int | None = None,
    symbol: Symbol = BTC,
) -> None:
    """Bars up to now, each opening where the one before closed."""
    texts = list(closes)
    step = interval.seconds * NS
    start = interval.start_of(store.now_ns()) - (len(texts) - 1) * step if first is None else first
    opened = Decimal(texts[0])
    for index, close in enumerate(map(Decimal, texts)):
        store.apply(
            Bar(
                source="aries",
                ts_recv_ns=store.now_ns(),
                symbol=symbol,
                interval=interval,
                start_ns=start + index * step,
                open=opened,
                high=max(opened, close),
                low=min(opened, close),
                close=close,
                volume=None if volume is None else Decimal(volume),
            )
        )
        opened = close


def fact_texts(pane: BarsPane) -> list[str]:
    return [text for text, _ in pane.heading()]


def climb(count: int, start: int = 97_000) -> list[str]:
    return [f"{start + 10 * n}.00" for n in range(count)]


def test_it_wants_the_bars_of_its_symbol_at_its_interval(pane: BarsPane) -> None:
    assert pane.wants() == {M5}
    pane.set_reactive(BarsPane.symbol, None)
    assert pane.wants() == frozenset()


def test_only_its_own_bars_and_the_feeds_touch_it(pane: BarsPane, store: MarketStore) -> None:
    store.drain()
    put(store, ["1"], interval=Interval.H1)
    assert not pane.is_touched_by(store.drain())
    put(store, ["1"])
    assert pane.is_touched_by(store.drain())
    store.apply(Status(source="aries", ts_recv_ns=0, feed=FEED, state=FeedState.IDLE))
    assert pane.is_touched_by(store.drain())


def test_the_heading_has_price_change_and_time_to_the_close(pane: BarsPane, store: MarketStore) -> None:
    put(store, ["97200.00", "97211.25"])  # it is 14:37:51, the bar began at 14:35
    assert fact_texts(pane) == ["BTC/USDT", "5m", "97,211.25 ▲ +0.01%", "closes 2:08"]
    assert pane.heading()[2][1] == pane.desk.palette.up


def test_a_fall_is_red_with_an_arrow_down(pane: BarsPane, store: MarketStore) -> None:
    put(store, ["200.00", "190.00"])
    assert fact_texts(pane)[2] == "190.00 ▼ -5.00%"
    assert pane.heading()[2][1] == pane.desk.palette.down


def test_a_bar_that_is_over_has_no_countdown(pane: BarsPane, store: MarketStore, clock: ManualClock) -> None:
    put(store, ["200.00"])
    clock.advance(300)
    assert len(fact_texts(pane)) == 3


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval.S1, None),
        (Interval.H1, "closes 22:08"),
        (Interval.D1, "closes 9:22:08"),
        (Interval.W1, "closes 6d 09h"),
    ],
)
def test_the_countdown_suits_the_interval(
    pane: BarsPane, store: MarketStore, interval: Interval, text: str | None
) -> None:
    pane.interval = interval
    put(store, ["200.00"], interval=interval)
    assert fact_texts(pane)[3:] == ([text] if text else [])


def test_the_corner_names_the_source_and_the_age(pane: BarsPane, store: MarketStore, clock: ManualClock) -> None:
    put(store, ["200.00"])
    clock.advance(12)
    assert [text.split()[-1] for text, _ in pane.corner()] == ["10s"]


def test_a_rise_and_a_fall_have_their_colours(pane: BarsPane, store: MarketStore) -> None:
    put(store, ["100.00", "110.00", "95.00"], volume=None)
    palette = pane.desk.palette.colors
    assert candle_colors(pane) == {palette["up"], palette["down"]}


def test_every_row_is_as_wide_as_the_pane_allows(pane: BarsPane, store: MarketStore) -> None:
    put(store, climb(300))
    for width, height in ((38, 10), (68, 20), (118, 38), (200, 60), (12, 5)):
        rows = pane.rows(width, height)
        assert len(rows) == height
        assert all(row.width <= width for row in rows)


def test_the_last_price_stands_in_a_tag_with_its_arrow(pane: BarsPane, store: MarketStore) -> None:
    put(store, ["97200.00", "97211.25"])
    rows = pane.rows(60, 20)
    row = next(row for row in rows if "▲97,211.25" in text_of([row])[0] and "╌" in text_of([row])[0])
    tag = next(segment for segment in row.segments if "97,211.25" in segment.text)
    assert tag.style
    assert tag.style.bgcolor
    assert tag.style.bgcolor.triplet
    assert tag.style.bgcolor.triplet.hex == pane.desk.palette.colors["up"]


def test_labels_end_in_one_column_whatever_their_length(pane: BarsPane, store: MarketStore) -> None:
    put(store, ["9990.00", "10010.00"])
    texts = [text for text in text_of(pane.rows(60, 20))[1:] if re.search(r"\d\.\d\d$", text)]
    assert {len(text) for text in texts} == {59}
    assert len(texts) >= 4


def test_the_chart_does_not_move_while_the_open_bar_stays_in_range(pane: BarsPane, store: MarketStore) -> None:
    put(store, [*climb(40), "97300.00"])
    before = text_of(pane.rows(60, 20))
    last = store.bars(BTC, Interval.M5).last
    assert last
    store.apply(last.model_copy(update={"close": Decimal("97310.00")}))
    after = text_of(pane.rows(60, 20))
    changed = [index for index, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    assert 1 < len(changed) <= 5, "the legend, and the rows of the tag and of the open bar's end"


def test_volume_takes_a_fifth_and_nothing_when_it_is_unknown(pane: BarsPane, store: MarketStore) -> None:
    put(store, climb(30), volume=None)
    assert "V–" in "".join(text_of(pane.rows(80, 20))[0].split())
    assert not any("▁" in text or text.endswith(" 5") for text in text_of(pane.rows(60, 20)))
    put(store, climb(30), volume="1234.5")
    texts = text_of(pane.rows(60, 20))
    assert texts[15].endswith("1.23k")
    assert "█" in texts[18]


def test_missing_bars_are_empty_columns_and_a_closed_market_is_one_mark(pane: BarsPane, store: MarketStore) -> None:
    pane.action_width(-1)
    now = Interval.M5.start_of(store.now_ns())
    put(store, ["100.00", "101.00"], first=now - 400 * 300 * NS)
    put(store, ["101.00", "102.00"], first=now - 5 * 300 * NS)
    put(store, ["102.00", "103.00"], first=now - 1 * 300 * NS)
    texts = text_of(pane.rows(60, 20))
    volume = texts[18][: texts[18].rindex("█") + 1]
    assert volume.endswith("██┊██  ██")
    assert "1d" in texts[1], "the length of the stretch without bars"


def test_prices_that_never_moved_stand_in_the_middle(pane: BarsPane, store: MarketStore) -> None:
    put(store, ["1.0000"] * 30)
    texts = text_of(pane.rows(60, 20))
    assert texts[7].endswith("=1.00"), "the seventh of fourteen price rows, below the legend"
    assert [text[-4:] for text in texts if re.search(r" \d\.\d\d$", text)] == ["1.01", "0.99"]


def test_one_bar_is_a_chart(pane: BarsPane, store: MarketStore) -> None:
    put(store, ["3456.70"])
    texts = text_of(pane.rows(60, 20))
    assert "C3,456.70" in texts[0]
    assert "14:35" in texts[-1]


@pytest.mark.parametrize(
    ("closes", "tag"),
    [
        (["0.00001231", "0.00001234"], "▲0.00001234"),
        (["97000", "97211.25"], "▲97,211.25"),
        (["1234567890.00", "1234567000.50"], "▼1,234,567,000.50"),
    ],
)
def test_tiny_and_huge_prices_are_whole(pane: BarsPane, store: MarketStore, closes: list[str], tag: str) -> None:
    put(store, closes)
    assert any(text.endswith(tag) for text in text_of(pane.rows(68, 20)))


def test_the_axis_goes_rather_than_a_digit(pane: BarsPane, store: MarketStore) -> None:
    put(store, ["1234567890.00", "1234567000.50"])
    assert not any(char.isdigit() for text in text_of(pane.rows(28, 20))[1:-1] for char in text)


def test_a_rise_is_hollow_without_colour(pane: BarsPane, store: MarketStore) -> None:
    put(store, ["100.00", "110.00", "95.00"], volume=None)
    assert "║" not in "".join(text_of(pane.rows(60, 20)))
    pane.desk.colorless = True
    texts = "".join(text_of(pane.rows(60, 20)))
    assert "║" in texts
    assert "█" in texts


def test_the_legend_drops_whole_figures_when_it_is_narrow(pane: BarsPane, store: MarketStore) -> None:
    put(store, ["97200.00", "97211.25"])
    wide, middle, narrow = (text_of(pane.rows(width, 20))[0] for width in (90, 60, 36))
    assert wide.split() == [
        "5", "Jan", "14:35", "O97,200.00", "H97,211.25", "L97,200.00", "C97,211.25", "▲", "+0.01%", "V", "5",
    ]  # fmt: skip
    assert "H97,211.25" in middle
    assert "O97,200.00" not in middle
    assert narrow.split() == ["5", "Jan", "14:35", "C97,211.25", "▲", "+0.01%"]


def test_indicators_cycle_from_none_to_all(pane: BarsPane, store: MarketStore) -> None:
    put(store, ["100.00"] * 19 + ["120.00"])
    seen = []
    for _ in range(4):
        pane.action_indicators()
        legend = text_of(pane.rows(80, 20))[1]
        seen.append(re.findall(r"(MA20|MA50|VWAP) +(\S+)", legend))
    averages = [("MA20", "101.00"), ("MA50", "–")]
    vwap = [("VWAP", "100.67")]  # the typical price of the last bar is (120 + 100 + 120) / 3, that of the others 100
    assert seen == [averages, vwap, averages + vwap, []]


def test_without_a_symbol_it_says_how_to_choose_one(pane: BarsPane) -> None:
    pane.set_reactive(BarsPane.symbol, None)
    assert "No symbol chosen." in " ".join(text_of(pane.rows(60, 20)))
    assert pane.heading() == ()


def test_while_it_waits_it_says_for_what_and_since_when(pane: BarsPane, store: MarketStore, clock: ManualClock) -> None:
    clock.advance(7)
    text = " ".join(" ".join(text_of(pane.rows(60, 20))).split())
    assert text == "No 5m bars of BTC/USDT yet waiting for aries:charts, 7s"


def test_a_refusal_is_told(pane: BarsPane, store: MarketStore) -> None:
    refusal = Notice(source="aries", ts_recv_ns=0, text="unknown code [BTC", subscription=M5, refused=True)
    store.apply(refusal)
    assert "unknown code [BTC" in " ".join(text_of(pane.rows(60, 20)))


def test_a_stale_chart_is_dim_and_says_so(pane: BarsPane, store: MarketStore, clock: ManualClock) -> None:
    put(store, ["100.00", "110.00", "95.00"], volume=None)
    set_feed(store, FEED, FeedState.BACKING_OFF)
    clock.advance(14)
    stale = pane.desk.palette.colors["stale"]
    assert candle_colors(pane) == {stale}
    assert style_at(pane.rows(60, 20)[0], "95.00") == stale
    assert pane.heading()[2][1] == pane.desk.palette.stale
    assert [text.split()[-1] for text, _ in pane.corner()] == ["stale", "10s"]


def test_the_figures_of_indicators_are_dim_too_when_stale(pane: BarsPane, store: MarketStore) -> None:
    put(store, ["100.00"] * 19 + ["120.00"])
    pane.action_indicators()
    assert style_at(pane.rows(80, 20)[1], "101.00") == pane.desk.palette.colors["text"]
    set_feed(store, FEED, FeedState.BACKING_OFF, reason="connection lost")
    assert style_at(pane.rows(80, 20)[1], "101.00") == pane.desk.palette.colors["stale"]


def test_a_stale_chart_still_tells_rise_from_fall(pane: BarsPane, store: MarketStore) -> None:
    put(store, ["100.00", "110.00", "95.00"])
    set_feed(store, FEED, FeedState.FAILED)
    assert "║" in "".join(text_of(pane.rows(60, 20)))


def test_the_crosshair_starts_at_the_newest_bar_and_shows_the_figures_of_its_own(
    pane: BarsPane, store: MarketStore
) -> None:
    put(store, climb(10))
    pane.action_crosshair(-1)
    assert text_of(pane.rows(80, 20))[0].startswith("  5 Jan 14:35")
    pane.action_crosshair(-1)
    rows = pane.rows(80, 20)
    assert text_of(rows)[0].startswith("  5 Jan 14:30  O97,070.00")
    assert " 5 Jan 14:30 " in text_of(rows)[-1]
    pane.action_crosshair(1)
    assert text_of(pane.rows(80, 20))[0].startswith("  5 Jan 14:35")


def test_the_crosshair_stays_with_its_bar_when_new_ones_come(
    pane: BarsPane, store: MarketStore, clock: ManualClock
) -> None:
    put(store, climb(10))
    pane.action_crosshair(-1)
    clock.advance(300)
    put(store, ["97300.00"])
    assert text_of(pane.rows(80, 20))[0].startswith("  5 Jan 14:35")


def test_past_the_left_edge_the_chart_scrolls_into_the_past_and_counts_what_is_newer(
    pane: BarsPane, store: MarketStore
) -> None:
    put(store, climb(100))
    columns = 60 - len("97,990.00") - 2
    for _ in range(columns // 2 + 10):
        pane.action_crosshair(-1)
        rows = pane.rows(60, 20)
    assert text_of(rows)[-1].endswith("+10 ▸")
    assert tinted_columns(rows[5], pane) == [columns % 2]


def test_past_the_right_edge_the_chart_scrolls_back_to_the_newest(pane: BarsPane, store: MarketStore) -> None:
    put(store, climb(100))
    for delta in (-1, 1):
        for _ in range(60):
            pane.action_crosshair(delta)
            rows = pane.rows(60, 20)
    assert text_of(rows)[-1].endswith("UTC")
    assert text_of(rows)[0].startswith("  5 Jan 14:35")


def test_the_crosshair_stops_at_the_oldest_bar(pane: BarsPane, store: MarketStore) -> None:
    put(store, climb(5))
    for _ in range(9):
        pane.action_crosshair(-1)
    assert text_of(pane.rows(80, 20))[0].startswith("  5 Jan 14:15")


def test_a_scrolled_chart_keeps_its_crosshair_in_sight_when_bars_get_wider(pane: BarsPane, store: MarketStore) -> None:
    put(store, climb(100))
    for _ in range(20):
        pane.action_crosshair(-1)
    for _ in range(3):
        pane.action_width(1)
        assert tinted_columns(pane.rows(60, 20)[5], pane)


def test_the_crosshair_of_an_empty_chart_does_nothing(pane: BarsPane) -> None:
    pane.action_crosshair(-1)
    assert "yet" in " ".join(text_of(pane.rows(60, 20)))


class Deck(App[None]):
    """Just the pane."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.asked: list[object] = []
        self.escapes = 0

    BINDINGS = [("escape", "restore", "back")]

    def compose(self) -> ComposeResult:
        yield BarsPane(self.desk)

    def on_pane_wants_changed(self, message: Pane.WantsChanged) -> None:
        self.asked.append(self.query_one(BarsPane).wants())

    def action_restore(self) -> None:
        self.escapes += 1


async def test_brackets_walk_the_intervals_and_ask_for_them(desk: Desk) -> None:
    app = Deck(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        pane = app.query_one(BarsPane)
        pane.focus()
        pane.symbol = BTC
        seen = []
        for key in ["left_square_bracket"] * 3 + ["right_square_bracket"] * 7:
            await pilot.press(key)
            seen.append(pane.interval.value)
        assert seen == "1m 1s 1s 1m 5m 15m 1h 1d 1w 1w".split()
        assert app.asked[-1] == {Subscription(Kind.BAR, BTC, Interval.W1)}
        assert len(app.asked) == 1 + 8, "one for the symbol, one for each interval that differs"
        pane.show_interval(Interval.H1)
        await pilot.pause()
        assert app.asked[-1] == {Subscription(Kind.BAR, BTC, Interval.H1)}


async def test_escape_puts_the_crosshair_away_and_only_then_belongs_to_the_app(desk: Desk, store: MarketStore) -> None:
    put(store, climb(30))
    app = Deck(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        pane = app.query_one(BarsPane)
        pane.focus()
        pane.symbol = BTC
        await pilot.press("left", "h", "h", "l")
        assert text_of(pane.rows(78, 20))[0].startswith("  5 Jan 14:30")
        await pilot.press("escape")
        assert app.escapes == 0
        assert text_of(pane.rows(78, 20))[0].startswith("  5 Jan 14:35")
        await pilot.press("escape")
        assert app.escapes == 1


async def test_plus_and_minus_change_the_width_within_limits(desk: Desk, store: MarketStore) -> None:
    put(store, climb(200))
    app = Deck(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        pane = app.query_one(BarsPane)
        pane.focus()
        pane.symbol = BTC
        await pilot.press(*["plus"] * 9)
        assert bars_shown(pane, 4) == 67 // 5
        await pilot.press(*["minus"] * 9)
        assert bars_shown(pane, 1) == 67


async def test_another_symbol_starts_without_crosshair_and_width_of_the_old_axis(
    desk: Desk, store: MarketStore
) -> None:
    put(store, climb(30))
    put(store, ["1.00"] * 30, symbol=Symbol("AAPL"))
    app = Deck(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        pane = app.query_one(BarsPane)
        pane.focus()
        pane.symbol = BTC
        await pilot.press("left")
        pane.symbol = Symbol("AAPL")
        await pilot.pause()
        texts = text_of(pane.rows(78, 20))
        assert texts[-1].endswith("UTC")
        assert any(text.endswith("┈ 1.01") and len(text) == 77 for text in texts)


async def test_it_draws_under_no_color(desk: Desk, store: MarketStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    put(store, climb(30))
    app = Deck(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        pane = app.query_one(BarsPane)
        pane.symbol = BTC
        await pilot.pause()
        assert "97,290.00" in "".join(strip.text for strip in pane._strips)


def candle_colors(pane: BarsPane) -> set[str]:
    """The colours in which bodies are drawn."""
    return {
        segment.style.color.triplet.hex
        for row in pane.rows(60, 20)[1:-1]
        for segment in row.segments
        if BODIES.search(segment.text) and segment.style and segment.style.color and segment.style.color.triplet
    }


def tinted_columns(row: Line, pane: BarsPane) -> list[int]:
    """The columns that the crosshair lies on."""
    column, out = 0, []
    for segment in row.segments:
        background = segment.style.bgcolor if segment.style else None
        if background and background.triplet and background.triplet.hex == pane.desk.palette.colors["selection"]:
            out.append(column)
        column += len(segment.text)
    return out


def bars_shown(pane: BarsPane, filled: int) -> int:
    """How many bars show, when all have the same volume and fill so many cells."""
    return text_of(pane.rows(78, 20))[-2].count("█") // filled
