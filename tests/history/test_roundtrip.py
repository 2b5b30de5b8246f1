"""What is recorded comes back as it was: values, status, delay, events, coverage, alarms."""

import math

import numpy as np
import pytest

from hmi.core.alarm import AlarmState
from hmi.core.batch import make_batch
from hmi.core.clock import MINUTE, SECOND
from hmi.core.event import Coverage, Event, EventKind
from hmi.core.session import HistorianState
from hmi.core.status import BAD_NO_COMMUNICATION, BAD_NO_DATA, GOOD, UNCERTAIN_LAST_USABLE_VALUE
from hmi.history.reader import Cancellation, HistoryUnavailableError, Reader
from tests.history.conftest import TAGS, Way, levels, sql


def _covered(way: Way, start_us: int, end_us: int) -> None:
    way.spool.record_coverage([Coverage("collector", start_us, end_us)])


def test_that_every_lane_and_status_comes_back_as_it_was_recorded(way: Way) -> None:
    t = way.clock.now_us() - MINUTE
    way.spool.record(
        make_batch(
            [0, 1, 2, 3, 4, 0],
            [t, t + 1, t + 2, t + 3, t + 4, t + 5],
            [1.25, float(2**53), 1.0, math.nan, math.nan, 2.5],
            [GOOD, GOOD, GOOD, GOOD, BAD_NO_COMMUNICATION, UNCERTAIN_LAST_USABLE_VALUE],
            [0, 12, 0, 0, 0, -7],
            whole=[0, 2**53 + 1, 0, 0, 0, 0],
            text=[None, None, None, "Käse 🧀", None, None],
        )
    )
    _covered(way, t, t + MINUTE)
    way.shipped()
    back = way.reader.samples_between(TAGS, t - 1, t + 10)
    assert back.tag.tolist() == [0, 1, 2, 3, 4, 0]
    assert back.time_us.tolist() == [t + i for i in range(6)]
    np.testing.assert_array_equal(back.value, [1.25, 2.0**53, 1.0, math.nan, math.nan, 2.5])
    assert back.status.tolist() == [GOOD, GOOD, GOOD, GOOD, BAD_NO_COMMUNICATION, UNCERTAIN_LAST_USABLE_VALUE]
    assert back.delay_us.tolist() == [0, 12, 0, 0, 0, -7]
    assert back.whole is not None
    assert back.whole[1] == 2**53 + 1
    assert back.text is not None
    assert back.text[3] == "Käse 🧀"
    assert way.reader.count() == 6
    assert way.reader.span() == (t, t + 5)
    health = way.historian.health
    assert (health.state, health.kind, health.stored, health.waiting) == (HistorianState.OK, "postgresql", 6, 0)


def test_that_the_value_at_a_time_is_the_one_that_held_then(way: Way) -> None:
    t = way.clock.now_us() - 10 * MINUTE
    way.spool.record(levels(t, 100))
    way.spool.record(make_batch([1], t, [7.0], whole=[7]))
    way.spool.record(make_batch([3], t + 5 * SECOND, [math.nan], text=["batch 12"]))
    _covered(way, t, t + 5 * MINUTE)
    way.shipped()
    at = way.reader.values_at([TAGS[3], TAGS[0], TAGS[1], TAGS[2]], t + 50 * SECOND + 1)
    assert at.tag.tolist() == [3, 0, 1, 2]
    assert at.value[1] == 50.0
    assert at.time_us[1] == t + 50 * SECOND
    assert at.whole is not None
    assert at.whole[2] == 7
    assert at.text is not None
    assert at.text[0] == "batch 12"
    assert at.status.tolist() == [GOOD, GOOD, GOOD, BAD_NO_DATA]
    last = way.reader.values_at(TAGS[:1], t + 5 * MINUTE)
    assert last.value[0] == 99.0


def test_that_replay_says_not_recorded_while_the_collector_was_down(way: Way) -> None:
    t = way.clock.now_us() - 10 * MINUTE
    way.spool.record(levels(t, 10))
    way.spool.record(levels(t + 5 * MINUTE, 10, tag=4))
    way.spool.record_coverage(
        [Coverage("collector", t, t + 20 * SECOND, "stopped"), Coverage("collector", t + 5 * MINUTE, t + 6 * MINUTE)]
    )
    way.shipped()
    for between in (t - SECOND, t + 21 * SECOND, t + 4 * MINUTE):
        assert way.reader.values_at(TAGS, between).status.tolist() == [BAD_NO_DATA] * 5
        assert np.isnan(way.reader.values_at(TAGS, between).value).all()
    # After the restart the level has not been read again yet: the value from before must not come back.
    again = way.reader.values_at(TAGS, t + 5 * MINUTE + 3 * SECOND)
    assert again.status[0] == BAD_NO_DATA
    assert again.value[4] == 3.0


def test_that_coverage_grows_with_each_row_and_is_never_doubled(way: Way) -> None:
    t = way.clock.now_us()
    for second in range(5):
        _covered(way, t, t + second * SECOND)
        way.shipped()
    way.spool.record_coverage([Coverage("plc", t, t + SECOND, "no answer")])
    way.shipped()
    assert way.reader.coverage(t, t + MINUTE) == [
        Coverage("collector", t, t + 4 * SECOND),
        Coverage("plc", t, t + SECOND, "no answer"),
    ]
    assert way.reader.coverage(t - MINUTE, t - 1) == []


def test_that_events_come_back_in_order_and_the_newest_win_when_there_are_too_many(way: Way) -> None:
    t = way.clock.now_us()
    told = [
        Event(
            t + i, EventKind.WRITE_CONFIRMED, "tank.level", f"number {i}", "w1", 2, "ann", {"old": 1, "new": math.inf}
        )
        for i in range(5)
    ]
    way.spool.record_events(told)
    way.shipped()
    back = way.reader.events(t, t + 10)
    assert [e.text for e in back] == [e.text for e in told]
    assert back[0].detail == {"old": 1, "new": None}
    assert (back[0].who, back[0].priority, back[0].key, back[0].kind) == ("ann", 2, "w1", EventKind.WRITE_CONFIRMED)
    assert [e.text for e in way.reader.events(t, t + 10, limit=2)] == ["number 3", "number 4"]


def test_that_alarms_at_a_time_are_told_from_what_happened_before(way: Way) -> None:
    t = way.clock.now_us() - MINUTE

    def event(second: int, kind: EventKind, key: str, value: float = 1.0, who: str = "") -> Event:
        return Event(t + second * SECOND, kind, "tank.level", kind, key, who=who, detail={"value": value})

    way.spool.record_events(
        [
            event(0, EventKind.ALARM_RAISED, "a/high", 8.5),
            event(1, EventKind.ALARM_RAISED, "b/low"),
            event(5, EventKind.ALARM_ACKNOWLEDGED, "a/high", who="ben"),
            event(6, EventKind.ALARM_RETURNED, "b/low", 3.0),
            event(9, EventKind.ALARM_RETURNED, "a/high"),
            event(12, EventKind.ALARM_RAISED, "a/high", 9.5),
        ]
    )
    way.shipped()

    def at(second: int) -> dict[str, AlarmState]:
        return {a.key: a.state for a in way.reader.alarms_at(t + second * SECOND)}

    assert at(-1) == {}
    assert at(2) == {"a/high": AlarmState.UNACKNOWLEDGED, "b/low": AlarmState.UNACKNOWLEDGED}
    assert at(7) == {"a/high": AlarmState.ACKNOWLEDGED, "b/low": AlarmState.RETURNED}
    assert at(10) == {"b/low": AlarmState.RETURNED}
    assert at(13) == {"a/high": AlarmState.UNACKNOWLEDGED, "b/low": AlarmState.RETURNED}
    raised = next(a for a in way.reader.alarms_at(t + 7 * SECOND) if a.key == "a/high")
    assert (raised.raised_us, raised.acknowledged_by, raised.value) == (t, "ben", 8.5)


def test_that_a_short_trend_is_raw_and_begins_with_the_value_that_held_before(way: Way) -> None:
    t = way.clock.now_us() - 10 * MINUTE
    way.spool.record(levels(t, 100))
    _covered(way, t, t + 5 * MINUTE)
    way.shipped()
    level, unknown = way.reader.history(["tank.level", "no.such.tag"], t + 10 * SECOND + 1, t + 20 * SECOND, 800)
    assert level.bucket_us == 0
    assert level.value.tolist() == list(range(10, 21))
    assert len(unknown) == 0


def test_that_a_long_trend_keeps_every_peak(way: Way) -> None:
    t = (way.clock.now_us() - 60 * MINUTE) // SECOND * SECOND
    batch = levels(t, 3000)
    batch.value[1234] = -500.0
    batch.value[2222] = 90_000.0
    batch.status[2222] = UNCERTAIN_LAST_USABLE_VALUE
    batch.value[100] = math.nan
    batch.status[100] = BAD_NO_COMMUNICATION
    way.spool.record(batch)
    way.shipped()
    (level,) = way.reader.history(["tank.level"], t, t + 3000 * SECOND, 100)
    assert level.bucket_us == 30 * SECOND
    assert 100 <= len(level) <= 101
    assert np.nanmin(level.low) == -500.0
    assert np.nanmax(level.high) == 90_000.0
    assert level.status[3] == BAD_NO_COMMUNICATION
    assert level.value[0] == 29.0
    assert (np.diff(level.time_us) > 0).all()


def test_that_a_renamed_tag_keeps_its_history(way: Way) -> None:
    t = way.clock.now_us() - MINUTE
    way.spool.record(levels(t, 5))
    way.shipped()
    way.close()
    from dataclasses import replace

    way.tags = (replace(TAGS[0], name="tank.height", was="tank.level"), *TAGS[1:])
    way.open()
    way.spool.record(levels(t + 10 * SECOND, 5, first=10))
    way.shipped()
    (series,) = way.reader.history(["tank.height"], t, t + MINUTE, 100)
    assert series.value.tolist() == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]
    assert sql(way.dsn(), "SELECT count(*) FROM tag WHERE name = 'tank.level'") == [(0,)]


def test_that_a_cancelled_reading_ends_and_says_so(way: Way) -> None:
    way.spool.record(levels(way.clock.now_us(), 5))
    way.shipped()
    cancel = Cancellation()
    cancel.cancel()
    with pytest.raises(HistoryUnavailableError, match="cancelled"):
        way.reader.history(["tank.level"], 0, 1, 10, cancel)


def test_that_an_empty_database_is_told_from_an_empty_history(dsn: str) -> None:
    reader = Reader(lambda: dsn)
    with pytest.raises(HistoryUnavailableError, match="no history yet"):
        reader.count()
    reader.close()


def test_that_it_people_find_names_units_and_words_in_the_views(way: Way) -> None:
    t = way.clock.now_us()
    way.spool.record(make_batch([0], t, [2.5], UNCERTAIN_LAST_USABLE_VALUE, 250_000))
    _covered(way, t - 1, t + 1)
    way.shipped()
    assert sql(way.dsn(), "SELECT tag, value, unit, quality, status, delay_s::float8 FROM v_sample") == [
        ("tank.level", 2.5, "m", "uncertain", "UncertainLastUsableValue", 0.25)
    ]
    at = "SELECT value, quality, status FROM value_at('tank.level', {} )"
    assert sql(way.dsn(), at.format("(SELECT time FROM sample)")) == [(2.5, "uncertain", "UncertainLastUsableValue")]
    assert sql(way.dsn(), at.format("now() - interval '1 day'")) == [(None, "bad", "BadNoData")]
    bare = sql(
        way.dsn(),
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')"
        " AND NOT c.relispartition AND c.relname <> 'schema_version' AND col_description(c.oid, a.attnum) IS NULL",
    )
    assert bare == [], "columns without a comment"
