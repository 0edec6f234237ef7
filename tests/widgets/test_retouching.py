"""What is on the terminal after changes of rows is what the rows say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pyte
import pytest
from rich.style import Style
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.screen import ModalScreen, Screen
from textual.widgets import Label

from tests.conftest import until
from tests.recorder import Recorder
from tui.clock import ManualClock
from tui.widgets.drawn import Drawn
from tui.widgets.lines import Line
from tui.widgets.retouching import HEAL_NS, Retouching

WIDTH, HEIGHT = 40, 6
BASE = Style.parse("#d5dee8 on #0b0f14")
UP = Style.parse("#3ecf8e")


class Sheet:
    """A terminal, and what was written to it last."""

    def __init__(self) -> None:
        self.model = pyte.Screen(WIDTH, HEIGHT + 1)
        self._stream = pyte.Stream(self.model)
        self.written = ""

    def write(self, data: str) -> None:
        self.written += data
        self._stream.feed(data)

    def flush(self) -> None:
        pass

    @property
    def rows(self) -> list[str]:
        return [row.rstrip() for row in self.model.display[:HEIGHT]]


class Prices(Drawn):
    """A price a row."""

    prices: Sequence[int] = range(1000, 1000 + HEIGHT)

    def lines(self, width: int, height: int) -> Sequence[Line]:
        return [Line().add("last ").add(f"{price:,}", UP).add("  size ").add("1.5", UP) for price in self.prices]

    def base(self) -> Style:
        return BASE

    def show(self, *prices: int) -> None:
        self.prices = prices
        self.draw()


def rows(*prices: int) -> list[str]:
    return [f"last {price:,}  size 1.5" for price in prices]


class Main(Screen[None]):
    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._compositor = Retouching(clock.now_ns)

    def compose(self) -> ComposeResult:
        yield Prices(id="prices")
        notice = Label("notice", id="notice")
        notice.display = False
        yield notice


class Pair(Main):
    """Two sheets of prices side by side."""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Prices(id="left")
            yield Prices(id="right")
        notice = Label("notice", id="notice")
        notice.display = False
        yield notice


class Dialog(ModalScreen[None]):
    CSS = "Dialog { background: #000000; }"

    def compose(self) -> ComposeResult:
        yield Label("dialog")


class Shown(App[None]):
    CSS = """
    Prices { width: 1fr; height: 6; }
    Label { layer: above; offset: 34 1; }
    Main { layers: below above; }
    Horizontal { visibility: hidden; height: 6; }
    Horizontal Prices { visibility: visible; }
    """

    def __init__(self, clock: ManualClock, screen: type[Main] = Main) -> None:
        self.sheet = Sheet()
        self.clock = clock
        self._main = screen
        super().__init__(driver_class=Recorder)

    def get_default_screen(self) -> Screen[None]:
        return self._main(self.clock)

    @property
    def prices(self) -> Prices:
        return self.screen_stack[0].query_one(Prices)

    @property
    def notice(self) -> Label:
        return self.screen_stack[0].query_one(Label)

    async def shows(self, *rows: str) -> None:
        """Wait until the terminal shows these rows."""
        await until(lambda: self.sheet.rows == list(rows))

    async def draw(self, *prices: int) -> str:
        """Draw prices; what was written for them."""
        self.sheet.written = ""
        self.prices.show(*prices)
        await self.shows(*rows(*prices))
        return self.sheet.written


@pytest.fixture
async def app() -> AsyncIterator[Shown]:
    shown = Shown(ManualClock())
    async with shown.run_test(headless=False, size=(WIDTH, HEIGHT + 1)) as pilot:
        await pilot.pause()
        await shown.shows(*rows(*range(1000, 1000 + HEIGHT)))
        await shown.draw(9, 9, 9, 9, 9, 9)
        await shown.draw(1, 2, 3, 4, 5, 6)
        yield shown


async def test_only_the_piece_that_changed_is_written(app: Shown) -> None:
    written = await app.draw(1, 2, 7, 4, 5, 6)
    assert "7" in written
    assert "last" not in written
    assert "size" not in written


async def test_rows_drawn_in_a_batch_are_written_when_the_screen_is_asked_to_look(app: Shown) -> None:
    with app.batch_update():
        app.prices.show(1, 2, 3, 4, 7, 6)
    app.screen.check_idle()
    await app.shows(*rows(1, 2, 3, 4, 7, 6))


async def test_rows_drawn_while_they_are_hidden_are_there_when_they_show(app: Shown) -> None:
    app.prices.display = False
    await app.shows(*[""] * HEIGHT)
    app.prices.show(1, 2, 3, 4, 7, 6)
    app.prices.display = True
    await app.shows(*rows(1, 2, 3, 4, 7, 6))


async def test_what_lay_over_a_row_is_gone_although_the_row_did_not_change(app: Shown) -> None:
    app.notice.display = True
    await until(lambda: "notice" in app.sheet.rows[1])
    app.notice.display = False
    await app.shows(*rows(1, 2, 3, 4, 5, 6))


async def test_a_row_that_changes_below_a_notice_is_whole_afterwards(app: Shown) -> None:
    app.notice.display = True
    await until(lambda: "notice" in app.sheet.rows[1])
    app.prices.show(1, 9, 3, 4, 5, 6)
    app.notice.display = False
    await app.shows(*rows(1, 9, 3, 4, 5, 6))


async def test_nothing_is_left_of_a_dialog(app: Shown) -> None:
    await app.push_screen(Dialog())
    await until(lambda: "dialog" in app.sheet.rows[1])
    app.prices.show(1, 2, 3, 4, 5, 8)
    await app.pop_screen()
    await app.shows(*rows(1, 2, 3, 4, 5, 8))
    await app.draw(1, 2, 3, 4, 5, 6)


async def test_after_the_whole_screen_was_written_a_row_is_written_whole(app: Shown) -> None:
    app.sheet.written = ""
    app.screen.refresh()
    await until(lambda: "size" in app.sheet.written)
    assert "last" in await app.draw(1, 2, 7, 4, 5, 6)
    assert "last" not in await app.draw(1, 2, 8, 4, 5, 6)


async def test_after_anything_was_arranged_anew_a_row_is_written_whole(app: Shown) -> None:
    app.screen._compositor.reflow(app.screen, app.size)
    assert "last" in await app.draw(1, 2, 7, 4, 5, 6)
    assert "last" not in await app.draw(1, 2, 8, 4, 5, 6)


async def test_what_somebody_else_wrote_across_a_row_does_not_stay(app: Shown) -> None:
    app.sheet.write("\x1b[3;1Hbroadcast message from root")
    app.clock.advance(HEAL_NS / 1e9)
    await app.draw(1, 2, 7, 4, 5, 6)


async def test_widgets_side_by_side_are_written_each_in_its_place_whatever_lies_over_them() -> None:
    app = Shown(ManualClock(), Pair)
    async with app.run_test(headless=False, size=(WIDTH, HEIGHT + 1)):
        left, right = app.screen.query_one("#left", Prices), app.screen.query_one("#right", Prices)

        def both(*prices: int, notice: str = "") -> list[str]:
            lines = [f"{f'last {price:,}  size 1.5':20}last {price + 1:,}  size 1.5" for price in prices]
            lines[1] = lines[1][:34] + notice if notice else lines[1]
            return [line.rstrip() for line in lines]

        def show(*prices: int) -> None:
            left.show(*prices)
            right.show(*(price + 1 for price in prices))

        show(1, 2, 3, 4, 5, 6)
        await app.shows(*both(1, 2, 3, 4, 5, 6))
        app.sheet.written = ""
        right.show(2, 3, 4, 5, 6, 9)
        await until(lambda: "1.5" in app.sheet.rows[5] and "last 9" in app.sheet.rows[5])
        assert "\x1b[6;21H" in app.sheet.written
        assert "\x1b[6;1H" not in app.sheet.written
        app.notice.display = True
        show(9, 8, 7, 6, 5, 4)
        await app.shows(*both(9, 8, 7, 6, 5, 4, notice="notice"))
        app.notice.display = False
        await app.shows(*both(9, 8, 7, 6, 5, 4))
        show(1, 2, 3, 4, 5, 6)
        await app.shows(*both(1, 2, 3, 4, 5, 6))
