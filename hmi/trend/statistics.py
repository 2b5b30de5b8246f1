"""What the table under a trend says: value and quality at the cursor, mean, extremes, share of good. No Qt."""

from dataclasses import dataclass
from math import nan

import numpy as np

from hmi.core.series import Series
from hmi.core.status import BAD_NO_DATA, Quality, is_bad, is_good
from hmi.trend.gaps import Gap

QUALITY_WORDS = {
    Quality.GOOD: "good", Quality.UNCERTAIN: "uncertain", Quality.STALE: "stale",
    Quality.OUT_OF_SERVICE: "out of service",
    Quality.FORCED: "forced", Quality.BAD: "bad", Quality.NEVER_READ: "never read",
    Quality.NOT_RECORDED: "not recorded",
}  # fmt: skip
"""How a quality is told in a few words."""


@dataclass(frozen=True, slots=True)
class At:
    """The value that held at a time; NaN and a Bad status where there was none."""

    value: float
    status: int
    time_us: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """Over the part of a span in which the value was known. `good` is the share of the whole span, 0 to 1."""

    mean: float = nan
    low: float = nan
    high: float = nan
    good: float = 0.0


def value_at(series: Series, time_us: int, gaps: tuple[Gap, ...] = ()) -> At:
    """The last sample at or before a time; not recorded before the first and within a gap."""
    index = int(np.searchsorted(series.time_us, time_us, "right")) - 1
    if index < 0 or any(gap.start_us <= time_us < gap.end_us for gap in gaps):
        return At(nan, BAD_NO_DATA, time_us)
    status = int(series.status[index])
    value = float(series.value[index])
    if not series.bucket_us and is_bad(series.status[index : index + 1])[0]:
        value = nan
    return At(value, status, int(series.time_us[index]))


def statistics_of(series: Series, start_us: int, end_us: int, gaps: tuple[Gap, ...] = ()) -> Statistics:
    """Mean weighted by the time each sample held, extremes, share of good; gaps and Bad samples are left out.

    Of buckets the mean is that of the middles of their extremes, weighted alike: exact to half a bucket's spread.
    """
    if not len(series) or end_us <= start_us:
        return Statistics()
    time_us = np.clip(series.time_us, start_us, end_us)
    ends = np.append(time_us[1:], end_us)
    weight = (ends - time_us).astype(np.float64)
    for gap in gaps:
        weight -= np.clip(np.minimum(ends, gap.end_us) - np.maximum(time_us, gap.start_us), 0, None)
    known = ~np.isnan(series.value) & (weight > 0)
    if not series.bucket_us:
        known &= ~is_bad(series.status)
    if not known.any():
        return Statistics()
    value = (series.low + series.high) / 2 if series.bucket_us else series.value
    total = weight[known].sum()
    good = weight[known & is_good(series.status)].sum()
    return Statistics(
        float((value[known] * weight[known]).sum() / total),
        float(series.low[known].min()),
        float(series.high[known].max()),
        float(good / (end_us - start_us)),
    )
