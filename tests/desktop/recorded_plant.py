"""A small waterworks with eight recorded hours in memory: a live session, and replay sessions on what it recorded."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from hmi.core.alarm import Alarm, AlarmKind, AlarmRule, AlarmState, Priority, acknowledge
from hmi.core.batch import make_batch
from hmi.core.clock import HOUR, MINUTE, SECOND, HandClock
from hmi.core.command import Write, WriteState
from hmi.core.device import Device, DeviceHealth, DeviceState
from hmi.core.event import COLLECTOR, Coverage, Event, EventKind
from hmi.core.plant import HistorianSettings, Plant
from hmi.core.problem import Problem
from hmi.core.screen import Screen, ScreenHead
from hmi.core.series import Series, envelope, raw_series
from hmi.core.session import Health, HistorianHealth, HistorianState, LinkState, Mode
from hmi.core.status import BAD_NO_COMMUNICATION, BAD_NO_DATA, GOOD, UNCERTAIN_SENSOR_NOT_ACCURATE
from hmi.core.table import Table
from hmi.core.tag import DataType, Tag, WriteRule

T = TypeVar("T")
NOW_US = 1_763_604_764 * SECOND
"""Thu 20 Nov 2025 03:12:44 in Berlin."""
STEP_US = 10 * SECOND
GAP = (NOW_US - 5 * HOUR - 27 * MINUTE, NOW_US - 5 * HOUR - 9 * MINUTE)


def done(value: T) -> "Future[T]":
    future: Future[T] = Future()
    future.set_result(value)
    return future


def _measure(
    name: str, description: str, unit: str, normal: tuple[float, float], decimals: int = 2, **more: Any
) -> Tag:
    middle, half = sum(normal) / 2, (normal[1] - normal[0]) / 2
    return Tag(
        name, 0, DataType.FLOAT32, description, unit, decimals, more.pop("device", "PLC-1"), "holding:40", SECOND,
        low=middle - 2.5 * half, high=middle + 2.5 * half, normal=normal, deadband=0.01, **more,
    )  # fmt: skip


TAGS = (
    _measure("LT-101", "River level", "m", (2.0, 2.7)),
    _measure("FT-110", "Raw-water flow", "L/s", (360, 440), 0),
    _measure("LT-250", "Clear-water tank level", "m", (3.5, 4.3)),
    _measure("PT-310", "Header pressure", "bar", (5.1, 5.6), setpoint="PT-310.SP"),
    _measure("PT-401", "North pressure", "bar", (4.8, 5.6)),
    _measure("PT-402", "South pressure", "bar", (4.5, 5.3)),
    _measure("FT-310", "Outgoing flow", "L/s", (340, 430), 0),
    _measure("FT-401", "North flow", "L/s", (180, 240), 0),
    _measure("FT-402", "South flow", "L/s", (150, 200), 0),
    _measure("AT-210", "Turbidity", "NTU", (0.04, 0.14), device="PLC-2"),
    Tag("PT-310.SP", 0, DataType.FLOAT32, "Header pressure setpoint", "bar", 2, "PLC-1", "holding:90",
        write=WriteRule(4.0, 6.0, timeout_us=5 * SECOND)),
    Tag("P-301.state", 0, DataType.UINT16, "High-lift pump 1", device="PLC-1", address="holding:100",
        states={0: "stopped", 1: "running", 2: "tripped"}),
    Tag("P-301.run", 0, DataType.BOOL, "High-lift pump 1 start", device="PLC-1", address="coil:3",
        write=WriteRule(confirm=True)),
    Tag("P-302.state", 0, DataType.UINT16, "High-lift pump 2", device="PLC-1", address="holding:120",
        states={0: "stopped", 1: "running", 2: "tripped"}),
)  # fmt: skip


def _rule(
    key: str, tag: str, kind: AlarmKind, priority: Priority, text: str, limit: float = 0, **more: Any
) -> AlarmRule:
    index = next((i for i, t in enumerate(TAGS) if t.name == tag), -1)
    return AlarmRule(key, index, tag, kind, priority, text, limit, **more)


RULES = (
    _rule("LT-250/high", "LT-250", AlarmKind.HIGH, Priority.HIGH, "Clear-water tank: level high", 4.5, deadband=0.05,
          on_delay_us=2 * SECOND, area="Clear water", screen="clear-water", cause="Outflow lower than inflow.",
          consequence="The tank overflows in about 25 min.", action=("Stop a raw-water pump.", "See that P-301 runs."),
          respond_us=15 * MINUTE),
    _rule("LT-250/high_high", "LT-250", AlarmKind.HIGH_HIGH, Priority.URGENT, "Clear-water tank: overflow near", 4.8),
    _rule("P-302.state/state", "P-302.state", AlarmKind.STATE, Priority.URGENT, "P-302 tripped, motor overload",
          area="High-lift", respond_us=5 * MINUTE),
    _rule("PT-310/high", "PT-310", AlarmKind.HIGH, Priority.MEDIUM, "Header pressure high", 5.8, area="High-lift"),
    _rule("PT-401/low", "PT-401", AlarmKind.LOW, Priority.HIGH, "North pressure low", 4.5, area="Zones"),
    _rule("FT-310/low", "FT-310", AlarmKind.LOW, Priority.LOW, "Outgoing flow low", 300, area="High-lift"),
    _rule("PLC-2/device_lost", "PLC-2", AlarmKind.DEVICE_LOST, Priority.MEDIUM, "Device lost, no answer",
          area="Filters"),
)  # fmt: skip

HEADS: dict[str, dict[str, Any]] = {
    "overview": {"title": "Overview", "level": 1},
    "clear-water": {"title": "Clear water", "level": 2, "parent": "overview", "order": 1},
    "high-lift": {"title": "High-lift station", "level": 2, "parent": "overview", "order": 2, "size": (1352, 888)},
    "faceplates/pump": {"title": "$pump", "level": 3, "size": (568, 240), "params": {"pump": {"type": "prefix"}}},
}
ELEMENTS: dict[str, list[dict[str, Any]]] = {
    "overview": [
        {"type": "text", "at": (40, 32), "text": "Clear water", "style": "heading", "open": {"screen": "clear-water"}},
        {"type": "value", "at": (34, 44), "size": (288, 48), "value": "LT-250", "style": "key", "caption": "Tank level",
         "open": {"tag": "LT-250"}, "id": "level"},
        {"type": "value", "at": (400, 44), "size": (288, 48), "value": "FT-110", "style": "key",
         "caption": "Raw-water flow"},
        {"type": "pipe", "points": ((80, 300), (900, 300))},
        {"type": "pump", "at": (456, 300), "state": "P-301.state", "id": "P-301",
         "open": {"faceplate": "pump", "with": {"pump": "P-301"}}},
        {"type": "pump", "at": (656, 300), "state": "P-302.state", "id": "P-302"},
        {"type": "tank", "at": (900, 220), "size": (150, 180), "level": "LT-250"},
        {"type": "horizon", "at": (24, 540), "size": (1872, 320), "columns": (
            ("LT-101", "FT-110", "LT-250"), ("PT-310", "PT-401", "PT-402"),
            ("FT-310", "FT-401", "FT-402"), ("AT-210",))},
    ],
    "clear-water": [
        {"type": "tank", "at": (400, 220), "size": (300, 360), "level": "LT-250"},
        {"type": "setpoint", "at": (800, 300), "tag": "PT-310.SP", "label": "Header pressure"},
        {"type": "button", "at": (800, 400), "text": "Start", "write": "P-301.run", "to": True,
         "confirm": "Start P-301?"},
    ],
    "high-lift": [{"type": "value", "at": (100, 100), "value": "PT-310"}],
    "faceplates/pump": [
        {"type": "pump", "at": (60, 60), "state": "$pump.state"},
        {"type": "text", "at": (110, 64), "text": "{$pump.state}", "style": "state"},
        {"type": "button", "at": (400, 40), "text": "Start…", "write": "$pump.run", "to": True,
         "confirm": "Start $pump?"},
    ],
}  # fmt: skip


def _filled(raw: object, parameters: Mapping[str, Any]) -> Any:
    if isinstance(raw, str):
        for name, value in parameters.items():
            raw = raw.replace(f"${name}", str(value))
        return raw
    if isinstance(raw, dict):
        return {key: _filled(value, parameters) for key, value in raw.items()}
    if isinstance(raw, list | tuple):
        return tuple(_filled(value, parameters) for value in raw)
    return raw


def _open(name: str, parameters: Mapping[str, Any]) -> tuple[Screen, list[Problem]]:
    head = ScreenHead.model_validate(_filled(HEADS[name], parameters))
    return Screen.model_validate({"name": name, "head": head, "elements": _filled(ELEMENTS[name], parameters)}), []


def make_plant() -> Plant:
    return Plant(
        "Ostbach Waterworks", ZoneInfo("Europe/Berlin"), "overview",
        (Device("PLC-1", "modbus-tcp", None, "Waterworks"), Device("PLC-2", "modbus-tcp", None, "Filters 3 and 4")),
        tuple(replace(tag, index=i) for i, tag in enumerate(TAGS)), RULES,
        {name: ScreenHead.model_validate(head) for name, head in HEADS.items()}, HistorianSettings(), "r1", {}, _open,
    )  # fmt: skip


class Records:
    """What was recorded: values every ten seconds, a gap of eighteen minutes, events."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        times = np.arange(NOW_US - 10 * HOUR, NOW_US + 1, STEP_US, dtype=np.int64)
        self.time_us = times[(times < GAP[0]) | (times >= GAP[1])]
        self.value: dict[str, np.ndarray] = {}
        self.status: dict[str, np.ndarray] = {}
        hours = (self.time_us - NOW_US) / HOUR
        for i, tag in enumerate(plant.tags):
            if tag.normal is not None:
                middle, half = sum(tag.normal) / 2, (tag.normal[1] - tag.normal[0]) / 2
                noise = np.random.default_rng(i).normal(0, 0.06, len(hours))
                values = middle + half * (0.6 * np.sin(hours * 1.3 + i) + noise)
            elif tag.name == "PT-310.SP":
                values = np.full(len(hours), 5.4)
            else:
                values = np.ones(len(hours))
            self.value[tag.name] = values
            self.status[tag.name] = np.zeros(len(hours), np.uint32)
        rising = hours > -0.6
        self.value["LT-250"][rising] = np.linspace(4.0, 4.62, int(rising.sum()))
        self.value["P-302.state"][(hours > -4.2) & (hours < -3.6)] = 2
        doubtful = (hours > -2) & (hours < -1.2)
        self.status["FT-402"][doubtful] = UNCERTAIN_SENSOR_NOT_ACCURATE
        self.status["AT-210"][hours > -0.3] = BAD_NO_COMMUNICATION
        self.coverage = [
            Coverage(COLLECTOR, NOW_US - 10 * HOUR, GAP[0], "Collector stopped by Engineer 1: update"),
            Coverage(COLLECTOR, GAP[1], NOW_US),
            Coverage("PLC-1", NOW_US - 10 * HOUR, GAP[0]), Coverage("PLC-1", GAP[1], NOW_US),
            Coverage("PLC-2", NOW_US - 10 * HOUR, GAP[0]), Coverage("PLC-2", GAP[1], NOW_US - 18 * MINUTE, "no answer"),
        ]  # fmt: skip

        def raised(ago_us: int, key: str, text: str) -> Event:
            rule = plant.rule[key]
            return Event(NOW_US - ago_us, EventKind.ALARM_RAISED, rule.source, text, key, int(rule.priority))

        self.events = [
            raised(7 * HOUR + 17 * MINUTE, "FT-310/low", "Outgoing flow low"),
            raised(4 * HOUR + 12 * MINUTE, "P-302.state/state", "P-302 tripped, motor overload"),
            raised(27 * MINUTE, "PLC-2/device_lost", "PLC-2 lost, no answer"),
            raised(9 * MINUTE + 32 * SECOND, "LT-250/high", "Clear-water tank: level high"),
            Event(NOW_US - 4 * HOUR - 10 * MINUTE, EventKind.ALARM_ACKNOWLEDGED, "P-302.state", "Acknowledged",
                  "P-302.state/state", 1, "Operator 2"),
            Event(NOW_US - 3 * HOUR - 36 * MINUTE, EventKind.ALARM_RETURNED, "P-302.state", "Returned",
                  "P-302.state/state", 1),
            Event(NOW_US - 2 * HOUR, EventKind.WRITE_REQUESTED, "PT-310.SP", "PT-310.SP 5.20 → 5.40", "w1",
                  who="Operator 2"),
            Event(NOW_US - 2 * HOUR + SECOND, EventKind.WRITE_CONFIRMED, "PT-310.SP", "PT-310.SP 5.40 confirmed", "w1",
                  who="Operator 2"),
        ]  # fmt: skip
        self.events.sort(key=lambda event: event.time_us)

    def collected(self, time_us: int) -> bool:
        return any(c.source == COLLECTOR and c.start_us <= time_us <= c.end_us for c in self.coverage)

    def history(self, tags: Sequence[str], start_us: int, end_us: int, buckets: int) -> list[Series]:
        first = max(int(np.searchsorted(self.time_us, start_us, "right")) - 1, 0)
        last = int(np.searchsorted(self.time_us, end_us, "right"))
        part = slice(first, last)
        return [
            envelope(
                raw_series(tag, start_us, end_us, self.time_us[part], self.value[tag][part], self.status[tag][part]),
                buckets,
            )
            for tag in tags
        ]

    def alarms_at(self, time_us: int) -> list[Alarm]:
        found: dict[str, Alarm] = {}
        for event in self.events:
            if event.time_us > time_us:
                break
            if event.kind is EventKind.ALARM_RAISED:
                found[event.key] = Alarm(event.key, AlarmState.UNACKNOWLEDGED, event.time_us)
            elif event.kind is EventKind.ALARM_ACKNOWLEDGED:
                found[event.key] = acknowledge(found[event.key], event.time_us, event.who)
            elif event.kind is EventKind.ALARM_RETURNED:
                found.pop(event.key, None)
        return [alarm for key, alarm in found.items() if key != "FT-310/low"]


class _OnRecords:
    """What live and replay have in common."""

    def __init__(self, records: Records, clock: HandClock) -> None:
        self.records = records
        self.plant = records.plant
        self.clock = clock
        self.table = Table(len(records.plant.tags))
        self.plant_version = 1
        self.problems: Sequence[Problem] = ()
        self.alarms: list[Alarm] = []
        self.alarms_version = 0
        self.writes: list[Write] = []
        self.writes_version = 0
        self.asked: list[tuple[tuple[str, ...], int, int]] = []
        self.closed = False
        self.historian_trouble = ""

    def show(self, time_us: int) -> None:
        """The table as it was at a time."""
        at = int(np.searchsorted(self.records.time_us, time_us, "right")) - 1
        names = [tag.name for tag in self.plant.tags]
        if not self.records.collected(time_us) or at < 0:
            self.table.apply(make_batch(range(len(names)), time_us, np.full(len(names), np.nan), BAD_NO_DATA))
            return
        values = [float(self.records.value[name][at]) for name in names]
        status = [int(self.records.status[name][at]) for name in names]
        self.table.apply(
            make_batch(range(len(names)), int(self.records.time_us[at]), values, np.array(status, np.uint32), 38_000)
        )

    def history(self, tags: Sequence[str], start_us: int, end_us: int, buckets: int) -> "Future[list[Series]]":
        self.asked.append((tuple(tags), start_us, end_us))
        if self.historian_trouble:
            failed: Future[list[Series]] = Future()
            failed.set_exception(OSError(self.historian_trouble))
            return failed
        return done(self.records.history(tags, start_us, end_us, buckets))

    def coverage(self, start_us: int, end_us: int) -> "Future[list[Coverage]]":
        return done([c for c in self.records.coverage if c.start_us < end_us and c.end_us > start_us])

    def events(self, start_us: int, end_us: int, limit: int = 10_000) -> "Future[list[Event]]":
        return done([e for e in self.records.events if start_us <= e.time_us <= end_us][:limit])

    def close(self) -> None:
        self.closed = True


class LiveOnRecords(_OnRecords):
    """The plant now. Writes stay pending until `end_write`."""

    mode = Mode.LIVE

    def tick(self) -> None:
        """Nothing comes from another thread here."""

    def __init__(self, records: Records, clock: HandClock) -> None:
        super().__init__(records, clock)
        self.acknowledged: list[str] = []
        self.health = Health(
            LinkState.OK, NOW_US, HistorianHealth(HistorianState.OK, "postgresql", lag_us=300_000, stored=123_456),
            (DeviceHealth("PLC-1", DeviceState.OK, NOW_US - HOUR, cycle_ms=12),
             DeviceHealth("PLC-2", DeviceState.LOST, NOW_US - 18 * MINUTE, "no answer", attempts=7)),
            "Operator 2",
        )  # fmt: skip
        self._asked_writes: dict[str, Future[Write]] = {}
        self.show(NOW_US)
        self.alarms = [replace(a, value=4.62) for a in records.alarms_at(NOW_US)]
        self.alarms = [acknowledge(a, NOW_US, "Operator 2") if a.key.startswith("PLC-2") else a for a in self.alarms]
        self.alarms_version = 1

    def now_us(self) -> int:
        return self.clock.now_us()

    def put(self, tag: str, value: float, status: int = GOOD) -> None:
        self.table.apply(make_batch([self.plant.tag_index[tag]], self.now_us(), [value], status))

    def raise_alarm(self, key: str) -> None:
        self.alarms = [*self.alarms, Alarm(key, AlarmState.UNACKNOWLEDGED, self.now_us())]
        self.alarms_version += 1

    def acknowledge(self, keys: Sequence[str]) -> "Future[int]":
        before = list(self.alarms)
        self.acknowledged += keys
        self.alarms = [acknowledge(a, self.now_us(), "Operator 2") if a.key in keys else a for a in self.alarms]
        self.alarms_version += 1
        return done(sum(a != b for a, b in zip(before, self.alarms, strict=True)))

    def write(self, tag: str, value: float | int | bool | str, confirmed: bool = False) -> "Future[Write]":
        write = Write(
            f"w{len(self.writes) + 1}", tag, value, "Operator 2", WriteState.PENDING, self.now_us(),
            timeout_us=5 * SECOND, confirmed_by_user=confirmed,
        )  # fmt: skip
        self.writes = [*self.writes, write]
        self.writes_version += 1
        future: Future[Write] = Future()
        self._asked_writes[write.id] = future
        return future

    def end_write(self, state: WriteState, why: str = "") -> None:
        """The newest write comes to an end."""
        write = replace(self.writes[-1], state=state, why=why, ended_us=self.now_us())
        self.writes = [*self.writes[:-1], write]
        self.writes_version += 1
        self._asked_writes.pop(write.id).set_result(write)


class ReplayOnRecords(_OnRecords):
    """The plant then. `go_to` is answered on the next `tick`, as the historian would."""

    mode = Mode.REPLAY

    def __init__(self, records: Records, clock: HandClock, time_us: int) -> None:
        super().__init__(records, clock)
        self.health = Health(LinkState.OK, who="Operator 2")
        self.playing = False
        self.speed = 1.0
        self.went: list[int] = []
        self._time_us = time_us
        self._wanted: tuple[int, Future[int]] | None = None
        self._ticked_us = clock.monotonic_us()
        self.go_to(time_us)

    def now_us(self) -> int:
        return self._time_us

    @property
    def loading(self) -> bool:
        return self._wanted is not None

    def go_to(self, time_us: int) -> "Future[int]":
        self.went.append(time_us)
        self._wanted = (time_us, Future())
        return self._wanted[1]

    def play(self, speed: float) -> None:
        self.playing, self.speed = True, speed
        self._ticked_us = self.clock.monotonic_us()

    def pause(self) -> None:
        self.playing = False

    def tick(self) -> None:
        if self._wanted is not None:
            time_us, future = self._wanted
            self._wanted = None
            self._move(time_us)
            future.set_result(time_us)
        passed = self.clock.monotonic_us() - self._ticked_us
        self._ticked_us += passed
        if self.playing and passed:
            self._move(min(self._time_us + int(passed * self.speed), self.clock.now_us()))

    def _move(self, time_us: int) -> None:
        self._time_us = time_us
        link = LinkState.OK if self.records.collected(time_us) else LinkState.LOST
        self.health = Health(link, who="Operator 2")
        self.show(time_us)
        self.alarms = self.records.alarms_at(time_us)
        self.alarms_version += 1

    def write(self, tag: str, value: float | int | bool | str, confirmed: bool = False) -> "Future[Write]":
        return done(Write("r", tag, value, "", WriteState.REFUSED, why="replay"))

    def acknowledge(self, keys: Sequence[str]) -> "Future[int]":
        return done(0)


Started = tuple[LiveOnRecords, Callable[[int], ReplayOnRecords], HandClock]


def start() -> Started:
    """A live session, the way to replay sessions, and the clock of both."""
    records = Records(make_plant())
    clock = HandClock(NOW_US)
    return LiveOnRecords(records, clock), lambda time_us: ReplayOnRecords(records, clock, time_us), clock
