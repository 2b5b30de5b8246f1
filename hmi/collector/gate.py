"""The one gate of writes to devices: each is judged, written down, sent, read back and written down again."""

import asyncio
import logging
import math
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from hmi.collector.open_writes import OpenWrites
from hmi.core.batch import Batch
from hmi.core.clock import MINUTE, SECOND, Clock
from hmi.core.command import Write, WriteState
from hmi.core.device import DeviceError, Driver, WriteRefused
from hmi.core.event import Event, EventKind
from hmi.core.plant import Plant
from hmi.core.status import is_bad
from hmi.core.table import Table
from hmi.core.tag import DataType, Lane, Tag, WriteRule

log = logging.getLogger(__name__)

Value = float | int | bool | str

READ_BACK_EVERY_US = SECOND // 5
KEEP_ENDED_US = 10 * MINUTE
"""How long an ended write stays in the list that a desktop is given on connecting."""
LONGEST_TEXT = 1000
_KIND = {
    WriteState.PENDING: EventKind.WRITE_REQUESTED,
    WriteState.CONFIRMED: EventKind.WRITE_CONFIRMED,
    WriteState.REFUSED: EventKind.WRITE_REFUSED,
    WriteState.FAILED: EventKind.WRITE_FAILED,
    WriteState.UNKNOWN: EventKind.WRITE_UNKNOWN,
}
_WORDS = {
    WriteState.PENDING: "Write requested",
    WriteState.CONFIRMED: "Write confirmed",
    WriteState.REFUSED: "Write refused",
    WriteState.FAILED: "Write failed, nothing was sent",
    WriteState.UNKNOWN: "Write sent, but not confirmed by the device",
}


class Plumbing(Protocol):
    """What the gate needs of the collector. All on the collector's event loop."""

    def driver_of(self, device: str) -> Driver | None:
        """The driver of a device that answers, else None."""
        ...

    def record(self, events: Sequence[Event]) -> None: ...
    async def committed(self) -> None:
        """Returns when all that was recorded so far is on disk. Raises `TimeoutError` when that takes too long."""
        ...

    def writes_changed(self, writes: Sequence[Write]) -> None: ...
    def received_back(self, device: str, batch: Batch) -> None:
        """What a read-back brought, for the screens."""
        ...


class Gate:
    """Judges and carries out writes, one at a time for each tag."""

    def __init__(self, plant: Plant, table: Table, clock: Clock, plumbing: Plumbing, open_writes: OpenWrites) -> None:
        self._plant = plant
        self._table = table
        self._clock = clock
        self._plumbing = plumbing
        self._open_writes = open_writes
        self._writes: dict[str, Write] = {}
        self._busy: set[str] = set()
        self._tasks: set[asyncio.Task[Write]] = set()
        self._settling: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def writes(self) -> list[Write]:
        """Pending writes and those that ended within the last minutes, oldest first."""
        old_us = self._clock.now_us() - KEEP_ENDED_US
        self._writes = {w.id: w for w in self._writes.values() if not w.state.ended or w.ended_us > old_us}
        return list(self._writes.values())

    async def write(self, tag: str, value: Value, confirmed: bool, who: str) -> Write:
        """Carry out one write; returns when it has ended. It goes on when the caller is cancelled."""
        task = asyncio.get_running_loop().create_task(self._write(tag, value, confirmed, who))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Take no more writes; what was sent and is not confirmed ends as unknown."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*self._settling)

    def end_those_left_open(self) -> None:
        """Writes that the last collector had begun and not ended: nobody knows what became of them. Once, at start."""
        for write in self._open_writes.left_over():
            self._end(write, WriteState.UNKNOWN, "the collector ended before the device had confirmed it")

    async def _write(self, tag_name: str, value: Value, confirmed: bool, who: str) -> Write:
        now_us = self._clock.now_us()
        index = self._plant.tag_index.get(tag_name)
        tag = self._plant.tags[index] if index is not None else None
        write = Write(
            uuid.uuid4().hex,
            tag_name[:LONGEST_TEXT],
            value[:LONGEST_TEXT] if isinstance(value, str) else value,
            who,
            requested_us=now_us,
            timeout_us=tag.write.timeout_us if tag is not None and tag.write is not None else 0,
            old=self._shown(tag) if tag is not None else None,
            confirmed_by_user=confirmed,
        )
        self._note(write)
        why = self._why_not(tag, value, confirmed)
        if why or tag is None or tag.write is None or tag.device is None:
            return self._end(write, WriteState.REFUSED, why)
        driver = self._plumbing.driver_of(tag.device)
        if driver is None:
            return self._end(write, WriteState.FAILED, f"{tag.device} does not answer; nothing was sent")
        self._busy.add(tag_name)
        try:
            return await self._carry_out(write, tag, tag.write, driver, _typed(tag, value))
        finally:
            self._busy.discard(tag_name)

    async def _carry_out(self, write: Write, tag: Tag, rule: WriteRule, driver: Driver, value: Value) -> Write:
        sent = False
        try:
            try:
                # On disk before it is sent: a crash in between leaves a request that nobody can overlook.
                await asyncio.to_thread(self._open_writes.add, write)
                await self._plumbing.committed()
            except (TimeoutError, OSError) as error:
                return self._end(write, WriteState.FAILED, f"the journal cannot be written ({error}); nothing was sent")
            sent = True
            try:
                async with asyncio.timeout(max(rule.timeout_us, SECOND) / SECOND):
                    await driver.write(tag, value)
            except WriteRefused as error:
                return self._end(write, WriteState.REFUSED, str(error))
            except (ValueError, TypeError, OverflowError) as error:
                return self._end(write, WriteState.FAILED, f"{value} cannot be sent: {error}")
            except (DeviceError, TimeoutError) as error:
                reason = str(error) or f"no answer from {tag.device}"
                return self._end(write, WriteState.UNKNOWN, f"sent, but not confirmed by the device: {reason}")
            return await self._read_back(write, tag, rule, driver, value)
        except asyncio.CancelledError:
            if sent:
                self._end(write, WriteState.UNKNOWN, "the collector stopped before the device had confirmed it")
            else:
                self._end(write, WriteState.FAILED, "the collector stopped; nothing was sent")
            raise
        except Exception as error:
            # Our mistake, but the operator must not be left with a write that is pending for ever.
            log.exception("write to %s failed", tag.name)
            state = WriteState.UNKNOWN if sent else WriteState.FAILED
            return self._end(write, state, f"internal error: {error!r}")

    async def _read_back(self, write: Write, tag: Tag, rule: WriteRule, driver: Driver, value: Value) -> Write:
        shown = self._plant.tag(rule.readback) if rule.readback is not None else tag
        # Sent counts from here: the time that the device itself has for taking the value over.
        until_us = self._clock.monotonic_us() + rule.timeout_us
        sent_us = self._clock.now_us()
        why = ""
        while True:
            try:
                if shown.device == tag.device:
                    async with asyncio.timeout(max(rule.timeout_us, SECOND) / SECOND):
                        batch = await driver.read(shown)
                    self._plumbing.received_back(shown.device or "", batch)
                    if _agrees(shown, rule, value, batch):
                        return self._end(write, WriteState.CONFIRMED, "")
                elif self._table_agrees(shown, rule, value, sent_us):
                    return self._end(write, WriteState.CONFIRMED, "")
                why = f"{shown.name} shows {self._plain(shown)}"
            except (DeviceError, TimeoutError) as error:
                why = str(error) or f"no answer from {tag.device}"
            if self._clock.monotonic_us() >= until_us:
                return self._end(write, WriteState.UNKNOWN, f"sent, but not confirmed by the device: {why}")
            await self._clock.sleep_us(READ_BACK_EVERY_US)

    def _why_not(self, tag: Tag | None, value: Value, confirmed: bool) -> str:
        """Why this write must not be sent; empty when it may."""
        if self._closed:
            return "the collector is stopping"
        if tag is None:
            return "there is no such tag"
        rule = tag.write
        if rule is None or tag.device is None:
            return "this tag cannot be written"
        wrong = _wrong_type(tag, value)
        if wrong:
            return wrong
        if not isinstance(value, str):
            low, high = (
                (rule.low if rule.low is not None else tag.low),
                (rule.high if rule.high is not None else tag.high),
            )
            unit = f" {tag.unit}" if tag.unit else ""
            if low is not None and value < low:
                return f"{tag.format(float(value))}{unit} is below the lowest value allowed, {low:g}{unit}"
            if high is not None and value > high:
                return f"{tag.format(float(value))}{unit} is above the highest value allowed, {high:g}{unit}"
        if rule.confirm and not confirmed:
            return "this write must be confirmed by the operator first"
        if tag.name in self._busy:
            return "another write to this tag is still pending"
        return ""

    def _table_agrees(self, tag: Tag, rule: WriteRule, value: Value, sent_us: int) -> bool:
        table, index = self._table, tag.index
        if int(table.time_us[index] + table.delay_us[index]) < sent_us:
            return False
        one = table.snapshot().take(slice(index, index + 1))
        return _agrees(tag, rule, value, one)

    def _shown(self, tag: Tag) -> Value | None:
        """The value as it stands in the table, None where there is none."""
        table, index = self._table, tag.index
        if is_bad(table.status[index : index + 1])[0]:
            return None
        if tag.lane is Lane.TEXT:
            text = table.text[index]
            return str(text) if text is not None else None
        if tag.lane is Lane.INT:
            return int(table.whole[index])
        value = float(table.value[index])
        return None if math.isnan(value) else bool(value) if tag.lane is Lane.BOOL else value

    def _plain(self, tag: Tag) -> str:
        value = self._shown(tag)
        if value is None:
            return "no value"
        return value if isinstance(value, str) else f"{tag.format(float(value))} {tag.unit}".strip()

    def _note(self, write: Write) -> None:
        self._writes[write.id] = write
        self._plumbing.record([self._event(write)])
        self._plumbing.writes_changed([write])

    def _end(self, write: Write, state: WriteState, why: str) -> Write:
        ended = replace(write, state=state, why=why, ended_us=self._clock.now_us())
        self._note(ended)
        if self._open_writes.holds(write.id):
            task = asyncio.get_running_loop().create_task(self._settle(write.id))
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)
        return ended

    async def _settle(self, write_id: str) -> None:
        """Forget an open write once its end is on disk, not before: a crash in between must not lose the end."""
        try:
            await self._plumbing.committed()
            await asyncio.to_thread(self._open_writes.remove, write_id)
        except (TimeoutError, OSError) as error:
            log.warning("the end of write %s is not on disk yet: %s", write_id, error)

    def _event(self, write: Write) -> Event:
        words = _WORDS[write.state]
        return Event(
            write.ended_us or write.requested_us,
            _KIND[write.state],
            write.tag,
            f"{words}: {write.why}" if write.why else words,
            write.id,
            who=write.who,
            detail={
                "value": _for_json(write.value),
                "old": _for_json(write.old),
                "why": write.why,
                "confirmed_by_user": write.confirmed_by_user,
            },
        )


def _wrong_type(tag: Tag, value: Value) -> str:
    """What is wrong with the type of a value for this tag; empty when nothing is."""
    if tag.lane is Lane.TEXT:
        return "" if isinstance(value, str) else "this tag takes text"
    if isinstance(value, str):
        return "this tag takes a number, not text"
    if isinstance(value, float) and not math.isfinite(value):
        return "this is not a number"
    if tag.data_type is DataType.BOOL:
        return "" if value in (0, 1) else "this tag takes off (0) or on (1)"
    if tag.lane is Lane.INT and value != int(value):
        return "this tag takes whole numbers"
    return ""


def _typed(tag: Tag, value: Value) -> Value:
    """The value in the type of the tag's lane; `_wrong_type` has found nothing wrong with it."""
    if isinstance(value, str):
        return value
    if tag.lane is Lane.BOOL:
        return bool(value)
    return int(value) if tag.lane is Lane.INT else float(value)


def _agrees(tag: Tag, rule: WriteRule, value: Value, batch: Batch) -> bool:
    """Whether the newest sample of the tag in a batch shows the value that was sent."""
    own = batch.take(batch.tag == tag.index)
    if not len(own) or is_bad(own.status[-1:])[0]:
        return False
    if isinstance(value, str):
        return own.text is not None and str(own.text[-1] or "").rstrip() == value.rstrip()
    if tag.lane is Lane.INT and own.whole is not None and rule.tolerance == 0:
        return int(own.whole[-1]) == value
    # What a 32-bit float or a scaled register can hold is as near as the device can come.
    step = abs(tag.scale.factor) * 0.5 if tag.scale is not None and tag.data_type not in _FLOATS else 0.0
    tolerance = max(rule.tolerance, step * 1.000001, abs(float(value)) * 1e-6)
    return abs(float(own.value[-1]) - float(value)) <= tolerance


_FLOATS = (DataType.FLOAT32, DataType.FLOAT64)


def _for_json(value: Value | None) -> Value | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value
