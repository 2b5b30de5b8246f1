"""Writes down from when to when something was collected, so that replay never shows a value nobody had."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hmi.core.clock import SECOND, Clock
from hmi.core.event import Coverage
from hmi.core.moment import span_words

LONGEST_PAUSE_US = 5 * SECOND
"""When the collector itself was halted for longer than this, the time in between was not collected."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which nothing was collected, and why. `set_back_us` is by how much the clock was set back, or 0."""

    why: str
    set_back_us: int = 0


@dataclass(slots=True)
class _Interval:
    start_us: int
    end_us: int


class CoverageLog:
    """The open intervals of the collector and its devices. `record` takes rows for the spool and returns at once."""

    def __init__(self, clock: Clock, record: Callable[[Sequence[Coverage]], None]) -> None:
        self._clock = clock
        self._record = record
        self._open: dict[str, _Interval] = {}
        self._looked_us = clock.now_us()
        self._looked_monotonic_us = clock.monotonic_us()

    def open(self, source: str) -> int:
        """Something is collected from now on. Returns the start."""
        now_us = self._clock.now_us()
        if source not in self._open:
            self._open[source] = _Interval(now_us, now_us)
            self._record([Coverage(source, now_us, now_us)])
        return self._open[source].start_us

    def close(self, source: str, why: str, heard_us: int | None = None) -> None:
        """It ended: now, or at `heard_us`, when it was last heard; never before what was written down already."""
        interval = self._open.pop(source, None)
        if interval is not None:
            end_us = max(_until(self._clock.now_us(), heard_us), interval.end_us)
            self._record([Coverage(source, interval.start_us, end_us, why)])

    def close_all(self, why: str, heard_us: Mapping[str, int]) -> None:
        """All ends; a source in `heard_us` when it was last heard, the others now."""
        for source in list(self._open):
            self.close(source, why, heard_us.get(source))

    def pause(self) -> Pause | None:
        """Split everything where the collector was halted or the clock set back since the last look; None where not.

        To be asked before anything is taken that may have come after a halt.
        """
        now_us, monotonic_us = self._clock.now_us(), self._clock.monotonic_us()
        wall_us, passed_us = now_us - self._looked_us, monotonic_us - self._looked_monotonic_us
        self._looked_us, self._looked_monotonic_us = now_us, monotonic_us
        back_us = passed_us - wall_us
        if back_us > LONGEST_PAUSE_US:
            pause = Pause(f"the clock of the computer was set back by {span_words(back_us)}", back_us)
        elif max(wall_us, passed_us) > LONGEST_PAUSE_US:
            pause = Pause("the collector was halted")
        else:
            return None
        self._record([Coverage(s, i.start_us, i.end_us, pause.why) for s, i in self._open.items()])
        for interval in self._open.values():
            interval.start_us = interval.end_us = now_us
        return pause

    def tick(self, heard_us: Mapping[str, int]) -> None:
        """Move the ends of what is open, about once a second: to when a source was last heard, or to now."""
        now_us = self._clock.now_us()
        for source, interval in self._open.items():
            interval.end_us = max(interval.end_us, _until(now_us, heard_us.get(source)))
        if self._open:
            self._record([Coverage(s, i.start_us, i.end_us) for s, i in self._open.items()])


def _until(now_us: int, heard_us: int | None) -> int:
    return now_us if heard_us is None else min(now_us, heard_us)
