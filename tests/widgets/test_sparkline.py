"""A price history in one row."""

from __future__ import annotations

from collections import deque

import pytest

from tui.widgets.sparkline import sparkline


@pytest.mark.parametrize(
    ("values", "width", "row"),
    [
        ([], 4, "    "),
        ([100.0], 3, "  ▄"),
        ([5.0, 5.0, 5.0], 5, "  ▄▄▄"),
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], 8, "▁▂▃▄▅▆▇█"),
        ([99_999.0, 10.0, 20.0], 2, "▁█"),
        ([1e-15, 3e-15, 2e-15], 3, "▁█▅"),
        ([1e20, 1e20 + 2**14], 2, "▁█"),
    ],
)
def test_the_newest_prices_fill_the_range_between_their_lowest_and_highest(
    values: list[float], width: int, row: str
) -> None:
    assert sparkline(deque(values), width) == row
