"""What is told of values after a halt, in a silence, and when somebody sets the clock of the computer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from asyncua import ua

from hmi.core.batch import Batch
from hmi.core.clock import HOUR, SECOND
from hmi.core.event import COLLECTOR, Coverage, Event, EventKind
from hmi.core.status import BAD_NO_COMMUNICATION, GOOD, UNCERTAIN_LAST_USABLE_VALUE
from tests.collector import test_opcua_collection as opcua
from tests.collector.bench_plc import BenchPlc
from tests.collector.folders import NO_DATABASE, write_plant
from tests.collector.live import Running, running
from tests.collector.waiting import until
from tests.collector.wall_clock import JumpingClock
from tests.drivers.servers import UaPlant

pytestmark = pytest.mark.logs(
    "device (PLC|UA)-1 lost", "database", "historian", "history is not stored", "a gap is recorded"
)


@pytest.fixture
def plc() -> Iterator[BenchPlc]:
    with BenchPlc() as device:
        yield device


class Recorded:
    """All that a collection gave to its spool, besides what the spool makes of it."""

    def __init__(self, c: Running, monkeypatch: pytest.MonkeyPatch) -> None:
        spool = c.collection._spool
        self.coverage: list[Coverage] = []
        self.events: list[Event] = []
        self.batches: list[Batch] = []
        keep = (spool.record_coverage, spool.record_events, spool.record)
        monkeypatch.setattr(c.collection._coverage, "_record", lambda rows: (self.coverage.extend(rows), keep[0](rows)))
        monkeypatch.setattr(
            spool, "record_events", lambda rows, *more: (self.events.extend(rows), keep[1](rows, *more))
        )
        monkeypatch.setattr(spool, "record", lambda batch: (self.batches.append(batch), keep[2](batch)))

    def of(self, tag: int) -> list[tuple[int, float, int, int]]:
        """Time, value, status and delay of all samples of a tag, as they were recorded."""
        rows = [zip(b.tag, b.time_us, b.value, b.status, b.delay_us, strict=True) for b in self.batches]
        return [(int(t), float(v), int(s), int(d)) for row in rows for i, t, v, s, d in row if i == tag]


Body = Callable[[Running, JumpingClock, Recorded], Awaitable[None]]


def live(tmp_path: Path, plc: BenchPlc, monkeypatch: pytest.MonkeyPatch, body: Body, timeout_ms: int = 3000) -> None:
    folder = write_plant(tmp_path / "plant", plc.port, historian=NO_DATABASE)
    file = folder / "plant.yaml"
    file.write_text(file.read_text().replace("timeout: 500ms", f"timeout: {timeout_ms}ms"))
    clock = JumpingClock()

    async def run() -> None:
        async with running(folder, tmp_path, clock) as c:
            await until(lambda: c.status("FT-1") == GOOD, "the first value")
            await body(c, clock, Recorded(c, monkeypatch))

    asyncio.run(run())


def test_that_after_a_halt_no_value_is_good_before_it_was_read_again(
    tmp_path: Path, plc: BenchPlc, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(c: Running, clock: JumpingClock, recorded: Recorded) -> None:
        plc.registers[10] = 388
        await until(lambda: c.value("FT-1") == 388 and c.value("FT.sum") == 388, "the value before the halt")
        plc.fall_silent(True)
        clock.halt_us(8 * HOUR)
        woken_us = clock.now_us()
        await until(lambda: c.status("FT-1") == UNCERTAIN_LAST_USABLE_VALUE, "the value is old")
        assert c.value("FT-1") == 388
        assert c.status("FT.sum") == UNCERTAIN_LAST_USABLE_VALUE
        after = [row for name in ("FT-1", "FT-2", "FT.sum") for row in recorded.of(c.tag(name)) if row[0] >= woken_us]
        assert after
        assert all(status == UNCERTAIN_LAST_USABLE_VALUE for _, _, status, _ in after)
        # Within the deadband, and yet told again, since it was read.
        plc.fall_silent(False)
        await until(lambda: c.status("FT-1") == GOOD and c.status("FT.sum") == GOOD, "the value is read again")
        why = [row.why for row in recorded.coverage if row.source == COLLECTOR and row.why]
        assert why == ["the collector was halted"]

    live(tmp_path, plc, monkeypatch, body)


def test_that_a_polled_device_that_answers_is_not_lost_by_a_halt(
    tmp_path: Path, plc: BenchPlc, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(c: Running, clock: JumpingClock, recorded: Recorded) -> None:
        clock.halt_us(10 * SECOND)
        woken_us = clock.now_us()

        def told(name: str) -> list[int]:
            return [row[2] for row in recorded.of(c.tag(name)) if row[0] >= woken_us]

        await until(lambda: GOOD in told("FT-1") and GOOD in told("FT.sum"), "the values are read again")
        assert told("FT-1") == [UNCERTAIN_LAST_USABLE_VALUE, GOOD]
        assert told("FT.sum")[0] == UNCERTAIN_LAST_USABLE_VALUE
        assert not [event for event in recorded.events if event.kind is EventKind.DEVICE_LOST]

    live(tmp_path, plc, monkeypatch, body)


def test_that_a_device_that_sends_changes_only_is_connected_anew_after_a_halt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = UaPlant()
    server.start()
    level = server.add("Level", 4.5, ua.VariantType.Double)
    speed = server.add("Speed", 50.0, ua.VariantType.Double)
    clock = JumpingClock()

    async def body() -> None:
        folder = opcua.write_plant(tmp_path / "plant", server.port, level, speed)
        async with running(folder, tmp_path, clock) as c:
            await until(lambda: c.status("Level") == GOOD and c.status("Speed") == GOOD, "the first values")
            recorded = Recorded(c, monkeypatch)
            clock.halt_us(10 * SECOND)
            woken_us = clock.now_us()
            await until(
                lambda: [row for row in recorded.of(c.tag("Level")) if row[0] >= woken_us and row[2] == GOOD],
                "the value is read again",
            )
            lost = [event for event in recorded.events if event.kind is EventKind.DEVICE_LOST]
            assert [event.detail["why"] for event in lost] == ["the collector was halted"]
            first = [row[2] for row in recorded.of(c.tag("Level")) if row[0] >= woken_us]
            assert first == [UNCERTAIN_LAST_USABLE_VALUE, BAD_NO_COMMUNICATION, GOOD]

    try:
        asyncio.run(body())
    finally:
        server.stop()


def test_that_the_values_of_a_silent_device_are_old_before_its_timeout_and_its_interval_ends_when_it_was_heard(
    tmp_path: Path, plc: BenchPlc, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(c: Running, clock: JumpingClock, recorded: Recorded) -> None:
        plc.fall_silent(True)
        silent_us = clock.now_us()
        await until(lambda: c.status("FT-1") == UNCERTAIN_LAST_USABLE_VALUE, "the value is old", 2)
        assert clock.now_us() - silent_us < SECOND
        assert c.status("FT.sum") == UNCERTAIN_LAST_USABLE_VALUE
        await until(lambda: c.status("FT-1") == BAD_NO_COMMUNICATION, "the device is lost")
        (ended,) = [row for row in recorded.coverage if row.source == "PLC-1" and row.why]
        assert ended.end_us <= silent_us + SECOND // 10
        assert max(row.end_us for row in recorded.coverage if row.source == "PLC-1") == ended.end_us
        plc.fall_silent(False)
        await until(lambda: c.status("FT-1") == GOOD, "the device is back")

    live(tmp_path, plc, monkeypatch, body, timeout_ms=1500)


def test_that_after_the_clock_was_set_back_samples_have_the_time_at_which_they_were_taken(
    tmp_path: Path, plc: BenchPlc, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(c: Running, clock: JumpingClock, recorded: Recorded) -> None:
        tag = c.tag("PLC-1.sequence")
        clock.set_back_us(HOUR)
        back_us = clock.now_us()
        await until(lambda: any(e.kind is EventKind.HISTORY_GAP for e in recorded.events), "it is said")
        said_at = len(recorded.of(tag))
        await until(lambda: len(recorded.of(tag)) > said_at + 3, "more samples")
        times = [row[0] for row in recorded.of(tag)[said_at:]]
        assert times == sorted(set(times))
        assert all(back_us <= time_us <= clock.now_us() for time_us in times)
        assert c.status("FT.sum") == GOOD
        assert c.collection.table.time_us[c.tag("FT.sum")] <= clock.now_us()
        (event,) = [e for e in recorded.events if e.kind is EventKind.HISTORY_GAP]
        why = "the clock of the computer was set back by 1 h"
        assert (event.text.split(":")[0], event.detail["why"]) == ("T" + why[1:], why)
        assert {row.why for row in recorded.coverage if row.why} == {why}

    live(tmp_path, plc, monkeypatch, body)
