"""How a device is kept connected, and how its loss is told."""

import asyncio
from contextlib import suppress
from itertools import pairwise

import pytest

from hmi.collector.supervisor import LONGEST_WAIT_US, Supervisor
from hmi.core.batch import Batch
from hmi.core.clock import SECOND, HandClock
from hmi.core.device import Device, DeviceHealth, DeviceState
from tests.collector.bench_device import BenchDevice, BenchKind
from tests.collector.plants import tags
from tests.collector.waiting import until

PLC = Device("PLC-1", "bench", None)
TAGS = tags({"device": "PLC-1"}, {"device": "PLC-1"})


class Told:
    """Writes down what a supervisor says."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.samples = 0

    def device_back(self, device: Device) -> None:
        self.words.append("back")

    def device_lost(self, device: Device, why: str) -> None:
        self.words.append(f"lost: {why}")

    def received(self, device: Device, batch: Batch) -> None:
        self.samples += len(batch)

    def health_changed(self, health: DeviceHealth) -> None:
        pass


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _lost_and_back() -> None:
    bench, told, clock = BenchDevice(), Told(), HandClock()
    supervisor = Supervisor(PLC, TAGS, BenchKind(bench), clock, told, asyncio.Lock())
    task = asyncio.create_task(supervisor.run())
    await until(lambda: told.words, "the first connection")
    await settle()
    assert told.words == ["back"]
    assert told.samples == 2
    assert supervisor.driver is not None
    bench.pull()
    await settle()
    # Lost, tried at once without any waiting, and then said only once.
    assert told.words == ["back", "lost: the cable was pulled"]
    assert bench.opened == 2
    assert supervisor.driver is None
    assert supervisor.health.state is DeviceState.LOST
    bench.plug()
    clock.advance_us(SECOND)
    await settle()
    assert told.words[-1] == "back"
    assert supervisor.health.state is DeviceState.OK
    await ended(task)
    assert supervisor.health.state is DeviceState.STOPPED


def test_that_a_lost_device_is_told_once_tried_at_once_and_comes_back() -> None:
    asyncio.run(_lost_and_back())


async def _slower_and_slower() -> None:
    bench, told, clock = BenchDevice(connected=False), Told(), HandClock()
    supervisor = Supervisor(PLC, TAGS, BenchKind(bench), clock, told, asyncio.Lock())
    task = asyncio.create_task(supervisor.run())
    await until(lambda: supervisor.health.why == "no cable", "the first attempt")
    await settle()
    # A device that starts together with the collector is not lost.
    assert (told.words, supervisor.health.state) == ([], DeviceState.CONNECTING)
    for _ in range(49):
        clock.advance_us(SECOND // 10)
        await settle()
    assert (told.words, supervisor.health.state) == ([], DeviceState.CONNECTING)
    assert bench.opened >= 5
    for _ in range(15):
        clock.advance_us(SECOND // 10)
        await settle()
    assert told.words == ["lost: no cable"]
    tried: list[int] = []
    for _ in range(1200):
        before = bench.opened
        clock.advance_us(SECOND // 10)
        await settle()
        if bench.opened > before:
            tried.append(clock.monotonic_us())
    waits = [b - a for a, b in pairwise(tried)]
    assert max(waits) <= LONGEST_WAIT_US * 1.3
    assert min(waits[5:]) >= LONGEST_WAIT_US * 0.7
    assert told.words == ["lost: no cable"]
    await ended(task)


def test_that_a_device_that_stays_away_is_tried_ever_more_slowly_but_not_slower_than_ten_seconds() -> None:
    asyncio.run(_slower_and_slower())


async def _late_device() -> None:
    bench, told, clock = BenchDevice(connected=False), Told(), HandClock()
    supervisor = Supervisor(PLC, TAGS, BenchKind(bench), clock, told, asyncio.Lock())
    task = asyncio.create_task(supervisor.run())
    await until(lambda: supervisor.health.why == "no cable", "the first attempt")
    bench.plug()
    clock.advance_us(SECOND)
    await until(lambda: told.words, "the connection")
    assert told.words == ["back"]
    bench.pull()
    await until(lambda: len(told.words) > 1, "the loss")
    assert told.words == ["back", "lost: the cable was pulled"]
    await ended(task)


def test_that_a_device_that_starts_a_little_later_than_the_collector_was_never_lost() -> None:
    asyncio.run(_late_device())


async def _ended_connection() -> None:
    bench, told, clock = BenchDevice(), Told(), HandClock()
    supervisor = Supervisor(PLC, TAGS, BenchKind(bench), clock, told, asyncio.Lock())
    task = asyncio.create_task(supervisor.run())
    await until(lambda: told.samples, "the first samples")
    supervisor.end_connection("the collector was halted")
    await until(lambda: told.words[-1] == "back" and len(told.words) > 1, "the device is back")
    assert told.words == ["back", "lost: the collector was halted", "back"]
    await ended(task)
    assert supervisor.health.state is DeviceState.STOPPED


def test_that_a_connection_that_is_ended_by_the_collector_is_said_with_its_reason_and_made_anew() -> None:
    asyncio.run(_ended_connection())


async def _orderly_stop() -> None:
    bench, told, clock = BenchDevice(gives_up_as_lost=True), Told(), HandClock()
    task = asyncio.create_task(Supervisor(PLC, TAGS, BenchKind(bench), clock, told, asyncio.Lock()).run())
    await until(lambda: told.samples, "the first samples")
    task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    assert told.words == ["back"]


def test_that_an_orderly_stop_loses_no_device() -> None:
    asyncio.run(_orderly_stop())


async def _broken_driver() -> None:
    bench, told, clock = BenchDevice(breaks=True), Told(), HandClock()
    task = asyncio.create_task(Supervisor(PLC, TAGS, BenchKind(bench), clock, told, asyncio.Lock()).run())
    await until(lambda: len(told.words) > 1, "the driver has failed")
    await settle()
    clock.advance_us(SECOND)
    await settle()
    assert bench.opened > 1
    assert bench.opened < 5
    assert told.words[1].startswith("lost: internal error: ZeroDivisionError")
    await ended(task)


@pytest.mark.logs("the driver failed")
def test_that_a_mistake_in_a_driver_is_a_lost_device_and_is_logged() -> None:
    asyncio.run(_broken_driver())


async def _driver_that_cannot_be_made() -> None:
    bench, told, clock = BenchDevice(cannot_be_made=True), Told(), HandClock()
    task = asyncio.create_task(Supervisor(PLC, TAGS, BenchKind(bench), clock, told, asyncio.Lock()).run())
    await until(lambda: told.words, "the loss")
    assert told.words == ["lost: internal error: ImportError('a library is missing')"]
    bench.cannot_be_made = False
    clock.advance_us(SECOND)
    await until(lambda: told.words[-1] == "back", "the driver is made")
    await ended(task)


@pytest.mark.logs("the driver cannot be made")
def test_that_a_driver_that_cannot_be_made_is_a_lost_device_and_not_the_end() -> None:
    asyncio.run(_driver_that_cannot_be_made())
