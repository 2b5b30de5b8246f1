"""The Modbus driver against a real server: blocks, holes in the map, exceptions, orders, periods."""

import asyncio
from typing import Any

import pytest
from pymodbus.constants import ExcCodes

from hmi.core.clock import MINUTE, SECOND, Clock, HandClock, SystemClock
from hmi.core.device import Device, DeviceError, WriteRefused
from hmi.core.status import BAD_COMMUNICATION_ERROR, BAD_CONFIGURATION_ERROR, BAD_DEVICE_FAILURE, GOOD
from hmi.core.tag import DataType, Tag
from hmi.drivers import DRIVERS
from tests.drivers.servers import Collected, Plc, eventually, run, running

READ_HOLDING, READ_INPUT = 3, 4


def tag_of(index: int, address: str, data_type: DataType = DataType.UINT16, period_us: int = 50_000) -> Tag:
    return Tag(f"T-{index}", index, data_type, device="PLC-1", address=address, period_us=period_us)


def driver_of(plc: Plc, tags: list[Tag], clock: Clock | None = None, **options: Any) -> Any:
    entry = DRIVERS["modbus-tcp"]
    found = entry.options(host="127.0.0.1", port=plc.port, timeout="500ms", **options)
    return entry.make(Device("PLC-1", "modbus-tcp", found), tags, clock or SystemClock())


def test_that_neighbouring_tags_are_read_in_one_request() -> None:
    async def scenario() -> None:
        async with Plc({n: n for n in range(100)}) as plc:
            tags = [tag_of(i, f"holding:{n}") for i, n in enumerate((0, 5, 21, 60))]
            driver = driver_of(plc, tags, max_gap=16)
            await driver.open()
            plc.requests.clear()
            got = Collected()
            async with running(driver, got):
                await got.until(lambda: all(got.of(i) for i in range(4)))
            assert [got.of(i)[0][1] for i in range(4)] == [0, 5, 21, 60]
            assert plc.requests[:2] == [(READ_HOLDING, 0, 22), (READ_HOLDING, 60, 1)]

    run(scenario())


def test_that_a_hole_in_the_map_is_found_and_remembered() -> None:
    async def scenario() -> None:
        registers = {n: n for n in range(64) if n != 40}
        async with Plc(registers) as plc:
            tags = [tag_of(i, f"holding:{n}") for i, n in enumerate((0, 8, 16, 24, 32, 38, 44, 52, 60))]
            driver = driver_of(plc, tags, max_gap=16)
            await driver.open()
            got = Collected()
            async with running(driver, got):
                await got.until(lambda: len(got.of(8)) >= 3)
                plc.requests.clear()
                await got.until(lambda: len(got.of(8)) >= 5)
            assert all(status == GOOD for i in range(9) for _, _, status in got.of(i))
            assert [got.of(i)[0][1] for i in range(9)] == [0, 8, 16, 24, 32, 38, 44, 52, 60]
            # From the second cycle on two requests a cycle: what lies on either side of the hole.
            assert set(plc.requests) == {(READ_HOLDING, 0, 39), (READ_HOLDING, 44, 17)}

    run(scenario())


def test_that_a_tag_that_does_not_exist_turns_bad_once_a_period_and_the_others_stay_good() -> None:
    async def scenario() -> None:
        async with Plc({n: n for n in range(30) if n != 13}) as plc:
            tags = [tag_of(i, f"holding:{n}") for i, n in enumerate((10, 12, 13, 14, 20))]
            driver = driver_of(plc, tags)
            await driver.open()
            got = Collected()
            async with running(driver, got):
                await got.until(lambda: len(got.of(2)) >= 4 and len(got.of(4)) >= 4)
                plc.requests.clear()
                before = len(got.of(0))
                await got.until(lambda: len(got.of(0)) >= before + 3)
            assert {status for _, _, status in got.of(2)} == {BAD_CONFIGURATION_ERROR}
            assert all(status == GOOD for i in (0, 1, 3, 4) for _, _, status in got.of(i))
            assert (READ_HOLDING, 13, 1) not in plc.requests

    run(scenario())


def test_that_a_device_whose_program_was_stopped_is_back_within_a_period_of_its_start() -> None:
    async def scenario() -> None:
        async with Plc({n: n for n in range(8)}) as plc:
            driver = driver_of(plc, [tag_of(n, f"holding:{n}") for n in range(8)])
            await driver.open()
            plc.refuse[READ_HOLDING] = ExcCodes.ILLEGAL_ADDRESS
            got = Collected()
            async with running(driver, got):
                await got.until(lambda: all(len(got.of(n)) >= 3 for n in range(8)))
                assert {status for n in range(8) for _, _, status in got.of(n)} == {BAD_CONFIGURATION_ERROR}
                plc.refuse.clear()
                await got.until(lambda: all(got.last(n) == (n, GOOD) for n in range(8)), within_s=5)

    run(scenario())


def test_that_a_tag_that_was_not_there_is_asked_for_again_after_a_minute() -> None:
    async def scenario() -> None:
        clock = HandClock()
        async with Plc({0: 1}, {0: 2}, refuse={READ_INPUT: ExcCodes.ILLEGAL_ADDRESS}) as plc:
            tags = [tag_of(0, "holding:0", period_us=SECOND), tag_of(1, "input:0", period_us=SECOND)]
            driver = driver_of(plc, tags, clock)
            await driver.open()
            got = Collected()
            async with running(driver, got):
                await got.until(lambda: len(got.of(1)) == 1)
                plc.refuse.clear()
                plc.requests.clear()
                for n in (2, 3):
                    clock.advance_us(SECOND)
                    await got.until(lambda n=n: len(got.of(1)) == n)
                assert {status for _, _, status in got.of(1)} == {BAD_CONFIGURATION_ERROR}
                assert {function for function, _, _ in plc.requests} == {READ_HOLDING}
                clock.advance_us(MINUTE)
                await got.until(lambda: got.last(1) == (2, GOOD))
            assert {status for _, _, status in got.of(0)} == {GOOD}

    run(scenario())


def test_that_a_connection_with_slow_tags_only_is_kept_in_use() -> None:
    async def scenario() -> None:
        clock = HandClock()
        async with Plc({0: 1}) as plc:
            driver = driver_of(plc, [tag_of(0, "holding:0", period_us=10 * MINUTE)], clock)
            await driver.open()
            got = Collected()
            async with running(driver, got):
                await got.until(lambda: len(got.of(0)) == 1)
                for _ in range(4):
                    before = driver.requests
                    clock.advance_us(5 * SECOND)
                    await eventually(lambda before=before: driver.requests > before)
            assert len(got.of(0)) == 1

    run(scenario())


def test_that_an_exception_of_the_device_turns_only_the_tags_of_that_block_bad() -> None:
    async def scenario() -> None:
        async with Plc({0: 1}, {0: 2}, refuse={4: ExcCodes.DEVICE_FAILURE}) as plc:
            driver = driver_of(plc, [tag_of(0, "holding:0"), tag_of(1, "input:0")])
            await driver.open()
            got = Collected()
            async with running(driver, got):
                await got.until(lambda: bool(got.of(0)) and bool(got.of(1)))
                assert got.last(0) == (1, GOOD)
                assert got.of(1)[-1][2] == BAD_DEVICE_FAILURE
                plc.refuse[4] = ExcCodes.DEVICE_BUSY
                await got.until(lambda: got.of(1)[-1][2] == BAD_COMMUNICATION_ERROR)
                plc.refuse.clear()
                await got.until(lambda: got.last(1) == (2, GOOD))

    run(scenario())


def test_that_a_silent_device_behind_a_gateway_counts_as_lost() -> None:
    async def scenario() -> None:
        async with Plc({0: 1}) as plc:
            driver = driver_of(plc, [tag_of(0, "holding:0")])
            await driver.open()
            plc.refuse[READ_HOLDING] = ExcCodes.GATEWAY_NO_RESPONSE
            with pytest.raises(DeviceError, match="unit 1: the device behind the gateway does not answer"):
                await driver.run(Collected())
            await driver.close()

    run(scenario())


def test_that_coils_and_bits_are_written_and_read_in_the_right_place() -> None:
    async def scenario() -> None:
        async with Plc({0: 0x00F0}) as plc:
            coils = [tag_of(n, f"coil:{n}", DataType.BOOL) for n in range(20)]
            bit = tag_of(20, "holding:0.9", DataType.BOOL)
            driver = driver_of(plc, [*coils, bit])
            await driver.open()
            await driver.write(coils[3], True)
            await driver.write(coils[17], True)
            await driver.write(bit, True)
            got = Collected()
            async with running(driver, got):
                await got.until(lambda: bool(got.of(20)) and bool(got.of(0)))
                assert [n for n in range(21) if got.of(n)[0][1]] == [3, 17, 20]
                assert plc.register(0) == 0x02F0
                for tag, value in ((coils[3], 2), (coils[3], "false"), (bit, 0.5)):
                    with pytest.raises(WriteRefused, match="neither 0 nor 1"):
                        await driver.write(tag, value)
                await driver.write(coils[3], False)
                await got.until(lambda: got.last(3) == (0, GOOD))

    run(scenario())


def test_that_a_device_that_cannot_write_single_bits_says_what_to_do() -> None:
    async def scenario() -> None:
        async with Plc({0: 0}, refuse={22: ExcCodes.ILLEGAL_FUNCTION}) as plc:
            driver = driver_of(plc, [tag_of(0, "holding:0.9", DataType.BOOL)])
            await driver.open()
            with pytest.raises(WriteRefused, match=r"illegal function.*write the whole register"):
                await driver.write(tag_of(0, "holding:0.9", DataType.BOOL), True)
            await driver.close()

    run(scenario())


def test_that_a_write_that_the_device_acknowledges_but_has_not_finished_is_not_refused() -> None:
    async def scenario() -> None:
        async with Plc({0: 0}, refuse={6: ExcCodes.ACKNOWLEDGE}) as plc:
            driver = driver_of(plc, [tag_of(0, "holding:0")])
            await driver.open()
            await driver.write(tag_of(0, "holding:0"), 3)
            plc.refuse[6] = ExcCodes.DEVICE_BUSY
            with pytest.raises(WriteRefused, match="device busy"):
                await driver.write(tag_of(0, "holding:0"), 3)
            await driver.close()

    run(scenario())


def _answer(request: bytes, body: bytes, transaction: int | None = None, length: int | None = None) -> bytes:
    number = int.from_bytes(request[:2]) if transaction is None else transaction
    size = len(body) + 1 if length is None else length
    return number.to_bytes(2) + b"\0\0" + size.to_bytes(2) + request[6:7] + body


ROGUES: dict[str, Any] = {
    "noise": lambda request: bytes(range(200, 256)) * 4,
    "another request's number": lambda request: _answer(request, b"\3\2\0\7", transaction=4711),
    "another function": lambda request: _answer(request, b"\4\2\0\7"),
    "too few registers": lambda request: _answer(request, b"\3\0"),
    "too many registers": lambda request: _answer(request, b"\3\6\0\7\0\7\0\7"),
    "half a register": lambda request: _answer(request, b"\3\1\7"),
    "a length that is not there": lambda request: _answer(request, b"\3\2\0\7", length=200),
    "a count that is not there": lambda request: _answer(request, b"\3\xfa\0\7"),
    "nothing": lambda request: b"",
    "half an answer": lambda request: _answer(request, b"\3\2\0\7")[:9],
    "an unknown exception": lambda request: _answer(request, b"\x83\x63"),
}


@pytest.mark.parametrize("rogue", list(ROGUES))
def test_that_a_device_that_answers_nonsense_never_gives_a_good_value_and_never_hangs_the_driver(rogue: str) -> None:
    async def scenario() -> None:
        gone = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while request := await reader.read(260):
                    writer.write(ROGUES[rogue](request))
            except OSError:
                return
            finally:
                writer.close()
                gone.set()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        entry = DRIVERS["modbus-tcp"]
        options = entry.options(host="127.0.0.1", port=server.sockets[0].getsockname()[1], timeout="200ms")
        driver = entry.make(Device("PLC-1", "modbus-tcp", options), [tag_of(0, "holding:0")], SystemClock())
        got = Collected()

        async def attempt() -> None:
            await driver.open()
            await driver.run(got)

        # The unknown exception is an answer: the tag is bad, and the device is there.
        understood = rogue == "an unknown exception"
        expected: Any = TimeoutError if understood else DeviceError
        try:
            with pytest.raises(expected):
                await asyncio.wait_for(attempt(), 0.5 if understood else 3.0)
        finally:
            await driver.close()
            server.close()
            await gone.wait()
        assert not any(status == GOOD for _, _, status in got.of(0))

    run(scenario())


def test_that_one_register_and_several_are_written_by_their_own_functions() -> None:
    async def scenario() -> None:
        async with Plc(dict.fromkeys(range(8), 0)) as plc:
            whole = tag_of(0, "holding:0")
            real = tag_of(1, "holding:2", DataType.FLOAT32)
            text = tag_of(2, "holding:4/3", DataType.TEXT)
            driver = driver_of(plc, [whole, real, text], word_order="little")
            await driver.open()
            plc.requests.clear()
            await driver.write(whole, 513)
            await driver.write(real, 123.456)
            await driver.write(text, "Pump")
            assert {(f, address) for f, address, _ in plc.requests} == {(6, 0), (16, 2), (16, 4)}
            assert [plc.register(n) for n in range(7)] == [513, 0, 0xE979, 0x42F6, 0x5075, 0x6D70, 0]
            batch = await driver.read(text)
            assert batch.text is not None
            assert batch.text[0] == "Pump"
            await driver.close()

    run(scenario())


def test_that_a_fast_tag_is_not_held_up_by_a_slow_one_and_each_keeps_its_period() -> None:
    async def scenario() -> None:
        async with Plc({0: 1, 100: 2}) as plc:
            driver = driver_of(
                plc, [tag_of(0, "holding:0", period_us=20_000), tag_of(1, "holding:100", period_us=10**7)]
            )
            await driver.open()
            got = Collected()
            async with running(driver, got):
                await got.until(lambda: len(got.of(0)) >= 11)
            times = [time_us for time_us, _, _ in got.of(0)]
            assert len(got.of(1)) == 1
            # Ten periods of 20 ms; a busy computer may come late, but must not run ahead.
            assert times[10] - times[0] >= 150_000

    run(scenario())


def test_that_a_device_slower_than_its_period_is_not_asked_for_cycles_that_are_over() -> None:
    async def scenario() -> None:
        async with Plc({0: 1}) as plc:
            answer = plc._action

            async def slow(*arguments: Any) -> ExcCodes | None:
                await asyncio.sleep(0.05)
                return await answer(*arguments)

            runtime = plc._server.context.devices[1]
            driver = driver_of(plc, [tag_of(0, "holding:0", period_us=20_000)])
            await driver.open()
            runtime.action = slow
            got = Collected()
            async with running(driver, got):
                await got.until(lambda: len(got.of(0)) >= 5)
                runtime.action = answer
                before = len(got.of(0))
                started = SystemClock().monotonic_us()
                await got.until(lambda: len(got.of(0)) >= before + 5)
                # Had the missed cycles been queued, these five would have come at once.
                assert SystemClock().monotonic_us() - started >= 60_000

    run(scenario())


def test_that_what_was_read_before_the_loss_is_still_handed_over() -> None:
    async def scenario() -> None:
        async with Plc({0: 1}, {0: 2}) as plc:
            driver = driver_of(plc, [tag_of(0, "holding:0"), tag_of(1, "input:0")])
            await driver.open()
            plc.refuse[4] = ExcCodes.GATEWAY_NO_RESPONSE
            got = Collected()
            with pytest.raises(DeviceError):
                await driver.run(got)
            assert got.last(0) == (1, GOOD)
            await driver.close()

    run(scenario())
