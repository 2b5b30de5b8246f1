"""The states of an alarm, by the rules of ISA-18.2."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hmi.core.alarm import (
    Alarm,
    AlarmKind,
    AlarmRule,
    AlarmState,
    Priority,
    acknowledge,
    list_order,
    raise_alarm,
    return_alarm,
)


class AlarmLife(RuleBasedStateMachine):
    """Any order of coming, going and acknowledging."""

    def __init__(self) -> None:
        super().__init__()
        self.alarm = Alarm("LT-250/high")
        self.time_us = 0
        self.there = False
        self.seen = True

    @rule(value=st.floats(-10, 10))
    def comes(self, value: float) -> None:
        self.time_us += 1
        if not self.there:
            self.seen = False
        self.there = True
        self.alarm = raise_alarm(self.alarm, self.time_us, value)

    @rule(value=st.floats(-10, 10))
    def goes(self, value: float) -> None:
        self.time_us += 1
        self.there = False
        self.alarm = return_alarm(self.alarm, self.time_us, value)

    @rule()
    def is_acknowledged(self) -> None:
        self.time_us += 1
        self.seen = True
        self.alarm = acknowledge(self.alarm, self.time_us, "operator")

    @invariant()
    def is_what_came_and_was_seen(self) -> None:
        expected = {
            (False, True): AlarmState.NORMAL,
            (True, False): AlarmState.UNACKNOWLEDGED,
            (True, True): AlarmState.ACKNOWLEDGED,
            (False, False): AlarmState.RETURNED,
        }
        assert self.alarm.state is expected[self.there, self.seen]
        assert self.alarm.state.active == self.there
        if self.alarm.state in (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED):
            assert self.alarm.acknowledged_us == 0


AlarmLife.TestCase.settings = settings(max_examples=40, deadline=None)
TestAlarmLife = AlarmLife.TestCase


def test_that_the_list_shows_unacknowledged_first_then_the_worst_then_the_newest() -> None:
    def of(priority: Priority) -> AlarmRule:
        return AlarmRule("k", 0, "k", AlarmKind.HIGH, priority, "")

    shown = [
        (of(Priority.LOW), Alarm("a", AlarmState.UNACKNOWLEDGED, raised_us=9)),
        (of(Priority.URGENT), Alarm("b", AlarmState.ACKNOWLEDGED, raised_us=99)),
        (of(Priority.URGENT), Alarm("c", AlarmState.UNACKNOWLEDGED, raised_us=1)),
        (of(Priority.URGENT), Alarm("d", AlarmState.UNACKNOWLEDGED, raised_us=2)),
        (of(Priority.URGENT), Alarm("e", AlarmState.RETURNED, raised_us=2)),
    ]
    assert "".join(alarm.key for _, alarm in sorted(shown, key=lambda pair: list_order(*pair))) == "dcabe"
