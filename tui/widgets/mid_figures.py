"""What the mid row says of a book, frame after frame: texts that keep their widths, and the mid's last move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tui.market import book as arithmetic
from tui.market import format as fmt
from tui.market.book import Touch
from tui.market.venues import VenueWatch
from tui.widgets.figures import points
from tui.widgets.midrow import Mid

if TYPE_CHECKING:
    from tui.market.events import BookSnapshot

NO_TOUCH: Final = Touch(None, None, None, None, None)


@dataclass(eq=False)
class MidFigures:
    """The figures of one symbol's mid row.

    Attributes:
        decimals: Of the instrument's prices.
        letters: The venues' marks.
        best: Best prices of the last book.
        suspects: Venues that cross others and may only be stale.
    """

    decimals: int = 2
    letters: Mapping[str, str] = field(default_factory=dict)
    best: Touch = NO_TOUCH
    suspects: tuple[str, ...] = ()
    _book: BookSnapshot | None = None
    _mid: Decimal | None = None
    _direction: int = 0
    _watch: VenueWatch = field(default_factory=VenueWatch)
    _widths: dict[str, int] = field(default_factory=dict)

    def show(self, book: BookSnapshot) -> None:
        """Take a book."""
        self._book, self.best = book, arithmetic.touch(book)
        self._watch.look(book)
        self.suspects = self._watch.suspects(book)
        mid = self.best.mid
        if mid is not None and self._mid is not None and mid != self._mid:
            self._direction = 1 if mid > self._mid else -1
        self._mid = mid if mid is not None else self._mid

    def text(self) -> str:
        """The mid with one decimal more than prices have; the only best price where a side is empty."""
        best = self.best
        price = best.mid if best.mid is not None else best.bid if best.bid is not None else best.ask
        return fmt.price(price, self.decimals + 1)

    def mid(self, stale: str, share: float | None) -> Mid:
        """All of it.

        Args:
            stale: How old the book is, in words, when it is not live.
            share: The bids' part of the sizes in sight.
        """
        best = self.best
        if best.spread is None:
            word = "no asks" if best.ask is None else "no bids"
            return Mid("", word=f"{stale}, {word}" if stale else word)
        spread = fmt.price(best.spread, self.decimals)
        distance = "locked" if best.is_locked else f"{points(best.spread_bp)}bp"
        if not best.is_crossed:  # a crossed row has its own wording; its signs must not widen the usual one for good
            spread, distance = self._padded("spread", spread, 4), self._padded("bp", distance, 6)
        is_suspect = bool(best.is_crossed and self.suspects)
        return Mid(
            self.text(),
            0 if stale else self._direction,
            spread,
            distance,
            stale or ("crossed" if best.is_crossed and not is_suspect else ""),
            None if stale else share,
            () if not best.is_crossed else self._suspicion() if is_suspect else self._crossing(),
            best.is_crossed and not stale and not is_suspect,
            is_suspect=is_suspect and not stale,
        )

    def _crossing(self) -> list[str]:
        """Who bids above whose asks and how much of it could be had at once: by name, then by mark."""
        assert self._book is not None
        buyers, sellers = arithmetic.crossing_venues(self._book)
        if not buyers or not sellers:
            return []
        size = fmt.size(arithmetic.crossed_size(self._book))
        names = f"{' '.join(buyers)} > {' '.join(sellers)}"
        ours, theirs = (self._marks(venues) for venues in (buyers, sellers))
        return [f"{names}: {size}", f"{ours} > {theirs}: {size}", f"{ours}>{theirs} {size}", f"{ours}>{theirs}"]

    def _suspicion(self) -> list[str]:
        """That it may be no cross at all: by name, then by mark."""
        return [f"{' '.join(self.suspects)} may be stale", f"{self._marks(self.suspects)} may be stale"]

    def _marks(self, venues: tuple[str, ...]) -> str:
        return "".join(self.letters.get(venue, "?") for venue in venues)

    def _padded(self, name: str, text: str, least: int) -> str:
        self._widths[name] = max(self._widths.get(name, 0), least, len(text))
        return text.rjust(self._widths[name])

    def forget(self) -> None:
        """Let widths start anew."""
        self._widths.clear()
