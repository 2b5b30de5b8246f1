"""One pen's data: history once a span, then live samples behind it, as one rising row of columns. No Qt."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmi.core.batch import Floats, Ints, Statuses
from hmi.core.series import Series
from hmi.core.status import UNCERTAIN, is_bad

_CHUNK = 1024
_MOST_LIVE = 200_000


class LiveTail:
    """Samples of one tag as they came while a trend was open; the oldest half goes when there are too many."""

    def __init__(self) -> None:
        self._n = 0
        self._time: Ints = np.zeros(_CHUNK, np.int64)
        self._value: Floats = np.zeros(_CHUNK)
        self._status: Statuses = np.zeros(_CHUNK, np.uint32)

    def __len__(self) -> int:
        return self._n

    @property
    def newest_us(self) -> int:
        """The time of the newest sample, 0 without one."""
        return int(self._time[self._n - 1]) if self._n else 0

    def append(self, time_us: int, value: float, status: int) -> bool:
        """False for a sample that is not newer than the last."""
        if self._n and time_us <= self._time[self._n - 1]:
            return False
        if self._n == len(self._time):
            if self._n >= _MOST_LIVE:
                keep = slice(self._n // 2, self._n)
                self._n -= self._n // 2
                self._time[: self._n] = self._time[keep].copy()
                self._value[: self._n] = self._value[keep].copy()
                self._status[: self._n] = self._status[keep].copy()
            else:
                self._time, self._value, self._status = (
                    np.concatenate([column, np.zeros_like(column)])
                    for column in (self._time, self._value, self._status)
                )
        self._time[self._n], self._value[self._n], self._status[self._n] = time_us, value, status
        self._n += 1
        return True

    def after(self, time_us: int) -> tuple[Ints, Floats, Statuses]:
        """The samples after a time, as views."""
        first = int(np.searchsorted(self._time[: self._n], time_us, "right"))
        return self._time[first : self._n], self._value[first : self._n], self._status[first : self._n]


def joined(history: Series | None, tail: LiveTail, start_us: int, end_us: int) -> Series | None:
    """History and live tail as one series. None while there is neither.

    Where history comes in buckets, a live sample is a bucket of its own: low, high and value are the sample.
    """
    # The last bucket may still be filling, so everything after its start is taken from the tail as well:
    # drawn twice it looks the same, while a sample that the historian did not have yet would be missing.
    last = int(history.time_us[-1]) if history is not None and len(history) else 0
    time_us, value, status = tail.after(last)
    if history is None and not len(time_us):
        return None
    if history is None or not len(history):
        return Series("", start_us, end_us, time_us, value, value, value, status)
    if not len(time_us):
        return history
    return Series(
        history.tag,
        start_us,
        end_us,
        np.concatenate([history.time_us, time_us]),
        np.concatenate([history.value, value]),
        np.concatenate([history.low, value]),
        np.concatenate([history.high, value]),
        np.concatenate([history.status, status]),
        history.bucket_us,
    )


@dataclass(frozen=True, slots=True)
class Strokes:
    """What is drawn of a pen, in pixels: one line, broken where `pen_up` follows a point.

    `x`, `y` have the same length; y is a value, not yet a pixel. `uncertain` and `bad` are spans of x.
    """

    x: Floats
    y: Floats
    breaks: NDArray[np.int64]
    uncertain: tuple[tuple[float, float], ...] = ()
    bad: tuple[tuple[float, float, int], ...] = ()


def strokes(series: Series, start_us: int, end_us: int, width: float, until_us: int) -> Strokes:
    """A series as strokes over `width` pixels; the last value is held until `until_us`, but not beyond the span.

    A sample holds until the next (a step), a bucket is a vertical stroke from its lowest to its highest value. A sample
    of Bad quality lifts the pen until the next that is not. At most about four points a pixel column.
    """
    n = len(series)
    if n == 0 or width < 2:
        nothing = np.zeros(0)
        return Strokes(nothing, nothing, np.zeros(0, np.int64))
    scale = width / max(end_us - start_us, 1)
    until = min(max(until_us, int(series.time_us[-1])), end_us)
    first = max(int(np.searchsorted(series.time_us, start_us, "right")) - 1, 0)
    last = int(np.searchsorted(series.time_us, end_us, "right"))
    index = slice(first, last)
    time_us, low, high = series.time_us[index], series.low[index], series.high[index]
    value, status = series.value[index], series.status[index]
    if not len(time_us):
        nothing = np.zeros(0)
        return Strokes(nothing, nothing, np.zeros(0, np.int64))
    ends = np.append(time_us[1:], until)
    x0 = (np.maximum(time_us, start_us) - start_us) * scale
    x1 = (np.maximum(ends, start_us) - start_us) * scale
    gone = np.isnan(value) if series.bucket_us else (np.isnan(value) | is_bad(status))
    doubtful = ~gone & (status >= np.uint32(UNCERTAIN)) & ~is_bad(status)
    marks = _spans(x0, x1, doubtful)
    lost = tuple((a, b, int(code)) for a, b, code in _coded_spans(x0, x1, gone, status))
    if len(time_us) > 2 * width:
        x, y, breaks = _columns(x0, low, high, value, gone, width)
        return Strokes(x, y, breaks, marks, lost)
    if series.bucket_us:
        points_x = np.column_stack([x0, x0])
        points_y = np.column_stack([low, high])
        held = points_x.ravel(), points_y.ravel()
    else:
        held = np.column_stack([x0, x1]).ravel(), np.column_stack([value, value]).ravel()
    keep = np.repeat(~gone, 2)
    number = np.cumsum(keep)
    breaks = _each_once(number[np.repeat(gone, 2)])
    return Strokes(held[0][keep], held[1][keep], breaks, marks, lost)


def _columns(
    x0: Floats, low: Floats, high: Floats, value: Floats, gone: NDArray[np.bool_], width: float
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """First, lowest, highest and last value of every pixel column: what cannot be seen is not drawn."""
    column = np.minimum(x0.astype(np.int64), int(width))
    first = np.flatnonzero(np.r_[True, column[1:] != column[:-1]])
    last = np.r_[first[1:], len(column)] - 1
    floor = np.minimum.reduceat(np.where(gone, np.inf, low), first)
    ceiling = np.maximum.reduceat(np.where(gone, -np.inf, high), first)
    empty = floor > ceiling
    ends = np.where(gone[last], ceiling, value[last])
    x = np.repeat(column[first].astype(np.float64), 3)
    y = np.column_stack([floor, ceiling, ends]).ravel()
    keep = np.repeat(~empty, 3)
    # A pen lifted anywhere within a column stays lifted at its end if the last sample there is gone.
    lifted = np.repeat(empty | gone[last], 3)
    number = np.cumsum(keep)
    return x[keep], y[keep], _each_once(number[lifted])


def _each_once(rising: NDArray[np.int64]) -> NDArray[np.int64]:
    """A non-falling row without repetitions. `numpy.unique` would import a fifth of a second of other things."""
    return rising[np.r_[True, rising[1:] != rising[:-1]]] if len(rising) else rising


def _spans(x0: Floats, x1: Floats, mask: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    edges = np.flatnonzero(np.diff(np.r_[0, mask.astype(np.int8), 0]))
    return tuple((float(x0[a]), float(x1[b - 1])) for a, b in zip(edges[::2], edges[1::2], strict=True))


def _coded_spans(x0: Floats, x1: Floats, mask: NDArray[np.bool_], status: Statuses) -> list[tuple[float, float, int]]:
    edges = np.flatnonzero(np.diff(np.r_[0, mask.astype(np.int8), 0]))
    return [(float(x0[a]), float(x1[b - 1]), int(status[a])) for a, b in zip(edges[::2], edges[1::2], strict=True)]
