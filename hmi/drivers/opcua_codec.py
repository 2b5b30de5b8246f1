"""OPC UA data values to batches of engineering values. Knows the shape of asyncua's objects, but not asyncua."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hmi.core.batch import Batch, Floats, Ints, Statuses
from hmi.core.status import (
    BAD,
    BAD_OUT_OF_RANGE,
    BAD_TYPE_MISMATCH,
    BAD_WAITING_FOR_INITIAL_DATA,
    GOOD,
)
from hmi.core.tag import DataType, Lane, Tag


class CodedStatus(Protocol):
    value: int


class Variant(Protocol):
    Value: Any


class DataValue(Protocol):
    """What a server says of a node: value, status and the time at the source."""

    Value: Variant | None
    StatusCode: CodedStatus | None
    SourceTimestamp: datetime | None


OVERFLOW = 0x0480
"""Info bits of a status: it belongs to a data value, and older values were dropped from the server's queue."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NUMBERS: frozenset[type] = frozenset({float, int, bool})
_INTEGERS: frozenset[type] = frozenset({int, bool})


class Decoder:
    """For the tags of one device; a position is an index into `tags`."""

    def __init__(self, tags: Sequence[Tag]) -> None:
        self.index = np.array([tag.index for tag in tags], np.int32)
        self._lanes = [tag.lane for tag in tags]
        self._of_int = np.array([tag.lane is Lane.INT for tag in tags], np.bool_)
        self._of_bool = np.array([tag.lane is Lane.BOOL for tag in tags], np.bool_)
        self._of_text = np.array([tag.lane is Lane.TEXT for tag in tags], np.bool_)
        scales = [tag.scale for tag in tags]
        self._scaled = any(scale is not None for scale in scales)
        self._factor: Floats = np.array([1.0 if scale is None else scale.factor for scale in scales])
        self._offset: Floats = np.array([0.0 if scale is None else scale.offset for scale in scales])

    def decode(self, positions: Sequence[int], values: Sequence[DataValue], receipt_us: Sequence[int] | Ints) -> Batch:
        """A sample a data value, in the same order. The times of receipt are those of the messages."""
        where = np.array(positions, np.intp)
        received: Ints = np.asarray(receipt_us, np.int64)
        times = np.array(
            [_time(value.SourceTimestamp, at) for value, at in zip(values, received.tolist(), strict=True)], np.int64
        )
        status: Statuses = np.array(
            [GOOD if value.StatusCode is None else value.StatusCode.value for value in values], np.uint32
        )
        raw = [None if value.Value is None else value.Value.Value for value in values]
        number, whole, text = self._columns(where, raw, status)
        if self._scaled:
            number *= self._factor[where]
            number += self._offset[where]
        return Batch(self.index[where], times, number, status, received - times, whole, text)

    def _columns(
        self, where: NDArray[np.intp], raw: list[Any], status: Statuses
    ) -> tuple[Floats, Ints | None, NDArray[np.object_] | None]:
        of_int, of_text, of_bool = self._of_int[where], self._of_text[where], self._of_bool[where]
        n = len(raw)
        number = np.full(n, np.nan)
        whole: Ints | None = np.zeros(n, np.int64) if of_int.any() else None
        text: NDArray[np.object_] | None = np.full(n, None, object) if of_text.any() else None
        one_by_one = np.flatnonzero(of_text).tolist()
        for place, types, dtype in (
            (np.flatnonzero(~of_int & ~of_text), _NUMBERS, np.float64),
            (np.flatnonzero(of_int), _INTEGERS, np.int64),
        ):
            column = raw if len(place) == n else [raw[i] for i in place]
            values = _at_once(column, types, dtype)
            if values is None:
                one_by_one += place.tolist()
                continue
            number[place] = values
            if whole is not None and dtype is np.int64:
                whole[place] = values
        for i in one_by_one:
            _place(i, raw[i], self._lanes[where[i]], number, whole, text, status)
        number[of_bool] = np.where(np.isnan(number[of_bool]), np.nan, number[of_bool] != 0)
        return number, whole, text


def _at_once(column: list[Any], types: frozenset[type], dtype: type[np.float64 | np.int64]) -> NDArray[Any] | None:
    """All values as one array, if they are all of these types."""
    if not set(map(type, column)) <= types:
        return None
    try:
        return np.array(column, dtype)
    except OverflowError:
        return None


def _place(
    i: int,
    value: Any,
    lane: Lane,
    number: Floats,
    whole: Ints | None,
    text: NDArray[np.object_] | None,
    status: Statuses,
) -> None:
    """One value into the columns of its lane; what does not fit the declared type turns Bad."""
    if value is None:
        if status[i] < BAD:
            # Good without a value is how a server says that it has not read its own source yet.
            status[i] = BAD_WAITING_FOR_INITIAL_DATA
    elif lane is Lane.TEXT:
        if text is not None:
            text[i] = _text(value)
            if text[i] is None:
                status[i] = BAD_TYPE_MISMATCH
    elif not isinstance(value, int | float):
        status[i] = BAD_TYPE_MISMATCH
    elif lane is Lane.INT and whole is not None:
        if isinstance(value, float) and not value.is_integer():
            status[i] = BAD_TYPE_MISMATCH
        elif not -(2**63) <= value < 2**63:
            status[i] = BAD_OUT_OF_RANGE
        else:
            whole[i] = int(value)
            number[i] = float(value)
    else:
        number[i] = float(value)


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    localized = getattr(value, "Text", None)
    if isinstance(localized, str):
        return localized
    return str(value) if isinstance(value, int | float) else None


def _time(source: datetime | None, receipt_us: int) -> int:
    if source is None:
        return receipt_us
    return ((source if source.tzinfo is not None else source.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


_LIMITS: dict[str, tuple[int, int]] = {
    "SByte": (-(2**7), 2**7 - 1),
    "Byte": (0, 2**8 - 1),
    "Int16": (-(2**15), 2**15 - 1),
    "UInt16": (0, 2**16 - 1),
    "Int32": (-(2**31), 2**31 - 1),
    "UInt32": (0, 2**32 - 1),
    "Int64": (-(2**63), 2**63 - 1),
    "UInt64": (0, 2**64 - 1),
}


def raw_value(tag: Tag, value: float | int | bool | str, node_type: str) -> float | int | bool | str:
    """What is written to a node of that OPC UA type for an engineering value.

    Raises `ValueError`, which says for a person why it cannot be.
    """
    if tag.data_type is DataType.TEXT or node_type == "String":
        if node_type != "String":
            raise ValueError(f"the node holds {node_type}, not a text")
        return str(value)
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
    if node_type == "Boolean":
        if number not in (0, 1):
            raise ValueError(f"'{value}' is neither 0 nor 1")
        return bool(number)
    if node_type in ("Float", "Double"):
        return float(number)
    if node_type not in _LIMITS:
        raise ValueError(f"the node holds {node_type}, which cannot be written from here")
    low, high = _LIMITS[node_type]
    if not low <= round(number) <= high:
        raise ValueError(f"{value} does not fit into {node_type} (raw value {round(number)})")
    return round(number)
