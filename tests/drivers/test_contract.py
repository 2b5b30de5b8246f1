"""What holds for every driver, seen from the collector, with real devices behind a real wire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from asyncua import ua

from hmi.core.clock import SystemClock
from hmi.core.device import Device, DeviceError, WriteRefused
from hmi.core.status import BAD, GOOD
from hmi.core.tag import DataType, Scale, Tag, WriteRule
from hmi.drivers import DRIVERS
from tests.drivers.servers import Collected, Plc, UaPlant, Wire, run, running

PERIOD_US = 100_000
LOSS_S = 3.0

KINDS = ["modbus-tcp", "opcua", "simulator"]
WIRED = ["modbus-tcp", "opcua"]


@dataclass
class Bench:
    """A device with four tags: a float, a writable scaled value, a writable whole number, and one that refuses."""

    device: Device
    driver: Any
    tags: tuple[Tag, ...]
    wire: Wire | None


@asynccontextmanager
async def bench(kind: str, ua_plant: UaPlant, timeout: str = "500ms") -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        wire = None
        if kind == "modbus-tcp":
            registers = {0: 0x42F6, 1: 0xE979, 10: 250, 11: 7, 12: 0, 20: 0}
            plc = await stack.enter_async_context(Plc(registers, {20: 5}))
            wire = await stack.enter_async_context(Wire(plc.port))
            addresses = ["holding:0", "holding:10", "holding:11", "input:20"]
            options: dict[str, Any] = {"host": "127.0.0.1", "port": wire.port, "timeout": timeout}
        elif kind == "opcua":
            wire = await stack.enter_async_context(Wire(ua_plant.port))
            addresses = [
                ua_plant.add("contract.level", 123.456, ua.VariantType.Float),
                ua_plant.add("contract.scaled", 250, ua.VariantType.Int16, writable=True),
                ua_plant.add("contract.count", 7, ua.VariantType.UInt16, writable=True),
                ua_plant.add("contract.fixed", 5, ua.VariantType.UInt16),
            ]
            options = {
                "url": f"opc.tcp://127.0.0.1:{wire.port}/plant",
                "publishing": "50ms",
                "keep_alive": "200ms",
                "timeout": timeout,
            }
        else:
            addresses = ["sine:1s", "memory", "memory", "random"]
            options = {}
        write = WriteRule()
        tags = (
            Tag("level", 0, DataType.FLOAT32, device="D-1", address=addresses[0], period_us=PERIOD_US),
            Tag("speed", 1, DataType.INT16, device="D-1", address=addresses[1], period_us=PERIOD_US,
                scale=Scale(0.1, 5.0), write=write),
            Tag("count", 2, DataType.UINT16, device="D-1", address=addresses[2], period_us=PERIOD_US, write=write),
            Tag("fixed", 3, DataType.UINT16, device="D-1", address=addresses[3], period_us=PERIOD_US, write=write),
        )  # fmt: skip
        entry = DRIVERS[kind]
        device = Device("D-1", kind, entry.options(**options), period_us=PERIOD_US)
        driver = entry.make(device, tags, SystemClock())
        try:
            yield Bench(device, driver, tags, wire)
        finally:
            await driver.close()


@pytest.mark.parametrize("kind", KINDS)
def test_that_a_driver_opens_and_publishes_every_tag(kind: str, ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        async with bench(kind, ua_plant) as b:
            assert b.driver.alive_us == 0
            await b.driver.open()
            got = Collected()
            async with running(b.driver, got):
                await got.until(lambda: all(got.of(tag.index) for tag in b.tags))
            now = SystemClock().now_us()
            for tag in b.tags:
                time_us, _, status = got.of(tag.index)[0]
                assert status == GOOD
                assert abs(now - time_us) < 60_000_000 or kind == "opcua"
            assert now - b.driver.alive_us < 2_000_000
            assert b.driver.requests > 0
            if kind != "simulator":
                assert got.of(0)[0][1] == pytest.approx(123.456, rel=1e-6)
                assert got.of(1)[0][1] == pytest.approx(250 * 0.1 + 5)
                assert got.of(2)[0][1] == 7
            whole = next(batch.whole for batch in got.batches if 2 in batch.tag)
            assert whole is not None

    run(scenario())


@pytest.mark.parametrize("kind", KINDS)
def test_that_what_was_written_is_read_back(kind: str, ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        async with bench(kind, ua_plant) as b:
            await b.driver.open()
            got = Collected()
            async with running(b.driver, got):
                await got.until(lambda: bool(got.of(2)))
                await b.driver.write(b.tags[1], 42.0)
                await b.driver.write(b.tags[2], 65535)
                speed, count = await b.driver.read(b.tags[1]), await b.driver.read(b.tags[2])
                assert speed.value[0] == pytest.approx(42.0)
                assert (count.value[0], count.status[0]) == (65535, GOOD)
                assert count.whole is not None
                assert count.whole[0] == 65535
                assert list(count.tag) == [2]
                await got.until(lambda: got.last(2) == (65535, GOOD))
                await got.until(lambda: got.last(1) == (pytest.approx(42.0), GOOD))

    run(scenario())


@pytest.mark.parametrize("kind", KINDS)
def test_that_a_write_the_device_does_not_take_is_refused_in_words(kind: str, ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        async with bench(kind, ua_plant) as b:
            await b.driver.open()
            with pytest.raises(WriteRefused, match="D-1"):
                await b.driver.write(b.tags[3], 1)
            with pytest.raises(WriteRefused, match="speed"):
                await b.driver.write(b.tags[1], "forty-two")
            if kind != "simulator":
                with pytest.raises(WriteRefused, match="does not fit"):
                    await b.driver.write(b.tags[2], 65536)

    run(scenario())


@pytest.mark.parametrize("kind", WIRED)
@pytest.mark.parametrize("how", ["cut", "silent"])
def test_that_a_lost_device_is_reported_within_a_bounded_time(kind: str, how: str, ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        async with bench(kind, ua_plant) as b:
            assert b.wire is not None
            await b.driver.open()
            got = Collected()
            async with running(b.driver, got) as task:
                await got.until(lambda: bool(got.of(0)))
                if how == "cut":
                    await b.wire.cut()
                else:
                    b.wire.silent = True
                with pytest.raises(DeviceError, match="D-1"):
                    await asyncio.wait_for(asyncio.shield(task), LOSS_S)

    run(scenario())


@pytest.mark.parametrize("kind", WIRED)
def test_that_a_write_without_an_answer_is_a_loss_and_never_a_refusal(kind: str, ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        async with bench(kind, ua_plant) as b:
            assert b.wire is not None
            await b.driver.open()
            await b.driver.write(b.tags[2], 5)
            b.wire.silent = True
            with pytest.raises(DeviceError) as caught:
                await asyncio.wait_for(b.driver.write(b.tags[2], 6), LOSS_S)
            assert not isinstance(caught.value, WriteRefused)

    run(scenario())


@pytest.mark.parametrize("kind", WIRED)
def test_that_a_device_without_tags_is_watched_all_the_same(kind: str, ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        async with bench(kind, ua_plant) as b:
            assert b.wire is not None
            driver = DRIVERS[kind].make(b.device, (), SystemClock())
            await driver.open()
            async with running(driver, Collected()) as task:
                await asyncio.sleep(0)
                await b.wire.cut()
                with pytest.raises(DeviceError):
                    await asyncio.wait_for(asyncio.shield(task), LOSS_S)

    run(scenario())


@pytest.mark.parametrize("kind", WIRED)
def test_that_a_cut_wire_is_noticed_long_before_the_timeout(kind: str, ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        async with bench(kind, ua_plant, timeout="10s") as b:
            assert b.wire is not None
            await b.driver.open()
            got = Collected()
            async with running(b.driver, got) as task:
                await got.until(lambda: bool(got.of(0)))
                await b.wire.cut()
                with pytest.raises(DeviceError):
                    await asyncio.wait_for(asyncio.shield(task), LOSS_S)

    run(scenario())


@pytest.mark.parametrize("kind", WIRED)
def test_that_an_unreachable_device_is_reported_when_it_is_opened(kind: str, ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        async with bench(kind, ua_plant) as b:
            assert b.wire is not None
            await b.wire.cut()
            with pytest.raises(DeviceError, match=r"D-1 at .*cannot be reached"):
                await b.driver.open()
            with pytest.raises(DeviceError):
                await b.driver.write(b.tags[2], 1)

    run(scenario())


@pytest.mark.parametrize("kind", WIRED)
def test_that_a_device_that_accepts_but_never_answers_does_not_open(kind: str, ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        async with bench(kind, ua_plant) as b:
            assert b.wire is not None
            b.wire.silent = True
            with pytest.raises(DeviceError, match=r"answer|reach"):
                await asyncio.wait_for(b.driver.open(), LOSS_S)

    run(scenario())


@pytest.mark.parametrize("kind", WIRED)
def test_that_answers_in_single_bytes_are_understood(kind: str, ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        async with bench(kind, ua_plant) as b:
            assert b.wire is not None
            b.wire.chopped = True
            await b.driver.open()
            got = Collected()
            async with running(b.driver, got):
                await got.until(lambda: all(got.of(tag.index) for tag in b.tags), within_s=10)
            assert all(status < BAD for tag in b.tags for _, _, status in got.of(tag.index))

    run(scenario())


async def opened_and_run(driver: Any) -> None:
    await driver.open()
    await driver.run(Collected())


CUTS = {"modbus-tcp": [0, 3, 8, 11, 15], "opcua": [0, 5, 28, 60, 400, 1500]}
SPOILED = {"modbus-tcp": [2, 5, 7, 8], "opcua": [2, 5, 20, 545, 560]}


@pytest.mark.parametrize("kind", WIRED)
def test_that_a_connection_cut_in_the_middle_of_an_answer_is_a_loss_like_any_other(
    kind: str, ua_plant: UaPlant
) -> None:
    async def scenario() -> None:
        async with bench(kind, ua_plant) as b:
            assert b.wire is not None
            for position in CUTS[kind]:
                b.wire.cut_after = position
                with pytest.raises(DeviceError):
                    await asyncio.wait_for(opened_and_run(b.driver), LOSS_S)
                await b.driver.close()

    run(scenario())


# What the Modbus library cannot read at all it throws at asyncio, which logs it and closes the connection.
@pytest.mark.logs("protocol.data_received")
@pytest.mark.parametrize("kind", WIRED)
def test_that_spoilt_answers_end_in_a_loss_or_in_nothing_but_never_in_another_error(
    kind: str, ua_plant: UaPlant
) -> None:
    async def scenario() -> None:
        async with bench(kind, ua_plant, timeout="200ms") as b:
            assert b.wire is not None
            for position in SPOILED[kind]:
                b.wire.spoil = {position: 0x10}
                with pytest.raises((DeviceError, TimeoutError)):
                    await asyncio.wait_for(opened_and_run(b.driver), 0.5)
                await b.driver.close()

    run(scenario())


@pytest.mark.parametrize("kind", KINDS)
def test_that_closing_twice_or_before_opening_does_no_harm_and_opening_again_works(
    kind: str, ua_plant: UaPlant
) -> None:
    async def scenario() -> None:
        async with bench(kind, ua_plant) as b:
            await b.driver.close()
            await b.driver.open()
            requests = b.driver.requests
            await b.driver.close()
            await b.driver.close()
            with pytest.raises(DeviceError):
                await b.driver.read(b.tags[0])
            await b.driver.open()
            assert b.driver.requests >= requests
            assert len(await b.driver.read(b.tags[0])) == 1

    run(scenario())


@pytest.mark.parametrize("kind", KINDS)
def test_that_a_cancelled_driver_stops_at_once(kind: str, ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        async with bench(kind, ua_plant) as b:
            for _ in range(5):
                await b.driver.open()
                task = asyncio.create_task(b.driver.run(Collected()))
                await asyncio.sleep(0)
                task.cancel()
                done, _ = await asyncio.wait([task], timeout=LOSS_S)
                assert done
                await b.driver.close()

    run(scenario())
