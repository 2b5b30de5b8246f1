"""Alarms as they were: the state of each, told from the events that were recorded."""

import math
from collections.abc import Iterable

from hmi.core.alarm import Alarm, AlarmState, acknowledge, raise_alarm, return_alarm
from hmi.core.event import Event, EventKind


def alarm_after(alarm: Alarm | None, event: Event) -> Alarm | None:
    """The alarm after one event, or None where the event is not of an alarm. `alarm` is None where it was normal."""
    before = alarm or Alarm(event.key)
    number = event.detail.get("value")
    value = math.nan if number is None else float(number)
    if event.kind is EventKind.ALARM_RAISED:
        return raise_alarm(before, event.time_us, value)
    if event.kind is EventKind.ALARM_ACKNOWLEDGED:
        return acknowledge(before, event.time_us, event.who)
    if event.kind is EventKind.ALARM_RETURNED:
        return return_alarm(before, event.time_us, value)
    return None


def alarms_after(events: Iterable[Event], before: Iterable[Alarm] = ()) -> list[Alarm]:
    """All alarms that are not normal after `events`, which rise in time."""
    alarms = {alarm.key: alarm for alarm in before}
    for event in events:
        after = alarm_after(alarms.get(event.key), event)
        if after is not None:
            alarms[event.key] = after
    return [alarm for alarm in alarms.values() if alarm.state is not AlarmState.NORMAL]
