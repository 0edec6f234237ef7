"""The levels behind the best prices, worked out when someone looks.

A level is a pure function of seed, symbol, venue, side, price and time: nothing has to be kept moving for books
nobody watches, and who watches changes nothing. Prices fall into cells of a few ticks; each venue may have one level
in a cell. Sizes change every few seconds, each level at its own moments. Some round prices attract walls, on several
venues at once, for half a minute or so.
"""

from math import exp
from random import Random
from typing import Final

Ticks = tuple[int, int]
"""Price and size of a level, in ticks and size steps."""

_CELLS: Final = 64
_CACHED: Final = 512
_TABLE_BITS: Final = 9
_MASK: Final = 0xFFFF_FFFF


def _mixed(value: int) -> int:
    value = (value ^ (value >> 16)) * 0x7FEB352D & _MASK
    value = (value ^ (value >> 15)) * 0x846CA68B & _MASK
    return value ^ (value >> 16)


class Depth:
    """The resting levels of one symbol behind the touch.

    Args:
        random: The symbol's stream for its book; drawn from here only.
        venues: How many venues there are.
        typical: The usual size of a level, in size steps.
        gap: Ticks to a cell.
    """

    def __init__(self, random: Random, venues: int, typical: int, gap: int) -> None:
        self._salt = random.getrandbits(32)
        self._sizes = [max(1, round(typical * exp(random.gauss(0.6, 0.8)))) for _ in range(1 << _TABLE_BITS)]
        self._gap = gap
        self._round = 10 if gap == 1 else 5
        self._cached: list[dict[int, tuple[int, int, int, int]]] = [{} for _ in range(2 * venues)]

    def behind(self, venue: int, direction: int, touch: int, step: int, cells: int = _CELLS) -> list[Ticks]:
        """List the levels strictly behind a best price, nearest first.

        Args:
            venue: Number of the venue.
            direction: -1 for bids, +1 for asks.
            touch: The best price, in ticks.
            step: The moment, in steps of the market.
            cells: How far to look.
        """
        levels = []
        cached = self._cached[2 * venue + (direction > 0)]
        if len(cached) > _CACHED:
            cached.clear()
        first = touch // self._gap
        for distance in range(cells):
            cell = first + direction * distance
            known = cached.get(cell)
            if known is None or known[0] <= step:
                known = cached[cell] = self._level(venue, direction, cell, step)
            _, price, size, density = known
            # Levels thin out and grow with the distance from the touch.
            if price * direction > touch * direction and price > 0 and density > distance * 3 - 8:
                levels.append((price, size * (6 + min(distance, 14)) // 8 or 1))
        return levels

    def next_behind(self, venue: int, direction: int, touch: int, step: int) -> Ticks:
        """Find the level that becomes the best price of a venue when its touch is eaten up."""
        for cells in (4, _CELLS):
            if levels := self.behind(venue, direction, touch, step, cells):
                return levels[0]
        return max(1, touch + direction), self._sizes[0]

    def _level(self, venue: int, direction: int, cell: int, step: int) -> tuple[int, int, int, int]:
        """Work out when a cell's level changes next, its price, size and density (0 to 255)."""
        place = _mixed(cell * 0x9E3779B1 + venue * 0x85EBCA77 + direction * 0xC2B2AE3D + self._salt & _MASK)
        phase, period = place & 63, 8 + (place >> 6 & 63)
        spell = (step + phase) // period
        drawn = _mixed(place + spell * 0x27D4EB2F & _MASK)
        is_round = cell % self._round == 0
        offset = 0 if is_round else (place >> 12) % self._gap
        price = cell * self._gap + offset
        size = self._sizes[drawn >> (32 - _TABLE_BITS)]
        if is_round:
            # As of the start of the spell: what is cached must not depend on when it was asked for.
            size *= self._wall(venue, cell, spell * period - phase)
        return (spell + 1) * period - phase, price, size, 255 if is_round else drawn & 255

    def _wall(self, venue: int, cell: int, step: int) -> int:
        """How many times larger a round price's level is at a venue."""
        spell = (step + (cell % 97) * 7) // 400
        drawn = _mixed(cell * 0x165667B1 + spell * 0xD3A2646C + self._salt & _MASK)
        return 4 + (drawn >> 8) % 9 if drawn % 5 < 2 and drawn >> (20 + venue) & 1 else 1
