"""Which part of a book is on the screen, and where its cursor is.

Places are counted from the mid row, which is 0: asks have -1, -2 ... upwards, bids 1, 2 ... downwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from tui.market.book import BookSide
from tui.market.terms import Level


class Sides(NamedTuple):
    """Both sides as shown: grouped, limited, best first."""

    bids: Sequence[Level]
    asks: Sequence[Level]

    def at(self, place: int) -> Level | None:
        """The level at a place; none at the mid row's."""
        side, index = (self.bids, place - 1) if place > 0 else (self.asks, -place - 1)
        return side[index] if 0 <= index < len(side) else None

    def find(self, side: BookSide, price: Decimal) -> int | None:
        """The place of a price: on its side, else on the other, else the nearest on its side, else None."""
        own, other = (self.bids, self.asks) if side == "bid" else (self.asks, self.bids)
        sign = 1 if side == "bid" else -1
        for levels, direction in ((own, sign), (other, -sign)):
            for index, (known, _, _) in enumerate(levels):
                if known == price:
                    return direction * (index + 1)
        if not own:
            return None
        return sign * (min(range(len(own)), key=lambda index: abs(own[index][0] - price)) + 1)


@dataclass(slots=True, eq=False)
class Window:
    """A view that is centred on the mid until a cursor holds it to a price.

    Attributes:
        side: Whose level the cursor is on.
        price: The cursor's price, or None without a cursor.
        row: The screen row of the cursor.
    """

    side: BookSide = "bid"
    price: Decimal | None = None
    row: int = 0

    def places(self, sides: Sides, span: int) -> list[int]:
        """The place shown on each of `span` rows; the mid row stays at the edge when it would be out of sight.

        A cursor whose price is gone moves to the nearest one. Its row stays.
        """
        centre = -(span // 2)
        place = None if self.price is None else sides.find(self.side, self.price)
        if place is None:
            self.price = None
            return list(range(centre, centre + span))
        self._hold(sides, place)
        self.row = min(max(self.row, 0), span - 1)
        top = place - self.row
        if top > 0:
            if self.row == 0:
                top, self.row = top - 1, 1
            return [0, *range(top + 1, top + span)]
        if top + span <= 0:
            if self.row == span - 1:
                top, self.row = top + 1, span - 2
            return [*range(top, top + span - 1), 0]
        return list(range(top, top + span))

    def move(self, sides: Sides, step: int, span: int) -> None:
        """Move the cursor to the next level, or put it on a best price."""
        if self.price is None:
            place = 1 if step > 0 else -1
            if sides.at(place) is None:
                place = -place
            self.row = span // 2 + place
        else:
            now = sides.find(self.side, self.price) or 0
            place = now + step or step
            if sides.at(place) is not None:
                self.row += place - now
        self._hold(sides, place)

    def point(self, sides: Sides, place: int, row: int) -> None:
        """Put the cursor on a place that is shown on a row; elsewhere nothing happens."""
        if sides.at(place) is not None:
            self.row = row
            self._hold(sides, place)

    def centre(self) -> None:
        """Let go of the price."""
        self.price = None

    def _hold(self, sides: Sides, place: int) -> None:
        level = sides.at(place)
        if level is not None:
            self.side, self.price = ("bid" if place > 0 else "ask"), level[0]
