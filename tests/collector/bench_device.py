"""A device in memory, as a driver of its own kind: its cable can be pulled and its mind is known."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hmi.core.batch import Batch, make_batch
from hmi.core.clock import Clock
from hmi.core.device import AddressFault, Device, DeviceError, Driver, Publish, WriteRefused
from hmi.core.tag import Tag


@dataclass
class BenchDevice:
    """What is in the device. `stubborn` values are accepted and not taken over."""

    values: dict[str, float] = field(default_factory=dict)
    refuses: set[str] = field(default_factory=set)
    stubborn: set[str] = field(default_factory=set)
    connected: bool = True
    breaks: bool = False
    cannot_be_made: bool = False
    gives_up_as_lost: bool = False
    opened: int = 0
    written: list[tuple[str, Any]] = field(default_factory=list)
    pulled: asyncio.Event = field(default_factory=asyncio.Event)

    def pull(self) -> None:
        self.connected = False
        self.pulled.set()

    def plug(self) -> None:
        self.pulled = asyncio.Event()
        self.connected = True


class BenchDriver:
    def __init__(self, bench: BenchDevice, tags: Sequence[Tag], clock: Clock) -> None:
        self._bench = bench
        self._tags = tags
        self._clock = clock
        self.requests = 0
        self.alive_us = 0
        self.closed = 0

    async def open(self) -> None:
        self._bench.opened += 1
        self.requests += 1
        if not self._bench.connected:
            raise DeviceError("no cable")

    async def run(self, publish: Publish) -> None:
        publish(self._read(self._tags))
        if self._bench.breaks:
            raise ZeroDivisionError("a mistake of ours")
        try:
            await self._bench.pulled.wait()
        except asyncio.CancelledError:
            if self._bench.gives_up_as_lost:
                raise DeviceError("the connection was closed") from None
            raise
        raise DeviceError("the cable was pulled")

    async def write(self, tag: Tag, value: float | int | bool | str) -> None:
        if not self._bench.connected:
            raise DeviceError("the cable was pulled")
        if tag.name in self._bench.refuses:
            raise WriteRefused("illegal data value")
        self._bench.written.append((tag.name, value))
        if tag.name not in self._bench.stubborn:
            self._bench.values[tag.name] = float(value)

    async def read(self, tag: Tag) -> Batch:
        if not self._bench.connected:
            raise DeviceError("the cable was pulled")
        return self._read([tag])

    async def close(self) -> None:
        self.closed += 1

    def _read(self, tags: Sequence[Tag]) -> Batch:
        self.alive_us = self._clock.now_us()
        values = [self._bench.values.get(tag.name, 0.0) for tag in tags]
        return make_batch([tag.index for tag in tags], self._clock.now_us(), values)


@dataclass
class BenchKind:
    bench: BenchDevice
    options: type[Any] = dict
    sends_changes_only: bool = False

    def check(self, options: Any, tags: Sequence[Tag]) -> list[AddressFault]:
        return []

    def describe(self, options: Any, tag: Tag, tags: Sequence[Tag] = ()) -> Mapping[str, str]:
        return {}

    def make(self, device: Device, tags: Sequence[Tag], clock: Clock) -> Driver:
        if self.bench.cannot_be_made:
            raise ImportError("a library is missing")
        return BenchDriver(self.bench, tags, clock)
