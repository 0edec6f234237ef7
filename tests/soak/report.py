"""The result of a soak as a table, and whether it is good enough."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from tests.soak.gauges import MB, Percentiles, Use, slope_mb_per_hour
from tests.soak.run import Result

LONG_S = 300
"""From this long on the growth of memory says something."""
MOST_MB_PER_HOUR = 20.0
MOST_MORE = 8
"""Descriptors, threads and tasks that may be more at the end of a run than after its warm-up."""
ENDS = 20
"""Samples at both ends of what is compared; their medians are."""
MARK, END = "<!-- figures -->", "<!-- end of figures -->"


class Figure(NamedTuple):
    """A row of the table.

    Attributes:
        must: What the figure has to be, or "" where there is no such thing.
        is_kept: Whether it is that.
    """

    what: str
    measured: str
    must: str = ""
    is_kept: bool = True


def figures(result: Result) -> Iterator[Figure]:
    """All rows, the musts first."""
    yield from _musts(result)
    plan, conflated = result.plan, result.events - result.drawn
    every = f"a fault every {plan.fault_every_s:g} s"
    yield Figure("run", f"{plan.seconds:.0f} s at {plan.rate:g} times the rate, {every}, seed {plan.seed}")
    yield Figure("faults", f"{sum(result.faults.values())}: {_counts(result.faults)}")
    yield Figure("user", f"{result.acts} acts")
    yield Figure("connections", f"{result.connections} accepted by the server, {result.reconnects} reconnects")
    yield Figure("frames", f"{result.frames:,} received of {result.frames_sent:,} sent")
    yield Figure("events", f"{result.events:,} accepted, {result.drawn:,} drawn, {conflated:,} conflated")
    yield Figure("counts", f"{_counts(result.counts)}, news dropped {result.news_dropped}")
    for name, lag in (("event loop lag", result.lag), ("of the program's own making", result.own_lag)):
        yield Figure(name, _lag(lag))


def _musts(result: Result) -> Iterator[Figure]:
    violations, lies = sum(result.violations.values()), sum(result.lies.values())
    yield Figure("violations of the protocols", f"{violations:,}", "0", not violations)
    yield Figure("values wrongly shown as live", f"{lies:,} {_counts(result.lies, '')}".strip(), "0", not lies)
    held = f"{_counts(result.compared)} in {result.looks:,} looks"
    yield Figure("figures held against what was sent", held, "some", result.looks > 0 and result.compared["value"] > 0)
    most = f"at most {_most_skipped(result):,}"
    yield Figure("looks skipped, as the loop was held up", f"{result.skipped:,}", most, not _was_held_up(result))
    yield Figure("feeds that did not come back", f"{len(result.stuck)}", "0", not result.stuck)
    yield Figure("errors of our own", f"{len(result.errors)}", "0", not result.errors)
    if uses := warm(result):
        slope = slope_mb_per_hour(uses)
        is_long = result.plan.seconds >= LONG_S
        size = f"{slope:+.1f} MB/h, {uses[0].memory / MB:.1f} to {uses[-1].memory / MB:.1f} MB"
        must = f"at most {MOST_MB_PER_HOUR:+g} MB/h" if is_long else ""
        yield Figure("memory slope", size, must, not is_long or slope <= MOST_MB_PER_HOUR)
        for name in ("descriptors", "threads", "tasks"):
            start, end, most_used = _ends([getattr(each, name) for each in uses])
            measured = f"{start} to {end}, never more than {most_used}"
            yield Figure(name, measured, f"at most {MOST_MORE:+}", end <= start + MOST_MORE)
        yield Figure("blocks of Python's allocator", f"{uses[0].blocks:,} to {uses[-1].blocks:,}")


def lines(result: Result) -> Iterator[str]:
    """The table for a terminal."""
    rows = list(figures(result))
    wide = max(len(row.what) for row in rows)
    for row in rows:
        must = f"   (must be {row.must}: {'kept' if row.is_kept else 'NOT KEPT'})" if row.must else ""
        yield f"{row.what:<{wide}}  {row.measured}{must}"


def write(result: Result, page: Path) -> None:
    """Put machine, table and verdict between the marks of a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(MARK)
    wrong = len(list(failures(result)))
    verdict = f"Not good enough: {wrong} complaints." if wrong else "Every must was kept."
    text = "\n".join((MARK, machine(), "", *_table(result), "", verdict, END))
    page.write_text(f"{before}{text}{rest.partition(END)[2]}", encoding="utf-8")


def _table(result: Result) -> Iterator[str]:
    yield "| what | measured | must be | |"
    yield "|---|---|---|---|"
    for row in figures(result):
        verdict = ("kept" if row.is_kept else "**not kept**") if row.must else ""
        yield f"| {row.what} | {row.measured} | {row.must} | {verdict} |"


def machine() -> str:
    """What it was measured on, without saying whose it is."""
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    versions = ", ".join(f"{name} {version(name)}" for name in ("textual", "websockets", "pydantic"))
    python = f"Python {platform.python_version()}, {versions}"
    return f"{python}; {platform.system()}, {os.cpu_count()} cores, load {busy} at the end of the run."


def warm(result: Result) -> list[Use]:
    """Samples after the warm-up: the last half. Caches of the screen's libraries take minutes to fill."""
    return result.uses[len(result.uses) // 2 :]


def failures(result: Result) -> Iterator[str]:
    """Every must that was not kept, in words."""
    yield from result.errors
    for what, number in result.violations.items():
        yield f"violation of the protocol, {number} times: {what}"
    yield from (f"shown wrongly live: {lie}" for lie in result.told)
    for feed, state in result.stuck.items():
        yield f"{feed} did not come back: {state}"
    if _was_held_up(result):
        yield f"held up {result.skipped} times: the machine is too busy for a verdict"
    told = {"violations of the protocols", "values wrongly shown as live", "feeds that did not come back",
            "errors of our own", "looks skipped, as the loop was held up"}  # fmt: skip
    for row in _musts(result):
        if not row.is_kept and row.what not in told:
            yield f"{row.what}: {row.measured}, must be {row.must}"


def _most_skipped(result: Result) -> int:
    return result.looks // 3


def _was_held_up(result: Result) -> bool:
    return result.skipped > _most_skipped(result)


def _ends(values: list[int]) -> tuple[int, int, int]:
    return _median(values[:ENDS]), _median(values[-ENDS:]), max(values)


def _median(values: list[int]) -> int:
    return sorted(values)[len(values) // 2]


def _lag(lag: Percentiles) -> str:
    return f"p50 {lag.p50:.1f} ms, p99 {lag.p99:.1f} ms, worst {lag.worst:.0f} ms"


def _counts(counts: Mapping[str, int], nothing: str = "none") -> str:
    return ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items())) or nothing
