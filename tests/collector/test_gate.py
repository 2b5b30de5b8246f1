"""What the gate lets through, and what it says about it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from hmi.collector.gate import Gate
from hmi.collector.open_writes import OpenWrites
from hmi.core.batch import Batch
from hmi.core.clock import SECOND, HandClock
from hmi.core.command import Write, WriteState
from hmi.core.device import Device, Driver
from hmi.core.event import Event, EventKind
from hmi.core.table import Table
from hmi.core.tag import DataType, Scale, WriteRule
from tests.collector.bench_device import BenchDevice, BenchKind
from tests.collector.plants import plant, tags
from tests.collector.waiting import until

PLC = Device("PLC-1", "bench", None)
RULE = WriteRule(low=0.0, high=100.0, timeout_us=2 * SECOND)
TAGS = tags(
    {"name": "speed", "device": "PLC-1", "write": RULE, "unit": "%", "decimals": 0},
    {"name": "start", "device": "PLC-1", "data_type": DataType.BOOL, "write": WriteRule(confirm=True)},
    {"name": "count", "device": "PLC-1", "data_type": DataType.INT32, "write": WriteRule()},
    {"name": "dose", "device": "PLC-1", "data_type": DataType.UINT16, "scale": Scale(0.1), "write": WriteRule()},
    {"name": "level", "device": "PLC-1"},
)


class Bench:
    """A gate with its device, and everything that it told."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock()
        self.device = BenchDevice()
        self.driver: Driver | None = BenchKind(self.device).make(PLC, TAGS, self.clock)
        self.events: list[Event] = []
        self.changes: list[Write] = []
        self.disk_takes = True
        self.sent_when_committed: list[int] = []
        self.open_writes = OpenWrites(folder / "open-writes.json")
        self.gate = Gate(plant(TAGS, [PLC]), Table(len(TAGS)), self.clock, self, self.open_writes)

    def driver_of(self, device: str) -> Driver | None:
        return self.driver

    def record(self, events: Sequence[Event]) -> None:
        self.events += events

    async def committed(self) -> None:
        if not self.disk_takes:
            raise TimeoutError("the disk is full")
        self.sent_when_committed.append(len(self.device.written))

    def writes_changed(self, writes: Sequence[Write]) -> None:
        self.changes += writes

    def received_back(self, device: str, batch: Batch) -> None:
        pass

    async def write(self, tag: str, value: float | int | bool | str, confirmed: bool = False) -> Write:
        task = asyncio.create_task(self.gate.write(tag, value, confirmed, "anna"))
        while not task.done():
            await asyncio.sleep(0.001)
            self.clock.advance_us(SECOND // 10)
        return task.result()

    @property
    def journal(self) -> list[EventKind]:
        return [event.kind for event in self.events]


def on_a_bench(folder: Path, body: Callable[[Bench], Awaitable[None]]) -> None:
    async def run() -> None:
        bench = Bench(folder)
        await body(bench)
        await bench.gate.close()

    asyncio.run(run())


def test_that_a_write_is_in_the_journal_before_it_is_sent_and_confirmed_after_it_was_read_back(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        done = await bench.write("speed", 42)
        assert (done.state, done.why) == (WriteState.CONFIRMED, "")
        assert bench.device.written == [("speed", 42.0)]
        assert bench.sent_when_committed[0] == 0
        assert bench.journal == [EventKind.WRITE_REQUESTED, EventKind.WRITE_CONFIRMED]
        assert [w.state for w in bench.changes] == [WriteState.PENDING, WriteState.CONFIRMED]
        assert {e.key for e in bench.events} == {done.id}
        assert bench.events[0].who == "anna"

    on_a_bench(tmp_path, body)


@pytest.mark.parametrize(
    ("tag", "value", "why"),
    [
        ("nothing", 1, "there is no such tag"),
        ("level", 1, "this tag cannot be written"),
        ("speed", 101, "101 % is above the highest value allowed, 100 %"),
        ("speed", -1, "-1 % is below the lowest value allowed, 0 %"),
        ("speed", float("nan"), "this is not a number"),
        ("speed", "fast", "this tag takes a number, not text"),
        ("count", 1.5, "this tag takes whole numbers"),
        ("start", True, "this write must be confirmed by the operator first"),
        ("start", 2, "this tag takes off (0) or on (1)"),
    ],
)
def test_that_a_wrong_write_is_refused_with_a_reason_and_never_sent(
    tmp_path: Path, tag: str, value: float | str, why: str
) -> None:
    async def body(bench: Bench) -> None:
        done = await bench.write(tag, value)
        assert (done.state, done.why) == (WriteState.REFUSED, why)
        assert bench.device.written == []
        assert bench.journal == [EventKind.WRITE_REQUESTED, EventKind.WRITE_REFUSED]

    on_a_bench(tmp_path, body)


def test_that_a_confirmed_command_is_sent(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        assert (await bench.write("start", True, confirmed=True)).state is WriteState.CONFIRMED

    on_a_bench(tmp_path, body)


def test_that_a_scaled_register_confirms_what_it_can_hold(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        bench.device.stubborn.add("dose")
        bench.device.values["dose"] = 3.3
        assert (await bench.write("dose", 3.34)).state is WriteState.CONFIRMED
        assert (await bench.write("dose", 3.4)).state is WriteState.UNKNOWN

    on_a_bench(tmp_path, body)


def test_that_a_write_that_the_device_refuses_says_why(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        bench.device.refuses.add("speed")
        done = await bench.write("speed", 42)
        assert (done.state, done.why) == (WriteState.REFUSED, "illegal data value")

    on_a_bench(tmp_path, body)


def test_that_a_write_that_the_device_does_not_take_over_is_never_shown_as_done(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        bench.device.stubborn.add("speed")
        started_us = bench.clock.now_us()
        done = await bench.write("speed", 42)
        assert done.state is WriteState.UNKNOWN
        assert done.why.startswith("sent, but not confirmed by the device")
        assert RULE.timeout_us <= done.ended_us - started_us <= RULE.timeout_us + SECOND

    on_a_bench(tmp_path, body)


def test_that_a_device_that_is_lost_while_sending_leaves_an_unknown_write(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        bench.device.connected = False
        done = await bench.write("speed", 42)
        assert done.state is WriteState.UNKNOWN
        bench.driver = None
        done = await bench.write("speed", 42)
        assert (done.state, done.why) == (WriteState.FAILED, "PLC-1 does not answer; nothing was sent")

    on_a_bench(tmp_path, body)


@pytest.mark.logs("not on disk yet")
def test_that_nothing_is_sent_when_the_journal_cannot_be_written(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        bench.disk_takes = False
        done = await bench.write("speed", 42)
        assert done.state is WriteState.FAILED
        assert bench.device.written == []
        bench.disk_takes = True

    on_a_bench(tmp_path, body)


def test_that_a_tag_takes_one_write_at_a_time(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        bench.device.stubborn.add("speed")
        first = asyncio.create_task(bench.gate.write("speed", 42, False, "anna"))
        await until(lambda: bench.device.written, "the value is sent")
        second = await bench.gate.write("speed", 43, False, "bert")
        assert (second.state, second.why) == (WriteState.REFUSED, "another write to this tag is still pending")
        await bench.gate.close()
        with suppress(asyncio.CancelledError):
            await first

    on_a_bench(tmp_path, body)


def test_that_a_collector_that_stops_leaves_what_was_sent_as_unknown(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        bench.device.stubborn.add("speed")
        task = asyncio.create_task(bench.gate.write("speed", 42, False, "anna"))
        await until(lambda: bench.device.written, "the value is sent")
        await bench.gate.close()
        with suppress(asyncio.CancelledError):
            await task
        assert bench.journal == [EventKind.WRITE_REQUESTED, EventKind.WRITE_UNKNOWN]
        assert (await bench.gate.write("speed", 1, False, "anna")).why == "the collector is stopping"

    on_a_bench(tmp_path, body)


def test_that_a_write_goes_on_when_the_desktop_that_asked_is_gone(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        asker = asyncio.create_task(bench.gate.write("speed", 42, False, "anna"))
        await asyncio.sleep(0)
        asker.cancel()
        await until(lambda: EventKind.WRITE_CONFIRMED in bench.journal, "the write is confirmed")

    on_a_bench(tmp_path, body)


def test_that_a_crash_after_sending_ends_as_unknown_at_the_next_start(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        bench.open_writes.add(Write("w1", "speed", 42.0, "anna", requested_us=bench.clock.now_us()))
        after = Bench(tmp_path)
        after.gate.end_those_left_open()
        assert after.journal == [EventKind.WRITE_UNKNOWN]
        assert after.gate.writes[0].id == "w1"
        await after.gate.close()
        assert OpenWrites(tmp_path / "open-writes.json").left_over() == []

    on_a_bench(tmp_path, body)
