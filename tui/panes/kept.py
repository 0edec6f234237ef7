"""Rows that are kept from one frame to the next: once a second a pane is drawn for its ages alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui.widgets.lines import Line


class Kept:
    """The rows of the last frame and what they were made of.

    Whatever can change without the user goes into `of`; what the user does calls `forget`, as `Pane.redraw` does.
    """

    def __init__(self) -> None:
        self._of: tuple[object, ...] | None = None
        self._rows: Sequence[Line] = ()

    def rows(self, of: tuple[object, ...], make: Callable[[], Sequence[Line]]) -> Sequence[Line]:
        """The same rows while they would be made of the same, else new ones.

        Args:
            of: All that they depend on, the present time among it if they do.
            make: Makes them. They are not to be changed any more.
        """
        if of != self._of:
            self._rows, self._of = make(), of
        return self._rows

    def forget(self) -> None:
        """Make them anew next time."""
        self._of = None
