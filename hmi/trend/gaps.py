"""When nothing was collected, and why. No Qt."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hmi.core.clock import SECOND
from hmi.core.event import COLLECTOR, Coverage

STILL_GOING_US = 30 * SECOND
"""The end of a running interval is written down every few seconds only; until this age it counts as now."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nothing came from `source`. `why` is empty where nobody could say."""

    source: str
    start_us: int
    end_us: int
    why: str = ""

    @property
    def title(self) -> str:
        return "Not recorded" if self.source == COLLECTOR else f"{self.source} lost"


def outside(gaps: Iterable[Gap], outer: Iterable[Gap], shortest_us: int = SECOND) -> list[Gap]:
    """What of the gaps lies outside the outer ones: while the collector was away, no device was lost."""
    left = list(gaps)
    for hole in outer:
        pieces: list[Gap] = []
        for gap in left:
            if hole.end_us <= gap.start_us or gap.end_us <= hole.start_us:
                pieces.append(gap)
                continue
            pieces.append(replace(gap, end_us=min(gap.end_us, hole.start_us)))
            pieces.append(replace(gap, start_us=max(gap.start_us, hole.end_us)))
        left = [piece for piece in pieces if piece.end_us - piece.start_us >= shortest_us]
    return left


def gaps_of(
    source: str, coverage: Iterable[Coverage], start_us: int, end_us: int, now_us: int, shortest_us: int = SECOND
) -> list[Gap]:
    """The times within the span, up to now, that no interval of the source covers; short ones are left out."""
    end_us = min(end_us, now_us)
    found: list[Gap] = []
    at, why = start_us, ""
    for interval in sorted((c for c in coverage if c.source == source), key=lambda c: c.start_us):
        until = interval.end_us
        if not interval.why and now_us - until <= STILL_GOING_US:
            until = max(until, now_us)
        if until < start_us:
            why = interval.why
            continue
        if interval.start_us >= end_us:
            break
        if interval.start_us - at >= shortest_us:
            found.append(Gap(source, at, interval.start_us, why))
        if until >= at:
            at, why = until, interval.why
    if end_us - at >= shortest_us:
        found.append(Gap(source, at, end_us, why))
    return found
