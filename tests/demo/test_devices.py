"""The demo plant over real sockets: Modbus TCP and OPC UA on loopback."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from hmi.config import load_plant, read_files
from hmi.core.batch import Batch
from hmi.core.clock import SystemClock
from hmi.core.resources import Shipped, shipped
from hmi.core.status import Quality, name_of, quality_of
from hmi.core.table import Table
from hmi.demo.devices import DemoDevices, UnknownDevice
from hmi.demo.node_cache import cache_file, trusted
from hmi.demo.pump import PumpState
from hmi.drivers import DRIVERS

pytestmark = pytest.mark.leaves_threads("asyncua builds its nodes in a thread of the event loop's pool")

ILLEGAL_ADDRESS, ILLEGAL_VALUE = 2, 3
MANUAL = 0


@asynccontextmanager
async def demo(with_opc_ua: bool = False) -> AsyncIterator[DemoDevices]:
    """The devices; the OPC UA server takes seconds to start and is left out where nobody asks it."""
    devices = DemoDevices()
    try:
        if with_opc_ua:
            await devices.start()
        else:
            await devices.listen()
        yield devices
    finally:
        await devices.stop()


@asynccontextmanager
async def modbus(port: int) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=2, retries=0, reconnect_delay=0)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.02)


def in_one_loop(test: Callable[[], Any]) -> None:
    asyncio.run(test())


def test_that_every_tag_of_the_plant_reads_good_from_the_devices() -> None:
    async def body() -> None:
        async with demo(with_opc_ua=True) as devices:
            files = read_files(shipped(Shipped.SCREENS) / "waterworks")
            plant, problems = load_plant(files, DRIVERS, devices.environment)
            assert problems == []
            assert plant is not None
            table = Table(len(plant.tags))
            read = [t for t in plant.tags if t.device is not None]

            def missing() -> list[str]:
                states = {t.name: int(table.status[t.index]) for t in read}
                return [f"{n} {name_of(s)}" for n, s in states.items() if quality_of(s) is not Quality.GOOD]

            drivers = []
            tasks = []
            try:
                for device in plant.devices:
                    driver = DRIVERS[device.driver].make(device, plant.tags_of(device.name), SystemClock())
                    await driver.open()
                    drivers.append(driver)
                    tasks.append(asyncio.create_task(driver.run(table.apply)))
                try:
                    await until(lambda: not missing(), 40)
                except TimeoutError:
                    pytest.fail(f"not good: {missing()}")
                for tag in read:
                    value = float(table.value[tag.index])
                    assert tag.data_type.value == "text" or not math.isnan(value), tag.name
                    if tag.low is not None and tag.high is not None and not tag.name.endswith(".speed_sp"):
                        assert tag.low <= value <= tag.high, f"{tag.name} {value}"
                shown = devices.works.shown
                for name in ("LT-101", "FT-110", "LT-250", "PT-310", "JT-310"):
                    normal = plant.tag(name).normal
                    assert normal is not None
                    value = float(table.value[plant.tag_index[name]])
                    assert value == pytest.approx(shown[name], abs=normal[1] - normal[0]), name
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                for driver in drivers:
                    await driver.close()

    in_one_loop(body)


def test_that_a_read_over_a_hole_is_answered_with_illegal_address() -> None:
    async def body() -> None:
        async with demo() as devices, modbus(devices.plc1.port) as client:
            whole = await client.read_holding_registers(100, count=24, device_id=1)
            assert whole.isError()
            assert whole.exception_code == ILLEGAL_ADDRESS
            assert not (await client.read_holding_registers(100, count=10, device_id=1)).isError()
            assert not (await client.read_holding_registers(112, count=12, device_id=1)).isError()
            bits = await client.read_discrete_inputs(0, count=8, device_id=1)
            assert bits.exception_code == ILLEGAL_ADDRESS

    in_one_loop(body)


def test_that_the_two_plcs_lay_their_words_the_other_way_round() -> None:
    async def body() -> None:
        async with demo() as devices:
            devices.works.level_setpoint = 4.0
            async with modbus(devices.plc1.port) as one, modbus(devices.plc2.port) as two:
                at = devices.plc2.sequence
                await until(lambda: devices.plc2.sequence > at + 1)
                counter = (await one.read_holding_registers(0, count=2, device_id=1)).registers
                assert counter[0] == 0
                assert counter[1] > 0
                counter = (await two.read_holding_registers(0, count=2, device_id=1)).registers
                assert counter[0] > 0
                assert counter[1] == 0
                level = (await two.read_holding_registers(20, count=2, device_id=1)).registers
                assert level == [0x0000, 0x4080], "4.0 with the low word first"

    in_one_loop(body)


def test_that_commands_act_and_wrong_ones_are_refused() -> None:
    async def body() -> None:
        async with demo() as devices, modbus(devices.plc2.port) as client:
            pump = devices.works.pump("P-301")
            refused = await client.write_register(103, 6000, device_id=1)
            assert refused.exception_code == ILLEGAL_VALUE, "in automatic the controller gives the speed"
            assert not (await client.write_register(101, MANUAL, device_id=1)).isError()
            for wrong in (3999, 10001):
                assert (await client.write_register(103, wrong, device_id=1)).exception_code == ILLEGAL_VALUE
            assert not (await client.write_register(103, 7100, device_id=1)).isError()
            await until(lambda: abs(pump.speed - 71.0) < 0.01)
            assert not (await client.write_coil(16, False, device_id=1)).isError()
            await until(lambda: pump.state is PumpState.STOPPED)

            async def shown_as_stopped() -> bool:
                return not (await client.read_discrete_inputs(16, count=1, device_id=1)).bits[0]

            await until(shown_as_stopped)
            assert not (await client.write_coil(16, True, device_id=1)).isError()
            await until(lambda: pump.state is PumpState.RUNNING)
            measurement = await client.write_register(102, 5000, device_id=1)
            assert measurement.exception_code == ILLEGAL_ADDRESS, "a measurement is no command"

    in_one_loop(body)


def test_that_the_stroke_is_accepted_and_not_taken_over() -> None:
    async def body() -> None:
        async with demo() as devices, modbus(devices.plc2.port) as client:
            assert not (await client.write_register(44, 500, device_id=1)).isError()
            assert (await client.read_holding_registers(44, count=1, device_id=1)).registers == [700]
            assert devices.works.dosing.stroke == 70.0

    in_one_loop(body)


def test_that_another_unit_does_not_answer_for_the_plc() -> None:
    async def body() -> None:
        async with demo() as devices, modbus(devices.plc1.port) as client:
            assert (await client.read_holding_registers(0, count=1, device_id=9)).isError()

    in_one_loop(body)


def test_that_a_cut_plc_is_gone_and_comes_back_at_the_same_port() -> None:
    async def body() -> None:
        async with demo() as devices:
            port = devices.plc1.port
            async with modbus(port) as client:
                before = (await client.read_holding_registers(0, count=2, device_id=1)).registers[1]
                await devices.cut("PLC-1")
                await until(lambda: not client.connected)
                with pytest.raises((ModbusException, OSError)):
                    await client.read_holding_registers(0, count=2, device_id=1)
            with pytest.raises(OSError, match=r"refused|111"):
                await asyncio.open_connection("127.0.0.1", port)
            at_cut = devices.plc1.sequence
            await until(lambda: devices.plc1.sequence > at_cut + 3)
            await devices.restore("PLC-1")
            async with modbus(port) as client:
                after = (await client.read_holding_registers(0, count=2, device_id=1)).registers[1]
            assert after > before + 3, "the PLC went on while its cable was out"
            with pytest.raises(UnknownDevice):
                await devices.cut("PLC-9")

    in_one_loop(body)


def test_that_each_device_knows_which_counts_it_gave_away() -> None:
    async def body() -> None:
        async with demo() as devices, modbus(devices.plc1.port) as client:
            seen = set()
            for _ in range(30):
                seen.add((await client.read_holding_registers(0, count=2, device_id=1)).registers[1])
                await asyncio.sleep(0.02)
            report = devices.served()["PLC-1"]
            given = {n for low, high in report["served"] for n in range(low, high + 1)}
            assert given == seen
            assert report["reads"] == 30
            assert report["sequence"] >= max(seen)

    in_one_loop(body)


def test_that_the_opc_ua_server_takes_good_setpoints_refuses_others_and_survives_a_cut() -> None:
    async def body() -> None:
        async with demo(with_opc_ua=True) as devices:
            url = devices.environment["HMI_DEVICE_UA_1_URL"]
            async with Client(url, timeout=20) as client:
                await setpoints(devices, client)
                at = await client.get_node("ns=2;s=UA-1.sequence").read_value()
                await devices.cut("UA-1")
                with pytest.raises(OSError, match=r"refused|111"):
                    await asyncio.open_connection("127.0.0.1", devices.ua1.port)
            await until(lambda: devices.ua1.sequence > at + 2)
            await devices.restore("UA-1")
            async with Client(url, timeout=20) as client:
                value = await client.get_node("ns=2;s=UA-1.sequence").read_data_value()
                assert value.Value is not None
                assert value.Value.Value > at, "the server went on while its cable was out"
                assert value.StatusCode is not None
                assert value.StatusCode.is_good()
                assert value.SourceTimestamp is not None

    in_one_loop(body)


async def setpoints(devices: DemoDevices, client: Client) -> None:
    setpoint = client.get_node("ns=2;s=PT-401.sp")
    await setpoint.write_value(5.0)
    assert devices.works.north.valve.setpoint == 5.0
    assert await setpoint.read_value() == 5.0
    for node, value, code in (
        ("PT-401.sp", 9.0, ua.StatusCodes.BadOutOfRange),
        ("PT-401.sp", 5, ua.StatusCodes.BadTypeMismatch),
        ("V-401.position_sp", 50.0, ua.StatusCodes.BadRequestNotAllowed),
        ("FT-401", 50.0, ua.StatusCodes.BadNotWritable),
    ):
        with pytest.raises(ua.UaStatusCodeError) as refusal:
            await client.get_node(f"ns=2;s={node}").write_value(value)
        assert refusal.value.code == code, node
    await client.get_node("ns=2;s=Trainer.trip.P-302").write_value(True)
    assert devices.works.pump("P-302").state is PumpState.TRIPPED
    await client.get_node("ns=2;s=Trainer.leak.South").write_value(60.0)
    assert devices.works.south.leak_at_nominal == 60.0
    await client.get_node("ns=2;s=Trainer.unplug.PLC-1").write_value(True)
    await until(lambda: not devices.plc1.listening)
    await client.get_node("ns=2;s=Trainer.unplug.PLC-1").write_value(False)
    await until(lambda: devices.plc1.listening)
    await client.get_node("ns=2;s=V-401.open_command").write_value(True)
    await until(lambda: devices.works.north.valve.position > 98.0)


def test_that_the_batch_of_a_driver_is_not_needed_to_serve() -> None:
    """A driver that stops reading leaves the devices as they are."""
    received: list[Batch] = []

    async def body() -> None:
        async with demo() as devices:
            files = read_files(shipped(Shipped.SCREENS) / "waterworks")
            plant, _ = load_plant(files, DRIVERS, devices.environment)
            assert plant is not None
            device = plant.device("PLC-1")
            driver = DRIVERS[device.driver].make(device, plant.tags_of("PLC-1"), SystemClock())
            await driver.open()
            task = asyncio.create_task(driver.run(received.append))
            await until(lambda: len(received) > 3)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await driver.close()
            at = devices.plc1.sequence
            await until(lambda: devices.plc1.sequence > at + 2)

    in_one_loop(body)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_that_a_damaged_cache_of_nodes_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache_file().parent.mkdir()
    cache_file().write_bytes(b"no pickle")
    cache_file().chmod(0o600)

    async def body() -> None:
        for _ in range(2):
            async with (
                demo(with_opc_ua=True) as devices,
                Client(devices.environment["HMI_DEVICE_UA_1_URL"], timeout=30) as client,
            ):
                assert await client.get_node("ns=2;s=PT-401.sp").read_value() == 5.2

    in_one_loop(body)
    assert trusted(cache_file())
    cache_file().chmod(0o666)
    assert not trusted(cache_file()), "somebody else could have written it"
