"""Curves of indicators and small trends: history asked for once, live samples added, one column a pixel. No Qt.

Answers are fetched by looking at the futures once a frame, so nothing here is ever called from another thread.
"""

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, wait
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from hmi.core.clock import MINUTE, SECOND
from hmi.core.event import COLLECTOR, Coverage
from hmi.core.plant import Plant
from hmi.core.series import Series
from hmi.core.session import Session
from hmi.core.status import BAD_NO_DATA, Quality, quality_of
from hmi.core.table import Table

log = logging.getLogger(__name__)

_JUMP_US = 5 * SECOND
_RETRY_US = 10 * SECOND
_STILL_GOING_US = 2 * MINUTE
_KEPT_SAMPLES = 50_000


class Kind(IntEnum):
    """What one column of a curve shows."""

    NOTHING = 0
    VALUE = 1
    WEAK = 2
    BAD = 3
    NOT_RECORDED = 4


class Columns(NamedTuple):
    """One entry a column, oldest first; `low` and `high` are 0 where `kind` has no value. `key` names the picture."""

    key: tuple[int, int]
    low: list[float]
    high: list[float]
    last: list[float]
    kind: list[Kind]


class Interval(NamedTuple):
    start_us: int
    end_us: int


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
        self._covered: list[Interval] | None = None
        self._judged_us = 0
        self._made: Columns | None = None

    def load(self, series: Series, covered: list[Interval] | None) -> None:
        """Take over history; samples that came live after its end stay."""
        self._times, self._value = series.time_us, series.value
        self._low, self._high, self._status = series.low, series.high, series.status
        last = int(series.time_us[-1]) + series.bucket_us if len(series) else 0
        self._fresh = [s for s in self._fresh if s[0] > max(last, series.end_us)]
        self._covered = covered
        # What comes later is live: the samples themselves say that something was collected.
        self._judged_us = series.end_us - self.width_us
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
            n = self.columns
            return Columns(key, [0.0] * n, [0.0] * n, [0.0] * n, [Kind.NOTHING] * n)
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
        first = key[0] - n
        edges = (np.arange(n + 1, dtype=np.int64) + first) * self.width_us
        places = np.searchsorted(self._times, edges).tolist()
        low, high, last, kinds = [0.0] * n, [0.0] * n, [0.0] * n, [Kind.NOTHING] * n
        begins = edges.tolist()
        for k in range(n):
            a, b = places[k], places[k + 1]
            held = b - 1
            if held < 0:
                kinds[k] = Kind.NOT_RECORDED if self._gap(begins[k], begins[k + 1], 0) else Kind.NOTHING
                continue
            if b == a and self._gap(begins[k], begins[k + 1], int(self._times[held])):
                kinds[k] = Kind.NOT_RECORDED
                continue
            kinds[k] = _kind(int(self._status[held]), float(self._value[held]))
            if kinds[k] not in (Kind.VALUE, Kind.WEAK):
                continue
            last[k] = float(self._value[held])
            low[k] = high[k] = last[k]
            if b > a:
                lows, highs = self._low[a:b], self._high[a:b]
                if not np.isnan(lows).all():
                    low[k], high[k] = float(np.nanmin(lows)), float(np.nanmax(highs))
        return Columns(key, low, high, last, kinds)

    def _gap(self, start_us: int, end_us: int, sample_us: int) -> bool:
        """Whether nothing was collected in a column without samples, or nothing since the collector came back."""
        if self._covered is None:
            return False
        for interval in self._covered:
            if interval.start_us < end_us and interval.end_us > start_us:
                return sample_us + self.width_us < interval.start_us
        return start_us < self._judged_us


def _kind(status: int, value: float) -> Kind:
    if status == BAD_NO_DATA:
        return Kind.NOT_RECORDED
    quality = quality_of(status)
    if quality is Quality.NEVER_READ:
        return Kind.NOTHING
    if not quality.has_value or value != value:
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
            found = {s.tag: s for s in asked.series.result()}
            coverage = asked.coverage.result()
            for curve in asked.curves:
                if curve.tag in found:
                    curve.load(found[curve.tag], self._covered(curve.index, coverage, now_us))
                    loaded.add(curve.index)
        return loaded

    def _covered(self, index: int, coverage: Sequence[Coverage], now_us: int) -> list[Interval] | None:
        """When the tag could be read: its device, or the collector for derived tags. None where nothing is known."""
        if not coverage:
            return None
        source = self.plant.tags[index].device or COLLECTOR
        rows = sorted((c for c in coverage if c.source == source), key=lambda c: c.start_us)
        return [
            Interval(c.start_us, now_us if not c.why and c.end_us > now_us - _STILL_GOING_US else c.end_us)
            for c in rows
        ]

    def wait(self, seconds: float) -> None:
        """Wait for what was asked, for pictures that are made once."""
        futures: list[Future[Any]] = [f for a in self._asked for f in (a.series, a.coverage)]
        wait(futures, timeout=seconds)
