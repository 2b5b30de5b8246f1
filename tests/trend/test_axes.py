"""Round marks on both axes, and how the span moves."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from hmi.core.clock import DAY, HOUR, MINUTE, SECOND, from_datetime
from hmi.trend.axes import nice_range, time_ticks, value_labels
from hmi.trend.timeline import LONGEST_US, SHORTEST_US, Timeline

BERLIN = ZoneInfo("Europe/Berlin")


def at(*parts: int) -> int:
    return from_datetime(datetime(*parts, tzinfo=BERLIN))  # type: ignore[arg-type]


def test_that_marks_lie_on_round_local_times() -> None:
    ticks = time_ticks(at(2025, 11, 19, 19, 12, 44), at(2025, 11, 20, 3, 12, 44), BERLIN, 10)
    assert [t.label for t in ticks] == ["20:00", "21:00", "22:00", "23:00", "00:00", "01:00", "02:00", "03:00"]
    assert [t.day for t in ticks if t.day] == ["Thu 20 Nov"]


def test_that_marks_stay_round_over_the_change_of_summer_time() -> None:
    ticks = time_ticks(at(2025, 10, 25, 22), at(2025, 10, 26, 12), BERLIN, 8)
    assert [t.label for t in ticks] == ["22:00", "00:00", "02:00", "04:00", "06:00", "08:00", "10:00", "12:00"]
    assert all(t.label.endswith(":00") for t in ticks)


@pytest.mark.parametrize("span_us", [10 * SECOND, 10 * MINUTE, HOUR, 8 * HOUR, DAY, 7 * DAY, 90 * DAY])
def test_that_no_span_has_more_marks_than_fit(span_us: int) -> None:
    end = at(2025, 11, 20, 3, 12, 44)
    ticks = time_ticks(end - span_us, end, BERLIN, 10)
    assert 2 <= len(ticks) <= 11
    assert all(end - span_us <= t.time_us <= end for t in ticks)


@pytest.mark.parametrize(("low", "high"), [(4.7, 5.4), (0, 97), (-3.2, 3.1), (5, 5), (0, 0), (1e-7, 3e-7), (1e6, 3e7)])
def test_that_a_range_holds_its_values_on_round_steps(low: float, high: float) -> None:
    bottom, top = nice_range(low, high)
    assert bottom <= low
    assert top >= high
    labels = value_labels(bottom, top)
    assert len(labels) == 5
    assert len({text for _, text in labels}) == 5


def test_that_a_missing_range_is_still_one() -> None:
    assert nice_range(float("nan"), float("inf")) == (0.0, 4.0)


NOW = 1_700_000_000 * SECOND


def test_that_a_following_trend_moves_with_the_time_and_a_panned_one_does_not() -> None:
    line = Timeline(NOW, HOUR)
    assert line.at_now(NOW + MINUTE).end_us == NOW + MINUTE
    panned = line.pan(-10 * MINUTE, NOW)
    assert not panned.following
    assert panned.at_now(NOW + MINUTE).end_us == NOW - 10 * MINUTE


def test_that_panning_into_the_future_follows_again() -> None:
    line = Timeline(NOW, HOUR).pan(-10 * MINUTE, NOW).pan(20 * MINUTE, NOW)
    assert line.following
    assert line.end_us == NOW


def test_that_zooming_keeps_the_time_under_the_pointer() -> None:
    line = Timeline(NOW - HOUR, HOUR, following=False)
    about = line.start_us + HOUR // 4
    closer = line.zoom(0.5, about, NOW)
    assert closer.span_us == HOUR // 2
    assert (about - closer.start_us) / closer.span_us == pytest.approx(0.25, abs=1e-6)


def test_that_zooming_ends_at_seconds_and_at_a_year() -> None:
    line = Timeline(NOW - HOUR, HOUR, following=False)
    assert line.zoom(1e-9, NOW - HOUR, NOW).span_us == SHORTEST_US
    assert line.zoom(1e9, NOW - HOUR, NOW).span_us == LONGEST_US
