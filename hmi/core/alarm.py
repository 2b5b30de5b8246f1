"""Alarm rules and the ISA-18.2 state of each alarm, as pure data and functions."""

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum


class Priority(IntEnum):
    URGENT = 1
    HIGH = 2
    MEDIUM = 3
    LOW = 4

    @property
    def word(self) -> str:
        return ("Urgent", "High", "Medium", "Low")[self - 1]


class AlarmKind(StrEnum):
    """What is judged. The first four are limits, in the order of an indicator's scale."""

    HIGH_HIGH = "high_high"
    HIGH = "high"
    LOW = "low"
    LOW_LOW = "low_low"
    STATE = "state"
    DEVICE_LOST = "device_lost"
    COLLECTOR = "collector"

    @property
    def letters(self) -> str:
        """HH, H, L, LL as on an indicator; empty for the others."""
        return {"high_high": "HH", "high": "H", "low": "L", "low_low": "LL"}.get(self.value, "")


class AlarmState(StrEnum):
    """ISA-18.2 states without shelving: A normal, B unacknowledged, C acknowledged, D returned unacknowledged."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"

    @property
    def active(self) -> bool:
        return self in (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """One alarm that can happen.

    `key` is stable over restarts and edits: `LT-250/high`, `PLC-2/device_lost`. `tag` is an index into `Plant.tags`,
    or -1 for an alarm of a device (`source` names the device) or of the collector itself.
    A limit is entered at `limit` and left at `limit` minus (plus, for low) `deadband`. The condition must hold for
    `on_delay_us` before the alarm is raised and be gone for `off_delay_us` before it returns.
    A value of Bad quality neither raises nor returns an alarm.
    """

    key: str
    tag: int
    source: str
    kind: AlarmKind
    priority: Priority
    text: str
    limit: float = 0.0
    deadband: float = 0.0
    on_delay_us: int = 0
    off_delay_us: int = 0
    equals: tuple[int, ...] = ()
    cause: str = ""
    consequence: str = ""
    action: tuple[str, ...] = ()
    respond_us: int | None = None
    area: str = ""
    screen: str | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """The state of one alarm. Times are microseconds UTC, 0 where it has not happened."""

    key: str
    state: AlarmState = AlarmState.NORMAL
    raised_us: int = 0
    returned_us: int = 0
    acknowledged_us: int = 0
    acknowledged_by: str = ""
    value: float = float("nan")


def raise_alarm(alarm: Alarm, time_us: int, value: float) -> Alarm:
    """The condition came. A returned, unacknowledged alarm that comes again is unacknowledged anew."""
    if alarm.state.active:
        return alarm
    return Alarm(alarm.key, AlarmState.UNACKNOWLEDGED, raised_us=time_us, value=value)


def return_alarm(alarm: Alarm, time_us: int, value: float) -> Alarm:
    """The condition went."""
    if not alarm.state.active:
        return alarm
    after = AlarmState.NORMAL if alarm.state is AlarmState.ACKNOWLEDGED else AlarmState.RETURNED
    return replace(alarm, state=after, returned_us=time_us, value=value)


def acknowledge(alarm: Alarm, time_us: int, who: str) -> Alarm:
    """An operator has seen it. Acknowledging twice changes nothing."""
    if alarm.state is AlarmState.UNACKNOWLEDGED:
        after = AlarmState.ACKNOWLEDGED
    elif alarm.state is AlarmState.RETURNED:
        after = AlarmState.NORMAL
    else:
        return alarm
    return replace(alarm, state=after, acknowledged_us=time_us, acknowledged_by=who)


_LIST_ORDER = {AlarmState.UNACKNOWLEDGED: 0, AlarmState.ACKNOWLEDGED: 1, AlarmState.RETURNED: 2, AlarmState.NORMAL: 3}


def list_order(rule: AlarmRule, alarm: Alarm) -> tuple[int, int, int]:
    """Sort key of alarm lists: unacknowledged, acknowledged, returned; then priority; then newest."""
    return (_LIST_ORDER[alarm.state], int(rule.priority), -alarm.raised_us)


HISTORY_LATE = AlarmRule(
    key="collector/history_late",
    tag=-1,
    source="collector",
    kind=AlarmKind.COLLECTOR,
    priority=Priority.MEDIUM,
    text="History: samples wait for the database",
    on_delay_us=10_000_000,
    off_delay_us=5_000_000,
    cause="The database does not answer, or is too slow.",
    consequence="Replay and long trends lack the newest samples. Nothing is lost: they wait on the collector's disk.",
    action=("Look at the historian in the status line", "Restart the database or its connection"),
)
HISTORY_ROOM = AlarmRule(
    key="collector/history_room",
    tag=-1,
    source="collector",
    kind=AlarmKind.COLLECTOR,
    priority=Priority.HIGH,
    text="History: the collector's disk is nearly full",
    cause="The disk is full of other things, or the database has been away for long.",
    consequence="When the disk is full, new samples cannot be kept and history gets a gap.",
    action=("Free space on the disk of the collector", "See that the database answers"),
)
HISTORY_LOST = AlarmRule(
    key="collector/history_lost",
    tag=-1,
    source="collector",
    kind=AlarmKind.COLLECTOR,
    priority=Priority.HIGH,
    text="History: samples are being lost",
    cause="The disk that keeps samples until the database has them is full or does not take them.",
    consequence="History has a gap, which replay shows as not recorded.",
    action=("Free space on the disk of the collector", "See that the database answers"),
)
COLLECTOR_RULES = (HISTORY_LATE, HISTORY_ROOM, HISTORY_LOST)
"""Alarms of the collector itself, which every plant has."""
