"""`tickdeck demo` where there is less: smaller terminals, few colours, none."""

from __future__ import annotations

import re

import pytest

from tests.terminal.computer import NO_COLOUR, SIXTEEN_COLOURS, Computer
from tests.terminal.reading import ALL_LIVE, PANES, hidden_figures, is_about, listed, prices, selected, shows_figures

pytestmark = pytest.mark.terminal

TABS = "  1 Quotes   2 Bars   3 Book   4 News   5 Tape   6 Feeds"


def test_100_by_30_with_sixteen_colours_shows_every_pane_at_once(computer: Computer) -> None:
    with computer.start("demo", "MSFT", size=(100, 30), look=SIXTEEN_COLOURS) as terminal:
        for title in PANES:
            terminal.until(lambda title=title: shows_figures(terminal, title))  # type: ignore[misc]
        assert listed(terminal)[0] == selected(terminal) == "MSFT"
        terminal.until(lambda: is_about(terminal, "MSFT"))
        terminal.until(lambda: not hidden_figures(terminal, 1.1))
        assert "▒" in terminal.pane("Book"), "size bars are told from depth by shade where there is no colour for it"
        assert not re.search(rb"\x1b\[[\d;]*[34]8;[25];", terminal.raw), "a colour that this terminal does not have"
        terminal.press("q")
        assert terminal.ended().code == 0


def test_80_by_24_without_colours_shows_one_pane_at_a_time(computer: Computer) -> None:
    with computer.start("demo", size=(80, 24), look=NO_COLOUR) as terminal:
        terminal.until(lambda: shows_figures(terminal, "Quotes"))
        assert terminal.lines[1].startswith(TABS)
        assert listed(terminal) == ["AAPL", "NVDA", "SPX", "BTC/USDT", "ETH/USDT"]
        terminal.press("down", "down", "down")
        terminal.until(lambda: selected(terminal) == "BTC/USDT")
        terminal.until(lambda: f" BTC/USDT {prices(terminal)['BTC/USDT']:,} " in terminal.lines[0])
        for digit, title in enumerate(PANES, 1):
            terminal.press(str(digit))
            terminal.until(lambda title=title: shows_figures(terminal, title))  # type: ignore[misc]
            assert [other for other in PANES if terminal.pane(other)] == [title]
        terminal.press("3")
        terminal.until("Book · BTC/USDT")
        terminal.until(lambda: not hidden_figures(terminal, 4.0))
        terminal.press("6")
        terminal.until(ALL_LIVE)
        runs = re.findall(rb"\x1b\[[\d;]*[34]8;2;(\d+);(\d+);(\d+)m([^\x1b]*)", terminal.raw)
        assert runs
        assert [run for run in runs if len(set(run[:3])) > 1] == [], "shades of grey only"
        terminal.press("q")
        assert terminal.ended().code == 0
