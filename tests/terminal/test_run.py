"""`tickdeck run` on a simulator of its own, as `tickdeck simulate` says."""

from __future__ import annotations

import re

import pytest

from tests.terminal.computer import Computer, Simulation
from tests.terminal.driver import Terminal
from tests.terminal.reading import ALL_LIVE, PANES, is_about, listed, prices, selected, shows_figures

pytestmark = pytest.mark.terminal

LIST = ["AAPL", "NVDA", "SPX", "BTC/USDT", "ETH/USDT"]


def add(terminal: Terminal, symbol: str) -> None:
    terminal.press("/")
    terminal.until("Add a symbol")
    terminal.type(symbol)
    terminal.until(re.compile(rf" {symbol} .*\n(.*\n)*.*\d found\."))
    terminal.press("enter")
    terminal.until(lambda: selected(terminal) == symbol)


@pytest.mark.fault("M1", "M15", "M64")
def test_a_server_that_dies_and_returns(computer: Computer, simulation: Simulation) -> None:
    with computer.run(simulation.config) as terminal:
        assert "demo" not in terminal.lines[0]
        terminal.until(lambda: listed(terminal) == LIST)
        terminal.press("end", "up")
        terminal.until(lambda: is_about(terminal, "BTC/USDT") and all(shows_figures(terminal, t) for t in PANES))
        terminal.until(lambda: "4 of 4 live" in terminal.pane("Feeds"))  # all three providers
        for provider in ("aries", "insightsentry", "quantcite"):
            assert re.search(rf"● {provider}:", terminal.pane("Feeds"))
        before = prices(terminal)

        simulation.kill()
        for title in ("Bars", "Book", "News", "Tape"):
            terminal.until(lambda title=title: "stale" in terminal.pane(title).partition("\n")[0])  # type: ignore[misc]
        assert "stale" in terminal.lines[0]
        assert listed(terminal) == LIST
        assert not re.search("[▲▼]", terminal.pane("Quotes")), "a move that nobody makes"
        terminal.press("6", "z")
        for feed in ("aries:market", "insightsentry:live", "insightsentry:newsfeed", "quantcite:book"):
            terminal.until(re.compile(rf"◐ {feed} .* retry in \d+s: connection refused"))
        terminal.press("1")
        terminal.until(lambda: listed(terminal) == LIST)
        old = prices(terminal)
        assert old.keys() == before.keys()

        with Simulation(computer, simulation.port) as again:
            assert again.page == simulation.page
            terminal.press("z")
            terminal.until(ALL_LIVE)
            terminal.until(lambda: "stale" not in terminal.text)
            assert listed(terminal) == LIST
            terminal.until(lambda: is_about(terminal, "BTC/USDT") and all(shows_figures(terminal, t) for t in PANES))
            terminal.until(lambda: all(prices(terminal)[symbol] != price for symbol, price in old.items()))
        terminal.press("q")
        assert terminal.ended().code == 0


def test_the_list_survives_a_restart(computer: Computer, simulation: Simulation) -> None:
    with computer.run(simulation.config) as terminal:
        terminal.until(lambda: listed(terminal) == LIST)
        terminal.press("x")
        terminal.until(lambda: "AAPL" not in listed(terminal))
        add(terminal, "TSLA")
        terminal.press("K")
        terminal.until(lambda: listed(terminal) == ["NVDA", "SPX", "BTC/USDT", "TSLA", "ETH/USDT"])
        terminal.press("q")
        assert terminal.ended().code == 0
    state = computer.home / ".local/state/tickdeck/state.json"
    assert state.stat().st_mode & 0o777 == 0o600
    with computer.run(simulation.config, size=(100, 30)) as terminal:
        terminal.until(lambda: listed(terminal) == ["NVDA", "SPX", "BTC/USDT", "TSLA", "ETH/USDT"])
        terminal.until(lambda: shows_figures(terminal, "Quotes"))
