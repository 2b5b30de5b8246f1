"""Small plants for the tests of the collector, made without files."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from hmi.core.alarm import AlarmKind, AlarmRule, Priority
from hmi.core.device import Device
from hmi.core.plant import HistorianSettings, Plant
from hmi.core.tag import Tag


def tags(*wanted: dict[str, object]) -> tuple[Tag, ...]:
    """Tags numbered in order; each dict holds what differs from a plain float tag."""
    return tuple(Tag(**{"name": f"T-{i}", "index": i, **w}) for i, w in enumerate(wanted))  # type: ignore[arg-type]


def plant(tags: Sequence[Tag], devices: Sequence[Device] = (), alarms: Sequence[AlarmRule] = ()) -> Plant:
    return Plant(
        "Test plant",
        ZoneInfo("UTC"),
        "overview",
        tuple(devices),
        tuple(tags),
        tuple(alarms),
        {},
        HistorianSettings(),
        "1",
    )


def limit(tag: Tag, kind: AlarmKind, value: float, **more: object) -> AlarmRule:
    return AlarmRule(
        f"{tag.name}/{kind.value}",
        tag.index,
        tag.name,
        kind,
        Priority.HIGH,
        f"{tag.name} {kind.value}",
        value,
        **more,  # type: ignore[arg-type]
    )
