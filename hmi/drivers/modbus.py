"""Modbus TCP: polls blocks of registers and bits, writes single values."""

import asyncio
from collections.abc import Sequence

import numpy as np

from hmi.core.batch import Batch, Tags, join
from hmi.core.clock import MINUTE, SECOND, Clock
from hmi.core.device import Device, DeviceError, Publish, WriteRefused
from hmi.core.status import BAD_COMMUNICATION_ERROR, BAD_CONFIGURATION_ERROR, BAD_DEVICE_FAILURE
from hmi.core.tag import Tag
from hmi.drivers.modbus_address import Address, Area, parse_address
from hmi.drivers.modbus_codec import BlockDecoder, Order, encode, truth
from hmi.drivers.modbus_connection import (
    ACKNOWLEDGE,
    DEVICE_FAILURE,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    PARITY,
    Answer,
    Connection,
)
from hmi.drivers.modbus_kind import ModbusOptions
from hmi.drivers.modbus_plan import Block, DeviceMap, Item, make_plan, split
from hmi.drivers.modbus_schedule import Schedule
from hmi.drivers.samples import no_values

# A cycle that takes longer hands over what there is, so that a slow device does not delay its first values.
FLUSH_US = 50_000
# A device's program may have been loaded anew: what it did not have is asked for again.
RETRY_US = MINUTE
# Many devices close a connection that is silent for longer than about ten seconds.
SILENCE_US = 5 * SECOND


class ModbusDriver:
    """One Modbus TCP device. See `hmi.core.device.Driver`.

    Blocks are read in the order of their due times, one request at a time. A cycle that comes late is not caught up.
    """

    def __init__(self, device: Device, tags: Sequence[Tag], clock: Clock) -> None:
        options: ModbusOptions = device.options
        self._name = device.name
        self._options = options
        self._period_us = device.period_us
        self._clock = clock
        self._items = tuple(Item(tag, parse_address(tag.address, tag.data_type)) for tag in tags)
        self._map = DeviceMap()
        self._connection: Connection | None = None
        self._requests = 0
        self._alive_us = 0
        self._cycle_us = 0

    @property
    def requests(self) -> int:
        return self._requests + (self._connection.requests if self._connection else 0)

    @property
    def alive_us(self) -> int:
        return max(self._alive_us, self._connection.alive_us if self._connection else 0)

    @property
    def cycle_ms(self) -> float:
        """How long the reads of one cycle took, the last time."""
        return self._cycle_us / 1000

    @property
    def plan(self) -> tuple[Block, ...]:
        """What is read, with all that was learnt of the device since it was opened."""
        return make_plan(self._items, self._options.limits, self._map)

    async def open(self) -> None:
        await self.close()
        self._map.clear()
        options = self._options
        connection = Connection(self._name, options.host, options.port, options.unit, options.timeout_us, self._clock)
        self._connection = connection
        await connection.open()
        await self._probe()

    async def run(self, publish: Publish) -> None:
        clock = self._clock
        polls = [_Poll(block.period_us, block.items) for block in self.plan]
        if not polls:
            await self._watch()
        schedule = Schedule([poll.period_us for poll in polls], clock.monotonic_us())
        samples: list[Batch] = []
        begun_us = clock.monotonic_us()
        while True:
            now_us = clock.monotonic_us()
            number = schedule.next_block(now_us)
            if samples and (number is None or now_us - begun_us >= FLUSH_US):
                publish(join(samples))
                samples = []
            if number is None:
                self._cycle_us = now_us - begun_us
                await self._wait_until(schedule.next_due_us)
                begun_us = clock.monotonic_us()
                continue
            try:
                await self._poll(polls[number], samples)
            except (DeviceError, asyncio.CancelledError):
                # What was read is history, also of a device that goes and of a collector that stops.
                if samples:
                    publish(join(samples))
                raise
            schedule.finished(number, clock.monotonic_us())

    async def write(self, tag: Tag, value: float | int | bool | str) -> None:
        address = parse_address(tag.address, tag.data_type)
        answer = await self._send(tag, address, value)
        # A device that needs longer acknowledges: it has accepted, and the read-back will tell.
        if answer.exception and answer.exception != ACKNOWLEDGE:
            hint = ""
            if address.bit is not None and answer.exception == ILLEGAL_FUNCTION:
                hint = "; it cannot change one bit of a register, only write the whole register"
            raise WriteRefused(f"{self._name} refuses the write to {address}: {answer.words}{hint}")

    async def read(self, tag: Tag) -> Batch:
        block = make_plan([Item(tag, parse_address(tag.address, tag.data_type))], self._options.limits)[0]
        decoder = BlockDecoder(block, self._options.layout)
        answer = await self._connected().read(block.area, block.start, block.count)
        if answer.exception:
            return decoder.failed(_status(answer), self._clock.now_us())
        return decoder.decode(answer.values, self._clock.now_us())

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._requests += connection.requests
            self._alive_us = max(self._alive_us, connection.alive_us)
            connection.close()

    def _connected(self) -> Connection:
        if self._connection is None:
            raise DeviceError(f"{self._name} is not connected")
        return self._connection

    async def _send(self, tag: Tag, address: Address, value: float | int | bool | str) -> Answer:
        connection = self._connected()
        if not address.area.writable:
            raise WriteRefused(f"{self._name}: {address} cannot be written")
        try:
            if address.area is Area.COIL:
                return await connection.write_coil(address.start, truth(value))
            if address.bit is not None:
                swapped = self._options.byte_order is Order.LITTLE
                return await connection.write_bit(address.start, (address.bit + 8 * swapped) % 16, truth(value))
            words = encode(tag, address, value, self._options.layout)
        except ValueError as error:
            raise WriteRefused(f"{tag.name}: {error}") from error
        return await connection.write_registers(address.start, words)

    async def _watch(self) -> None:
        """A device without tags: see that it is still there, until it is not."""
        while True:
            await self._clock.sleep_us(self._period_us)
            await self._probe()

    async def _wait_until(self, due_us: int) -> None:
        """Wait, but not so long in silence that the device closes the connection as unused."""
        while (wait_us := due_us - self._clock.monotonic_us()) > SILENCE_US:
            await self._clock.sleep_us(SILENCE_US)
            await self._probe()
        await self._clock.sleep_us(wait_us)

    async def _probe(self) -> Answer:
        """Ask for anything. Any answer shows that the device is there, even that it has no such address."""
        if not self._items:
            return await self._connected().read(Area.HOLDING, 0, 1)
        address = self._items[0].address
        return await self._connected().read(address.area, address.start, address.count)

    async def _poll(self, poll: "_Poll", samples: list[Batch]) -> None:
        """Add what the device says of these tags to `samples`."""
        if poll.absent.size:
            await self._look_for_absent(poll)
        if poll.version != self._map.version:
            self._divide(poll)
        for block, decoder in poll.blocks:
            await self._read_block(block, decoder, samples)
        if poll.absent.size:
            samples.append(no_values(poll.absent, BAD_CONFIGURATION_ERROR, self._clock.now_us()))

    def _divide(self, poll: "_Poll") -> None:
        """Into as few blocks as is known to work."""
        layout = self._options.layout
        blocks = make_plan(poll.items, self._options.limits, self._map)
        poll.blocks = [(block, BlockDecoder(block, layout)) for block in blocks]
        absent = [item.tag.index for item in poll.items if item.tag.index in self._map.absent]
        if absent and not poll.absent.size:
            poll.missed_us = self._clock.monotonic_us()
        poll.absent = np.array(absent, np.int32)
        poll.version = self._map.version

    async def _look_for_absent(self, poll: "_Poll") -> None:
        """Ask again for what was not there, now and then; at once where nothing was there and now something is."""
        now_us = self._clock.monotonic_us()
        if now_us - poll.missed_us >= RETRY_US:
            poll.missed_us = now_us
            self._map.forget_absent(poll.items)
        elif len(self._map.absent) == len(self._items) and not (await self._probe()).exception:
            self._map.forget_absent(self._items)

    async def _read_block(self, block: Block, decoder: BlockDecoder, samples: list[Batch]) -> None:
        """Read a block; where the device refuses it, its halves, down to the tag that does not exist."""
        answer = await self._connected().read(block.area, block.start, block.count)
        now_us = self._clock.now_us()
        if not answer.exception:
            samples.append(decoder.decode(answer.values, now_us))
            return
        if answer.exception not in (ILLEGAL_ADDRESS, ILLEGAL_VALUE):
            samples.append(decoder.failed(_status(answer), now_us))
            return
        halves = split(block)
        if halves is None:
            self._map.add_absent(block.items)
            samples.append(decoder.failed(BAD_CONFIGURATION_ERROR, now_us))
            return
        before = self._map.version
        for half in halves:
            await self._read_block(half, BlockDecoder(half, self._options.layout), samples)
        if self._map.version == before:
            # Each half is fine alone, so it is what lies between them that the device does not have.
            self._map.add_wall(block.area, halves[1].start)


class _Poll:
    """Tags that are due together once a period: one block, until the device turns out to have holes there."""

    def __init__(self, period_us: int, items: Sequence[Item]) -> None:
        self.period_us = period_us
        self.items = tuple(items)
        self.blocks: list[tuple[Block, BlockDecoder]] = []
        self.absent: Tags = np.empty(0, np.int32)
        self.missed_us = 0
        self.version = -1


def _status(answer: Answer) -> int:
    if answer.exception in (ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE):
        return BAD_CONFIGURATION_ERROR
    return BAD_DEVICE_FAILURE if answer.exception in (DEVICE_FAILURE, PARITY) else BAD_COMMUNICATION_ERROR
