"""A device of the plant and the contract between the collector and the drivers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from hmi.core.batch import Batch
from hmi.core.clock import SECOND, Clock
from hmi.core.tag import Tag


@dataclass(frozen=True, slots=True)
class Device:
    """One device. `options` is the driver's own frozen options object (host, port, word order …)."""

    name: str
    driver: str
    options: Any
    description: str = ""
    period_us: int = SECOND
    trust_clock: bool = False
    alarm_priority: int | None = 3


class DeviceState(StrEnum):
    CONNECTING = "connecting"
    OK = "ok"
    LOST = "lost"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """What the status line shows of a device. `since_us` is when the state began."""

    name: str
    state: DeviceState
    since_us: int
    why: str = ""
    requests: int = 0
    samples: int = 0
    attempts: int = 0
    cycle_ms: float = 0.0


class DeviceError(Exception):
    """The device cannot be reached, went away or refused. The message says what and where, for a person."""


class WriteRefused(DeviceError):
    """The device answered, and the answer was no."""


Publish = Callable[[Batch], None]


class Driver(Protocol):
    """One protocol, one device. Knows nothing of reconnecting: it raises `DeviceError` on loss.

    All methods run on the collector's event loop. A supervisor calls open, then run until it raises, then close.
    """

    async def open(self) -> None:
        """Connect and check that the device answers. Raises `DeviceError`."""
        ...

    async def run(self, publish: Publish) -> None:
        """Poll or subscribe until cancelled. Raises `DeviceError` on loss.

        Publishes everything read (deadband and duplicates are not the driver's business) with the time at the source
        in `time_us` and `delay_us` = receipt minus source time (0 if the device gives no time). A tag that cannot be
        read while the device answers (illegal address, wrong node) is published once a period with a Bad status.
        """
        ...

    async def write(self, tag: Tag, value: float | int | bool | str) -> None:
        """Send one engineering value; return when the device has accepted it. Raises `WriteRefused`, `DeviceError`."""
        ...

    async def read(self, tag: Tag) -> Batch:
        """Read one tag now, past any polling: for the read-back of a write. Raises `DeviceError`."""
        ...

    async def close(self) -> None:
        """Never raises, safe to call twice."""
        ...

    @property
    def requests(self) -> int:
        """Requests or notifications since the driver was made."""
        ...

    @property
    def alive_us(self) -> int:
        """Wall time at which the device was last heard, 0 if never.

        OPC UA sends nothing for a value that does not change: a tag without a new sample is still fresh while this
        moves.
        """
        ...


@dataclass(frozen=True, slots=True)
class AddressFault:
    """What is wrong with the address of a tag; `fix` may be empty."""

    tag: str
    message: str
    fix: str = ""


class DriverKind(Protocol):
    """The entry of a protocol in the table of drivers: enough to judge files without the protocol's library."""

    options: type[Any]
    """A frozen pydantic model of the device's options in `plant.yaml`."""

    sends_changes_only: bool
    """Whether a value that does not change is not sent again, so that silence on a tag is no sign of trouble."""

    def check(self, options: Any, tags: Sequence[Tag]) -> list[AddressFault]:
        """Everything wrong with the addresses of this device's tags: form, type, overlaps."""
        ...

    def describe(self, options: Any, tag: Tag, tags: Sequence[Tag] = ()) -> Mapping[str, str]:
        """For 'why this value': `{"Read from": "PLC-3, Modbus TCP, unit 1, holding 112", ...}`.

        With all `tags` of the device it also says with how many others the tag is read.
        """
        ...

    def make(self, device: Device, tags: Sequence[Tag], clock: Clock) -> Driver:
        """A driver for one device and its tags. Does not connect."""
        ...
