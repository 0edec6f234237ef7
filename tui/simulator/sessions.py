"""Trading hours of the simulated stock market.

Real hours would leave a demo closed most of the day, so the live market runs through a compressed cycle of
27 minutes that begins, when the simulation starts, with regular hours: regular 20 min, post 3, closed 1, pre 3.
The past looks like real days of 6 h 30 min (see `history.py`), the last of which ends with the first live cycle's
regular hours. All of a day's cycles belong to one trading day; days change at 00:00 UTC.
"""

from enum import StrEnum
from typing import Final

SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
DAY_S: Final = 86_400


class SimSession(StrEnum):
    """What the stock market is doing; equal to its lower-case name."""

    PRE = "pre"
    REGULAR = "regular"
    POST = "post"
    CLOSED = "closed"


SCHEDULE: Final = (
    (SimSession.REGULAR, 20),
    (SimSession.POST, 3),
    (SimSession.CLOSED, 1),
    (SimSession.PRE, 3),
)
"""One cycle: sessions and their minutes."""

CYCLE_NS: Final = sum(minutes for _, minutes in SCHEDULE) * MINUTE_NS

ACTIVITY: Final = {
    SimSession.PRE: 0.25,
    SimSession.REGULAR: 1.0,
    SimSession.POST: 0.2,
    SimSession.CLOSED: 0.0,
}
"""How busy stocks are, in parts of regular hours."""


def session_at(start_ns: int, now_ns: int) -> tuple[SimSession, int]:
    """Look up the session of a market that started at `start_ns`.

    Returns:
        The session at `now_ns`, and when it ends (UTC, ns).
    """
    into = (now_ns - start_ns) % CYCLE_NS
    ends_ns = now_ns - into
    for session, minutes in SCHEDULE:
        ends_ns += minutes * MINUTE_NS
        if now_ns < ends_ns:
            return session, ends_ns
    raise AssertionError("the cycle covers every moment")
