"""What one group commit of the spool holds, and how its samples are packed into bytes."""

import json
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmi.core.alarm import Alarm, AlarmState
from hmi.core.batch import Batch
from hmi.core.event import Coverage, Event, EventKind

_HEAD = struct.Struct("<4sIB")
_MAGIC = b"HSC1"
_DELAY, _WHOLE, _TEXT = 1, 2, 4
_COMPRESS_FROM = 400


class DamagedChunkError(Exception):
    """The bytes are not what was written."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One group commit as read back. In `samples`, `tag` is the number of the spool's own tag dictionary.

    `damaged` says why the samples could not be read; then `samples` is empty and `n` is what there was.
    """

    seq: int
    made_us: int
    n: int
    samples: Batch
    events: tuple[Event, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    damaged: str = ""


def pack_samples(batch: Batch) -> bytes:
    """Columns, byte by byte of equal weight, lightly compressed: 5 to 20 bytes a sample."""
    n = len(batch)
    flags = 0
    steps = np.diff(batch.time_us, prepend=np.int64(0))
    columns: list[NDArray[Any]] = [batch.tag, steps, batch.status, batch.value]
    if batch.delay_us.any():
        flags |= _DELAY
        columns.append(batch.delay_us)
    if batch.whole is not None:
        flags |= _WHOLE
        columns.append(batch.whole)
    parts = [_shuffled(column) for column in columns]
    if batch.text is not None:
        flags |= _TEXT
        parts.append(json.dumps(batch.text.tolist()).encode())
    body = b"".join(parts)
    # A stored body costs more disk and no time; below this size the gain is not worth it.
    packed = zlib.compress(body, 1) if len(body) > _COMPRESS_FROM else zlib.compress(body, 0)
    return _HEAD.pack(_MAGIC, n, flags) + packed


def unpack_samples(blob: bytes) -> Batch:
    """The counterpart of `pack_samples`. Raises `DamagedChunkError`."""
    try:
        magic, n, flags = _HEAD.unpack_from(blob)
        if magic != _MAGIC:
            raise DamagedChunkError("not a chunk of samples")
        body = zlib.decompress(blob[_HEAD.size :])
    except (struct.error, zlib.error) as error:
        raise DamagedChunkError(str(error)) from error
    at = 0

    def column(kind: str) -> NDArray[Any]:
        nonlocal at
        size = np.dtype(kind).itemsize
        raw = np.frombuffer(body, np.uint8, n * size, at).reshape(size, n)
        at += n * size
        return np.ascontiguousarray(raw.T).view(kind).reshape(n)

    try:
        tag = column("<i4")
        time_us = np.cumsum(column("<i8"))
        status = column("<u4")
        value = column("<f8")
        delay = column("<i8") if flags & _DELAY else np.zeros(n, np.int64)
        whole = column("<i8") if flags & _WHOLE else None
        text: NDArray[np.object_] | None = None
        if flags & _TEXT:
            text = np.empty(n, object)
            text[:] = json.loads(body[at:])
    except ValueError as error:
        raise DamagedChunkError(str(error)) from error
    return Batch(tag, time_us, value, status, delay, whole, text)


def _shuffled(column: NDArray[Any]) -> bytes:
    """First all lowest bytes, then all next ones: neighbours resemble one another, and compress."""
    little = np.ascontiguousarray(column).astype(column.dtype.newbyteorder("<"), copy=False)
    return np.ascontiguousarray(little.view(np.uint8).reshape(len(column), -1).T).tobytes()


def json_safe(value: Any) -> Any:
    """The value as JSON can hold it: numbers that are none become null, what is unknown becomes text."""
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): json_safe(v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [json_safe(v) for v in value]
    if hasattr(value, "item"):
        return json_safe(value.item())
    return str(value)


def pack_events(events: Sequence[Event]) -> str | None:
    """Events as JSON; None for no events."""
    if not events:
        return None
    return json.dumps(
        [[e.time_us, str(e.kind), e.source, e.text, e.key, e.priority, e.who, json_safe(e.detail)] for e in events]
    )


def unpack_events(packed: str | None) -> tuple[Event, ...]:
    if not packed:
        return ()
    return tuple(
        Event(time_us, EventKind(kind), source, text, key, priority, who, detail)
        for time_us, kind, source, text, key, priority, who, detail in json.loads(packed)
    )


def pack_coverage(rows: Sequence[Coverage]) -> str | None:
    """Coverage as JSON; None for none."""
    return json.dumps([[c.source, c.start_us, c.end_us, c.why] for c in rows]) if rows else None


def unpack_coverage(packed: str | None) -> tuple[Coverage, ...]:
    return tuple(Coverage(*row) for row in json.loads(packed)) if packed else ()


def pack_alarm(alarm: Alarm) -> str:
    return json.dumps(
        [
            str(alarm.state),
            alarm.raised_us,
            alarm.returned_us,
            alarm.acknowledged_us,
            alarm.acknowledged_by,
            json_safe(alarm.value),
        ]
    )


def unpack_alarm(key: str, packed: str) -> Alarm:
    state, raised, returned, acknowledged, by, value = json.loads(packed)
    return Alarm(key, AlarmState(state), raised, returned, acknowledged, by, math.nan if value is None else value)
