"""History of one tag over a span: raw samples, or the envelope of buckets when there are more samples than pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmi.core.batch import Floats, Ints, Statuses


@dataclass(frozen=True, slots=True)
class Series:
    """Columns of length n, rising in time.

    Raw (`bucket_us == 0`): `low` is `high` is `value`; a sample holds until the next (step), and the first sample may
    lie before the span: it is the value that held when the span began.
    Buckets: `low`, `high` are the extremes of the not-bad samples in `[time_us, time_us + bucket_us)`, `value` the
    last one; empty buckets are left out. `status` is the worst in the bucket.
    NaN marks samples without a value. `start_us`..`end_us` is the span asked for.
    """

    tag: str
    start_us: int
    end_us: int
    time_us: Ints
    value: Floats
    low: Floats
    high: Floats
    status: Statuses
    bucket_us: int = 0

    def __len__(self) -> int:
        return len(self.time_us)


def raw_series(tag: str, start_us: int, end_us: int, time_us: Ints, value: Floats, status: Statuses) -> Series:
    """A series of samples as they were taken."""
    return Series(tag, start_us, end_us, time_us, value, value, value, status)


def envelope(series: Series, buckets: int) -> Series:
    """At most `buckets` buckets of equal width over the span of a raw series; a shorter series comes back as it is.

    One numpy pass: bucket number of each sample, then minimum and maximum by `reduceat` over runs.
    """
    n = len(series)
    if n <= buckets * 2 or buckets < 1:
        return series
    width = max(1, -(-(series.end_us - series.start_us) // buckets))
    number = (np.maximum(series.time_us, series.start_us) - series.start_us) // width
    first: NDArray[np.intp] = np.flatnonzero(np.r_[True, number[1:] != number[:-1]])
    last = np.r_[first[1:], n] - 1
    bad = np.isnan(series.value)
    low = np.minimum.reduceat(np.where(bad, np.inf, series.low), first)
    high = np.maximum.reduceat(np.where(bad, -np.inf, series.high), first)
    empty = ~np.isfinite(low) & (low > high)
    low[empty] = np.nan
    high[empty] = np.nan
    return Series(
        series.tag,
        series.start_us,
        series.end_us,
        series.start_us + number[first] * width,
        series.value[last],
        low,
        high,
        np.maximum.reduceat(series.status, first),
        int(width),
    )


def append_tail(series: Series, time_us: Ints, value: Floats, status: Statuses) -> Series:
    """The series with newer samples at its end: those not later than its last one are dropped.

    This is the seam between the database and what the collector still has in memory. Buckets go on in the same grid.
    """
    newer = np.ones(len(time_us), bool)
    if len(series):
        # Of a bucket only its begin is known; its samples are told from newer ones by the grid.
        newer = time_us >= series.time_us[-1] if series.bucket_us else time_us > series.time_us[-1]
    newer &= time_us <= series.end_us
    if not newer.any():
        return series
    t, v, s = time_us[newer], value[newer], status[newer]
    if series.bucket_us:
        return _append_buckets(series, t, v, s)
    return Series(
        series.tag,
        series.start_us,
        series.end_us,
        np.concatenate([series.time_us, t]),
        np.concatenate([series.value, v]),
        np.concatenate([series.low, v]),
        np.concatenate([series.high, v]),
        np.concatenate([series.status, s]),
    )


def _append_buckets(series: Series, time_us: Ints, value: Floats, status: Statuses) -> Series:
    width = series.bucket_us
    origin = int(series.time_us[0]) if len(series) else series.start_us
    begin = origin + (time_us - origin) // width * width
    joined = Series(
        series.tag,
        series.start_us,
        series.end_us,
        np.concatenate([series.time_us, begin]),
        np.concatenate([series.value, value]),
        np.concatenate([series.low, value]),
        np.concatenate([series.high, value]),
        np.concatenate([series.status, status]),
        width,
    )
    first: NDArray[np.intp] = np.flatnonzero(np.r_[True, joined.time_us[1:] != joined.time_us[:-1]])
    last = np.r_[first[1:], len(joined)] - 1
    return Series(
        series.tag,
        series.start_us,
        series.end_us,
        joined.time_us[first],
        joined.value[last],
        np.fmin.reduceat(joined.low, first),
        np.fmax.reduceat(joined.high, first),
        np.maximum.reduceat(joined.status, first),
        width,
    )
