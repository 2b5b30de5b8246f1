"""The simulated device: the same time gives the same value, within the range of the tag."""

import asyncio

from hmi.core.clock import SECOND, HandClock
from hmi.core.device import Device
from hmi.core.tag import DataType, Tag, WriteRule
from hmi.drivers import DRIVERS
from hmi.drivers.simulator import SimulatorDriver, SimulatorOptions
from tests.drivers.servers import Collected, run, running

TAGS = (
    Tag("sine", 0, address="sine:4s", low=-10, high=10),
    Tag("ramp", 1, address="ramp:10s"),
    Tag("square", 2, DataType.BOOL, address="square:2s"),
    Tag("noise", 3, DataType.UINT16, address="random", low=20, high=30),
    Tag("setpoint", 4, address="memory", low=3, write=WriteRule()),
    Tag("recipe", 5, DataType.TEXT, address="memory", write=WriteRule()),
    Tag("state", 6, DataType.UINT16, address="square:2s", states={0: "standby", 1: "running"}),
)


def driver_of(clock: HandClock) -> SimulatorDriver:
    driver = DRIVERS["simulator"].make(Device("SIM", "simulator", SimulatorOptions()), TAGS, clock)
    assert isinstance(driver, SimulatorDriver)
    return driver


def test_that_signals_follow_the_clock_and_stay_in_their_range() -> None:
    async def scenario() -> list[tuple[float, ...]]:
        clock = HandClock(0)
        driver = driver_of(clock)
        await driver.open()
        got = Collected()
        async with running(driver, got):
            for n in range(1, 11):
                await got.until(lambda n=n: len(got.of(0)) == n)
                clock.advance_us(SECOND)
        for name, low, high in (("sine", -10, 10), ("ramp", 0, 100), ("noise", 20, 30), ("state", 0, 1)):
            index = next(tag.index for tag in TAGS if tag.name == name)
            assert all(low <= value <= high for _, value, _ in got.of(index))
        assert [round(value, 6) for _, value, _ in got.of(0)][:5] == [0, 10, 0, -10, 0]
        assert [value for _, value, _ in got.of(1)][:4] == [0, 10, 20, 30]
        assert [value for _, value, _ in got.of(2)][:4] == [0, 1, 0, 1]
        return [tuple(value for _, value, _ in got.of(i)) for i in range(4)]

    assert run(scenario()) == run(scenario())


def test_that_memory_keeps_what_was_written_over_a_loss() -> None:
    async def scenario() -> None:
        driver = driver_of(HandClock())
        await driver.open()
        assert (await driver.read(TAGS[4])).value[0] == 3
        await driver.write(TAGS[4], 7.5)
        await driver.write(TAGS[5], "B-12")
        await driver.close()
        await driver.open()
        assert (await driver.read(TAGS[4])).value[0] == 7.5
        recipe = await driver.read(TAGS[5])
        assert recipe.text is not None
        assert recipe.text[0] == "B-12"

    run(scenario())


def test_that_missed_periods_are_not_caught_up() -> None:
    async def scenario() -> None:
        clock = HandClock()
        driver = driver_of(clock)
        await driver.open()
        got = Collected()
        async with running(driver, got):
            await got.until(lambda: len(got.of(0)) == 1)
            clock.advance_us(100 * SECOND)
            await got.until(lambda: len(got.of(0)) == 2)
            for _ in range(20):
                await asyncio.sleep(0)
            assert len(got.of(0)) == 2

    run(scenario())
