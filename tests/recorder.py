"""A driver without a terminal that is written to as if there was one: what a terminal gets, without starting one."""

from __future__ import annotations

from textual.drivers.headless_driver import HeadlessDriver


class Recorder(HeadlessDriver):
    """Hands everything on to the app's `sheet`."""

    @property
    def is_headless(self) -> bool:
        """As far as Textual knows there is a terminal."""
        return False

    def write(self, data: str) -> None:
        """Text and codes."""
        self._app.sheet.write(data)  # type: ignore[attr-defined]

    def flush(self) -> None:
        """The end of what belongs together."""
        self._app.sheet.flush()  # type: ignore[attr-defined]
