"""A device that does not exist: signals computed from the clock, for trying out screens and for tests.

Addresses: `sine:60s`, `ramp:30s`, `square:10s` (one full turn in that time), `random`, and `memory`, which keeps what
was written to it. Signals move between the tag's `low` and `high`. The same tag at the same time always has the same
value.
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from hmi.core.batch import Batch, make_batch
from hmi.core.clock import SECOND, Clock
from hmi.core.device import AddressFault, Device, DeviceError, Driver, Publish, WriteRefused
from hmi.core.duration import duration_text, parse_duration
from hmi.core.problem import did_you_mean
from hmi.core.tag import DataType, Lane, Tag


class SimulatorOptions(BaseModel):
    """A simulated device has no options of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Signal(StrEnum):
    SINE = "sine"
    RAMP = "ramp"
    SQUARE = "square"
    RANDOM = "random"
    MEMORY = "memory"

    @property
    def turns(self) -> bool:
        return self in (Signal.SINE, Signal.RAMP, Signal.SQUARE)


@dataclass(frozen=True, slots=True)
class Source:
    """What a simulated tag shows. `turn_us` is 0 for signals that do not repeat."""

    signal: Signal
    turn_us: int = 0


def parse_source(text: str) -> Source:
    """The signal of an address. Raises `ValueError`."""
    word, _, turn = text.strip().partition(":")
    if word not in list(Signal):
        hint = did_you_mean(word, [str(signal) for signal in Signal])
        raise ValueError(f"'{word}' is not a signal" + (f"; {hint}" if hint else ""))
    signal = Signal(word)
    if not signal.turns:
        if turn:
            raise ValueError(f"{signal} takes no duration")
        return Source(signal)
    turn_us = parse_duration(turn)
    if turn_us <= 0:
        raise ValueError("a turn takes longer than no time")
    return Source(signal, turn_us)


class SimulatorKind:
    """The entry `simulator` in the table of drivers."""

    options: type[Any] = SimulatorOptions
    sends_changes_only = False

    def check(self, options: SimulatorOptions, tags: Sequence[Tag]) -> list[AddressFault]:
        faults: list[AddressFault] = []
        for tag in tags:
            try:
                source = parse_source(tag.address)
            except ValueError as error:
                fix = "for example sine:60s, ramp:30s, square:10s, random or memory"
                faults.append(AddressFault(tag.name, str(error), fix))
                continue
            if tag.write is not None and source.signal is not Signal.MEMORY:
                faults.append(
                    AddressFault(tag.name, f"{source.signal} cannot be written", "give it the address memory")
                )
            if tag.data_type is DataType.TEXT and source.signal is not Signal.MEMORY:
                faults.append(AddressFault(tag.name, f"{source.signal} is a number, not a text", "use memory"))
        return faults

    def describe(self, options: SimulatorOptions, tag: Tag, tags: Sequence[Tag] = ()) -> Mapping[str, str]:
        return {
            "Read from": f"{tag.device}, simulated: no real device",
            "Address": tag.address,
            "Type": str(tag.data_type),
            "Computed": f"every {duration_text(tag.period_us)}",
        }

    def make(self, device: Device, tags: Sequence[Tag], clock: Clock) -> Driver:
        return SimulatorDriver(device, tags, clock)


class SimulatorDriver:
    """See `hmi.core.device.Driver`. What was written stays until the driver is dropped."""

    def __init__(self, device: Device, tags: Sequence[Tag], clock: Clock) -> None:
        self._name = device.name
        self._clock = clock
        self._tags = tuple(tags)
        self._sources = {tag.index: parse_source(tag.address) for tag in tags}
        self._memory: dict[int, float | str] = {}
        self._open = False
        self._requests = 0
        self._alive_us = 0

    @property
    def requests(self) -> int:
        return self._requests

    @property
    def alive_us(self) -> int:
        return self._alive_us

    async def open(self) -> None:
        self._open = True
        self._alive_us = self._clock.now_us()

    async def run(self, publish: Publish) -> None:
        due: dict[int, int] = {}
        groups: dict[int, list[Tag]] = {}
        for tag in self._tags:
            groups.setdefault(tag.period_us, []).append(tag)
            due[tag.period_us] = self._clock.monotonic_us()
        while True:
            now_us = self._clock.monotonic_us()
            ready = [period_us for period_us, due_us in due.items() if due_us <= now_us]
            for period_us in ready:
                due[period_us] += period_us * (1 + (now_us - due[period_us]) // period_us)
            tags = [tag for period_us in ready for tag in groups[period_us]]
            if tags:
                self._requests += 1
                publish(self._sample(tags))
            wait_us = min(due.values()) - now_us if due else SECOND
            await self._clock.sleep_us(wait_us)

    async def write(self, tag: Tag, value: float | int | bool | str) -> None:
        if not self._open:
            raise DeviceError(f"{self._name} is not open")
        if self._sources[tag.index].signal is not Signal.MEMORY:
            raise WriteRefused(f"{self._name}: {tag.address} cannot be written")
        if tag.lane is Lane.TEXT:
            self._memory[tag.index] = str(value)
            return
        try:
            number = float(value)
        except ValueError:
            raise WriteRefused(f"{tag.name}: '{value}' is not a number") from None
        self._memory[tag.index] = _shaped(tag, number)

    async def read(self, tag: Tag) -> Batch:
        if not self._open:
            raise DeviceError(f"{self._name} is not open")
        return self._sample([tag])

    async def close(self) -> None:
        self._open = False

    def _sample(self, tags: Sequence[Tag]) -> Batch:
        now_us = self._clock.now_us()
        self._alive_us = now_us
        found = [self._value(tag, now_us) for tag in tags]
        values = np.array([v if isinstance(v, float) else math.nan for v in found])
        whole = None
        if any(tag.lane is Lane.INT for tag in tags):
            whole = [int(v) if isinstance(v, float) else 0 for v in found]
        text = None
        if any(tag.lane is Lane.TEXT for tag in tags):
            text = [v if isinstance(v, str) else None for v in found]
        return make_batch([tag.index for tag in tags], now_us, values, whole=whole, text=text)

    def _value(self, tag: Tag, now_us: int) -> float | str:
        source = self._sources[tag.index]
        if source.signal is Signal.MEMORY:
            return self._memory.get(tag.index, "" if tag.lane is Lane.TEXT else _shaped(tag, tag.low or 0.0))
        low, high = _range(tag)
        if source.signal is Signal.RANDOM:
            seed = f"{tag.name}@{now_us // tag.period_us}".encode()
            part = zlib.crc32(seed) / 0xFFFFFFFF
        else:
            phase = (now_us % source.turn_us) / source.turn_us
            part = _PARTS[source.signal](phase)
        return _shaped(tag, low + (high - low) * part)


def _square(phase: float) -> float:
    return float(phase >= 0.5)


def _ramp(phase: float) -> float:
    return phase


def _sine(phase: float) -> float:
    return 0.5 + 0.5 * math.sin(2 * math.pi * phase)


_PARTS = {Signal.SINE: _sine, Signal.RAMP: _ramp, Signal.SQUARE: _square}


def _range(tag: Tag) -> tuple[float, float]:
    if tag.data_type is DataType.BOOL:
        return 0.0, 1.0
    if tag.low is None and tag.high is None and tag.states:
        return float(min(tag.states)), float(max(tag.states))
    low = 0.0 if tag.low is None else tag.low
    return low, low + 100.0 if tag.high is None else tag.high


def _shaped(tag: Tag, value: float) -> float:
    """The value as the tag's type holds it."""
    if tag.lane is Lane.BOOL:
        return float(value >= 0.5)
    return float(round(value) if tag.lane is Lane.INT and math.isfinite(value) else value)
