"""Curves of indicators and small trends: history asked for once, live samples added, one column a pixel. No Qt.

Answers are fetched by looking at the futures once a frame, so nothing here is ever called from another thread.
"""

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, wait
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hmi.core.batch import Floats, Ints, Statuses
from hmi.core.clock import MINUTE, SECOND
from hmi.core.event import COLLECTOR, Coverage
from hmi.core.plant import Plant
from hmi.core.series import Series
from hmi.core.session import Session
from hmi.core.status import Quality, quality_of
from hmi.core.table import Table

log = logging.getLogger(__name__)

_JUMP_US = 5 * SECOND
_RETRY_US = 10 * SECOND
_STILL_GOING_US = 2 * MINUTE
_KEPT_SAMPLES = 50_000
_LOADED_AT_ONCE = 8


class Kind(IntEnum):
    """What one column of a curve shows."""

    NOTHING = 0
    VALUE = 1
    WEAK = 2
    BAD = 3
    NOT_RECORDED = 4


class Columns(NamedTuple):
    """One entry a column, oldest first; `low`, `high` and `last` mean nothing where `kind` has no value.

    `kind` holds numbers of `Kind`. `key` names the picture.
    """

    key: tuple[int, int]
    low: Floats
    high: Floats
    last: Floats
    kind: NDArray[np.int8]


class Interval(NamedTuple):
    start_us: int
    end_us: int


class Covered:
    """When a tag could be read: intervals by their begin. Made once for all curves of a source."""

    def __init__(self, intervals: Sequence[Interval]) -> None:
        rows = sorted(intervals)
        self._start: Ints = np.array([i.start_us for i in rows], np.int64)
        self._end: Ints = np.maximum.accumulate(np.array([i.end_us for i in rows], np.int64))

    def gaps(self, begin: Ints, end: Ints, sample: Ints, width_us: int, judged_us: int) -> NDArray[np.bool_]:
        """Which columns without a sample are gaps: nothing was collected, or nothing since the collector came back.

        `sample` is when the newest sample before each column was taken.
        """
        if not len(self._start):
            return np.asarray(begin < judged_us)
        first = np.searchsorted(self._end, begin, "right")
        start = self._start[np.minimum(first, len(self._start) - 1)]
        collected = (first < len(self._start)) & (start < end)
        return np.where(collected, sample + width_us < start, begin < judged_us)


class Curve:
    """The last `span_us` of one tag in `columns` columns of equal width, aligned to the clock against shimmering."""

    def __init__(self, tag: str, index: int, span_us: int, columns: int) -> None:
        self.tag = tag
        self.index = index
        self.span_us = span_us
        self.width_us = max(1, span_us // columns)
        self.columns = columns
        self.loaded = False
        self._load = 0
        self._times = np.empty(0, np.int64)
        self._low = np.empty(0)
        self._high = np.empty(0)
        self._value = np.empty(0)
        self._status = np.empty(0, np.uint32)
        self._fresh: list[tuple[int, float, int]] = []
        self._covered: Covered | None = None
        self._judged_us = 0
        self._known_us = 0
        self._made: Columns | None = None

    def load(self, series: Series, covered: Covered | None) -> None:
        """Take over history; samples that came live after its end stay."""
        self._times, self._value = series.time_us, series.value
        self._low, self._high, self._status = series.low, series.high, series.status
        last = int(series.time_us[-1]) + series.bucket_us if len(series) else 0
        self._fresh = [s for s in self._fresh if s[0] > max(last, series.end_us)]
        self._covered = covered
        # What comes later is live: the samples themselves say that something was collected.
        self._judged_us = series.end_us - self.width_us
        self._known_us = series.end_us
        self._load += 1
        self.loaded = True

    def append(self, time_us: int, value: float, status: int) -> None:
        """A live sample."""
        self._fresh.append((time_us, value, status))
        if len(self._fresh) > 2000:
            self._flush(time_us - self.span_us)

    def forget(self) -> None:
        """The time jumped: what was shown does not belong to it."""
        self._times, self._fresh, self._made = np.empty(0, np.int64), [], None
        self._low = self._high = self._value = np.empty(0)
        self._status = np.empty(0, np.uint32)
        self._covered = None
        self._load += 1
        self.loaded = False

    def key(self, now_us: int) -> tuple[int, int]:
        """Changes when the picture of the columns changes: a column has passed, or history came."""
        return now_us // self.width_us, self._load

    def at(self, now_us: int) -> Columns:
        """The columns up to the one before now; kept until the next column begins."""
        key = self.key(now_us)
        if not self._load:
            none = np.zeros(self.columns)
            return Columns(key, none, none, none, np.zeros(self.columns, np.int8))
        if self._made is None or self._made.key != key:
            self._flush(now_us - self.span_us)
            self._made = self._make(key)
        return self._made

    def _flush(self, oldest_us: int) -> None:
        if not self._fresh:
            return
        fresh = sorted(self._fresh, key=lambda s: s[0])
        self._fresh = []
        # The newest sample before the span still says what held when it began.
        before = int(np.searchsorted(self._times, oldest_us - self.width_us)) - 1
        keep = max(before, len(self._times) - _KEPT_SAMPLES, 0)
        value = np.array([s[1] for s in fresh])
        self._times = np.concatenate([self._times[keep:], np.array([s[0] for s in fresh], np.int64)])
        self._value = np.concatenate([self._value[keep:], value])
        self._low = np.concatenate([self._low[keep:], value])
        self._high = np.concatenate([self._high[keep:], value])
        self._status = np.concatenate([self._status[keep:], np.array([s[2] for s in fresh], np.uint32)])

    def _make(self, key: tuple[int, int]) -> Columns:
        n = self.columns
        edges = (np.arange(n + 1, dtype=np.int64) + (key[0] - n)) * self.width_us
        places = np.searchsorted(self._times, edges)
        begin, end = places[:-1], places[1:]
        filled = end > begin
        known = end > 0
        kind = np.zeros(n, np.int8)
        last = np.zeros(n)
        if not len(self._times):
            return Columns(key, last, last, last, self._with_gaps(kind, edges, ~filled, np.zeros(n, np.int64)))
        held = np.maximum(end - 1, 0)
        last = self._value[held]
        kind[known] = _kinds(self._status[held[known]], last[known])
        low, high = last.copy(), last.copy()
        if filled.any():
            runs = begin[filled]
            upto = int(end[-1])
            lows = np.fmin.reduceat(self._low[:upto], runs)
            highs = np.fmax.reduceat(self._high[:upto], runs)
            low[filled] = np.where(np.isnan(lows), low[filled], lows)
            high[filled] = np.where(np.isnan(highs), high[filled], highs)
        kind = self._with_gaps(kind, edges, ~filled, np.where(known, self._times[held], 0))
        if not self.loaded:
            # The time has jumped ahead: what held since then is not known before history comes.
            kind[edges[:-1] >= self._known_us] = Kind.NOTHING
        return Columns(key, low, high, last, kind)

    def _with_gaps(
        self, kind: NDArray[np.int8], edges: Ints, empty: NDArray[np.bool_], sample: Ints
    ) -> NDArray[np.int8]:  # fmt: skip
        if self._covered is not None and empty.any():
            gaps = self._covered.gaps(edges[:-1], edges[1:], sample, self.width_us, self._judged_us)
            kind[empty & gaps] = Kind.NOT_RECORDED
        return kind


def _kinds(status: Statuses, value: Floats) -> NDArray[np.int8]:
    """What the columns show that hold these samples."""
    if not status.any():
        return np.where(np.isnan(value), np.int8(Kind.BAD), np.int8(Kind.VALUE))
    kinds = np.empty(len(status), np.int8)
    # `numpy.unique` would import a fifth of a second of other things.
    for code in set(status.tolist()):
        kinds[status == code] = _kind(code)
    kinds[np.isnan(value) & ((kinds == Kind.VALUE) | (kinds == Kind.WEAK))] = Kind.BAD
    return kinds


def _kind(status: int) -> Kind:
    quality = quality_of(status)
    if quality is Quality.NOT_RECORDED:
        return Kind.NOT_RECORDED
    if quality is Quality.NEVER_READ:
        return Kind.NOTHING
    if not quality.has_value:
        return Kind.BAD
    return Kind.WEAK if quality is Quality.STALE else Kind.VALUE


class _Asked(NamedTuple):
    curves: list[Curve]
    series: "Future[list[Series]]"
    coverage: "Future[list[Coverage]]"


class Curves:
    """All curves of a view. `curve` while compiling, `frame` once a frame."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self._all: dict[tuple[int, int, int], Curve] = {}
        self._by_tag: dict[int, list[Curve]] = {}
        self._asked: list[_Asked] = []
        self._last_now_us = 0
        self._retry_us = 0

    def curve(self, index: int, span_us: int, columns: int) -> Curve:
        key = (index, span_us, columns)
        if key not in self._all:
            made = self._all[key] = Curve(self.plant.tags[index].name, index, span_us, columns)
            self._by_tag.setdefault(index, []).append(made)
        return self._all[key]

    @property
    def waiting(self) -> bool:
        """Whether history was asked for and has not come."""
        return bool(self._asked)

    def forget(self) -> None:
        """Another session is shown: what was known and asked for does not belong to it."""
        for curve in self._all.values():
            curve.forget()
        self._asked.clear()
        self._last_now_us = self._retry_us = 0

    def frame(self, session: Session, now_us: int, changed: Iterable[int]) -> set[int]:
        """Add live samples, fetch what came, ask for what is missing. Returns the tags with new curves."""
        if not self._all:
            return set()
        loaded = self._fetch(session.table, now_us)
        jumped = self._last_now_us and not -SECOND <= now_us - self._last_now_us <= _JUMP_US
        backwards = now_us < self._last_now_us - SECOND
        self._last_now_us = now_us
        if jumped:
            for curve in self._all.values():
                if backwards:
                    curve.forget()
                    loaded.add(curve.index)
                curve.loaded = False
            self._retry_us = 0
        table = session.table
        for index in changed:
            for curve in self._by_tag.get(index, ()):
                curve.append(int(table.time_us[index]), float(table.value[index]), int(table.status[index]))
        missing = [c for c in self._all.values() if not c.loaded]
        if missing and not self._asked and now_us >= self._retry_us:
            self._ask(session, now_us, missing)
        return loaded

    def _ask(self, session: Session, now_us: int, missing: Sequence[Curve]) -> None:
        alike: dict[tuple[int, int], list[Curve]] = {}
        for curve in missing:
            alike.setdefault((curve.span_us, curve.columns), []).append(curve)
        for (span_us, columns), curves in alike.items():
            start = now_us - span_us
            tags = [c.tag for c in curves]
            self._asked.append(
                _Asked(curves, session.history(tags, start, now_us, columns), session.coverage(start, now_us))
            )

    def _fetch(self, table: Table, now_us: int) -> set[int]:
        loaded: set[int] = set()
        for asked in [a for a in self._asked if a.series.done() and a.coverage.done()]:
            self._asked.remove(asked)
            error = asked.series.exception() or asked.coverage.exception()
            if error is not None:
                # No curve is drawn without history; the state of the historian is shown by the window.
                log.info("no history for %d curves: %s", len(asked.curves), error)
                self._retry_us = now_us + _RETRY_US
                continue
            # Each new curve is a picture to be drawn: some come with this frame, the others with the next.
            now, later = asked.curves[:_LOADED_AT_ONCE], asked.curves[_LOADED_AT_ONCE:]
            if later:
                self._asked.append(asked._replace(curves=later))
            found = {s.tag: s for s in asked.series.result()}
            coverage = asked.coverage.result()
            covered: dict[str, Covered] = {}
            for curve in now:
                if curve.tag in found:
                    source = self.plant.tags[curve.index].device or COLLECTOR
                    if source not in covered:
                        covered[source] = self._covered(source, coverage, now_us)
                    curve.load(found[curve.tag], covered[source])
                    loaded.add(curve.index)
        return loaded

    def _covered(self, source: str, coverage: Sequence[Coverage], now_us: int) -> Covered:
        """When tags of a device, or those derived by the collector, could be read; no interval at all says never."""
        return Covered([
            Interval(c.start_us, now_us if not c.why and c.end_us > now_us - _STILL_GOING_US else c.end_us)
            for c in coverage
            if c.source == source
        ])  # fmt: skip

    def wait(self, seconds: float) -> None:
        """Wait for what was asked, for pictures that are made once."""
        futures: list[Future[Any]] = [f for a in self._asked for f in (a.series, a.coverage)]
        wait(futures, timeout=seconds)
