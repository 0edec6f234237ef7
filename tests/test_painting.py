"""A frame makes way for a key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tui.clock import ManualClock
from tui.painting import KEY_S, Painter


class Sheet:
    """Notes what is drawn, held back and shown."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    @contextmanager
    def batch_update(self) -> Iterator[None]:
        self.notes.append("(")
        yield
        self.notes.append(")")

    def flush(self) -> None:
        self.notes.append("shown")


@pytest.fixture
def sheet() -> Sheet:
    return Sheet()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def test_a_frame_comes_to_the_screen_at_once(sheet: Sheet, clock: ManualClock) -> None:
    await Painter(sheet, clock).paint([lambda: sheet.notes.append("quotes"), lambda: sheet.notes.append("book")])
    assert sheet.notes == ["(", "quotes", "book", ")", "shown"]


async def test_others_have_a_turn_after_every_pane(sheet: Sheet, clock: ManualClock) -> None:
    loop = asyncio.get_running_loop()

    def quotes() -> None:
        loop.call_soon(sheet.notes.append, "another")

    await Painter(sheet, clock).paint([quotes, lambda: sheet.notes.append("book")])
    assert sheet.notes == ["(", "another", "book", ")", "shown"]


async def test_after_a_key_the_rest_waits_until_it_was_answered(sheet: Sheet, clock: ManualClock) -> None:
    painter = Painter(sheet, clock)

    def quotes() -> None:
        sheet.notes.append("quotes")
        painter.key_pressed()
        asyncio.get_running_loop().call_later(KEY_S / 4, answer)

    def answer() -> None:
        sheet.notes.append("answer")
        clock.advance(2 * KEY_S)

    await painter.paint([quotes, lambda: sheet.notes.append("bars"), lambda: sheet.notes.append("book")])
    assert sheet.notes == ["(", "quotes", ")", "shown", "answer", "(", "bars", "book", ")", "shown"]


async def test_a_key_that_is_held_down_does_not_stop_the_screen(sheet: Sheet, clock: ManualClock) -> None:
    painter = Painter(sheet, clock)
    painter.key_pressed()  # and the clock stands still: there is always one just now
    await painter.paint([lambda: sheet.notes.append("quotes"), lambda: sheet.notes.append("book")])
    assert sheet.notes == ["(", "quotes", ")", "shown", "(", "book", ")", "shown"]


async def test_nothing_to_draw_shows_nothing(sheet: Sheet, clock: ManualClock) -> None:
    await Painter(sheet, clock).paint([])
    assert sheet.notes == []
