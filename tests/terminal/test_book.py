"""The order book on a terminal: all its views and tools in one run, worked by keys as a person would."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

import pytest

from tests.terminal.computer import Computer
from tests.terminal.driver import Terminal
from tests.terminal.reading import PANES, is_about, number, selected
from tests.terminal.test_leaving import assert_restored

pytestmark = pytest.mark.terminal

SIZE = (140, 45)
VENUES = ("binance", "okx", "bybit", "kraken", "coinbase")
NUMBER = r"\d[\d,]*(?:\.\d+)?"
_LEVEL = re.compile(rf"(?:^|\s)({NUMBER}) +({NUMBER})[◆◇]? *({NUMBER}) +([A-Z·]{{5}}) +([+-]\d+\.\d\d)\s*$")
_FILL = re.compile(rf"▎(buy|sell) +({NUMBER}) +(-?[\d.]+)bp +to ({NUMBER}) +(\d+) levels? +([A-Z·]+) +(\S+) (\w+)")
_SHORT = re.compile(rf"▎(buy|sell) +not enough depth: (\S+) (\w+) +({NUMBER})")


class Row(NamedTuple):
    """A level as the ladder shows it; `y` counts from the title row of the pane."""

    y: int
    cum: Decimal
    size: Decimal
    price: Decimal
    marks: str
    bp: Decimal
    has_cursor: bool
    is_reached: bool


def heading(terminal: Terminal) -> str:
    return terminal.pane("Book").partition("\n")[0]


def rows(terminal: Terminal) -> list[Row]:
    """The levels, top to bottom; ends of bars are not looked at."""
    found = []
    for y, text in enumerate(terminal.pane("Book").splitlines()):
        bare = re.sub("[▏▎▍▌▋▊▉█»]", " ", text)
        if match := _LEVEL.search(bare):
            cum, size, price, marks, bp = match.groups()
            is_reached = text[match.start(3) - 1] == "▎"
            figures = (number(cum), number(size), number(price), marks, Decimal(bp))
            found.append(Row(y, *figures, text.startswith("▌"), is_reached))
    return found


def cursor(terminal: Terminal) -> Row | None:
    return next((row for row in rows(terminal) if row.has_cursor), None)


def _cursor_price(terminal: Terminal) -> Decimal:
    at = cursor(terminal)
    return at.price if at else Decimal()


def foot(terminal: Terminal, pattern: str) -> re.Match[str] | None:
    return re.search(pattern, terminal.pane("Book"), re.MULTILINE)


def press(terminal: Terminal, key: str, until: str | re.Pattern[str] | Callable[[], object]) -> None:
    """Press one key and see what it does before the next."""
    terminal.press(key)
    terminal.until(until)


def test_every_view_and_tool_of_the_book_by_keys(computer: Computer) -> None:
    with computer.start("demo", size=SIZE) as terminal:
        terminal.until(lambda: selected(terminal) == "AAPL")
        terminal.press("end", "up")
        terminal.until(lambda: selected(terminal) == "BTC/USDT" and is_about(terminal, "BTC/USDT"))
        terminal.type("3z")
        terminal.until(lambda: len(heading(terminal)) == SIZE[0] - 2 and len(rows(terminal)) > 20)
        assert [title for title in PANES if terminal.pane(title)] == ["Book"]
        _ladder(terminal)
        _levels_and_steps(terminal)
        _cursor(terminal)
        _bars(terminal)
        _cost(terminal)
        _venues(terminal)
        _depth(terminal)
        _heatmap(terminal)
        press(terminal, "m", lambda: len(rows(terminal)) > 20)
        press(terminal, "escape", lambda: all(terminal.pane(title) for title in PANES))
        terminal.press("q")
        ended = terminal.ended()
        assert ended.code == 0
        assert_restored(terminal, ended)


def _ladder(terminal: Terminal) -> None:
    """Prices fall from row to row, sums grow away from the middle, shares add up."""
    terminal.until(re.compile(rf"bid +\d+% .*bp.*[▲▼ ]{NUMBER}.* \d+% ask"))

    def is_whole() -> bool:
        found = rows(terminal)
        asks, bids = [r for r in found if r.bp > 0], [r for r in found if r.bp < 0]
        shares = re.search(r"bid +(\d+)% .* (\d+)% ask", terminal.text)
        return bool(asks and bids and shares) and not foot(terminal, "crossed") and _is_ordered(found, asks, bids)

    terminal.until(is_whole)


def _is_ordered(found: list[Row], asks: list[Row], bids: list[Row]) -> bool:
    prices = [row.price for row in found]
    assert prices == sorted(prices, reverse=True)
    for side in (asks[::-1], bids):
        assert [row.cum for row in side] == sorted(row.cum for row in side)
        assert side[0].cum == side[0].size
        assert all(row.marks.strip("·") for row in side), "every level has a venue"
    assert all({row.marks[column] for row in found} <= {letter, "·"} for column, letter in enumerate("BOYKC"))
    return True


def _levels_and_steps(terminal: Terminal) -> None:
    for _ in range(3):
        before = heading(terminal)
        press(terminal, "-", lambda before=before: heading(terminal) != before)  # type: ignore[misc]
    shown = re.search(r"(\d+) levels", heading(terminal))
    assert shown
    least = int(shown[1])
    terminal.until(lambda: 2 < len(rows(terminal)) <= 2 * least)
    for _ in range(3):
        before = heading(terminal)
        press(terminal, "+", lambda before=before: heading(terminal) != before)  # type: ignore[misc]
    terminal.until(lambda: len(rows(terminal)) > 2 * least or "levels" not in heading(terminal))
    press(terminal, "G", re.compile(r"· step 0\.2 "))
    press(terminal, "G", re.compile(r"· step 0\.5 "))
    terminal.until(lambda: len(rows(terminal)) > 9 and all(r.price % Decimal("0.5") == 0 for r in rows(terminal)))
    terminal.type("gg")
    terminal.until(lambda: "step" not in heading(terminal))
    terminal.until(lambda: any(row.price % Decimal("0.5") for row in rows(terminal)))


def _cursor(terminal: Terminal) -> None:
    press(terminal, "j", lambda: cursor(terminal))
    for _ in range(2):
        price = _cursor_price(terminal)
        press(terminal, "j", lambda price=price: 0 < _cursor_price(terminal) < price)  # type: ignore[misc]
    said = rf"^ (?:bid|ask) ({NUMBER}) +cum ({NUMBER}) +(\S+) USDT +([+-][\d.]+) bp +(.*?) *$"

    def agrees() -> bool:
        found, at = foot(terminal, said), cursor(terminal)
        if not (found and at) or number(found[1]) != at.price:
            return False
        value = {"k": 1_000, "M": 1_000_000}[found[3][-1]] * Decimal(found[3][:-1])
        names = [name for name, mark in zip(VENUES, at.marks, strict=True) if mark != "·"]
        near = abs(value / (number(found[2]) * at.price) - 1) < Decimal("0.01")
        return near and Decimal(found[4]) == at.bp and found[5].split() == names

    terminal.until(agrees)
    terminal.type("c" + "G" * 5)
    terminal.until("step 5")  # at such round prices there are always orders
    press(terminal, "j", lambda: cursor(terminal))
    best = _cursor_price(terminal)
    press(terminal, "j", lambda: 0 < _cursor_price(terminal) < best)
    held = cursor(terminal)
    assert held
    for _ in range(5):  # the book goes on, the cursor stays where it is; between bid and ask it may lose its price
        before = rows(terminal)
        terminal.until(lambda before=before: rows(terminal) != before)  # type: ignore[misc]
        now = cursor(terminal)
        assert now
        assert now.y == held.y
        assert abs(now.price - held.price) <= 10
    terminal.type("k" * 6)
    terminal.until(lambda: _cursor_price(terminal) > held.price)
    terminal.type("c" + "g" * 5)
    terminal.until(lambda: "step" not in heading(terminal) and len(rows(terminal)) > 20 and not cursor(terminal))


def _bars(terminal: Terminal) -> None:
    press(terminal, "b", "√ bars")
    press(terminal, "b", lambda: "√ bars" not in heading(terminal))


def _fills(terminal: Terminal) -> dict[str, tuple[str, ...]]:
    return {found[0]: found[1:] for found in _FILL.findall(terminal.pane("Book"))}


def _cost(terminal: Terminal) -> None:
    terminal.type("$2.5")  # in one write: each digit is also the key of another pane or of nothing
    terminal.until(re.compile(r"▎cost of 2\.5▏ BTC +b USDT"))
    terminal.until(lambda: _fills(terminal).keys() == {"buy", "sell"} and "crossed" not in terminal.text)
    assert heading(terminal), "still the book"

    def is_sound() -> bool:
        fills, reached = _fills(terminal), [row for row in rows(terminal) if row.is_reached]
        if fills.keys() != {"buy", "sell"} or not reached or "crossed" in terminal.text:
            return False
        (buy, worse_buy, last_buy, *_), (sell, worse_sell, last_sell, *_) = fills["buy"], fills["sell"]
        dear = number(last_buy) >= number(buy) > number(sell) >= number(last_sell)
        is_marked = all(number(last_sell) <= row.price <= number(last_buy) for row in reached)
        return dear and Decimal(worse_buy) > 0 < Decimal(worse_sell) and is_marked

    terminal.until(is_sound)
    levels = int(_fills(terminal)["buy"][3])
    press(terminal, "b", re.compile(r"▎cost of 2\.5▏ USDT +b BTC"))
    terminal.until(lambda: (fill := _fills(terminal).get("buy")) and fill[3] == "1" and fill[-1] == "BTC")
    assert levels > 1
    press(terminal, "m", re.compile(r"cost of 2\.5m▏ USDT"))
    terminal.until(lambda: (fill := _fills(terminal).get("buy")) and int(fill[3]) > 10)
    press(terminal, "b", re.compile(r"cost of 2\.5m▏ BTC"))

    def says_how_much_there_is() -> bool:
        found = {side: (left, unit, number(price)) for side, left, unit, price in _SHORT.findall(terminal.text)}
        return found.keys() == {"buy", "sell"} and all(
            0 < number(v[0]) < 2500 and v[1] == "BTC" for v in found.values()
        )

    terminal.until(says_how_much_there_is)
    press(terminal, "enter", lambda: "▏ BTC" not in terminal.pane("Book") and "cost of 2.5m BTC" in terminal.text)
    press(terminal, "escape", lambda: "cost of" not in terminal.pane("Book"))
    assert not any(row.is_reached for row in rows(terminal))
    assert len(heading(terminal)) == SIZE[0] - 2, "esc closed the line and nothing else"


def _venue_row(terminal: Terminal, name: str) -> list[str]:
    found = re.search(rf"^.*\b{name}\b(.*)$", terminal.pane("Book"), re.MULTILINE)
    return found[1].split() if found else []


def _venues(terminal: Terminal) -> None:
    press(terminal, "v", "· venues ·")

    def lists_all() -> bool:
        found = [_venue_row(terminal, name) for name in VENUES]
        return all(len(row) == 4 and row[0] == "live" and row[1].endswith("%") for row in found) and all(
            number(bid) > 90_000 < number(ask) for _, _, bid, ask in found
        )

    terminal.until(lists_all)
    press(terminal, "down", lambda: foot(terminal, r"^▌.*okx"))
    press(terminal, " ", lambda: "1 off" in heading(terminal) and "4 venues" in heading(terminal))
    terminal.until(lambda: _venue_row(terminal, "okx") == ["off", "–", "–", "–"])
    press(terminal, "v", lambda: len(rows(terminal)) > 20)
    terminal.until(lambda: all(row.marks[1] == "·" for row in rows(terminal)))
    press(terminal, "v", "· venues ·")
    press(terminal, " ", lambda: "off" not in heading(terminal) and "5 venues" in heading(terminal))
    press(terminal, "escape", lambda: any(row.marks[1] == "O" for row in rows(terminal)))
    assert len(heading(terminal)) == SIZE[0] - 2, "esc closed the list and nothing else"


def _depth(terminal: Terminal) -> None:
    def reach() -> Decimal:
        found = re.search(r"depth · ±([\d.]+)%", heading(terminal))
        return Decimal(found[1]) if found else Decimal()

    press(terminal, "m", lambda: reach() > 0)
    ends = rf"^ bid ({NUMBER}) from ({NUMBER}) .* to ({NUMBER}) +({NUMBER}) ask *$"
    terminal.until(lambda: foot(terminal, ends))
    before = reach()
    press(terminal, "-", lambda: reach() > before)
    press(terminal, "+", lambda: reach() == before)
    at = rf"^ (?:(?:bid|ask) )?({NUMBER}) +(?:cum {NUMBER} |inside|nothing)"
    press(terminal, "left", lambda: foot(terminal, at))
    found = foot(terminal, at)
    assert found
    first = number(found[1])
    press(terminal, "left", lambda: (now := foot(terminal, at)) and number(now[1]) < first)
    press(terminal, "c", lambda: foot(terminal, ends))


def _heatmap(terminal: Terminal) -> None:
    press(terminal, "m", re.compile(r"heatmap · step [\d.]+"))
    terminal.until(re.compile(r"▀ ask +▀ bid +▀ mid"))
    at = r"^ ?(\d\d:\d\d:\d\d) +"

    def clock() -> str:
        found = foot(terminal, at)
        return found[1] if found else ""

    def seconds() -> int:
        hours, minutes, rest = map(int, (clock() or "0:0:0").split(":"))
        return hours * 3600 + minutes * 60 + rest

    press(terminal, "left", lambda: foot(terminal, rf"{at}bid {NUMBER} +ask {NUMBER}"))
    first = seconds()
    terminal.type("\x1b[D" * 3)
    terminal.until(lambda: (first - seconds()) % 86_400 == 3)
    held, prices = clock(), rf"{at}({NUMBER})–({NUMBER}) +(size|no)"
    press(terminal, "down", lambda: foot(terminal, prices))
    found = foot(terminal, prices)
    assert found
    high = number(found[2])
    assert number(found[3]) - high == Decimal(re.findall(r"step ([\d.]+)", heading(terminal))[0])
    press(terminal, "down", lambda: (now := foot(terminal, prices)) and number(now[2]) < high)
    terminal.until(re.compile(r"\+([5-9]|\d\d+)s ▸"))  # the present goes on, this second is held
    assert clock() == held
    press(terminal, "-", "2s a column")
    press(terminal, "+", lambda: "a column" not in heading(terminal))
    press(terminal, "c", lambda: "▸" not in terminal.pane("Book") and not clock())
    terminal.until(re.compile(r"▀ ask +▀ bid +▀ mid"))
