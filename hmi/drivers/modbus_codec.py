"""Registers to engineering values and back: a whole block in a few numpy passes.

A device that follows the specification sends the high byte of a register first and, by habit, the register with the
high word first. `word_order` little swaps the registers of a value, `byte_order` little the bytes in each register.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hmi.core.batch import Batch, Floats, Ints, Statuses, Tags
from hmi.core.status import BAD_DECODING_ERROR, BAD_OUT_OF_RANGE
from hmi.core.tag import DataType, Lane, Tag
from hmi.drivers.modbus_address import WORDS, Address
from hmi.drivers.modbus_plan import Block
from hmi.drivers.samples import no_values


class Order(StrEnum):
    BIG = "big"
    LITTLE = "little"


class Encoding(StrEnum):
    """How a device writes text."""

    UTF_8 = "utf-8"
    LATIN_1 = "latin-1"
    CP1252 = "cp1252"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a device lays out what is longer than a byte."""

    word_order: Order = Order.BIG
    byte_order: Order = Order.BIG
    encoding: Encoding = Encoding.UTF_8


# As the specification sends them: registers are put in that order before they are looked at as another type.
_DTYPES: dict[DataType, str] = {
    DataType.INT16: ">i2",
    DataType.UINT16: ">u2",
    DataType.INT32: ">i4",
    DataType.UINT32: ">u4",
    DataType.INT64: ">i8",
    DataType.UINT64: ">u8",
    DataType.FLOAT32: ">f4",
    DataType.FLOAT64: ">f8",
}
_FORMATS: dict[DataType, str] = {
    DataType.INT16: ">h",
    DataType.UINT16: ">H",
    DataType.INT32: ">i",
    DataType.UINT32: ">I",
    DataType.INT64: ">q",
    DataType.UINT64: ">Q",
    DataType.FLOAT32: ">f",
    DataType.FLOAT64: ">d",
}
_INT64_MAX = 2**63 - 1

Positions = NDArray[np.intp]
Registers = NDArray[np.uint16]
"""Registers as numbers, the high byte first on the wire."""
Bits = NDArray[np.uint8]
"""Coils or discrete inputs, 0 or 1."""


@dataclass(frozen=True, slots=True)
class _Numbers:
    """All tags of one type in a block: where they go, and the registers of each, most significant word first."""

    data_type: DataType
    place: Positions
    registers: Positions
    exact: Positions
    """Which of them (positions within this group) are on the INT lane."""
    dense: slice | None
    """The registers as one piece, where they follow one another as they are needed."""


@dataclass(frozen=True, slots=True)
class _Text:
    place: int
    start: int
    end: int


class BlockDecoder:
    """Turns the answer for one block into a batch. Made once per block; `decode` keeps nothing between calls."""

    def __init__(self, block: Block, layout: Layout) -> None:
        self._layout = layout
        items = block.items
        self._of_bits = block.area.of_bits
        self._tags: Tags = np.array([item.tag.index for item in items], np.int32)
        self._offsets: Positions = np.array([item.address.start - block.start for item in items], np.intp)
        scales = [item.tag.scale for item in items]
        self._scaled = any(scale is not None for scale in scales)
        self._factor: Floats = np.array([1.0 if scale is None else scale.factor for scale in scales])
        self._offset: Floats = np.array([0.0 if scale is None else scale.offset for scale in scales])
        self._has_whole = any(item.tag.lane is Lane.INT for item in items)
        bits = [i for i, item in enumerate(items) if item.address.bit is not None]
        self._bit_place: Positions = np.array(bits, np.intp)
        self._bit_shift = np.array([items[i].address.bit or 0 for i in bits], np.uint16)
        self._texts = tuple(
            _Text(i, item.address.start - block.start, item.address.end - block.start)
            for i, item in enumerate(items)
            if item.tag.data_type is DataType.TEXT
        )
        self._numbers = () if self._of_bits else self._group([item.tag for item in items])

    def _group(self, tags: Sequence[Tag]) -> tuple[_Numbers, ...]:
        groups: list[_Numbers] = []
        for data_type in _DTYPES:
            place = [i for i, tag in enumerate(tags) if tag.data_type is data_type]
            if not place:
                continue
            words = np.arange(WORDS[data_type], dtype=np.intp)
            if self._layout.word_order is Order.LITTLE:
                words = words[::-1]
            exact = [k for k, i in enumerate(place) if tags[i].lane is Lane.INT]
            places = np.array(place, np.intp)
            registers = self._offsets[places][:, None] + words[None, :]
            groups.append(_Numbers(data_type, places, registers, np.array(exact, np.intp), _one_piece(registers)))
        return tuple(groups)

    def decode(self, answer: Registers | Bits, time_us: int) -> Batch:
        """A sample a tag. `answer` holds the registers or the bits of the whole block."""
        n = len(self._tags)
        value = np.empty(n)
        status: Statuses = np.zeros(n, np.uint32)
        whole: Ints | None = np.zeros(n, np.int64) if self._has_whole else None
        text: NDArray[np.object_] | None = None
        if self._of_bits:
            value[:] = answer[self._offsets]
        else:
            registers = answer.astype(">u2", copy=False)
            if self._layout.byte_order is Order.LITTLE:
                registers = registers.byteswap()
            for group in self._numbers:
                _decode_numbers(group, registers, value, status, whole)
            if len(self._bit_place):
                value[self._bit_place] = (registers[self._offsets[self._bit_place]] >> self._bit_shift) & 1
            if self._texts:
                text = self._decode_texts(registers, value, status)
            if self._scaled:
                value *= self._factor
                value += self._offset
        times = np.empty(n, np.int64)
        times.fill(time_us)
        return Batch(self._tags, times, value, status, np.zeros(n, np.int64), whole, text)

    def _decode_texts(self, registers: Registers, value: Floats, status: Statuses) -> NDArray[np.object_]:
        text = np.full(len(self._tags), None, object)
        for t in self._texts:
            value[t.place] = np.nan
            text[t.place] = _decode_text(registers[t.start : t.end], self._layout.encoding)
            if text[t.place] is None:
                status[t.place] = BAD_DECODING_ERROR
        return text

    def failed(self, status: int, time_us: int) -> Batch:
        """A sample a tag that says why there is no value."""
        return no_values(self._tags, status, time_us)


def _one_piece(registers: Positions) -> slice | None:
    flat = registers.ravel()
    first = int(flat[0])
    return slice(first, first + len(flat)) if np.array_equal(flat, np.arange(first, first + len(flat))) else None


def _decode_numbers(group: _Numbers, registers: Registers, value: Floats, status: Statuses, whole: Ints | None) -> None:
    dtype = _DTYPES[group.data_type]
    if group.dense is not None:
        raw = registers[group.dense].view(dtype)
    else:
        raw = registers[group.registers].view(dtype)[:, 0]
    numbers = raw.astype(np.float64)
    value[group.place] = numbers
    if group.data_type in (DataType.FLOAT32, DataType.FLOAT64):
        finite = np.isfinite(numbers)
        if not finite.all():
            # A device says "no value" with a NaN; shown as a good number it would be a lie.
            status[group.place[~finite]] = BAD_OUT_OF_RANGE
    elif whole is not None and len(group.exact):
        place = group.place[group.exact]
        exact = raw[group.exact]
        if group.data_type is DataType.UINT64:
            too_large = exact > _INT64_MAX
            status[place[too_large]] = BAD_OUT_OF_RANGE
            value[place[too_large]] = np.nan
            exact = np.where(too_large, 0, exact)
        whole[place] = exact.astype(np.int64)


def _decode_text(registers: Registers, encoding: Encoding) -> str | None:
    """The characters up to the first NUL, without padding; None where they are no text in that encoding."""
    raw = registers.astype(">u2").tobytes().split(b"\0", 1)[0]
    try:
        return raw.decode(encoding).rstrip()
    except UnicodeDecodeError:
        return None


def truth(value: float | int | bool | str) -> bool:
    """What is written to a single bit. Raises `ValueError`, which says for a person why it cannot be."""
    if isinstance(value, str) or value not in (0, 1):
        raise ValueError(f"'{value}' is neither 0 nor 1")
    return bool(value)


def encode(tag: Tag, address: Address, value: float | int | bool | str, layout: Layout) -> list[int]:
    """The registers that hold an engineering value. Raises `ValueError`, which says for a person why it cannot be."""
    if tag.data_type is DataType.TEXT:
        raw = _encode_text(str(value), address.count, layout.encoding)
    else:
        raw = _encode_number(tag, value)
    words = [int(word) for word in np.frombuffer(raw, ">u2")]
    if layout.byte_order is Order.LITTLE:
        words = [(word >> 8) | ((word & 0xFF) << 8) for word in words]
    if layout.word_order is Order.LITTLE and tag.data_type is not DataType.TEXT:
        words.reverse()
    return words


def _encode_text(text: str, registers: int, encoding: Encoding) -> bytes:
    try:
        raw = text.encode(encoding)
    except UnicodeEncodeError:
        raise ValueError(f"'{text}' has characters that the device's encoding {encoding} does not have") from None
    if len(raw) > 2 * registers:
        raise ValueError(f"the text takes {len(raw)} bytes, but the device has room for {2 * registers}")
    return raw.ljust(2 * registers, b"\0")


def _encode_number(tag: Tag, value: float | int | bool | str) -> bytes:
    try:
        number = int(value) if isinstance(value, int) else float(value)
    except ValueError:
        raise ValueError(f"'{value}' is not a number") from None
    if not math.isfinite(number):
        raise ValueError("there is no number to write")
    if tag.scale is not None:
        if tag.scale.factor == 0:
            raise ValueError("the scale factor is 0, so no raw value belongs to it")
        number = (number - tag.scale.offset) / tag.scale.factor
    if tag.data_type not in (DataType.FLOAT32, DataType.FLOAT64):
        number = round(number)
    try:
        return struct.pack(_FORMATS[tag.data_type], number)
    except (struct.error, OverflowError):
        raise ValueError(f"{value} does not fit into {tag.data_type} (raw value {number})") from None
