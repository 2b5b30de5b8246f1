"""When alarms come, go and stay."""

import math
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hmi.collector.judge import Judge, Verdict
from hmi.core.alarm import Alarm, AlarmKind, AlarmRule, AlarmState, Priority
from hmi.core.batch import make_batch
from hmi.core.clock import SECOND
from hmi.core.event import EventKind
from hmi.core.status import BAD_NO_COMMUNICATION, GOOD
from tests.collector.plants import limit, tags

NOW = 1_700_000_000 * SECOND
LEVEL, PUMP = tags({"name": "LT-250"}, {"name": "P-302.state"})


def told(judge: Judge, value: float, at_s: float, status: int = GOOD, tag: int = 0) -> list[str]:
    return kinds(judge.judge(make_batch([tag], NOW + round(at_s * SECOND), [value], status)))


def kinds(verdict: Verdict) -> list[str]:
    return [event.kind.value for event in verdict.events]


def test_that_a_limit_is_entered_at_the_limit_and_left_below_its_deadband() -> None:
    judge = Judge([limit(LEVEL, AlarmKind.HIGH, 4.5, deadband=0.1)], 2)
    assert told(judge, 4.49, 0) == []
    assert told(judge, 4.5, 1) == ["alarm.raised"]
    assert told(judge, 4.45, 2) == []
    assert told(judge, 4.3, 3) == ["alarm.returned"]
    assert [a.state for a in judge.standing] == [AlarmState.RETURNED]


def test_that_a_low_limit_works_downwards() -> None:
    judge = Judge([limit(LEVEL, AlarmKind.LOW, 2.0, deadband=0.1)], 2)
    assert told(judge, 2.01, 0) == []
    assert told(judge, 2.0, 1) == ["alarm.raised"]
    assert told(judge, 2.05, 2) == []
    assert told(judge, 2.2, 3) == ["alarm.returned"]


def test_that_an_alarm_waits_for_its_delay() -> None:
    judge = Judge([limit(LEVEL, AlarmKind.HIGH, 4.5, on_delay_us=2 * SECOND, off_delay_us=SECOND)], 2)
    assert told(judge, 5.0, 0) == []
    assert kinds(judge.due(NOW + SECOND)) == []
    assert told(judge, 4.0, 1.5) == []
    assert kinds(judge.due(NOW + 3 * SECOND)) == []
    assert told(judge, 5.0, 4) == []
    raised = judge.due(NOW + 7 * SECOND)
    assert kinds(raised) == ["alarm.raised"]
    assert raised.alarms[0].raised_us == NOW + 6 * SECOND
    assert told(judge, 4.0, 8) == []
    assert kinds(judge.due(NOW + 9 * SECOND)) == ["alarm.returned"]


def test_that_a_peak_within_one_batch_raises_and_returns() -> None:
    judge = Judge([limit(LEVEL, AlarmKind.HIGH, 4.5)], 2)
    batch = make_batch([0, 0, 0], [NOW, NOW + 1, NOW + 2], [4.0, 6.0, 4.0])
    assert kinds(judge.judge(batch)) == ["alarm.raised", "alarm.returned"]


def test_that_a_delay_that_ended_before_the_next_sample_has_ended() -> None:
    judge = Judge([limit(LEVEL, AlarmKind.HIGH, 4.5, on_delay_us=2 * SECOND)], 2)
    told(judge, 5.0, 0)
    verdict = judge.judge(make_batch([0], NOW + 10 * SECOND, [4.0]))
    assert kinds(verdict) == ["alarm.raised", "alarm.returned"]
    assert [e.time_us - NOW for e in verdict.events] == [2 * SECOND, 10 * SECOND]


def test_that_a_bad_value_neither_raises_nor_returns() -> None:
    judge = Judge([limit(LEVEL, AlarmKind.HIGH, 4.5, on_delay_us=2 * SECOND)], 2)
    told(judge, 5.0, 0)
    assert told(judge, math.nan, 1, BAD_NO_COMMUNICATION) == []
    assert kinds(judge.due(NOW + 10 * SECOND)) == []
    told(judge, 5.0, 11)
    assert kinds(judge.due(NOW + 13 * SECOND)) == ["alarm.raised"]
    assert told(judge, math.nan, 14, BAD_NO_COMMUNICATION) == []
    assert judge.standing[0].state is AlarmState.UNACKNOWLEDGED
    assert told(judge, 4.0, 15) == ["alarm.returned"]


def test_that_a_state_alarm_knows_its_states() -> None:
    rule = AlarmRule("P-302.state/state", 1, "P-302.state", AlarmKind.STATE, Priority.URGENT, "tripped", equals=(2, 4))
    judge = Judge([rule], 2)
    assert [told(judge, v, i, tag=1) for i, v in enumerate([1.0, 2.0, 4.0, 1.0])] == [
        [],
        ["alarm.raised"],
        [],
        ["alarm.returned"],
    ]


def test_that_an_acknowledged_alarm_that_returns_is_over() -> None:
    judge = Judge([limit(LEVEL, AlarmKind.HIGH, 4.5)], 2)
    told(judge, 5.0, 0)
    verdict = judge.acknowledge(["LT-250/high", "LT-250/high", "nothing"], NOW + SECOND, "anna")
    assert kinds(verdict) == ["alarm.acknowledged"]
    assert verdict.events[0].who == "anna"
    assert not judge.acknowledge(["LT-250/high"], NOW + 2 * SECOND, "bert")
    told(judge, 4.0, 3)
    assert judge.standing == []


def test_that_what_stood_and_was_acknowledged_stays_so_in_the_next_collector() -> None:
    before = Alarm("LT-250/high", AlarmState.ACKNOWLEDGED, NOW, 0, NOW + SECOND, "anna", 5.0)
    judge = Judge([limit(LEVEL, AlarmKind.HIGH, 4.5)], 2, [before])
    assert judge.standing == [before]
    assert told(judge, 5.0, 60) == []
    assert judge.standing == [before]
    assert told(judge, 4.0, 61) == ["alarm.returned"]
    assert judge.standing == []


def test_that_an_alarm_that_the_plant_no_longer_has_ends() -> None:
    judge = Judge([], 2, [Alarm("LT-9/high", AlarmState.UNACKNOWLEDGED, NOW)])
    verdict = judge.retire(NOW + SECOND)
    assert [(a.key, a.state) for a in verdict.alarms] == [("LT-9/high", AlarmState.NORMAL)]
    assert verdict.events[0].kind is EventKind.ALARM_RETURNED
    assert not judge.retire(NOW + SECOND)


def test_that_a_lost_device_is_an_alarm_until_it_is_back() -> None:
    rule = AlarmRule("PLC-1/device_lost", -1, "PLC-1", AlarmKind.DEVICE_LOST, Priority.MEDIUM, "PLC-1 lost")
    judge = Judge([rule, limit(LEVEL, AlarmKind.HIGH, 4.5)], 2)
    assert kinds(judge.device("PLC-1", True, NOW)) == ["alarm.raised"]
    assert kinds(judge.device("PLC-1", True, NOW + 1)) == []
    assert kinds(judge.device("PLC-2", True, NOW + 1)) == []
    assert kinds(judge.device("PLC-1", False, NOW + SECOND)) == ["alarm.returned"]


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(st.sampled_from([3.0, 4.4, 4.5, 4.6, 6.0, math.nan]), max_size=40),
    cuts=st.lists(st.integers(1, 6), min_size=1, max_size=8),
)
def test_that_alarms_do_not_depend_on_how_samples_were_packed(values: list[float], cuts: list[int]) -> None:
    rules = [
        limit(LEVEL, AlarmKind.HIGH, 4.5, deadband=0.3),
        limit(LEVEL, AlarmKind.HIGH_HIGH, 5.0, on_delay_us=2 * SECOND, off_delay_us=SECOND),
    ]
    singly, packed = Judge(rules, 2), Judge(rules, 2)
    times = [NOW + i * SECOND for i in range(len(values))]
    one_by_one = [
        (e.time_us, e.key, e.kind)
        for t, v in zip(times, values, strict=True)
        for e in singly.judge(make_batch([0], t, [v])).events
    ]
    together: list[tuple[int, str, EventKind]] = []
    start = 0
    for cut in cuts * 40:
        part = slice(start, start + cut)
        start += cut
        if times[part]:
            n = len(times[part])
            verdict = packed.judge(make_batch(np.zeros(n, np.int32), times[part], values[part]))
            together += [(e.time_us, e.key, e.kind) for e in verdict.events]
    assert sorted(one_by_one) == sorted(together)
    assert singly.standing == packed.standing
    # What was raised is returned before it is raised again.
    for key in {k for _, k, _ in one_by_one}:
        order = [kind for _, k, kind in one_by_one if k == key]
        assert all(a != b for a, b in pairwise(order))


def test_that_a_delay_lasts_as_long_as_it_should_when_the_clock_was_set_back() -> None:
    (tag,) = tags({"name": "LT"})
    judge = Judge([limit(tag, AlarmKind.HIGH, 10.0, on_delay_us=5 * SECOND)], 1)
    judge.judge(make_batch([0], NOW, [11.0]))
    judge.set_back(3600 * SECOND)
    back_us = NOW - 3600 * SECOND
    assert not judge.due(back_us + 5 * SECOND - 1)
    verdict = judge.due(back_us + 5 * SECOND)
    assert [alarm.raised_us for alarm in verdict.alarms] == [back_us + 5 * SECOND]
