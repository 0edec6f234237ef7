"""`tickdeck demo` on a large terminal, worked by hand. One program for all of these tests: starting takes longest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.terminal.computer import Computer
from tests.terminal.driver import Terminal
from tests.terminal.reading import (
    ALL_LIVE,
    PANES,
    figures,
    hidden_figures,
    is_about,
    listed,
    number,
    prices,
    selected,
    shows_figures,
)

pytestmark = pytest.mark.terminal

SIZE = (140, 45)
LIST = ["AAPL", "NVDA", "SPX", "BTC/USDT", "ETH/USDT"]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Computer:
    return Computer(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def running(machine: Computer) -> Iterator[Terminal]:
    with machine.start("demo", size=SIZE) as terminal:
        yield terminal


@pytest.fixture
def demo(running: Terminal) -> Terminal:
    """The demo with all its panes showing and the quotes in focus."""
    running.press("1")
    running.until(lambda: all(running.pane(title) for title in PANES))
    return running


def add(terminal: Terminal, typed: str, symbol: str) -> None:
    terminal.press("/")
    terminal.until("Add a symbol")
    terminal.type(typed)
    terminal.until(re.compile(rf" {symbol} .*\n(.*\n)*.*\d found\."))
    terminal.press("enter")
    terminal.until(lambda: selected(terminal) == symbol)


def test_every_pane_comes_to_life_and_stays_alive(demo: Terminal) -> None:
    for title in PANES:
        demo.until(lambda title=title: shows_figures(demo, title))  # type: ignore[misc]
    for title in ("Quotes", "Bars", "Book", "Tape"):
        before = demo.pane(title)
        demo.until(lambda title=title, before=before: demo.pane(title) != before)  # type: ignore[misc]


def test_the_selected_symbol_is_the_one_that_every_pane_shows(demo: Terminal) -> None:
    assert listed(demo) == LIST
    for symbol, press in (("AAPL", "home"), ("NVDA", "down"), ("ETH/USDT", "end"), ("BTC/USDT", "up")):
        demo.press(press)
        demo.until(lambda symbol=symbol: selected(demo) == symbol and is_about(demo, symbol))  # type: ignore[misc]
        demo.until(lambda symbol=symbol: f" {symbol} {prices(demo)[symbol]:,} " in demo.lines[0])  # type: ignore[misc]
    assert "Tape · AAPL" in demo.text or "Tape · NVDA" in demo.text, "nobody carries prints of a pair"


def test_symbols_are_added_by_typing_removed_and_brought_back(demo: Terminal) -> None:
    add(demo, "solusdt", "SOL/USDT")
    demo.until(lambda: is_about(demo, "SOL/USDT"))
    demo.press("x")
    demo.until("Removed SOL/USDT")
    demo.until(lambda: "SOL/USDT" not in listed(demo))
    demo.press("u")
    demo.until(lambda: selected(demo) == "SOL/USDT" == listed(demo)[-1])
    demo.type("xx")  # as fast as a held key
    demo.until(lambda: listed(demo) == LIST[:-1])
    demo.press("x", "home", "down", "x")
    demo.until(lambda: listed(demo) == ["AAPL", "SPX"] and selected(demo) == "SPX")
    demo.type("uuu")
    demo.until(lambda: listed(demo) == LIST)
    demo.press("home", "down", "x")
    demo.until(lambda: "NVDA" not in listed(demo))
    add(demo, "nvd", "NVDA")
    demo.until(lambda: listed(demo)[-1] == "NVDA" and is_about(demo, "NVDA"))


def test_intervals_change_by_key_and_from_a_list(demo: Terminal) -> None:
    def shows(interval: str) -> bool:
        return f" · {interval} " in demo.pane("Bars").partition("\n")[0] and shows_figures(demo, "Bars")

    for keys, interval in ((("2", "["), "1m"), ("]]", "15m"), ("[", "5m")):
        demo.press(*keys)
        demo.until(lambda interval=interval: shows(interval))  # type: ignore[misc]
    demo.press("t")
    demo.until("Interval of the bars")
    demo.press("down", "down", "enter")
    demo.until(lambda: shows("1h"))
    demo.press("[", "[")
    demo.until(lambda: shows("5m"))


def test_the_book_has_fewer_levels_and_coarser_prices_on_request(demo: Terminal) -> None:
    def heading() -> str:
        return demo.pane("Book").partition("\n")[0]

    def limit() -> int:
        found = re.search(r"(\d+) levels", heading())
        return int(found[1]) if found else 100

    def levels() -> list[Decimal]:
        """Prices of the ladder: on rows that end in a price and venue marks."""
        rows = re.findall(r"([\d,]+\.\d+) {2,}[A-Z ·]*$", demo.pane("Book"), re.MULTILINE)
        return [number(row) for row in rows]

    demo.press("home", "3")
    demo.until(lambda: is_about(demo, "AAPL") and len(levels()) > 20)
    demo.press("-")
    demo.until(lambda: limit() < 100)
    least = limit() - 6
    while (now := limit()) > least:
        demo.press("-")
        demo.until(lambda now=now: limit() == now - 1)  # type: ignore[misc]
    demo.until(lambda: len(levels()) <= 2 * least)
    while (now := limit()) < 100:
        demo.press("+")
        demo.until(lambda now=now: limit() > now)  # type: ignore[misc]
    demo.until(lambda: len(levels()) > 2 * least)
    demo.press("G", "G")
    demo.until(re.compile(r"Book · .* · step 0\.05"))
    demo.until(lambda: len(levels()) > 4 and all(price % Decimal("0.05") == 0 for price in levels()))
    demo.press("g", "g")
    demo.until(lambda: "step" not in heading() and any(price % Decimal("0.05") for price in levels()))


def test_each_pane_takes_the_whole_screen_and_gives_it_back(demo: Terminal) -> None:
    for digit, title in enumerate(PANES, 1):
        demo.press(str(digit), "z")
        demo.until(lambda title=title: len(demo.pane(title).partition("\n")[0]) == SIZE[0] - 2)  # type: ignore[misc]
        demo.until(lambda title=title: shows_figures(demo, title))  # type: ignore[misc]
        assert [other for other in PANES if demo.pane(other)] == [title]
        demo.press("escape")
        demo.until(lambda: all(demo.pane(other) for other in PANES))


def test_themes_change_all_colours_and_no_text(demo: Terminal) -> None:
    def background() -> str:
        return demo.cells[20][60].bg

    dark = background()
    seen = [dark]
    while True:
        demo.press("T")
        demo.until(lambda: background() != seen[-1])
        if background() == dark:
            break
        seen.append(background())
        assert listed(demo)
        demo.until(lambda: not hidden_figures(demo, 3.0))
    assert len(seen) >= 4


def test_help_and_palette_open_and_close(demo: Terminal) -> None:
    for key, words in (("?", "All keys"), ("f1", "Your watch list."), ("ctrl+p", "Search for commands")):
        demo.press(key)
        demo.until(words)
        demo.press("escape")
        demo.until(lambda words=words: words not in demo.text and all(demo.pane(t) for t in PANES))  # type: ignore[misc]


def test_a_click_selects_a_row(demo: Terminal) -> None:
    demo.press("end")
    demo.until(lambda: selected(demo) == listed(demo)[-1])
    demo.type("\x1b[<0;5;4M\x1b[<0;5;4m")
    demo.until(lambda: selected(demo) == listed(demo)[0])


@pytest.mark.fault("M70")
def test_a_storm_of_sizes_leaves_everything_as_it_was(demo: Terminal) -> None:
    for size in [(20, 5), (400, 120), (1, 1), (2, 200), (79, 23), (99, 28), (300, 3)] * 3:
        demo.resize(size)
    for size in ((20, 5), (59, 40), (9, 3)):
        demo.resize(size)
        demo.until("too small")
        assert not re.search(r"\d\.\d", demo.text), "half a number is a wrong number"
    demo.resize((1, 1))
    demo.resize(SIZE)
    demo.until(lambda: all(shows_figures(demo, title) for title in PANES))
    before = figures(demo, "Book")
    demo.until(lambda: figures(demo, "Book") != before)
    assert b"Traceback" not in demo.raw


def test_quitting_leaves_neither_a_process_nor_a_file(demo: Terminal, machine: Computer) -> None:
    demo.until(ALL_LIVE)
    demo.press("q")
    assert demo.ended().code == 0
    assert machine.simulators() == []
    assert machine.files() == []
