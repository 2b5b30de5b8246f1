"""The plant then: the same tables, screens and lists, filled from the historian at a time that moves as asked.

`go_to`, `play` and `tick` are called on the Qt thread; one worker asks the historian, never more than one thing at a
time. What nobody collected is `BAD_NO_DATA`, shown as not recorded; the last good value from before is never shown.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from hmi.core.alarm import Alarm, AlarmState
from hmi.core.alarm_history import alarm_after
from hmi.core.batch import Batch, make_batch
from hmi.core.clock import SECOND, Clock
from hmi.core.command import Write, WriteState
from hmi.core.device import DeviceHealth, DeviceState
from hmi.core.event import COLLECTOR, Coverage, Event
from hmi.core.plant import Plant
from hmi.core.problem import Problem
from hmi.core.series import Series
from hmi.core.session import Health, HistorianHealth, HistorianState, HistoryUnavailableError, LinkState, Mode
from hmi.core.status import BAD_NO_DATA
from hmi.core.table import Table
from hmi.history.reader import Reader

LOCKED = "replay shows the past: writing is locked"
SPEEDS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 300.0, 1000.0)
_SAMPLES_UP_TO = 60.0
"""Up to this speed every sample is played; above it, the plant is looked up anew at every step."""
_AHEAD_S = 2.0
_STEP_US = 100_000


Waiting = list[Future[int]]
"""Who waits for a moment to be shown."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The whole plant at one time."""

    time_us: int
    values: Batch
    alarms: tuple[Alarm, ...]
    coverage: tuple[Coverage, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Everything that was recorded in `(after_us, until_us]`."""

    after_us: int
    until_us: int
    samples: Batch
    events: tuple[Event, ...]
    coverage: tuple[Coverage, ...]


class ReplaySession:
    """Implements `hmi.core.session.Session` at a time of the past."""

    mode = Mode.REPLAY

    def __init__(self, plant: Plant, reader: Reader, clock: Clock, time_us: int, who: str = "") -> None:
        self.plant = plant
        self.reader = reader
        self._clock = clock
        self._who = who
        self._time_us = time_us
        self.table = Table(len(plant.tags))
        self.plant_version = 1
        self.alarms_version = 0
        self.writes_version = 0
        self.problems: Sequence[Problem] = ()
        self.writes: Sequence[Write] = ()
        self.speed = 1.0
        self.playing = False
        self.failure = ""
        """Why the historian could not be asked, empty while it can."""
        self._alarms: dict[str, Alarm] = {}
        self._coverage: tuple[Coverage, ...] = ()
        self._recorded = True
        self._worker = ThreadPoolExecutor(1, "replay")
        self._others = ThreadPoolExecutor(2, "replay-history")
        self._lock = threading.Lock()
        self._wanted: tuple[int, Waiting] | None = None
        self._busy = False
        self._found: list[tuple[Moment, Waiting] | Stretch] = []
        self._ahead: list[Stretch] = []
        self._ahead_us = time_us
        self._played: tuple[int, int] = (0, 0)
        self._ticked_us = clock.monotonic_us()
        self._generation = 0
        self._blank()
        self.go_to(time_us)

    # -- time ------------------------------------------------------------------------------------------------------

    def now_us(self) -> int:
        return self._time_us

    @property
    def loading(self) -> bool:
        """Whether what is shown is not yet what was asked for."""
        return self._busy or self._wanted is not None

    def go_to(self, time_us: int) -> "Future[int]":
        """Show the plant at `time_us`; completes (on a later `tick`) with the time then shown.

        While a query is under way only the newest wish is kept: the future of an older one completes with it.
        """
        done: Future[int] = Future()
        with self._lock:
            older = self._wanted[1] if self._wanted is not None else []
            self._wanted = (time_us, [*older, done])
            self._generation += 1
        self._ask_next()
        return done

    def play(self, speed: float) -> None:
        """Run at `speed` (0.1 to 1000, negative runs backwards)."""
        self.speed = speed
        self.playing = True
        self._forget_ahead()
        self._ticked_us = self._clock.monotonic_us()

    def pause(self) -> None:
        self.playing = False
        self._forget_ahead()

    def tick(self) -> None:
        """Once a frame, on the thread of the views: take over what was found, move on by wall time times speed."""
        with self._lock:
            found, self._found = self._found, []
        for item in found:
            if isinstance(item, Stretch):
                self._ahead.append(item)
            else:
                self._show(*item)
        now_us = self._clock.monotonic_us()
        passed = now_us - self._ticked_us
        self._ticked_us = now_us
        if not self.playing or self._wanted is not None:
            return
        target = min(self._time_us + int(passed * self.speed), self._clock.now_us())
        if 0 < self.speed <= _SAMPLES_UP_TO:
            self._play_samples(target)
        elif not self._busy and abs(target - self._time_us) > 0:
            self._time_us = target
            self.go_to(target)
        else:
            self._time_us = target

    # -- the rest of a session -------------------------------------------------------------------------------------

    @property
    def alarms(self) -> Sequence[Alarm]:
        return list(self._alarms.values())

    @property
    def health(self) -> Health:
        """As it was then: who was collected from at that time."""
        devices = tuple(
            DeviceHealth(d.name, DeviceState.OK if c else DeviceState.LOST, c.start_us if c else 0)
            for d in self.plant.devices
            for c in [self._covering(d.name)]
        )
        historian = HistorianHealth(HistorianState.DOWN if self.failure else HistorianState.OK, why=self.failure)
        link = LinkState.OK if self._covering(COLLECTOR) else LinkState.LOST
        return Health(link, self._time_us, historian, devices, self._who)

    @property
    def recorded(self) -> bool:
        """Whether a collector was at work at the time shown."""
        return self._recorded

    def history(self, tags: Sequence[str], start_us: int, end_us: int, buckets: int) -> "Future[list[Series]]":
        return self._others.submit(self.reader.history, list(tags), start_us, end_us, buckets)

    def coverage(self, start_us: int, end_us: int) -> "Future[list[Coverage]]":
        return self._others.submit(self.reader.coverage, start_us, end_us)

    def events(self, start_us: int, end_us: int, limit: int = 10_000) -> "Future[list[Event]]":
        return self._others.submit(self.reader.events, start_us, end_us, limit)

    def write(self, tag: str, value: float | int | bool | str, confirmed: bool = False) -> "Future[Write]":
        done: Future[Write] = Future()
        now_us = self._clock.now_us()
        done.set_result(
            Write(f"replay-{now_us}", tag, value, self._who, WriteState.REFUSED, now_us, now_us, why=LOCKED)
        )
        return done

    def acknowledge(self, keys: Sequence[str]) -> "Future[int]":
        done: Future[int] = Future()
        done.set_result(0)
        return done

    def close(self) -> None:
        """Leaves the reader open: it belongs to whoever gave it."""
        self.playing = False
        self._worker.shutdown(wait=True, cancel_futures=True)
        self._others.shutdown(wait=True, cancel_futures=True)

    # -- asking the historian --------------------------------------------------------------------------------------

    def _ask_next(self) -> None:
        with self._lock:
            if self._busy or self._wanted is None:
                return
            time_us, waiting = self._wanted
            self._wanted = None
            self._busy = True
        self._worker.submit(self._look_up, time_us, waiting)

    def _look_up(self, time_us: int, waiting: Waiting) -> None:
        try:
            moment = Moment(
                time_us,
                self.reader.values_at(self.plant.tags, time_us),
                tuple(self.reader.alarms_at(time_us)),
                tuple(self.reader.coverage(time_us, time_us + 1)),
            )
            self.failure = ""
        except HistoryUnavailableError as error:  # it is shown, and nothing old stays on the screen
            self.failure = str(error)
            moment = Moment(time_us, self._nothing(time_us), (), ())
        with self._lock:
            self._found.append((moment, waiting))
            self._busy = False
        self._ask_next()

    def _look_ahead(self, after_us: int, until_us: int, generation: int) -> None:
        try:
            stretch = Stretch(
                after_us,
                until_us,
                self.reader.samples_between(self.plant.tags, after_us, until_us),
                tuple(sorted(self.reader.events(after_us + 1, until_us, 10_000), key=lambda e: e.time_us)),
                tuple(self.reader.coverage(after_us, until_us)),
            )
            self.failure = ""
        except HistoryUnavailableError as error:
            self.failure = str(error)
            stretch = Stretch(after_us, until_us, self._nothing(until_us).take(slice(0, 0)), (), ())
        with self._lock:
            self._busy = False
            if generation == self._generation:
                self._found.append(stretch)
        self._ask_next()

    # -- showing ---------------------------------------------------------------------------------------------------

    def _show(self, moment: Moment, waiting: Waiting) -> None:
        self._time_us = moment.time_us
        self.table.apply(moment.values)
        self._alarms = {a.key: a for a in moment.alarms if a.state is not AlarmState.NORMAL}
        self.alarms_version += 1
        self._coverage = moment.coverage
        self._recorded = self._covering(COLLECTOR) is not None
        self._ahead = []
        self._ahead_us = moment.time_us
        self._played = (0, 0)
        self._ticked_us = self._clock.monotonic_us()
        for done in waiting:
            if not done.done():
                done.set_result(moment.time_us)

    def _play_samples(self, target: int) -> None:
        ahead_us = int(_AHEAD_S * SECOND * max(self.speed, 1.0))
        if not self._busy and self._ahead_us - target < ahead_us // 2 and self._ahead_us < self._clock.now_us():
            after, until = self._ahead_us, max(target, self._ahead_us) + ahead_us
            self._ahead_us = until
            self._busy = True
            self._worker.submit(self._look_ahead, after, until, self._generation)
        if not self._ahead:
            return  # the time waits for the historian, it does not run ahead of what is known
        while self._ahead:
            stretch = self._ahead[0]
            self._play_stretch(stretch, min(target, stretch.until_us))
            self._time_us = min(target, stretch.until_us)
            if target <= stretch.until_us:
                break
            self._ahead.pop(0)
            self._played = (0, 0)

    def _play_stretch(self, stretch: Stretch, until_us: int) -> None:
        """Apply samples, alarms and the borders of coverage up to `until_us`."""
        first, event = self._played
        last = int(np.searchsorted(stretch.samples.time_us, until_us, "right"))
        self._coverage = stretch.coverage
        recorded = any(c.source == COLLECTOR and c.start_us <= until_us <= c.end_us for c in stretch.coverage)
        if recorded:
            if not self._recorded:
                self._blank()
            self.table.apply(stretch.samples.take(slice(first, last)))
        elif self._recorded:
            self._blank()
        self._recorded = recorded
        while event < len(stretch.events) and stretch.events[event].time_us <= until_us:
            self._take_event(stretch.events[event])
            event += 1
        self._played = (max(first, last), event)

    def _take_event(self, event: Event) -> None:
        after = alarm_after(self._alarms.get(event.key), event)
        if after is None:
            return
        if after.state is AlarmState.NORMAL:
            self._alarms.pop(after.key, None)
        else:
            self._alarms[after.key] = after
        self.alarms_version += 1

    def _forget_ahead(self) -> None:
        with self._lock:
            self._generation += 1
        self._ahead = []
        self._ahead_us = self._time_us
        self._played = (0, 0)

    def _nothing(self, time_us: int) -> Batch:
        n = len(self.plant.tags)
        empty = make_batch(np.arange(n, dtype=np.int32), time_us, np.full(n, np.nan), BAD_NO_DATA)
        return replace(empty, text=np.full(n, None, object))

    def _blank(self) -> None:
        self.table.apply(self._nothing(self._time_us))

    def _covering(self, source: str) -> Coverage | None:
        for interval in self._coverage:
            if interval.source == source and interval.start_us <= self._time_us <= interval.end_us:
                return interval
        return None
