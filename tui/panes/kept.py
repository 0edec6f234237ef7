"""Rows that are kept from one frame to the next: once a second a pane is drawn for its ages alone."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from tui.widgets.lines import Line


class Kept:
    """The rows of the last frame and what they were made of.

    Whatever can change without the user goes into `of`; what the user does calls `forget`, as `Pane.redraw` does.
    """

    def __init__(self) -> None:
        self._of: tuple[object, ...] | None = None
        self._rows: Sequence[Line] = ()
        self._each: dict[Hashable, Kept] = {}

    def rows(self, of: tuple[object, ...], make: Callable[[], Sequence[Line]]) -> Sequence[Line]:
        """The same rows while they would be made of the same, else new ones.

        Args:
            of: All that they depend on, the present time among it if they do.
            make: Makes them. They are not to be changed any more.
        """
        if of != self._of:
            self._rows, self._of = make(), of
        return self._rows

    def row(self, of: tuple[object, ...], make: Callable[[], Line]) -> Line:
        """A single one, in the same way."""
        return self.rows(of, lambda: (make(),))[0]

    def each(self, names: Iterable[Hashable]) -> Mapping[Hashable, Kept]:
        """The same for parts that change one by one, each by its name; parts that are not named any more are let go."""
        self._each = {name: self._each.get(name) or Kept() for name in names}
        return self._each

    def forget(self) -> None:
        """Make them anew next time."""
        self._of = None
        self._each = {}
