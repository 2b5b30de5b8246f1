"""One frame on the link: a JSON header and columns of numbers, in a form that any host can read.

Layout, little-endian: `u32` length of the rest, `u32` length of the header, the header (UTF-8 JSON, padded with spaces
to a multiple of 8), then the columns one after the other. The header's `columns` lists `[name, dtype, count]`.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmi.core.batch import Batch

_LENGTHS = struct.Struct("<II")
LENGTH = struct.Struct("<I")
MOST_BYTES = 256 * 1024 * 1024
_DTYPES = frozenset({"<i4", "<i8", "<u4", "<f8"})


class FrameError(Exception):
    """Bytes that are no frame. The connection they came from is of no further use."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`kind` says what it is, `body` is JSON, `columns` are one-dimensional arrays."""

    kind: str
    body: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def encode(frame: Frame) -> bytes:
    """The bytes of a frame, with its length in front."""
    columns = {
        name: np.ascontiguousarray(column, column.dtype.newbyteorder("<")) for name, column in frame.columns.items()
    }
    header = json.dumps(
        {
            "kind": frame.kind,
            "body": frame.body,
            "columns": [[name, column.dtype.str, len(column)] for name, column in columns.items()],
        },
        ensure_ascii=False,
        allow_nan=False,
    ).encode()
    header += b" " * (-len(header) % 8)
    parts = [column.tobytes() for column in columns.values()]
    return b"".join([_LENGTHS.pack(4 + len(header) + sum(map(len, parts)), len(header)), header, *parts])


def decode(data: bytes) -> Frame:
    """A frame from its bytes without the leading length. Raises `FrameError`."""
    try:
        (size,) = LENGTH.unpack_from(data)
        header = json.loads(data[4 : 4 + size])
        at = 4 + size
        columns: dict[str, NDArray[Any]] = {}
        for name, dtype, count in header["columns"]:
            if dtype not in _DTYPES:
                raise FrameError(f"column '{name}' has the unknown type '{dtype}'")
            columns[name] = np.frombuffer(data, dtype, count, at)
            at += columns[name].nbytes
        kind, body = header["kind"], header["body"]
        if not isinstance(kind, str) or not isinstance(body, dict):
            raise FrameError("a frame whose header has no kind or no body")
        return Frame(kind, body, columns)
    except (ValueError, KeyError, TypeError, RecursionError, struct.error) as error:
        raise FrameError(f"{len(data)} bytes that are no frame: {error}") from error


def batch_frame(kind: str, batch: Batch, body: Mapping[str, Any] | None = None) -> Frame:
    """A frame that carries a batch, and `body` beside it."""
    columns: dict[str, NDArray[Any]] = {
        "time_us": batch.time_us,
        "value": batch.value,
        "delay_us": batch.delay_us,
    }
    if batch.whole is not None:
        columns["whole"] = batch.whole
    columns["tag"] = batch.tag
    columns["status"] = batch.status
    content = dict(body or {})
    if batch.text is not None:
        content["text"] = batch.text.tolist()
    return Frame(kind, content, columns)


def batch_of(frame: Frame) -> Batch:
    """The batch that a frame carries. Raises `FrameError`."""
    try:
        columns = frame.columns
        text = None
        if "text" in frame.body:
            text = np.empty(len(columns["tag"]), object)
            text[:] = frame.body["text"]
        return Batch(
            columns["tag"],
            columns["time_us"],
            columns["value"],
            columns["status"],
            columns["delay_us"],
            columns.get("whole"),
            text,
        )
    except (KeyError, ValueError) as error:
        raise FrameError(f"a '{frame.kind}' frame without a batch: {error}") from error
