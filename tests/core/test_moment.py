"""Times as people type them."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmi.core.clock import DAY, HOUR, MINUTE, SECOND, from_datetime, to_datetime
from hmi.core.moment import iso, parse_moment, span_words

ZONE = ZoneInfo("Europe/Berlin")
NOW_US = parse_moment("2026-11-20T03:12:44+01:00", ZONE, 0)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-11-17 14:02:31", "2026-11-17T14:02:31+01:00"),
        ("2026-11-17T14:02:31+02:00", "2026-11-17T14:02:31+02:00"),
        ("02:50", "2026-11-20T02:50:00+01:00"),
        ("14:02", "2026-11-19T14:02:00+01:00"),
        ("today 14:02", "2026-11-20T14:02:00+01:00"),
        ("yesterday 14:02:05", "2026-11-19T14:02:05+01:00"),
        ("tue 14:00", "2026-11-17T14:00:00+01:00"),
        ("Tuesday 14:00", "2026-11-17T14:00:00+01:00"),
        ("2026-11-17", "2026-11-17T00:00:00+01:00"),
        ("-2h", "2026-11-20T01:12:44+01:00"),
        ("now", "2026-11-20T03:12:44+01:00"),
    ],
)
def test_that_a_typed_time_means_what_an_operator_means(typed: str, meant: str) -> None:
    assert iso(parse_moment(typed, ZONE, NOW_US), ZONE) == iso(parse_moment(meant, ZONE, 0), ZONE)


@pytest.mark.parametrize("typed", ["", "soon", "25:00", "14:61", "2026-13-01", "-", "-x", "smurfday 12:00"])
def test_that_what_is_no_time_is_refused_with_the_forms(typed: str) -> None:
    with pytest.raises(ValueError, match="time"):
        parse_moment(typed, ZONE, NOW_US)


@given(st.integers(0, 4 * 10**15))
def test_that_a_time_written_out_is_read_back_to_the_microsecond(time_us: int) -> None:
    assert parse_moment(iso(time_us, ZONE), ZONE, 0) == time_us
    assert from_datetime(to_datetime(time_us, ZONE)) == time_us


def test_that_durations_read_like_on_an_alarm_list() -> None:
    assert [span_words(t) for t in (13 * SECOND, 572 * SECOND, 83 * MINUTE, 2 * HOUR, 4 * DAY + 2 * HOUR)] == [
        "13 s",
        "9 min 32 s",
        "1 h 23 min",
        "2 h",
        "4 d 2 h",
    ]
