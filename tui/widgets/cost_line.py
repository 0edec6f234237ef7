"""The line in which a quantity is typed or stepped, and what taking it out of the book would cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tui.market.book import BookSide, touch
from tui.market.cost import (
    Fill,
    Unit,
    amount_text,
    can_become_amount,
    fill,
    parse_amount,
    step_amount,
    suggested_amount,
)

if TYPE_CHECKING:
    from tui.market.events import BookSnapshot

TYPED: Final = frozenset("0123456789.km")


@dataclass(eq=False)
class CostLine:
    """What was typed, and whether more may be.

    Attributes:
        base: Name of what a size counts: `BTC`, or `shares`.
        currency: Name of what a value counts: `USDT`, or empty where nobody says.
        unit: What the quantity counts.
        text: As typed or stepped.
        is_open: Whether the costs show.
        is_typing: Whether keys go into the line.
        is_offered: The text was not typed: the next digit replaces it.
    """

    base: str = "shares"
    currency: str = ""
    unit: Unit = "base"
    text: str = ""
    is_open: bool = False
    is_typing: bool = False
    is_offered: bool = True
    _book: BookSnapshot | None = None

    def show(self, book: BookSnapshot) -> None:
        """Take a book."""
        self._book = book

    @property
    def amount(self) -> Decimal:
        """The quantity; 0 while there is none."""
        return parse_amount(self.text) or Decimal()

    @property
    def counted(self) -> str:
        """What the quantity counts, as it stands behind a figure."""
        return self.base if self.unit == "base" else self.currency or "in value"

    def fills(self) -> tuple[Fill, Fill] | None:
        """What buying and selling it would meet; None without a quantity or a book."""
        if self._book is None or not self.amount:
            return None
        return fill(self._book, "buy", self.amount, self.unit), fill(self._book, "sell", self.amount, self.unit)

    def reach(self) -> dict[BookSide, Decimal]:
        """How far it reaches into each side: the worst prices; nothing while the line is closed."""
        fills = self.fills() if self.is_open else None
        return {each.takes: each.worst for each in fills or () if each.worst is not None}

    def open(self) -> None:
        """Show the costs and take keys; offer a quantity that suits the book when there is none."""
        self.is_open = self.is_typing = True
        if not self.amount and self._book is not None:
            self._offer(suggested_amount(self._book.bids or self._book.asks))

    def close(self) -> None:
        """Put it away; the quantity stays for the next time."""
        self.is_open = self.is_typing = False
        self.is_offered = True

    def take(self, key: str, character: str | None) -> bool:
        """Take a key; False when it means nothing to this line.

        Args:
            key: Its name.
            character: What it types, or None.
        """
        if not self.is_open:
            return False
        if key == "escape":
            self.close()
        elif not self.is_typing:
            return False
        elif key == "enter":
            self.is_typing = False
        elif key == "b":
            self.toggle()
        elif key == "backspace":
            self.text, self.is_offered = "" if self.is_offered else self.text[:-1], False
        elif character and character in TYPED:
            self._type(character)
        else:
            return False
        return True

    def step(self, direction: int) -> None:
        """The next larger (1) or smaller (-1) quantity of the row 1, 2, 5."""
        self._offer(step_amount(self.amount, direction))

    def toggle(self) -> None:
        """Count the other thing. What was typed stays; what was offered becomes about as much of the other."""
        mid = touch(self._book).mid if self._book else None
        if self.is_offered and mid and self.amount:
            is_base = self.unit == "base"
            self._offer(step_amount(self.amount * mid, 1) if is_base else step_amount(self.amount / mid, -1))
        self.unit = "quote" if self.unit == "base" else "base"

    def _type(self, character: str) -> None:
        text = character if self.is_offered and character not in "km" else self.text + character
        if can_become_amount(text):
            self.text, self.is_offered = text, False

    def _offer(self, amount: Decimal) -> None:
        self.text, self.is_offered = amount_text(amount), True
