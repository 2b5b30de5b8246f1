"""The table under a trend: values at the cursor and statistics that leave gaps out."""

import numpy as np
import pytest

from hmi.core.clock import SECOND
from hmi.core.event import COLLECTOR, Coverage
from hmi.core.series import Series, envelope, raw_series
from hmi.core.status import BAD_NO_COMMUNICATION, GOOD, UNCERTAIN, Quality, quality_of
from hmi.trend.gaps import Gap, gaps_of
from hmi.trend.statistics import statistics_of, value_at

START = 1_700_000_000 * SECOND


def series(times_s: list[float], values: list[float], status: list[int] | None = None, end_s: float = 10) -> Series:
    times = START + (np.asarray(times_s) * SECOND).astype(np.int64)
    codes = np.asarray(status or [GOOD] * len(values), np.uint32)
    return raw_series("FT-310", START, START + round(end_s * SECOND), times, np.asarray(values, np.float64), codes)


def test_that_the_mean_is_weighted_by_the_time_each_value_held() -> None:
    found = statistics_of(series([0, 1, 9], [10, 20, 30]), START, START + 10 * SECOND)
    assert found.mean == pytest.approx((10 * 1 + 20 * 8 + 30 * 1) / 10)
    assert (found.low, found.high, found.good) == (10, 30, 1.0)


def test_that_the_value_from_before_the_span_counts_from_its_beginning() -> None:
    found = statistics_of(series([-5, 5], [10, 20]), START, START + 10 * SECOND)
    assert found.mean == pytest.approx(15)


def test_that_gaps_are_left_out_and_said_in_percent_good() -> None:
    gap = Gap(COLLECTOR, START + 4 * SECOND, START + 9 * SECOND)
    found = statistics_of(series([0, 9], [10, 30]), START, START + 10 * SECOND, (gap,))
    assert found.mean == pytest.approx((10 * 4 + 30 * 1) / 5)
    assert found.good == pytest.approx(0.5)


def test_that_bad_values_count_nowhere_and_uncertain_ones_not_as_good() -> None:
    found = statistics_of(
        series([0, 2, 6], [10, 99, 30], [GOOD, BAD_NO_COMMUNICATION, UNCERTAIN]), START, START + 10 * SECOND
    )
    assert (found.low, found.high) == (10, 30)
    assert found.mean == pytest.approx((10 * 2 + 30 * 4) / 6)
    assert found.good == pytest.approx(0.2)


def test_that_an_envelope_gives_nearly_the_same_mean() -> None:
    whole = series(list(range(2000)), [5 + np.sin(i / 50) for i in range(2000)], end_s=2000)
    end = START + 2000 * SECOND
    exact, near = statistics_of(whole, START, end), statistics_of(envelope(whole, 100), START, end)
    assert near.mean == pytest.approx(exact.mean, abs=0.02)
    assert (near.low, near.high) == (exact.low, exact.high)


def test_that_the_cursor_shows_what_held_there() -> None:
    data = series([0, 5], [10, 20])
    assert value_at(data, START + 4 * SECOND).value == 10
    assert value_at(data, START + 5 * SECOND).value == 20


def test_that_the_cursor_in_a_gap_never_shows_the_value_from_before() -> None:
    gap = Gap(COLLECTOR, START + 2 * SECOND, START + 5 * SECOND)
    at = value_at(series([0, 5], [10, 20]), START + 3 * SECOND, (gap,))
    assert at.value != at.value
    assert quality_of(at.status) is Quality.NOT_RECORDED


def test_that_the_cursor_before_the_first_sample_says_not_recorded() -> None:
    at = value_at(series([5], [20]), START)
    assert quality_of(at.status) is Quality.NOT_RECORDED


def coverage(*spans: tuple[int, int, str]) -> list[Coverage]:
    return [Coverage(COLLECTOR, START + a * SECOND, START + b * SECOND, why) for a, b, why in spans]


def test_that_a_gap_tells_from_to_and_why() -> None:
    rows = coverage((0, 100, "stopped by Engineer 1"), (160, 400, ""))
    [gap] = gaps_of(COLLECTOR, rows, START, START + 400 * SECOND, START + 400 * SECOND)
    assert (gap.start_us, gap.end_us, gap.why) == (START + 100 * SECOND, START + 160 * SECOND, "stopped by Engineer 1")


def test_that_a_running_interval_written_down_a_little_late_is_no_gap() -> None:
    rows = coverage((0, 380, ""))
    assert gaps_of(COLLECTOR, rows, START, START + 400 * SECOND, START + 400 * SECOND) == []


def test_that_the_end_of_an_ended_interval_is_a_gap_up_to_now() -> None:
    rows = coverage((0, 380, "no answer"))
    [gap] = gaps_of(COLLECTOR, rows, START, START + 900 * SECOND, START + 400 * SECOND)
    assert (gap.end_us, gap.why) == (START + 400 * SECOND, "no answer")


def test_that_overlapping_intervals_hide_each_others_ends() -> None:
    rows = coverage((0, 300, "x"), (100, 200, "y"), (250, 400, ""))
    assert gaps_of(COLLECTOR, rows, START, START + 400 * SECOND, START + 400 * SECOND) == []
