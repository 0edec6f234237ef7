"""What dialogs drew goes with them, and what was shown once."""

from __future__ import annotations

import gc

from rich import cells
from textual.app import App, ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.thrift import MAX_TEXTS, let_go_of_closed_widgets, remember_fewer_widths


class Dialog(ModalScreen[None]):
    """Something with a border and text."""

    def compose(self) -> ComposeResult:
        """A line in a frame, so that Textual keeps drawn lines of it."""
        notice = Static("closed long ago")
        notice.styles.border = ("round", "red")
        yield notice


def caches_of_lines() -> int:
    gc.collect()
    return sum(type(each).__name__ == "StylesCache" for each in gc.get_objects())


async def test_widgets_of_closed_dialogs_leave_nothing_behind() -> None:
    let_go_of_closed_widgets()
    app: App[None] = App()
    async with app.run_test() as pilot:
        await app.push_screen(Dialog())
        await app.pop_screen()
        await pilot.pause()
        before = caches_of_lines()
        for _ in range(20):
            await app.push_screen(Dialog())
            await pilot.pause()
            await app.pop_screen()
        await pilot.pause()
        assert caches_of_lines() <= before + 4


def test_widths_of_few_texts_are_remembered() -> None:
    remember_fewer_widths()
    remember_fewer_widths()
    for number in range(2 * MAX_TEXTS):
        assert cells.cell_len(f"▲{number:04}漢") == 7
    assert cells.cached_cell_len.cache_info().currsize == MAX_TEXTS


def test_asking_twice_changes_nothing() -> None:
    let_go_of_closed_widgets()
    let_go_of_closed_widgets()
