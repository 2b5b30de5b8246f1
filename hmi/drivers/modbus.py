"""Modbus TCP: polls blocks of registers and bits, writes single values."""

import heapq
from collections.abc import Sequence

import numpy as np

from hmi.core.batch import Batch, Tags, join
from hmi.core.clock import MINUTE, SECOND, Clock
from hmi.core.device import Device, DeviceError, Publish, WriteRefused
from hmi.core.status import BAD_COMMUNICATION_ERROR, BAD_CONFIGURATION_ERROR, BAD_DEVICE_FAILURE
from hmi.core.tag import Tag
from hmi.drivers.modbus_address import Address, Area, parse_address
from hmi.drivers.modbus_codec import BlockDecoder, Order, encode
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
        start_us = self._clock.monotonic_us()
        while True:
            start_us = await self._follow_plan(publish, start_us)

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
        if address.area is Area.COIL:
            return await connection.write_coil(address.start, bool(value))
        if address.bit is not None:
            swapped = self._options.byte_order is Order.LITTLE
            return await connection.write_bit(address.start, (address.bit + 8 * swapped) % 16, bool(value))
        try:
            words = encode(tag, address, value, self._options.layout)
        except ValueError as error:
            raise WriteRefused(f"{tag.name}: {error}") from error
        return await connection.write_registers(address.start, words)

    async def _follow_plan(self, publish: Publish, start_us: int) -> int:
        """Poll until the plan must change; the monotonic time at which the next plan begins."""
        clock = self._clock
        learnt = self._map.size
        polls = self._polls()
        if not polls:
            return await self._idle()
        queue = [(start_us, place, poll) for place, poll in enumerate(polls)]
        ready: list[Batch] = []
        begun_us = clock.monotonic_us()
        while True:
            due_us, place, poll = queue[0]
            now_us = clock.monotonic_us()
            cycle_ended = due_us > now_us
            if ready and (cycle_ended or now_us - begun_us >= FLUSH_US):
                publish(join(ready))
                ready = []
            if due_us > start_us:
                # All have been read at least once.
                if self._map.absent and now_us - start_us >= RETRY_US:
                    self._map.absent.clear()
                    return due_us
                if self._map.size != learnt:
                    return due_us
            if cycle_ended:
                self._cycle_us = now_us - begun_us
                await self._wait_until(due_us)
                begun_us = clock.monotonic_us()
            try:
                ready += await self._poll(poll)
            except DeviceError:
                if ready:
                    publish(join(ready))
                raise
            late_us = max(0, clock.monotonic_us() - due_us)
            heapq.heapreplace(queue, (due_us + poll.period_us * (1 + late_us // poll.period_us), place, poll))

    async def _idle(self) -> int:
        """A device without tags: see that it is still there."""
        await self._clock.sleep_us(self._period_us)
        await self._probe()
        return self._clock.monotonic_us()

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

    def _polls(self) -> list["_Poll"]:
        layout = self._options.layout
        polls = [_Poll(block.period_us, block, BlockDecoder(block, layout)) for block in self.plan]
        absent = [item.tag for item in self._items if item.tag.index in self._map.absent]
        return polls + [
            _Poll(period_us, absent=[tag.index for tag in absent if tag.period_us == period_us])
            for period_us in sorted({tag.period_us for tag in absent})
        ]

    async def _poll(self, poll: "_Poll") -> list[Batch]:
        if poll.block is None or poll.decoder is None:
            if len(self._map.absent) == len(self._items) and not (await self._probe()).exception:
                # Nothing was there, and now something is: a stopped program runs again.
                self._map.absent.clear()
            return [no_values(poll.absent, BAD_CONFIGURATION_ERROR, self._clock.now_us())]
        return await self._read_block(poll.block, poll.decoder)

    async def _read_block(self, block: Block, decoder: BlockDecoder) -> list[Batch]:
        """The samples of a block; where the device refuses it, of its halves, down to the tag that does not exist."""
        answer = await self._connected().read(block.area, block.start, block.count)
        now_us = self._clock.now_us()
        if not answer.exception:
            return [decoder.decode(answer.values, now_us)]
        if answer.exception not in (ILLEGAL_ADDRESS, ILLEGAL_VALUE):
            return [decoder.failed(_status(answer), now_us)]
        halves = split(block)
        if halves is None:
            self._map.absent |= {item.tag.index for item in block.items}
            return [decoder.failed(BAD_CONFIGURATION_ERROR, now_us)]
        before = self._map.size
        samples: list[Batch] = []
        for half in halves:
            samples += await self._read_block(half, BlockDecoder(half, self._options.layout))
        if self._map.size == before:
            # Each half is fine alone, so it is what lies between them that the device does not have.
            self._map.walls.add((block.area, halves[1].start))
        return samples


class _Poll:
    """Something that is due once a period: a block, or the tags that the device does not have."""

    def __init__(
        self,
        period_us: int,
        block: Block | None = None,
        decoder: BlockDecoder | None = None,
        absent: Sequence[int] = (),
    ) -> None:
        self.period_us = period_us
        self.block = block
        self.decoder = decoder
        self.absent: Tags = np.array(absent, np.int32)


def _status(answer: Answer) -> int:
    if answer.exception in (ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE):
        return BAD_CONFIGURATION_ERROR
    return BAD_DEVICE_FAILURE if answer.exception in (DEVICE_FAILURE, PARITY) else BAD_COMMUNICATION_ERROR
