"""Curves: history once, live samples after it, gaps shown as gaps."""

from concurrent.futures import Future

import numpy as np

from hmi.core.clock import MINUTE, SECOND
from hmi.core.event import Coverage
from hmi.core.series import raw_series
from hmi.core.status import BAD_NO_COMMUNICATION, BAD_NO_DATA, GOOD, UNCERTAIN_LAST_USABLE_VALUE
from hmi.mimic.history import Covered, Curve, Curves, Interval, Kind
from tests.mimic.plant_on_a_table import NOW_US, PlantOnATable, measure, plant_of

SPAN = 60 * MINUTE


def series(times: list[int], values: list[float], status: list[int] | int = GOOD) -> object:
    n = len(times)
    codes = np.full(n, status, np.uint32) if isinstance(status, int) else np.array(status, np.uint32)
    return raw_series("LT-250", NOW_US - SPAN, NOW_US, np.array(times, np.int64), np.array(values), codes)


def curve(*args: object, covered: list[Interval] | None = None, columns: int = 60) -> Curve:
    made = Curve("LT-250", 0, SPAN, columns)
    made.load(series(*args), None if covered is None else Covered(covered))  # type: ignore[arg-type]
    return made


def test_that_a_value_holds_until_the_next_sample() -> None:
    columns = curve([NOW_US - 2 * SPAN, NOW_US - 30 * MINUTE], [3.0, 4.0]).at(NOW_US)
    assert set(columns.kind) == {Kind.VALUE}
    assert columns.last[0] == 3.0
    assert columns.last[-1] == 4.0


def test_that_a_short_peak_is_not_lost_in_its_column() -> None:
    times = [NOW_US - SPAN + k * SECOND for k in range(3600)]
    values = [1.0] * 3600
    values[1801] = 9.0
    columns = curve(times, values).at(NOW_US)
    assert max(columns.high) == 9.0


def test_that_bad_and_not_recorded_samples_make_gaps_of_their_kind() -> None:
    times = [NOW_US - 50 * MINUTE, NOW_US - 40 * MINUTE, NOW_US - 20 * MINUTE]
    bad = curve(times, [3.0, np.nan, 3.0], [GOOD, BAD_NO_COMMUNICATION, GOOD]).at(NOW_US)
    missing = curve(times, [3.0, np.nan, 3.0], [GOOD, BAD_NO_DATA, GOOD]).at(NOW_US)
    assert bad.kind[30] == Kind.BAD
    assert missing.kind[30] == Kind.NOT_RECORDED
    assert bad.kind[15] == bad.kind[50] == Kind.VALUE
    assert bad.kind[0] == Kind.NOTHING


def test_that_a_stale_value_is_drawn_weakly() -> None:
    columns = curve([NOW_US - 50 * MINUTE], [3.0], UNCERTAIN_LAST_USABLE_VALUE).at(NOW_US)
    assert columns.kind[-1] == Kind.WEAK


def test_that_the_last_value_before_a_gap_of_the_collector_is_not_drawn_across_it() -> None:
    covered = [
        Interval(NOW_US - SPAN, NOW_US - 40 * MINUTE),
        Interval(NOW_US - 20 * MINUTE, NOW_US),
    ]
    columns = curve([NOW_US - 59 * MINUTE, NOW_US - 10 * MINUTE], [3.0, 4.0], covered=covered).at(NOW_US)
    assert columns.kind[10] == Kind.VALUE
    assert columns.kind[30] == Kind.NOT_RECORDED
    assert columns.kind[45] == Kind.NOT_RECORDED, "since the collector came back nothing was read"
    assert columns.kind[55] == Kind.VALUE


def session_with_history() -> PlantOnATable:
    session = PlantOnATable(plant_of([measure("LT-250")]))
    session.remember("LT-250", [3.0] * 60)
    session.put("LT-250", 3.0)
    return session


def test_that_history_is_asked_for_once_and_live_samples_follow_it() -> None:
    session = session_with_history()
    curves = Curves(session.plant)
    shown = curves.curve(0, SPAN, 60)
    for _ in range(5):
        curves.frame(session, session.now_us(), [])
    assert len(session.asked) == 1
    session.time_us += 2 * MINUTE
    session.put("LT-250", 9.0)
    curves.frame(session, NOW_US + 3 * SECOND, [0])
    columns = shown.at(session.time_us + 2 * MINUTE)
    assert columns.last[-1] == 9.0
    assert columns.last[0] == 3.0


def test_that_a_jump_of_the_time_asks_again_and_forgets_the_future() -> None:
    session = session_with_history()
    curves = Curves(session.plant)
    shown = curves.curve(0, SPAN, 60)
    curves.frame(session, NOW_US, [])
    curves.frame(session, NOW_US + SECOND // 20, [])
    assert shown.loaded
    earlier = NOW_US - 24 * SPAN
    curves.frame(session, earlier, [])
    assert len(session.asked) == 2
    assert session.asked[-1][2] == earlier


def test_that_nothing_is_drawn_while_history_is_on_its_way() -> None:
    session = session_with_history()
    curves = Curves(session.plant)
    shown = curves.curve(0, SPAN, 60)
    assert set(shown.at(NOW_US).kind) == {Kind.NOTHING}


def test_that_the_device_decides_what_was_covered() -> None:
    session = session_with_history()
    session.past["LT-250"] = (np.array([NOW_US - SPAN]), np.array([3.0]), np.array([GOOD], np.uint32))
    session.covered = [
        Coverage("collector", NOW_US - SPAN, NOW_US),
        Coverage("PLC-1", NOW_US - SPAN, NOW_US - 30 * MINUTE, "no answer"),
    ]
    curves = Curves(session.plant)
    shown = curves.curve(0, SPAN, 60)
    curves.frame(session, NOW_US, [])
    curves.frame(session, NOW_US, [])
    assert shown.at(NOW_US).kind[10] == Kind.VALUE


def test_that_after_a_jump_ahead_the_last_value_is_not_held_before_history_has_come() -> None:
    session = session_with_history()
    curves = Curves(session.plant)
    shown = curves.curve(0, SPAN, 60)
    curves.frame(session, NOW_US, [])
    curves.frame(session, NOW_US, [])
    session.history = lambda *_: Future()  # type: ignore[method-assign, assignment]
    later = NOW_US + SPAN // 2
    curves.frame(session, later, [])
    columns = shown.at(later)
    assert columns.kind[10] == Kind.VALUE
    assert set(columns.kind[32:]) == {Kind.NOTHING}


def test_that_many_histories_are_taken_over_a_few_a_frame() -> None:
    tags = [measure(f"T-{i}") for i in range(20)]
    session = PlantOnATable(plant_of(tags))
    curves = Curves(session.plant)
    for i, tag in enumerate(tags):
        session.remember(tag.name, [3.0] * 60)
        curves.curve(i, SPAN, 60)
    curves.frame(session, NOW_US, [])
    came = [len(curves.frame(session, NOW_US, [])) for _ in range(4)]
    assert came == [8, 8, 4, 0]
    assert not curves.waiting
    assert len(session.asked) == 1
