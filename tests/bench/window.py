"""Bench `window`: the longest time for which the window of the shipped waterworks does not answer.

The real main window, offscreen, is taken through what operators do. Every frame, every key or click, and every turn of
the event loop after it is one block of wall time; answers of history come from another thread, as from a database.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QAbstractEventDispatcher, QEventLoop

from hmi.config import load_plant, read_files
from hmi.core.alarm import Alarm, AlarmState
from hmi.core.batch import make_batch
from hmi.core.clock import DAY, HOUR, MINUTE, SECOND, HandClock
from hmi.core.command import Write, WriteState
from hmi.core.device import DeviceHealth, DeviceState
from hmi.core.event import COLLECTOR, Coverage, Event, EventKind
from hmi.core.plant import Plant
from hmi.core.problem import Problem
from hmi.core.screen import Open
from hmi.core.series import Series, envelope, raw_series
from hmi.core.session import Health, HistorianHealth, HistorianState, LinkState, Mode
from hmi.core.status import BAD_NO_DATA
from hmi.core.table import Table
from hmi.desktop.application import make_application
from hmi.desktop.window import MainWindow
from hmi.drivers import DRIVERS
from tests.bench.figure import Figure

BENCH = "window"
WATERWORKS = Path(__file__).resolve().parents[2] / "screens" / "waterworks"
NOW_US = 1_763_604_764 * SECOND
SAMPLE_US = 10 * SECOND
GAP = (NOW_US - 40 * MINUTE, NOW_US - 15 * MINUTE)
RUNS = 3
MOST_TURNS = 100
OPENING = ("make the window", "first paint")
T = TypeVar("T")


class Records:
    """What the collector of a waterworks kept in seven days: every tag every ten seconds, with one gap."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.answers = ThreadPoolExecutor(1, thread_name_prefix="history")
        sources = [COLLECTOR, *(device.name for device in plant.devices)]
        self.coverage = [
            c for s in sources for c in (Coverage(s, NOW_US - 7 * DAY, GAP[0]), Coverage(s, GAP[1], NOW_US))
        ]
        rules = plant.alarms[:40]
        self.alarms = [Alarm(r.key, AlarmState.UNACKNOWLEDGED, NOW_US - i * MINUTE) for i, r in enumerate(rules)]
        self.events = [
            Event(NOW_US - i * 3 * MINUTE, EventKind.ALARM_RAISED, rules[i % len(rules)].source,
                  rules[i % len(rules)].text, rules[i % len(rules)].key, int(rules[i % len(rules)].priority))
            for i in range(2_000)
        ][::-1]  # fmt: skip
        wave = np.random.default_rng(1).normal(0, 0.06, 4096)
        self._noise = wave
        self._middle = np.array([self._range(i)[0] for i in range(len(plant.tags))])
        self._half = np.array([self._range(i)[1] for i in range(len(plant.tags))])

    def _range(self, index: int) -> tuple[float, float]:
        normal = self.plant.tags[index].normal
        return (0.0, 0.0) if normal is None else ((normal[0] + normal[1]) / 2, (normal[1] - normal[0]) / 2)

    def of(self, index: np.ndarray | int, time_us: np.ndarray | int) -> np.ndarray:
        """Values of tags at times: a slow wave with noise around the middle of what is normal, else one."""
        t = np.asarray(time_us)
        noise = self._noise[(t // SAMPLE_US + np.asarray(index) * 97) % len(self._noise)]
        wave = 0.6 * np.sin(t / HOUR + index) + noise
        return np.where(self._half[index] > 0, self._middle[index] + self._half[index] * wave, 1.0)

    def history(self, tags: Sequence[str], start_us: int, end_us: int, buckets: int) -> list[Series]:
        times = np.arange((start_us // SAMPLE_US) * SAMPLE_US, min(end_us, NOW_US) + 1, SAMPLE_US, dtype=np.int64)
        times = times[(times < GAP[0]) | (times >= GAP[1])]
        found = []
        for tag in tags:
            values = self.of(self.plant.tag_index[tag], times)
            raw = raw_series(tag, start_us, end_us, times, values, np.zeros(len(times), np.uint32))
            found.append(envelope(raw, buckets))
        return found


class OnRecords:
    """What live and replay have in common; implements `Session`."""

    def __init__(self, records: Records, clock: HandClock, mode: Mode, time_us: int) -> None:
        self.records, self.clock, self.mode, self.plant = records, clock, mode, records.plant
        self.table = Table(len(records.plant.tags))
        self.plant_version = 1
        self.problems: Sequence[Problem] = ()
        self.writes: Sequence[Write] = ()
        self.writes_version = 0
        self.alarms: Sequence[Alarm] = records.alarms
        self.alarms_version = 1
        devices = tuple(DeviceHealth(d.name, DeviceState.OK, NOW_US) for d in records.plant.devices)
        historian = HistorianHealth(HistorianState.OK, "postgresql")
        self.health = Health(LinkState.OK, NOW_US, historian, devices, "Operator")
        self.time_us = time_us
        self._shown = -1
        self.show()

    def now_us(self) -> int:
        return self.time_us

    def show(self) -> None:
        """All tags as they are at the session's time, ten times a second."""
        step = self.time_us // (SECOND // 10)
        if step == self._shown:
            return
        self._shown = step
        index = np.arange(len(self.plant.tags), dtype=np.int32)
        gone = GAP[0] <= self.time_us < GAP[1]
        values = np.full(len(index), np.nan) if gone else self.records.of(index, self.time_us * 100)
        self.table.apply(make_batch(index, self.time_us, values, BAD_NO_DATA if gone else 0))

    def answer(self, work: Callable[[], T]) -> "Future[T]":
        return self.records.answers.submit(work)

    def history(self, tags: Sequence[str], start_us: int, end_us: int, buckets: int) -> "Future[list[Series]]":
        return self.answer(lambda: self.records.history(tags, start_us, end_us, buckets))

    def coverage(self, start_us: int, end_us: int) -> "Future[list[Coverage]]":
        return self.answer(lambda: [c for c in self.records.coverage if c.start_us < end_us and c.end_us > start_us])

    def events(self, start_us: int, end_us: int, limit: int = 10_000) -> "Future[list[Event]]":
        return self.answer(lambda: [e for e in self.records.events if start_us <= e.time_us <= end_us][:limit])

    def write(self, tag: str, value: float | int | bool | str, confirmed: bool = False) -> "Future[Write]":
        return self.answer(lambda: Write("w", tag, value, "Operator", WriteState.REFUSED, why="bench"))

    def acknowledge(self, keys: Sequence[str]) -> "Future[int]":
        return self.answer(lambda: 0)

    def close(self) -> None:
        return None


class Live(OnRecords):
    def tick(self) -> None:
        self.time_us = self.clock.now_us()
        self.show()


class Past(OnRecords):
    """The plant then; `go_to` is answered with the next frame."""

    playing = False
    speed = 1.0
    loading = False

    def go_to(self, time_us: int) -> "Future[int]":
        self.time_us = time_us
        return self.answer(lambda: time_us)

    def play(self, speed: float) -> None:
        self.playing, self.speed = True, speed

    def pause(self) -> None:
        self.playing = False

    def tick(self) -> None:
        if self.playing:
            self.time_us = min(self.time_us + int(SECOND / 20 * self.speed), self.clock.now_us())
        alarms = [a for a in self.records.alarms if a.raised_us <= self.time_us]
        if len(alarms) != len(self.alarms):
            self.alarms = alarms
            self.alarms_version += 1
        self.show()


class Block(NamedTuple):
    """One thing that the window did before it could do another; milliseconds of wall time and of its thread."""

    what: str
    wall_ms: float
    cpu_ms: float


class Desk:
    """The window, and how long each thing that is done with it holds it up."""

    def __init__(self, plant: Plant) -> None:
        self.clock = HandClock(NOW_US)
        self.records = Records(plant)
        self.took: list[Block] = []
        live = Live(self.records, self.clock, Mode.LIVE, NOW_US)
        self.window: MainWindow
        self.block("make the window", lambda: self._make(live))
        self.block("first paint", self.window.show)
        self.beat("start")

    def _make(self, live: Live) -> None:
        def past(time_us: int) -> Past:
            return Past(self.records, self.clock, Mode.REPLAY, time_us)

        self.window = MainWindow(live, past, "dark", self.clock)

    def block(self, what: str, call: Callable[[], object]) -> None:
        """One thing that is done, and all that it leads to; the longest piece of it counts."""
        self.took.append(Block(what, 0.0, 0.0))
        self._time(what, call)
        # Each turn of the event loop by itself: between two of them the window sees keys and clicks.
        loop = QAbstractEventDispatcher.instance()
        for _ in range(MOST_TURNS):
            if not self._time(what, lambda: loop.processEvents(QEventLoop.ProcessEventsFlag.AllEvents)):
                return

    def _time(self, what: str, call: Callable[[], T]) -> T:
        begin, cpu = time.perf_counter_ns(), time.thread_time_ns()
        answer = call()
        wall_ms, cpu_ms = (time.perf_counter_ns() - begin) / 1e6, (time.thread_time_ns() - cpu) / 1e6
        self.took[-1] = max(self.took[-1], Block(what, wall_ms, cpu_ms), key=lambda block: block.wall_ms)
        return answer

    def beat(self, what: str, frames: int = 6) -> None:
        """Frames after something, each with the answers that came by then."""
        for _ in range(frames):
            self.records.answers.submit(lambda: None).result()
            self.clock.advance_us(50_000)
            self.block(f"{what}: frame", self.window.frame)

    def do(self, what: str, call: Callable[[], object], frames: int = 6) -> None:
        self.block(what, call)
        self.beat(what, frames)

    def close(self) -> None:
        self.window.close()
        self.records.answers.shutdown()


def drive(desk: Desk) -> None:
    """What operators do."""
    window = desk.window
    names = [n for n in window.session.plant.screens if not n.startswith(("faceplates/", "parts/"))]
    for name in names:
        desk.do(f"screen {name}", lambda name=name: window.go_to_screen(name))  # type: ignore[misc]
    desk.do("back to overview", lambda: window.go_to_screen("overview"), 45)
    pumps = next(t.name for t in window.session.plant.tags if t.normal is not None)
    desk.do("faceplate", lambda: window.open_faceplate(Open(tag=pumps)))
    desk.do("close faceplate", window.step_out)
    desk.do("palette", window.open_palette)
    desk.do("type in the palette", lambda: window.search.field.setText("pump"))
    desk.do("close palette", window.step_out)
    desk.do("status", window.panes.toggle_status)
    desk.do("close status", window.step_out)
    desk.do("go to replay", lambda: window.go_to_time(NOW_US - 2 * HOUR))
    for at in range(1, 13):
        desk.do("scrub", lambda at=at: window.go_to_time(NOW_US - 2 * HOUR + at * 8 * MINUTE), 3)  # type: ignore[misc]
    desk.do("play at 60", lambda: window.play(60.0), 20)
    desk.do("replay high-lift", lambda: window.go_to_screen("high-lift"))
    desk.do("replay overview", lambda: window.go_to_screen("overview"))
    desk.do("go live", window.go_live, 20)
    desk.do("alarms", window.show_alarms)
    tags = [t.name for t in window.session.plant.tags if t.normal is not None][:8]
    desk.do("trend", window.show_trend)
    for tag in tags:
        desk.do("pen", lambda tag=tag: window.show_trend(tag), 3)  # type: ignore[misc]
    trend = window.trend
    assert trend is not None
    desk.do("trend of 7 days", lambda: trend.show_span(7 * DAY), 20)
    desk.do("trend of 8 hours", lambda: trend.show_span(8 * HOUR), 10)
    desk.do("trend in replay", lambda: window.go_to_time(NOW_US - 2 * HOUR), 10)
    desk.do("overview from replay", lambda: window.go_to_screen("overview"))
    desk.do("live again", window.go_live)
    desk.do("theme", window.toggle_theme)
    desk.do("theme back", window.toggle_theme)


def load_waterworks() -> Plant:
    plant, _ = load_plant(read_files(WATERWORKS), DRIVERS, {})
    assert plant is not None
    return plant


def run() -> list[Block]:
    """What was done, and how long each took."""
    make_application()
    desk = Desk(load_waterworks())
    try:
        drive(desk)
    finally:
        desk.close()
    return desk.took


def figures() -> Iterator[Figure]:
    runs = [run() for _ in range(RUNS)]
    # The same step of several runs: the least is what the program needs, the rest is what else the computer did.
    steps = [(block.what, min(other[i].wall_ms for other in runs)) for i, block in enumerate(runs[0])]
    opening = sum(took for what, took in steps if what in OPENING)
    after = [took for what, took in steps if what not in OPENING]
    yield Figure(BENCH, "frame_longest_ms", max(after), "ms")
    yield Figure(BENCH, "frame_p99_ms", float(np.percentile(after, 99)), "ms")
    yield Figure(BENCH, "window_open_ms", opening, "ms")


if __name__ == "__main__":
    many = [run() for _ in range(RUNS)]
    best = [min((other[i] for other in many), key=lambda block: block.wall_ms) for i in range(len(many[0]))]
    for block in sorted(best, key=lambda block: -block.wall_ms)[:40]:
        print(f"{block.wall_ms:8.1f} ms wall {block.cpu_ms:8.1f} ms CPU  {block.what}")
