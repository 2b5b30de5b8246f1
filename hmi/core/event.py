"""What happened: alarm transitions, acknowledgements, writes, starts and stops. They travel the road of samples."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class EventKind(StrEnum):
    ALARM_RAISED = "alarm.raised"
    ALARM_ACKNOWLEDGED = "alarm.acknowledged"
    ALARM_RETURNED = "alarm.returned"
    WRITE_REQUESTED = "write.requested"
    WRITE_CONFIRMED = "write.confirmed"
    WRITE_REFUSED = "write.refused"
    WRITE_FAILED = "write.failed"
    WRITE_UNKNOWN = "write.unknown"
    COLLECTOR_STARTED = "collector.started"
    COLLECTOR_STOPPED = "collector.stopped"
    DEVICE_LOST = "device.lost"
    DEVICE_BACK = "device.back"
    CONFIGURATION = "configuration"
    HISTORY_GAP = "history.gap"
    QUARANTINE = "quarantine"
    DISK_FILLING = "disk.filling"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    `source` is a tag, a device or `collector`. `key` is the alarm's key, or the id of a write request, so that what
    belongs together can be found. `detail` holds what the kind adds, as JSON can hold it (value, limit, old, new, why).
    """

    time_us: int
    kind: EventKind
    source: str
    text: str
    key: str = ""
    priority: int = 0
    who: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Coverage:
    """A time in which something was collected: by the `collector` as a whole, or from one device.

    `end_us` moves while it lasts; `why` says why it ended and is empty while it goes on or where nobody could say.
    """

    source: str
    start_us: int
    end_us: int
    why: str = ""


COLLECTOR = "collector"
"""The source of coverage and events of the collector itself; no device may have this name."""
