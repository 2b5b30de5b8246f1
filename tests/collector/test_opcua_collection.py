"""What holds for devices that send only what changes, with a real OPC UA server."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from asyncua import ua

from hmi.core.clock import SECOND, SystemClock, from_datetime, to_datetime
from hmi.core.status import BAD_NO_COMMUNICATION, BAD_SENSOR_FAILURE, GOOD
from tests.collector.folders import NO_DATABASE
from tests.collector.live import running
from tests.collector.waiting import until
from tests.drivers.servers import UaPlant, Wire

pytestmark = pytest.mark.logs("device UA-1 lost", "history is not stored for now")


@pytest.fixture
def server() -> Iterator[UaPlant]:
    plant = UaPlant()
    plant.start()
    yield plant
    plant.stop()


def write_plant(folder: Path, port: int, level: str, speed: str) -> Path:
    (folder / "tags").mkdir(parents=True)
    (folder / "screens").mkdir()
    (folder / "plant.yaml").write_text(
        "version: 1\nname: Zones\nzone: Europe/Berlin\nstart: overview\ndevices:\n"
        f'  UA-1: {{driver: opcua, url: "opc.tcp://127.0.0.1:{port}/plant", period: 100ms, trust_clock: true}}\n'
        f"historian: {NO_DATABASE}\n"
    )
    (folder / "tags" / "zones.csv").write_text(
        "name,device,address,type,period,heartbeat,low,high,decimals\n"
        f"Level,UA-1,{level},float64,100ms,2s,0,10,2\n"
        f"Speed,UA-1,{speed},float64,100ms,60s,0,100,1\n"
    )
    (folder / "screens" / "overview.yaml").write_text(
        "version: 1\nscreen: {title: Overview, level: 1, size: [1920, 888]}\nelements: []\n"
    )
    return folder


def test_that_an_unchanged_value_stays_fresh_is_told_again_and_keeps_the_time_of_its_source(
    tmp_path: Path, server: UaPlant
) -> None:
    level = server.add("Level", 4.5, ua.VariantType.Double)
    speed = server.add("Speed", 50.0, ua.VariantType.Double)

    async def body() -> None:
        async with Wire(server.port) as wire:
            folder = write_plant(tmp_path / "plant", wire.port, level, speed)
            await watched(folder, wire)

    async def watched(folder: Path, wire: Wire) -> None:
        async with running(folder, tmp_path) as c:
            await until(lambda: c.status("Level") == GOOD and c.status("Speed") == GOOD, "the first values")
            source = to_datetime(SystemClock().now_us())
            told = ua.DataValue(ua.Variant(61.0, ua.VariantType.Double), SourceTimestamp=source)
            await asyncio.to_thread(server.set, "Speed", told)
            await until(lambda: c.value("Speed") == 61.0, "the change")
            at = c.tag("Speed")
            assert int(c.collection.table.time_us[at]) == from_datetime(source)
            assert 0 < c.collection.table.delay_us[at] < 5 * SECOND
            failed = ua.DataValue(
                ua.Variant(61.0, ua.VariantType.Double),
                StatusCode=ua.StatusCode(BAD_SENSOR_FAILURE),  # type: ignore[arg-type]
                SourceTimestamp=to_datetime(SystemClock().now_us()),
            )
            await asyncio.to_thread(server.set, "Speed", failed)
            await until(lambda: c.status("Speed") == BAD_SENSOR_FAILURE, "the status of the device, as it came")
            # Nothing changes for longer than anything counts as fresh: the value is repeated, not stale.
            first_us = int(c.collection.table.time_us[c.tag("Level")])
            await until(lambda: c.collection.table.time_us[c.tag("Level")] > first_us + 5 * SECOND, "heartbeats", 15)
            assert (c.status("Level"), c.value("Level")) == (GOOD, 4.5)
            levels = await c.collector.since([c.tag("Level")], 0)
            assert set(levels.value.tolist()) == {4.5}
            wire.silent = True
            await until(lambda: c.status("Level") == BAD_NO_COMMUNICATION, "the loss of the server")
            wire.silent = False
            await until(lambda: c.status("Level") == GOOD, "the server is back", 20)
            assert c.status("Speed") == BAD_SENSOR_FAILURE

    asyncio.run(body())
