"""Envelopes keep every extreme, and leave gaps where nothing was."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hmi.core.series import envelope, raw_series
from hmi.core.status import BAD, GOOD


def series(times: list[int], values: list[float], bad: list[bool] | None = None, end: int = 1000):  # type: ignore[no-untyped-def]
    status = np.where(bad if bad is not None else np.zeros(len(times), bool), BAD, GOOD).astype(np.uint32)
    return raw_series("T", 0, end, np.array(times, np.int64), np.array(values, float), status)


def test_that_a_short_series_stays_raw() -> None:
    raw = series([1, 2, 3], [1, 2, 3])
    assert envelope(raw, 10) is raw


@given(
    steps=st.lists(st.integers(1, 50), min_size=1, max_size=300),
    seed=st.integers(0, 2**32 - 1),
    buckets=st.integers(1, 40),
)
def test_that_no_extreme_is_lost_and_no_bucket_is_empty(steps: list[int], seed: int, buckets: int) -> None:
    times = np.cumsum(steps).tolist()
    values = np.random.default_rng(seed).normal(0, 1000, len(times)).tolist()
    raw = series(times, values, end=times[-1] + 1)
    found = envelope(raw, buckets)
    assert np.min(found.low) == np.min(raw.value)
    assert np.max(found.high) == np.max(raw.value)
    assert np.all(np.diff(found.time_us) > 0)
    if found.bucket_us:
        assert len(found) <= buckets
        assert np.all((found.low <= found.value) & (found.value <= found.high))
        assert found.value[-1] == raw.value[-1]


def test_that_a_bucket_of_bad_samples_has_no_value_and_the_worst_status() -> None:
    times = list(range(0, 1000, 10))
    values = [float("nan") if 200 <= t < 300 else 1.0 for t in times]
    found = envelope(series(times, values, [200 <= t < 300 for t in times]), 10)
    assert np.isnan(found.low[2])
    assert np.isnan(found.high[2])
    assert found.status[2] == BAD
    assert np.count_nonzero(np.isnan(found.low)) == 1


def test_that_the_value_that_held_when_the_span_began_is_in_the_first_bucket() -> None:
    raw = series([-500, *range(100, 1000, 10)], [7.0, *([1.0] * 90)])
    found = envelope(raw, 10)
    assert found.time_us[0] == 0
    assert found.high[0] == 7.0
