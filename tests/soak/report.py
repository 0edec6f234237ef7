"""The result of a soak as text, and whether it is good enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.soak.gauges import MB, Use, slope_mb_per_hour
from tests.soak.run import Result

LONG_S = 300
"""From this long on the growth of memory says something."""
MOST_MB_PER_HOUR = 20.0
MOST_MORE = 8
"""Descriptors, threads and tasks that may be more at the end of a run than after its warm-up."""


def lines(result: Result) -> Iterator[str]:
    """The figures, one a line."""
    plan, uses = result.plan, warm(result)
    first, last = (uses[0], uses[-1]) if uses else (None, None)
    every = f"a fault every {plan.fault_every_s:g} s"
    yield f"run                {plan.seconds:.0f} s, rate {plan.rate:g}, {every}, seed {plan.seed}"
    yield f"faults             {_counts(result.faults)}"
    yield f"user               {result.acts} acts"
    yield f"frames             {result.frames:,} received of {result.frames_sent:,} sent"
    conflated = result.events - result.drawn
    yield f"events             {result.events:,} accepted, {result.drawn:,} drawn, {conflated:,} conflated"
    yield f"counts             {_counts(result.counts)}, news dropped {result.news_dropped}"
    yield f"connections        {result.connections} accepted by the server, {result.reconnects} reconnects"
    if first and last:
        yield f"memory             {first.memory / MB:.1f} MB after warm-up, {last.memory / MB:.1f} MB at the end"
        yield f"memory slope       {slope_mb_per_hour(uses):+.1f} MB/h"
        for name in ("blocks", "descriptors", "threads", "tasks"):
            values = [getattr(each, name) for each in uses]
            yield f"{name:<18} {values[0]:,} to {values[-1]:,}, at most {max(values):,}"
    for name, lag in (("event loop lag", result.lag), ("of its own making", result.own_lag)):
        yield f"{name:<18} p50 {lag.p50:.1f} ms, p99 {lag.p99:.1f} ms, worst {lag.worst:.0f} ms"
    yield f"looks              {result.looks} ({result.skipped} skipped: held up), compared {_counts(result.compared)}"
    yield f"violations         {sum(result.violations.values())} {_counts(result.violations)}".rstrip()
    yield f"shown wrongly live {sum(result.lies.values())} {_counts(result.lies)}".rstrip()


def warm(result: Result) -> list[Use]:
    """Samples after the warm-up: the last half. Caches of the screen's libraries take minutes to fill."""
    return result.uses[len(result.uses) // 2 :]


def failures(result: Result) -> Iterator[str]:
    """Every must that was not kept."""
    yield from result.errors
    for what, number in result.violations.items():
        yield f"violation of the protocol, {number} times: {what}"
    yield from (f"shown wrongly live: {lie}" for lie in result.told)
    for feed, state in result.stuck.items():
        yield f"{feed} did not come back: {state}"
    if result.skipped > result.looks // 3:
        yield f"held up {result.skipped} times: the machine is too busy for a verdict"
    if not result.looks or not result.compared["value"]:
        yield "nothing was compared"
    uses = warm(result)
    if not uses:
        return
    for name in ("descriptors", "threads", "tasks"):
        values = sorted(getattr(each, name) for each in uses)
        start, end = (_median([getattr(each, name) for each in part]) for part in (uses[:20], uses[-20:]))
        if end > start + MOST_MORE:
            yield f"{name} grew from {start} to {end} (at most {values[-1]})"
    if result.plan.seconds >= LONG_S and (slope := slope_mb_per_hour(uses)) > MOST_MB_PER_HOUR:
        yield f"memory grows by {slope:.1f} MB/h"


def _median(values: list[int]) -> int:
    return sorted(values)[len(values) // 2]


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items())) or "none"
