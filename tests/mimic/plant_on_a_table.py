"""A session on a table in memory: a real `Session` with nothing behind it but what a test puts in."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from hmi.core.alarm import Alarm, AlarmKind, AlarmRule, AlarmState, Priority
from hmi.core.batch import make_batch
from hmi.core.clock import MINUTE, SECOND
from hmi.core.command import Write, WriteState
from hmi.core.device import Device, DeviceHealth
from hmi.core.event import COLLECTOR, Coverage, Event
from hmi.core.plant import HistorianSettings, Plant
from hmi.core.problem import Problem
from hmi.core.screen import AnyElement, Screen, ScreenHead
from hmi.core.series import Series, raw_series
from hmi.core.session import Health, LinkState, Mode
from hmi.core.status import GOOD
from hmi.core.table import Table
from hmi.core.tag import DataType, Tag, WriteRule

NOW_US = 1_763_604_764 * SECOND
T = TypeVar("T")


def done(value: T) -> "Future[T]":
    future: Future[T] = Future()
    future.set_result(value)
    return future


def measure(name: str, unit: str = "m", low: float = 0, high: float = 10, **more: object) -> Tag:
    """A measurement; the index is set by `plant_of`."""
    return Tag(name, 0, DataType.FLOAT32, unit=unit, low=low, high=high, device="PLC-1", **more)  # type: ignore[arg-type]


def discrete(name: str, states: Mapping[int, str], **more: object) -> Tag:
    return Tag(name, 0, DataType.UINT16, states=states, device="PLC-1", **more)  # type: ignore[arg-type]


def writable(tag: Tag, low: float | None = None, high: float | None = None, confirm: bool = False) -> Tag:
    return replace(tag, write=WriteRule(low, high, confirm))


def limit(tag: str, kind: AlarmKind, value: float, priority: Priority = Priority.HIGH) -> AlarmRule:
    return AlarmRule(f"{tag}/{kind.value}", 0, tag, kind, priority, f"{tag} {kind.value}", limit=value)


def plant_of(tags: Sequence[Tag], alarms: Sequence[AlarmRule] = (), files: Mapping[str, str] | None = None) -> Plant:
    numbered = tuple(replace(tag, index=i) for i, tag in enumerate(tags))
    return Plant(
        "Ostbach Waterworks", ZoneInfo("Europe/Berlin"), "overview", (Device("PLC-1", "modbus-tcp", None),), numbered,
        tuple(alarms), {}, HistorianSettings(), "r1", files or {},
    )  # fmt: skip


def screen_of(elements: Sequence[AnyElement], size: tuple[float, float] = (1920, 888)) -> Screen:
    return Screen(name="test", head=ScreenHead(title="Test", size=size), elements=tuple(elements))


class PlantOnATable:
    """Implements `Session`. `put` gives a tag a value; `raise_alarm`, `add_write` and `lose` do what they say."""

    def __init__(self, plant: Plant, mode: Mode = Mode.LIVE) -> None:
        self.mode = mode
        self.plant = plant
        self.table = Table(len(plant.tags))
        self.plant_version = 1
        self.problems: Sequence[Problem] = ()
        self.health = Health(link=LinkState.OK)
        self.alarms: list[Alarm] = []
        self.alarms_version = 0
        self.writes: list[Write] = []
        self.writes_version = 0
        self.time_us = NOW_US
        self.past: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        self.covered: list[Coverage] = []
        self.asked: list[tuple[tuple[str, ...], int, int]] = []
        self.written: list[tuple[str, object]] = []

    def tick(self) -> None:
        """Nothing comes from another thread here."""

    def now_us(self) -> int:
        return self.time_us

    def put(self, tag: str, value: float, status: int = GOOD, age_us: int = 0) -> None:
        index = self.plant.tag_index[tag]
        self.table.apply(make_batch([index], self.time_us - age_us, [value], status))

    def put_all(self, values: Mapping[str, float]) -> None:
        for tag, value in values.items():
            self.put(tag, value)

    def raise_alarm(self, key: str, state: AlarmState = AlarmState.UNACKNOWLEDGED) -> None:
        self.alarms = [a for a in self.alarms if a.key != key]
        if state is not AlarmState.NORMAL:
            self.alarms.append(Alarm(key, state, raised_us=self.time_us - 9 * MINUTE))
        self.alarms_version += 1

    def add_write(self, tag: str, value: float, state: WriteState, why: str = "") -> None:
        number = f"w{self.writes_version}"
        self.writes.append(
            Write(number, tag, value, "tester", state, self.time_us - 2 * SECOND, 0, 5 * SECOND, None, why)
        )
        self.writes_version += 1

    def lose(self, *devices: DeviceHealth) -> None:
        self.health = replace(self.health, devices=devices)

    def remember(self, tag: str, values: Sequence[float], span_us: int = 60 * MINUTE, status: int = GOOD) -> None:
        """Give a tag history: values spread evenly over the time before now."""
        n = len(values)
        times = self.time_us - span_us + (np.arange(n, dtype=np.int64) * span_us) // n
        self.past[tag] = (times, np.asarray(values, np.float64), np.full(n, status, np.uint32))
        self.covered = [Coverage(s, self.time_us - span_us, self.time_us) for s in (COLLECTOR, "PLC-1")]

    def history(self, tags: Sequence[str], start_us: int, end_us: int, buckets: int) -> "Future[list[Series]]":
        self.asked.append((tuple(tags), start_us, end_us))
        empty = (np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint32))
        return done([raw_series(tag, start_us, end_us, *self.past.get(tag, empty)) for tag in tags])

    def coverage(self, start_us: int, end_us: int) -> "Future[list[Coverage]]":
        return done([c for c in self.covered if c.start_us < end_us and c.end_us > start_us])

    def events(self, start_us: int, end_us: int, limit: int = 10_000) -> "Future[list[Event]]":
        return done([])

    def write(self, tag: str, value: float | int | bool | str, confirmed: bool = False) -> "Future[Write]":
        self.written.append((tag, value))
        return done(Write("w", tag, value, "tester", WriteState.CONFIRMED))

    def acknowledge(self, keys: Sequence[str]) -> "Future[int]":
        return done(0)

    def close(self) -> None:
        return None
