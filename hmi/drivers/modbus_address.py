"""Where a value stands in a Modbus device: `holding:40`, `coil:3`, `holding:40.3`, `holding:100+4`, `holding:40/8`."""

import re
from dataclasses import dataclass
from enum import StrEnum

from hmi.core.problem import did_you_mean
from hmi.core.tag import DataType


class Area(StrEnum):
    """The four address spaces of a device. Holding registers and coils can be written."""

    HOLDING = "holding"
    INPUT = "input"
    COIL = "coil"
    DISCRETE = "discrete"

    @property
    def of_bits(self) -> bool:
        return self in (Area.COIL, Area.DISCRETE)

    @property
    def writable(self) -> bool:
        return self in (Area.HOLDING, Area.COIL)


MAX_REGISTERS = 125
"""Registers in one read, by the Modbus specification."""
MAX_BITS = 2000
"""Coils or discrete inputs in one read."""
ADDRESSES = 65536
"""Addresses in each area."""

WORDS: dict[DataType, int] = {
    DataType.BOOL: 1,
    DataType.INT16: 1,
    DataType.UINT16: 1,
    DataType.INT32: 2,
    DataType.UINT32: 2,
    DataType.FLOAT32: 2,
    DataType.INT64: 4,
    DataType.UINT64: 4,
    DataType.FLOAT64: 4,
}
"""Registers that a value of each type takes. A text says its own length."""


class AddressError(ValueError):
    """Not an address. `fix` says what to write and may be empty."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Address:
    """A place in a device, zero-based. `count` is in registers, or in bits for coils and discrete inputs."""

    area: Area
    start: int
    count: int = 1
    bit: int | None = None

    @property
    def end(self) -> int:
        """The first address behind."""
        return self.start + self.count

    def __str__(self) -> str:
        if self.bit is not None:
            return f"{self.area} {self.start} bit {self.bit}"
        if self.count == 1:
            return f"{self.area} {self.start}"
        return f"{self.area} {self.start}–{self.end - 1}"


_PATTERN = re.compile(r"([a-z]+):(\d{1,6}(?:\+\d{1,6})*)(?:\.(\d{1,2}))?(?:/(\d{1,3}))?")
_EXAMPLE = "for example holding:40, input:100, coil:3, discrete:7, holding:40.3 or, for text, holding:40/8"


def parse_address(text: str, data_type: DataType) -> Address:
    """The address of a value of that type. Raises `AddressError`."""
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise AddressError(f"'{text}' is not a Modbus address", _EXAMPLE)
    word, numbers, bit, length = match.groups()
    if word not in list(Area):
        areas = [str(area) for area in Area]
        raise AddressError(f"'{word}' is not an area of a Modbus device", did_you_mean(word, areas) or _EXAMPLE)
    area = Area(word)
    start = sum(int(number) for number in numbers.split("+"))
    address = Address(area, start, _count(area, data_type, length), None if bit is None else int(bit))
    _check(address, data_type)
    return address


def _count(area: Area, data_type: DataType, length: str | None) -> int:
    if data_type is not DataType.TEXT:
        if length is not None:
            raise AddressError("only a text has a length behind a slash", "leave the slash out, or make the type text")
        return 1 if area.of_bits else WORDS[data_type]
    if length is None:
        raise AddressError("a text needs its length in registers", "two characters a register: holding:40/8")
    if not 1 <= int(length) <= MAX_REGISTERS:
        raise AddressError(f"a text may take 1 to {MAX_REGISTERS} registers, not {length}")
    return int(length)


def _check(address: Address, data_type: DataType) -> None:
    if address.area.of_bits and data_type is not DataType.BOOL:
        raise AddressError(
            f"a {address.area} holds one bit, but the type is {data_type}", "make the type bool, or read a register"
        )
    if address.bit is not None:
        if address.area.of_bits:
            raise AddressError(f"a {address.area} has no bits of its own", f"write {address.area}:{address.start}")
        if data_type is not DataType.BOOL:
            raise AddressError(f"one bit of a register has the type bool, not {data_type}", "make the type bool")
        if address.bit > 15:
            raise AddressError(f"a register has bits 0 to 15, not {address.bit}")
    elif data_type is DataType.BOOL and not address.area.of_bits:
        raise AddressError(
            "a truth value in a register needs its bit", f"write {address.area}:{address.start}.0 for the lowest bit"
        )
    if address.end > ADDRESSES:
        raise AddressError(f"addresses go from 0 to {ADDRESSES - 1}; this one ends at {address.end - 1}")
