"""The collector as a whole, in this process, on a real socket to a device and with a real link."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from hmi.collector.collector import PlantRefusedError
from hmi.core.alarm import AlarmState
from hmi.core.clock import SECOND, SystemClock
from hmi.core.command import WriteState
from hmi.core.status import BAD_NO_COMMUNICATION, BAD_WAITING_FOR_INITIAL_DATA, GOOD
from tests.collector.bench_plc import BenchPlc
from tests.collector.folders import NO_DATABASE, write_plant
from tests.collector.live import Running, running
from tests.collector.waiting import until

PERIOD_US = SECOND // 10
pytestmark = pytest.mark.logs("device PLC-1 lost", "database", "historian", "the changed files have errors")


@pytest.fixture
def plc() -> Iterator[BenchPlc]:
    with BenchPlc() as device:
        yield device


def live(tmp_path: Path, plc: BenchPlc, body: Callable[[Running], Awaitable[None]]) -> None:
    folder = write_plant(tmp_path / "plant", plc.port, historian=NO_DATABASE)

    async def run() -> None:
        async with running(folder, tmp_path) as collector:
            await until(lambda: collector.status("FT-1") == GOOD, "the first value")
            await body(collector)

    asyncio.run(run())


def test_that_a_lost_device_turns_its_tags_bad_within_one_period_and_good_again_after(
    tmp_path: Path, plc: BenchPlc
) -> None:
    async def body(c: Running) -> None:
        clock = SystemClock()
        plc.cut()
        cut_us = clock.now_us()
        await until(lambda: c.status("FT-1") == BAD_NO_COMMUNICATION, "the tags turn bad")
        assert c.collection.table.time_us[c.tag("FT-1")] - cut_us <= PERIOD_US
        assert {c.status(name) for name in ("FT-2", "FT.sum", "PLC-1.sequence")} == {BAD_NO_COMMUNICATION}
        assert c.alarms["PLC-1/device_lost"] is AlarmState.UNACKNOWLEDGED
        plc.plug()
        await until(lambda: c.status("FT-1") == GOOD and c.status("FT.sum") == GOOD, "the tags are good again")
        assert c.alarms["PLC-1/device_lost"] is AlarmState.RETURNED

    live(tmp_path, plc, body)


def test_that_a_device_that_falls_silent_is_lost_after_its_timeout(tmp_path: Path, plc: BenchPlc) -> None:
    async def body(c: Running) -> None:
        clock = SystemClock()
        plc.fall_silent(True)
        silent_us = clock.now_us()
        await until(lambda: c.status("FT-1") == BAD_NO_COMMUNICATION, "the tags turn bad")
        # 500 ms is the timeout in the plant's file; a driver may ask a second time.
        assert c.collection.table.time_us[c.tag("FT-1")] - silent_us <= 2 * 500_000 + 2 * PERIOD_US
        plc.fall_silent(False)
        await until(lambda: c.status("FT-1") == GOOD, "the tags are good again")

    live(tmp_path, plc, body)


def test_that_writes_over_the_link_are_confirmed_refused_or_unknown_and_never_guessed(
    tmp_path: Path, plc: BenchPlc
) -> None:
    async def body(c: Running) -> None:
        done = await c.write("FT-1", 123)
        assert (done["state"], done["why"]) == ("confirmed", "")
        assert plc.registers[10] == 123
        assert c.value("FT-1") == 123
        await until(lambda: c.value("FT.sum") == 123, "the sum follows")
        refused = await c.write("Refusing", 1)
        assert refused["state"] == "refused"
        assert "illegal value" in refused["why"]
        unknown = await c.write("Stubborn", 1)
        assert unknown["state"] == "unknown"
        assert "not confirmed" in unknown["why"]
        above = await c.write("FT-1", 2000)
        assert above["state"] == "refused"
        assert plc.registers[10] == 123
        plc.cut()
        await until(lambda: c.status("FT-1") == BAD_NO_COMMUNICATION, "the device is lost")
        failed = await c.write("FT-1", 5)
        assert failed["state"] == "failed"
        states = [w.state for w in c.collector.welcome().writes]
        assert states == [
            WriteState.CONFIRMED,
            WriteState.REFUSED,
            WriteState.UNKNOWN,
            WriteState.REFUSED,
            WriteState.FAILED,
        ]

    live(tmp_path, plc, body)


def test_that_a_changed_screen_is_taken_at_once_and_a_changed_device_as_a_whole(tmp_path: Path, plc: BenchPlc) -> None:
    async def body(c: Running) -> None:
        folder = tmp_path / "plant"
        first = c.collection
        screen = folder / "screens" / "overview.yaml"
        screen.write_text(screen.read_text().replace("Overview", "Whole plant"))
        await until(lambda: c.title("overview") == "Whole plant", "the screen is taken", 3)
        assert c.collection is first
        tags = folder / "tags" / "bench.csv"
        good = tags.read_text()
        tags.write_text(good.replace("holding:11", "holding:eleven"))
        await until(lambda: c.collector.welcome().problems, "the mistake is seen", 3)
        assert c.collection is first
        assert c.status("FT-2") == GOOD
        tags.write_text(good + "FT-3,New,PLC-1,holding:12,uint16,L/s,100ms,0,1000,,,\n")
        plc.registers[12] = 77
        await until(lambda: c.collection is not first, "the new tag is taken", 3)
        await until(lambda: c.value("FT-3") == 77, "the new tag is read")
        assert not c.collector.welcome().problems
        assert (await c.ask("status"))["status"]["tags"] == 7

    live(tmp_path, plc, body)


def test_that_a_changed_limit_is_judged_at_once_and_collection_goes_on(tmp_path: Path, plc: BenchPlc) -> None:
    async def body(c: Running) -> None:
        first = c.collection
        plc.registers[10] = 400
        await until(lambda: c.value("FT-1") == 400, "the value")
        alarms = tmp_path / "plant" / "alarms" / "bench.yaml"
        text = alarms.read_text()
        alarms.write_text(text.replace("limit: 500", "limit: 300"))
        await until(lambda: "FT-1/high" in c.alarms, "the new limit holds", 3)
        await c.ask("acknowledge", keys=["FT-1/high"])
        alarms.write_text(text.replace("limit: 500", "limit: 350"))
        await until(lambda: c.collection.plant.alarms[0].limit == 350, "the limit is taken", 3)
        assert c.alarms["FT-1/high"] is AlarmState.ACKNOWLEDGED
        alarms.write_text("version: 1\nalarms: {}\n")
        await until(lambda: "FT-1/high" not in c.alarms, "an alarm that is gone is over", 3)
        assert c.collection is first

    live(tmp_path, plc, body)


def test_that_an_acknowledged_alarm_stays_acknowledged_in_the_next_collector(tmp_path: Path, plc: BenchPlc) -> None:
    async def first(c: Running) -> None:
        plc.registers[10] = 600
        await until(lambda: "FT-1/high" in c.alarms, "the alarm is raised")
        assert (await c.ask("acknowledge", keys=["FT-1/high", "PLC-1/device_lost"]))["changed"] == 1
        assert c.alarms["FT-1/high"] is AlarmState.ACKNOWLEDGED

    async def second(c: Running) -> None:
        assert c.alarms["FT-1/high"] is AlarmState.ACKNOWLEDGED
        plc.registers[10] = 100
        await until(lambda: "FT-1/high" not in c.alarms, "the alarm is over")

    live(tmp_path, plc, first)
    live(tmp_path, plc, second)


def test_that_recent_samples_are_given_from_memory(tmp_path: Path, plc: BenchPlc) -> None:
    async def body(c: Running) -> None:
        sequence = c.tag("PLC-1.sequence")
        await until(lambda: c.value("PLC-1.sequence") > 5, "some samples")
        found = await c.collector.since([sequence], 0)
        values = found.value.tolist()
        assert values == sorted(set(values))
        served = [float(n) for n, _ in plc.served]
        first = served.index(values[0])
        assert values == served[first : first + len(values)]

    live(tmp_path, plc, body)


def test_that_a_plant_with_wrong_tags_is_refused_with_all_its_problems(tmp_path: Path, plc: BenchPlc) -> None:
    folder = write_plant(tmp_path / "plant", plc.port)
    tags = folder / "tags" / "bench.csv"
    tags.write_text(tags.read_text().replace("holding:11", "holding:eleven").replace("uint32", "unit32"))

    async def run() -> None:
        async with running(folder, tmp_path):
            pass

    with pytest.raises(PlantRefusedError) as refused:
        asyncio.run(run())
    assert len(refused.value.problems) >= 2


def test_that_a_plant_whose_device_is_away_starts_and_says_so(tmp_path: Path, plc: BenchPlc) -> None:
    folder = write_plant(tmp_path / "plant", plc.port, historian=NO_DATABASE)
    plc.cut()

    async def run() -> None:
        async with running(folder, tmp_path) as c:
            await until(lambda: c.status("FT-1") == BAD_NO_COMMUNICATION, "the tags are bad")
            assert c.status("FT.sum") != BAD_WAITING_FOR_INITIAL_DATA
            assert c.collector.status()["devices"]["PLC-1"]["state"] == "lost"
            plc.plug()
            await until(lambda: c.status("FT-1") == GOOD, "the device is there")

    asyncio.run(run())
