"""Derived tags, staleness, the ring of recent samples, and intervals of collection."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from hmi.collector.coverage import CoverageLog, Pause
from hmi.collector.derived import DerivedTags
from hmi.collector.freshness import Freshness
from hmi.collector.history_watch import HistoryWatch
from hmi.collector.ring import SEGMENT, Ring
from hmi.collector.watch import fingerprint
from hmi.core.alarm import HISTORY_LATE, HISTORY_LOST, HISTORY_ROOM
from hmi.core.batch import make_batch
from hmi.core.clock import HOUR, MINUTE, SECOND, HandClock
from hmi.core.event import COLLECTOR, Coverage
from hmi.core.session import HistorianHealth, HistorianState
from hmi.core.status import (
    BAD_NO_COMMUNICATION,
    BAD_OUT_OF_RANGE,
    BAD_WAITING_FOR_INITIAL_DATA,
    GOOD,
    UNCERTAIN_LAST_USABLE_VALUE,
)
from hmi.core.table import Table
from tests.collector.plants import tags
from tests.collector.wall_clock import WallClock

NOW = 1_700_000_000 * SECOND
FLOWS = tags(
    {"name": "total", "expression": "= {sum} * 3.6"},
    {"name": "sum", "expression": "= {a} + {b}"},
    {"name": "a"},
    {"name": "b"},
    {"name": "ratio", "expression": "= {a} / {b}"},
)
TOTAL, SUM, A, B, RATIO = range(5)


def changed(*which: int) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
    return np.array(which, np.int32)


def test_that_a_derived_tag_follows_its_inputs_through_other_derived_tags() -> None:
    derived, table = DerivedTags(FLOWS), Table(len(FLOWS))
    table.apply(make_batch([A, B], [NOW, NOW + 5], [1.0, 2.0]))
    found = derived.evaluate(changed(A, B), table)
    assert dict(zip(found.tag.tolist(), found.value.tolist(), strict=True)) == {SUM: 3.0, TOTAL: 10.8, RATIO: 0.5}
    assert set(found.time_us.tolist()) == {NOW + 5}
    table.apply(found)
    assert not len(derived.evaluate(changed(TOTAL), table))


def test_that_a_derived_tag_has_the_worst_status_of_its_inputs() -> None:
    derived, table = DerivedTags(FLOWS), Table(len(FLOWS))
    table.apply(make_batch([A], NOW, [1.0]))
    assert set(derived.evaluate(changed(A), table).status.tolist()) == {BAD_WAITING_FOR_INITIAL_DATA}
    table.apply(make_batch([B], NOW, [0.0], UNCERTAIN_LAST_USABLE_VALUE))
    found = derived.evaluate(changed(B), table)
    by_tag = dict(zip(found.tag.tolist(), found.status.tolist(), strict=True))
    assert by_tag == {SUM: UNCERTAIN_LAST_USABLE_VALUE, TOTAL: UNCERTAIN_LAST_USABLE_VALUE, RATIO: BAD_OUT_OF_RANGE}
    table.apply(make_batch([B], NOW, [math.nan], BAD_NO_COMMUNICATION))
    found = derived.evaluate(changed(B), table)
    assert set(found.status.tolist()) == {BAD_NO_COMMUNICATION}
    assert np.isnan(found.value).all()


def test_that_derived_tags_in_a_circle_are_an_error() -> None:
    with pytest.raises(ValueError, match="depends on itself"):
        DerivedTags(tags({"name": "a", "expression": "= {b}"}, {"name": "b", "expression": "= {a}"}))


def test_that_a_tag_is_stale_once_after_three_periods_and_at_least_five_seconds() -> None:
    freshness = Freshness(tags({"period_us": SECOND // 10}, {"period_us": 10 * SECOND}), 0)
    both = changed(0, 1)
    assert freshness.newly_stale(both, 5 * SECOND).tolist() == []
    assert freshness.newly_stale(both, 5 * SECOND + 1).tolist() == [0]
    assert freshness.newly_stale(both, 31 * SECOND).tolist() == [1]
    assert freshness.newly_stale(both, 60 * SECOND).tolist() == []
    freshness.read(changed(0), 60 * SECOND)
    assert freshness.newly_stale(both, 66 * SECOND).tolist() == [0]


def test_that_the_ring_gives_back_what_came_since_a_time_and_forgets_the_old() -> None:
    ring = Ring(3, span_us=MINUTE, most=3 * SEGMENT)
    for i in range(120):
        n = SEGMENT // 40
        times = NOW + i * SECOND + np.arange(n)
        ring.add(make_batch(np.arange(n) % 3, times, np.arange(n, dtype=np.float64)))
    found = ring.since([1], NOW + 100 * SECOND)
    assert set(found.tag.tolist()) == {1}
    assert (found.time_us >= NOW + 100 * SECOND).all()
    assert (np.diff(found.time_us) > 0).all()
    assert len(found) == 20 * 34
    ring.forget(NOW + 120 * SECOND)
    assert len(ring) <= 4 * SEGMENT
    assert not len(ring.since([7, -1], 0))
    ring.forget(NOW + 600 * SECOND)
    assert len(ring) < SEGMENT


def test_that_intervals_grow_and_end_with_their_reason() -> None:
    clock, rows = HandClock(NOW), _Rows()
    log = CoverageLog(clock, rows)
    log.open(COLLECTOR)
    clock.advance_us(SECOND)
    log.open("PLC-1")
    log.tick({})
    clock.advance_us(SECOND)
    log.close("PLC-1", "no answer")
    log.close_all("stopped", {})
    assert rows.last() == {
        (COLLECTOR, NOW): Coverage(COLLECTOR, NOW, NOW + 2 * SECOND, "stopped"),
        ("PLC-1", NOW + SECOND): Coverage("PLC-1", NOW + SECOND, NOW + 2 * SECOND, "no answer"),
    }


def test_that_a_halted_collector_leaves_a_gap() -> None:
    clock, rows = HandClock(NOW), _Rows()
    log = CoverageLog(clock, rows)
    log.open(COLLECTOR)
    clock.advance_us(SECOND)
    assert log.pause() is None
    log.tick({})
    clock.advance_us(3600 * SECOND)
    assert log.pause() == Pause("the collector was halted")
    clock.advance_us(SECOND)
    assert log.pause() is None
    log.tick({})
    again = NOW + 3601 * SECOND
    assert rows.last() == {
        (COLLECTOR, NOW): Coverage(COLLECTOR, NOW, NOW + SECOND, "the collector was halted"),
        (COLLECTOR, again): Coverage(COLLECTOR, again, again + SECOND, ""),
    }


def test_that_the_interval_of_a_device_ends_when_it_was_last_heard_and_not_when_its_timeout_is_over() -> None:
    clock, rows = HandClock(NOW), _Rows()
    log = CoverageLog(clock, rows)
    log.open("PLC-1")
    log.open("PLC-2")
    heard_us = NOW + SECOND // 2
    for _ in range(3):
        clock.advance_us(SECOND)
        log.tick({"PLC-1": heard_us, "PLC-2": NOW - SECOND})
    log.close("PLC-1", "no answer", heard_us)
    log.close("PLC-2", "no answer", NOW - SECOND)
    assert rows.last() == {
        ("PLC-1", NOW): Coverage("PLC-1", NOW, heard_us, "no answer"),
        ("PLC-2", NOW): Coverage("PLC-2", NOW, NOW, "no answer"),
    }
    assert max(row.end_us for row in rows.rows) == heard_us


def test_that_a_clock_that_was_set_back_says_by_how_much() -> None:
    clock, rows = WallClock(NOW), _Rows()
    log = CoverageLog(clock, rows)
    log.open(COLLECTOR)
    clock.advance_us(2 * SECOND)
    log.tick({})
    clock.set_back_us(HOUR)
    assert log.pause() == Pause("the clock of the computer was set back by 1 h", HOUR)
    log.tick({})
    assert rows.last() == {
        (COLLECTOR, NOW): Coverage(COLLECTOR, NOW, NOW + 2 * SECOND, "the clock of the computer was set back by 1 h"),
        (COLLECTOR, clock.now_us()): Coverage(COLLECTOR, clock.now_us(), clock.now_us()),
    }


def test_that_trouble_with_history_is_an_alarm_while_it_lasts() -> None:
    watch = HistoryWatch()

    def holds(health: HistorianHealth, fill: float = 0.0, at_s: int = 0) -> set[str]:
        return {key for key, holds in watch.conditions(health, fill, NOW + at_s * SECOND).items() if holds}

    fine = HistorianHealth(HistorianState.OK)
    assert holds(fine) == set()
    assert holds(HistorianHealth(HistorianState.DOWN, waiting=5)) == {HISTORY_LATE.key}
    assert holds(HistorianHealth(HistorianState.BEHIND, lag_us=2 * MINUTE)) == {HISTORY_LATE.key}
    assert holds(fine, fill=0.75) == {HISTORY_ROOM.key}
    assert holds(fine, fill=0.65) == {HISTORY_ROOM.key}
    assert holds(fine, fill=0.5) == set()
    lost = HistorianHealth(HistorianState.OK, lost=10)
    assert holds(lost, at_s=10) == {HISTORY_LOST.key}
    assert holds(lost, at_s=60) == {HISTORY_LOST.key}
    assert holds(lost, at_s=80) == set()


class _Rows:
    """What the spool would hold: the last row of every interval."""

    def __init__(self) -> None:
        self.rows: list[Coverage] = []

    def __call__(self, rows: Sequence[Coverage]) -> None:
        self.rows += rows

    def last(self) -> dict[tuple[str, int], Coverage]:
        return {(row.source, row.start_us): row for row in self.rows}


def test_that_good_inputs_make_a_good_value() -> None:
    derived, table = DerivedTags(FLOWS), Table(len(FLOWS))
    table.apply(make_batch([A, B], NOW, [1.0, 2.0]))
    assert set(derived.evaluate(changed(A), table).status.tolist()) == {GOOD}


def test_that_links_back_up_in_the_plant_folder_are_not_followed_without_end(tmp_path: Path) -> None:
    (tmp_path / "screens").mkdir()
    (tmp_path / "screens" / "overview.yaml").write_text("version: 1")
    for name in ("one", "two", "three"):
        (tmp_path / "screens" / name).symlink_to(tmp_path)
    assert list(fingerprint(tmp_path)) == [str(tmp_path / "screens" / "overview.yaml")]
