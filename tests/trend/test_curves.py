"""What a pen draws: history and live samples in one row, steps, envelopes, lifted pens."""

import numpy as np
import pytest

from hmi.core.clock import MINUTE, SECOND
from hmi.core.series import Series, envelope, raw_series
from hmi.core.status import BAD_NO_COMMUNICATION, GOOD, UNCERTAIN_SENSOR_NOT_ACCURATE
from hmi.trend.curve import LiveTail, joined, strokes

START = 1_700_000_000 * SECOND


def raw(values: list[float], status: list[int] | None = None, step_us: int = SECOND) -> Series:
    n = len(values)
    times = START + np.arange(n, dtype=np.int64) * step_us
    codes = np.asarray(status or [GOOD] * n, np.uint32)
    return raw_series("LT-250", START, START + n * step_us, times, np.asarray(values, np.float64), codes)


def test_that_live_samples_continue_history_without_repeating_its_last_sample() -> None:
    tail = LiveTail()
    for i in range(3, 8):
        assert tail.append(START + i * SECOND, float(i), GOOD)
    whole = joined(raw([0, 1, 2, 3, 4]), tail, START, START + 8 * SECOND)
    assert whole is not None
    assert whole.value.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert np.all(np.diff(whole.time_us) > 0)


def test_that_a_sample_which_is_not_newer_is_not_taken_twice() -> None:
    tail = LiveTail()
    assert tail.append(START, 1.0, GOOD)
    assert not tail.append(START, 2.0, GOOD)
    assert len(tail) == 1


def test_that_live_samples_after_the_last_bucket_began_are_not_lost() -> None:
    history = envelope(raw([float(i % 7) for i in range(600)]), 60)
    assert history.bucket_us
    tail = LiveTail()
    late = int(history.time_us[-1]) + history.bucket_us // 2
    tail.append(late, 99.0, GOOD)
    whole = joined(history, tail, START, START + 600 * SECOND)
    assert whole is not None
    assert whole.high.max() == 99.0


def test_that_a_long_watch_keeps_the_newest_live_samples() -> None:
    tail = LiveTail()
    for i in range(5000):
        tail.append(START + i, float(i), GOOD)
    times, values, _ = tail.after(START + 4990)
    assert values.tolist() == [float(i) for i in range(4991, 5000)]
    assert times[-1] == START + 4999


def test_that_a_raw_sample_holds_until_the_next() -> None:
    drawn = strokes(raw([1, 2, 2, 5]), START, START + 4 * SECOND, 400, START + 4 * SECOND)
    at_150 = np.interp(150, drawn.x, drawn.y)
    assert at_150 == 2
    assert drawn.x[-1] == 400
    assert drawn.y[-1] == 5


def test_that_the_last_value_is_not_held_into_the_future() -> None:
    drawn = strokes(raw([1, 2]), START, START + 4 * SECOND, 400, START + 3 * SECOND)
    assert drawn.x[-1] == 300


def test_that_a_bad_sample_lifts_the_pen_and_is_told() -> None:
    series = raw([1, 2, 3, 4, 5], [GOOD, GOOD, BAD_NO_COMMUNICATION, GOOD, GOOD])
    drawn = strokes(series, START, START + 5 * SECOND, 500, START + 5 * SECOND)
    assert 3 not in drawn.y
    assert len(drawn.breaks) == 1
    [(left, right, code)] = drawn.bad
    assert (left, right, code) == (200, 300, BAD_NO_COMMUNICATION)


def test_that_uncertain_samples_are_drawn_and_marked() -> None:
    series = raw([1, 2, 3, 4], [GOOD, UNCERTAIN_SENSOR_NOT_ACCURATE, UNCERTAIN_SENSOR_NOT_ACCURATE, GOOD])
    drawn = strokes(series, START, START + 4 * SECOND, 400, START + 4 * SECOND)
    assert drawn.uncertain == ((100.0, 300.0),)
    assert {2.0, 3.0} <= set(drawn.y)


@pytest.mark.parametrize("n", [50, 5_000, 200_000])
def test_that_a_curve_never_has_more_points_than_the_screen_can_show(n: int) -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=n)
    values[n // 3] = 50.0
    series = raw(list(values))
    drawn = strokes(series, START, START + n * SECOND, 1000, START + n * SECOND)
    assert len(drawn.x) <= 4 * 1001
    assert drawn.y.max() == 50.0, "a single spike must be seen"
    assert np.all(np.diff(drawn.x) >= 0)


def test_that_a_gap_in_many_samples_lifts_the_pen_too() -> None:
    status = np.zeros(20_000, np.uint32)
    status[8_000:12_000] = BAD_NO_COMMUNICATION
    series = raw([1.0] * 20_000, status.tolist(), 10_000)
    drawn = strokes(series, START, START + 200 * SECOND, 1000, START + 200 * SECOND)
    assert len(drawn.breaks) >= 1
    inside = (drawn.x > 405) & (drawn.x < 595)
    assert not inside.any()


def test_that_nothing_at_all_draws_nothing() -> None:
    drawn = strokes(raw([]), START, START + MINUTE, 400, START + MINUTE)
    assert len(drawn.x) == 0
