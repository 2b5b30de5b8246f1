"""The OPC UA driver against a real server: status and source time kept, unknown nodes, silence, many items."""

import asyncio
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from asyncua import ua

from hmi.core.clock import SystemClock, from_datetime, to_datetime
from hmi.core.device import Device, DeviceError, WriteRefused
from hmi.core.status import (
    BAD_NODE_ID_UNKNOWN,
    BAD_OUT_OF_RANGE,
    BAD_SENSOR_FAILURE,
    BAD_TYPE_MISMATCH,
    BAD_WAITING_FOR_INITIAL_DATA,
    GOOD,
    UNCERTAIN_SENSOR_NOT_ACCURATE,
)
from hmi.core.tag import DataType, Scale, Tag
from hmi.drivers import DRIVERS
from hmi.drivers.opcua_codec import OVERFLOW, Decoder
from tests.drivers.servers import Collected, UaPlant, eventually, run, running

PERIOD_US = 100_000


def tag_of(index: int, address: str, data_type: DataType = DataType.FLOAT64, scale: Scale | None = None) -> Tag:
    return Tag(f"T-{index}", index, data_type, device="UA-1", address=address, period_us=PERIOD_US, scale=scale)


def driver_of(plant: UaPlant, tags: list[Tag], **options: Any) -> Any:
    entry = DRIVERS["opcua"]
    given = {"publishing": "50ms", "keep_alive": "200ms", "timeout": "1s"} | options
    found = entry.options(url=f"opc.tcp://127.0.0.1:{plant.port}/plant", **given)
    return entry.make(Device("UA-1", "opcua", found, trust_clock=True), tags, SystemClock())


def test_that_status_and_source_time_arrive_as_the_server_sent_them(ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        address = ua_plant.add("kept", 1.0, ua.VariantType.Double)
        driver = driver_of(ua_plant, [tag_of(0, address)])
        await driver.open()
        got = Collected()
        async with running(driver, got):
            await got.until(lambda: bool(got.of(0)))
            source = to_datetime(SystemClock().now_us()).replace(microsecond=123_000) - timedelta(seconds=30)
            for status in (UNCERTAIN_SENSOR_NOT_ACCURATE, BAD_SENSOR_FAILURE):
                value = ua.DataValue(
                    ua.Variant(2.5, ua.VariantType.Double), ua.StatusCode(status), SourceTimestamp=source
                )
                await asyncio.to_thread(ua_plant.set, "kept", value)
                await got.until(lambda status=status: got.of(0)[-1][2] == status)
                assert got.of(0)[-1][0] == from_datetime(source)
            delay_us = int(got.batches[-1].delay_us[-1])
            assert 29_000_000 < delay_us < 60_000_000

    run(scenario())


def test_that_a_node_the_server_does_not_have_turns_bad_once_a_period(ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        address = ua_plant.add("known", 1.0, ua.VariantType.Double)
        driver = driver_of(ua_plant, [tag_of(0, address), tag_of(1, f"ns={ua_plant.namespace};s=nowhere")])
        await driver.open()
        got = Collected()
        async with running(driver, got):
            await got.until(lambda: len(got.of(1)) >= 3 and bool(got.of(0)))
        assert {status for _, _, status in got.of(1)} == {BAD_NODE_ID_UNKNOWN}
        times = [time_us for time_us, _, _ in got.of(1)]
        assert times[2] - times[0] >= 150_000
        assert got.last(0) == (1.0, GOOD)

    run(scenario())


def test_that_an_unchanged_value_sends_nothing_while_the_server_is_still_heard(ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        address = ua_plant.add("still", 3.0, ua.VariantType.Double)
        driver = driver_of(ua_plant, [tag_of(0, address)])
        await driver.open()
        got = Collected()
        async with running(driver, got) as task:
            await got.until(lambda: bool(got.of(0)))
            first = driver.alive_us
            await eventually(lambda: driver.alive_us >= first + 500_000)
            assert not task.done()
        assert len(got.of(0)) == 1

    run(scenario())


def test_that_values_come_in_the_lane_of_their_declared_type(ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        variant = ua.VariantType
        tags = [
            tag_of(0, ua_plant.add("lane.float", 1.5, variant.Float), DataType.FLOAT32),
            tag_of(1, ua_plant.add("lane.whole", 2**53 + 1, variant.Int64), DataType.INT64),
            tag_of(2, ua_plant.add("lane.bool", True, variant.Boolean), DataType.BOOL),
            tag_of(3, ua_plant.add("lane.text", "Ostbach", variant.String), DataType.TEXT),
            tag_of(4, ua_plant.add("lane.scaled", 200, variant.Int16), DataType.INT16, Scale(0.5, 1.0)),
            tag_of(5, ua_plant.add("lane.wrong", "twelve", variant.String), DataType.FLOAT32),
            tag_of(6, ua_plant.add("lane.large", 2**63, variant.UInt64), DataType.UINT64),
            tag_of(7, ua_plant.add("lane.list", [1.0, 2.0], variant.Double), DataType.FLOAT64),
        ]
        driver = driver_of(ua_plant, tags)
        await driver.open()
        got = Collected()
        async with running(driver, got):
            await got.until(lambda: all(got.of(tag.index) for tag in tags))
        assert [got.last(i) for i in (0, 2, 4)] == [(1.5, GOOD), (1.0, GOOD), (101.0, GOOD)]
        whole = {int(t): int(b.whole[i]) for b in got.batches if b.whole is not None for i, t in enumerate(b.tag)}
        text = {int(t): b.text[i] for b in got.batches if b.text is not None for i, t in enumerate(b.tag)}
        assert whole[1] == 2**53 + 1
        assert text[3] == "Ostbach"
        assert [got.of(i)[0][2] for i in (5, 6, 7)] == [BAD_TYPE_MISMATCH, BAD_OUT_OF_RANGE, BAD_TYPE_MISMATCH]

    run(scenario())


def test_that_more_items_than_fit_in_one_call_are_all_subscribed(ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        address = ua_plant.add("many", 4.0, ua.VariantType.Double)
        tags = [tag_of(n, address) for n in range(600)]
        driver = driver_of(ua_plant, tags, timeout="10s")
        await driver.open()
        got = Collected()
        async with running(driver, got):
            await got.until(lambda: len({int(t) for b in got.batches for t in b.tag}) == 600, within_s=15)
        # Many values in few batches: nothing is handed over one by one.
        assert len(got.batches) < 60

    run(scenario())


def test_that_every_change_between_two_messages_arrives_in_order(ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        address = ua_plant.add("fast", 0.0, ua.VariantType.Double)
        tag = Tag("T-0", 0, DataType.FLOAT64, device="UA-1", address=address, period_us=10_000)
        driver = driver_of(ua_plant, [tag], publishing="200ms")
        await driver.open()
        got = Collected()
        async with running(driver, got):
            await got.until(lambda: bool(got.of(0)))
            for n in range(1, 11):
                value = ua.DataValue(
                    ua.Variant(float(n), ua.VariantType.Double), SourceTimestamp=to_datetime(SystemClock().now_us())
                )
                await asyncio.to_thread(ua_plant.set, "fast", value)
            await got.until(lambda: got.last(0) == (10.0, GOOD))
        assert [value for _, value, _ in got.of(0)][-10:] == [float(n) for n in range(1, 11)]

    run(scenario())


@pytest.mark.logs("queue too short")
def test_that_values_dropped_by_a_short_queue_are_counted_and_told(ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        address = ua_plant.add("flood", 0.0, ua.VariantType.Double)
        tag = Tag("T-0", 0, DataType.FLOAT64, device="UA-1", address=address, period_us=1_000_000)
        driver = driver_of(ua_plant, [tag], publishing="50ms")
        await driver.open()
        got = Collected()
        async with running(driver, got):
            await got.until(lambda: bool(got.of(0)))
            status = ua.StatusCode(GOOD | OVERFLOW)
            await asyncio.to_thread(ua_plant.set, "flood", ua.DataValue(ua.Variant(1.0, ua.VariantType.Double), status))
            await got.until(lambda: bool(got.of(0)[-1][2] & OVERFLOW))
        assert driver.dropped == 1

    run(scenario())


def test_that_a_write_to_a_node_that_may_not_be_written_is_refused_by_the_server(ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        address = ua_plant.add("locked", 1.0, ua.VariantType.Double)
        driver = driver_of(ua_plant, [tag_of(0, address)])
        await driver.open()
        with pytest.raises(WriteRefused, match=r"UA-1 refuses the write to ns=.*BadUserAccessDenied|BadNotWritable"):
            await driver.write(tag_of(0, address), 2.0)
        with pytest.raises(WriteRefused, match="BadNodeIdUnknown"):
            await driver.write(tag_of(1, f"ns={ua_plant.namespace};s=nowhere"), 2.0)
        await driver.close()

    run(scenario())


@pytest.mark.parametrize(
    ("variant", "data_type", "value", "stored"),
    [
        (ua.VariantType.Boolean, DataType.BOOL, True, True),
        (ua.VariantType.Byte, DataType.UINT16, 255, 255),
        (ua.VariantType.Int64, DataType.INT64, 2**53 + 1, 2**53 + 1),
        (ua.VariantType.Float, DataType.FLOAT32, 1.5, 1.5),
        (ua.VariantType.String, DataType.TEXT, "Güte", "Güte"),
    ],
)
def test_that_a_write_has_the_type_of_the_node(
    ua_plant: UaPlant, variant: ua.VariantType, data_type: DataType, value: Any, stored: Any
) -> None:
    async def scenario() -> None:
        start: Any = "" if variant is ua.VariantType.String else False if variant is ua.VariantType.Boolean else 0
        address = ua_plant.add(f"typed.{variant.name}", start, variant, writable=True)
        driver = driver_of(ua_plant, [tag_of(0, address, data_type)])
        await driver.open()
        await driver.write(tag_of(0, address, data_type), value)
        await driver.close()
        assert await asyncio.to_thread(ua_plant.value, f"typed.{variant.name}") == stored

    run(scenario())


def test_that_a_server_that_says_it_is_not_running_counts_as_lost(ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        address = ua_plant.add("alive", 1.0, ua.VariantType.Double)
        driver = driver_of(ua_plant, [tag_of(0, address)])
        await driver.open()
        got = Collected()
        async with running(driver, got) as task:
            await got.until(lambda: bool(got.of(0)))
            state = ua_plant._server.get_node(ua.ObjectIds.Server_ServerStatus_State)
            await asyncio.to_thread(ua_plant.do, state.write_value(ua.ServerState.Suspended, ua.VariantType.Int32))
            try:
                with pytest.raises(DeviceError, match="not running; its state is Suspended"):
                    await asyncio.wait_for(asyncio.shield(task), 2)
            finally:
                await asyncio.to_thread(ua_plant.do, state.write_value(ua.ServerState.Running, ua.VariantType.Int32))

    run(scenario())


def test_that_a_subscription_the_server_forgot_counts_as_lost_though_the_server_answers(ua_plant: UaPlant) -> None:
    async def scenario() -> None:
        address = ua_plant.add("forgotten", 1.0, ua.VariantType.Double)
        driver = driver_of(ua_plant, [tag_of(0, address)], timeout="300ms")
        await driver.open()
        got = Collected()
        async with running(driver, got) as task:
            await got.until(lambda: bool(got.of(0)))
            service = ua_plant._server.iserver.subscription_service
            newest = max(service.subscriptions)
            await asyncio.to_thread(ua_plant.do, service.delete_subscriptions([newest]))
            with pytest.raises(DeviceError, match=r"subscription"):
                await asyncio.wait_for(asyncio.shield(task), 4)

    run(scenario())


def test_that_good_without_a_value_is_shown_as_never_read_and_no_time_means_the_time_of_receipt() -> None:
    decoder = Decoder([tag_of(4, "i=1"), tag_of(7, "i=2", DataType.BOOL)])
    values = [ua.DataValue(ua.Variant(None)), ua.DataValue(ua.Variant(True)), ua.DataValue(ua.Variant(1.25))]
    batch = decoder.decode([0, 1, 0], values, [10, 20, 30])
    assert batch.tag.tolist() == [4, 7, 4]
    assert batch.time_us.tolist() == [10, 20, 30]
    assert batch.status.tolist() == [BAD_WAITING_FOR_INITIAL_DATA, GOOD, GOOD]
    np.testing.assert_array_equal(batch.value, [np.nan, 1.0, 1.25])
