"""Writes down from when to when something was collected, so that replay never shows a value nobody had."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hmi.core.clock import SECOND, Clock
from hmi.core.event import Coverage

LONGEST_PAUSE_US = 5 * SECOND
"""When the collector itself was halted for longer than this, the time in between was not collected."""


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
        self._ticked_us = clock.now_us()
        self._ticked_monotonic_us = clock.monotonic_us()

    def open(self, source: str) -> int:
        """Something is collected from now on. Returns the start."""
        now_us = self._clock.now_us()
        if source not in self._open:
            self._open[source] = _Interval(now_us, now_us)
            self._record([Coverage(source, now_us, now_us)])
        return self._open[source].start_us

    def close(self, source: str, why: str) -> None:
        """It ended now."""
        interval = self._open.pop(source, None)
        if interval is not None:
            end_us = max(self._clock.now_us(), interval.end_us)
            self._record([Coverage(source, interval.start_us, end_us, why)])

    def close_all(self, why: str) -> None:
        for source in list(self._open):
            self.close(source, why)

    def tick(self) -> bool:
        """Move the ends of what is open; about once a second. True when a pause was found and everything split."""
        now_us, monotonic_us = self._clock.now_us(), self._clock.monotonic_us()
        wall_us = now_us - self._ticked_us
        halted = max(wall_us, monotonic_us - self._ticked_monotonic_us) > LONGEST_PAUSE_US
        set_back = wall_us < -LONGEST_PAUSE_US
        self._ticked_us, self._ticked_monotonic_us = now_us, monotonic_us
        if halted or set_back:
            why = "the clock of the computer was set back" if set_back else "the collector was halted"
            self._record([Coverage(s, i.start_us, i.end_us, why) for s, i in self._open.items()])
            for interval in self._open.values():
                interval.start_us = interval.end_us = now_us
        for interval in self._open.values():
            interval.end_us = max(interval.end_us, now_us)
        if self._open:
            self._record([Coverage(s, i.start_us, i.end_us) for s, i in self._open.items()])
        return halted or set_back
