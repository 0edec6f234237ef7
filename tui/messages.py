"""Every cold-path message: what happened, once, because of the user."""

from __future__ import annotations

from textual.message import Message

from tui.market.names import Interval, Symbol


class SymbolChosen(Message):
    """Another row of the quotes pane is selected."""

    def __init__(self, symbol: Symbol | None) -> None:
        super().__init__()
        self.symbol = symbol


class SymbolRemoved(Message):
    """The user took a symbol off the list."""

    def __init__(self, symbol: Symbol) -> None:
        super().__init__()
        self.symbol = symbol


class WatchlistEdited(Message):
    """The order of the list changed."""


class MoveRefused(Message):
    """The user wants to move a symbol in a list that is sorted."""

    def __init__(self, sort_by: str) -> None:
        super().__init__()
        self.sort_by = sort_by


class IntervalChosen(Message):
    """The user picked an interval for the bars."""

    def __init__(self, interval: Interval) -> None:
        super().__init__()
        self.interval = interval


class ReconnectRequested(Message):
    """The user wants a feed to connect now."""

    def __init__(self, feed: str) -> None:
        super().__init__()
        self.feed = feed


class VenuesChosen(Message):
    """The user wants the book of a symbol without some venues; with none of them, whole again."""

    def __init__(self, symbol: Symbol, left_out: frozenset[str]) -> None:
        super().__init__()
        self.symbol = symbol
        self.left_out = left_out


class PanesArranged(Message):
    """Other panes show than before."""


class LinkOpened(Message):
    """The user wants a checked http(s) link in the browser."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
