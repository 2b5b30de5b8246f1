"""The register image of a PLC: points of the process in Modbus tables, with the holes between them.

A read that touches a hole and a write that touches a register without a command are refused, as real PLCs do.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hmi.core.tag import DataType


class Table(StrEnum):
    """The four tables of Modbus."""

    COIL = "coil"
    DISCRETE = "discrete"
    HOLDING = "holding"
    INPUT = "input"

    @property
    def of_bits(self) -> bool:
        return self in (Table.COIL, Table.DISCRETE)


class Answer(StrEnum):
    """What the PLC says to a write, or to a read that it cannot serve."""

    DONE = "done"
    NO_SUCH_ADDRESS = "no such address"
    BAD_VALUE = "bad value"


@dataclass(frozen=True, slots=True)
class Point:
    """One value of the process at one address. Raw value = engineering value / factor.

    `write` gets an engineering value between `low` and `high` and answers whether it was accepted.
    """

    table: Table
    address: int
    kind: DataType
    read: Callable[[], float | str]
    factor: float = 1.0
    write: Callable[[float], bool] | None = None
    low: float = 0.0
    high: float = 65535.0
    length: int = 0

    @property
    def width(self) -> int:
        """How many registers or bits it takes."""
        if self.kind is DataType.TEXT:
            return self.length
        return _WIDTH[self.kind]


class Image:
    """The tables of one PLC. `word_order_big`: whether the high word of a number of two words comes first."""

    def __init__(self, points: Iterable[Point], word_order_big: bool) -> None:
        self._big = word_order_big
        self._points = tuple(points)
        self._cells: dict[Table, list[int | None]] = {}
        self._at: dict[tuple[Table, int], Point] = {}
        for table in Table:
            size = max((p.address + p.width for p in self._points if p.table is table), default=0)
            self._cells[table] = [None] * size
        for point in self._points:
            for offset in range(point.width):
                if self._cells[point.table][point.address + offset] is not None:
                    raise ValueError(f"two points share {point.table} {point.address + offset}")
                self._cells[point.table][point.address + offset] = 0
            self._at[point.table, point.address] = point
        self.refresh()

    def refresh(self) -> None:
        """Take the whole process over, so that all registers belong to one moment."""
        for point in self._points:
            self._store(point)

    def read(self, table: Table, address: int, count: int) -> list[int] | Answer:
        """`count` registers or bits from `address`."""
        cells = self._cells[table][address : address + count]
        found = [cell for cell in cells if cell is not None]
        return found if len(found) == count else Answer.NO_SUCH_ADDRESS

    def write(self, table: Table, address: int, values: Sequence[int]) -> Answer:
        """Write whole points; all are checked before the first acts."""
        wanted: list[tuple[Point, float]] = []
        at = 0
        while at < len(values):
            point = self._at.get((table, address + at))
            if point is None or point.write is None or at + point.width > len(values):
                return Answer.NO_SUCH_ADDRESS
            value = self._decode(point, values[at : at + point.width])
            if not point.low <= value <= point.high:
                return Answer.BAD_VALUE
            wanted.append((point, value))
            at += point.width
        for point, value in wanted:
            if point.write is None or not point.write(value):
                return Answer.BAD_VALUE
            self._store(point)
        return Answer.DONE

    def _store(self, point: Point) -> None:
        value = point.read()
        cells = self._cells[point.table]
        if isinstance(value, str):
            raw = value.encode("ascii")[: 2 * point.length].ljust(2 * point.length, b"\0")
            cells[point.address : point.address + point.length] = struct.unpack(f">{point.length}H", raw)
            return
        if point.kind is DataType.BOOL:
            cells[point.address] = int(bool(value))
            return
        code = _CODE[point.kind]
        number: float | int = value / point.factor
        if code not in "fd":
            number = min(_HIGHEST[code], max(_LOWEST[code], round(number)))
        words = struct.unpack(f">{point.width}H", struct.pack(">" + code, number))
        cells[point.address : point.address + point.width] = words if self._big else words[::-1]

    def _decode(self, point: Point, words: Sequence[int]) -> float:
        if point.kind is DataType.BOOL:
            return float(bool(words[0]))
        ordered = words if self._big else list(words)[::-1]
        raw: float = struct.unpack(">" + _CODE[point.kind], struct.pack(f">{point.width}H", *ordered))[0]
        return raw * point.factor


_CODE: dict[DataType, str] = {
    DataType.INT16: "h",
    DataType.UINT16: "H",
    DataType.INT32: "i",
    DataType.UINT32: "I",
    DataType.FLOAT32: "f",
}
_WIDTH: dict[DataType, int] = {
    DataType.BOOL: 1,
    DataType.INT16: 1,
    DataType.UINT16: 1,
    DataType.INT32: 2,
    DataType.UINT32: 2,
    DataType.FLOAT32: 2,
}
_LOWEST: dict[str, int] = {"h": -32768, "H": 0, "i": -(2**31), "I": 0}
_HIGHEST: dict[str, int] = {"h": 32767, "H": 65535, "i": 2**31 - 1, "I": 2**32 - 1}
