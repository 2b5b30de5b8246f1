"""Packs samples for `COPY … (FORMAT BINARY)`: one numpy pass for each kind of row, no object per value."""

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmi.core.batch import Batch, Tags
from hmi.core.tag import Lane

COPY_SAMPLES = "COPY sample (time, tag_id, v_num, v_int, v_text, v_bool, status, delay_us) FROM STDIN (FORMAT BINARY)"

EARLIEST_US = 0
"""1970-01-01: no plant recorded anything before."""
LATEST_US = 9_214_646_400_000_000
"""2262-01-01: the last year that numpy's nanoseconds hold, and well within what PostgreSQL takes."""

LANES = (Lane.FLOAT, Lane.INT, Lane.BOOL, Lane.TEXT)
_FLOAT, _INT, _BOOL, _TEXT = range(4)
_NONE = -1

_EPOCH_US = 946_684_800_000_000  # PostgreSQL counts from 2000-01-01
_HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
_FIELDS = 8
_NUMBER = {_FLOAT: ("v_num", ">f8"), _INT: ("v_int", ">i8"), _BOOL: ("v_bool", "u1")}
_ORDER = ("v_num", "v_int", "v_text", "v_bool")


def lane_number(lane: Lane) -> int:
    """The place of a lane in `LANES`."""
    return LANES.index(lane)


def storable(batch: Batch) -> NDArray[np.bool_]:
    """True where the time of a sample is one that a database can hold."""
    return (batch.time_us >= EARLIEST_US) & (batch.time_us < LATEST_US)


def pack_rows(batch: Batch, tag_id: Tags, lane: NDArray[np.int8]) -> Iterator[bytes]:
    """The samples as PostgreSQL's binary COPY, in pieces; `tag_id` and `lane` (place in `LANES`) for each sample."""
    yield _HEADER
    empty = np.isnan(batch.value)
    delayed = batch.delay_us != 0
    texts = lane == _TEXT
    for kind in (_FLOAT, _INT, _BOOL, _NONE):
        chosen = (~texts & empty) if kind == _NONE else ((lane == kind) & ~empty)
        for with_delay in (False, True):
            index = np.flatnonzero(chosen & (delayed == with_delay))
            if len(index):
                yield _numeric(batch, tag_id, index, kind, with_delay)
    if texts.any():
        yield _textual(batch, tag_id, np.flatnonzero(texts))
    yield _TRAILER


def _layout(kind: int, with_delay: bool) -> tuple[np.dtype[Any], dict[str, int]]:
    """One row as a packed record; every field is preceded by its length, -1 meaning NULL."""
    name, number = _NUMBER.get(kind, ("", ""))
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    lengths = {"fields": _FIELDS}

    def add(column: str, form: str | None) -> None:
        fields.append((f"{column}_length", ">i4"))
        lengths[f"{column}_length"] = -1 if form is None else np.dtype(form).itemsize
        if form is not None:
            fields.append((column, form))

    add("time", ">i8")
    add("tag_id", ">i4")
    for column in _ORDER:
        add(column, number if column == name else None)
    add("status", ">u4")
    add("delay_us", ">i8" if with_delay else None)
    return np.dtype(fields), lengths


def _numeric(batch: Batch, tag_id: Tags, index: NDArray[np.intp], kind: int, with_delay: bool) -> bytes:
    layout, lengths = _layout(kind, with_delay)
    rows = np.empty(len(index), layout)
    for name, length in lengths.items():
        rows[name] = length
    rows["time"] = batch.time_us[index] - _EPOCH_US
    rows["tag_id"] = tag_id[index]
    rows["status"] = batch.status[index]
    if with_delay:
        rows["delay_us"] = batch.delay_us[index]
    if kind == _FLOAT:
        rows["v_num"] = batch.value[index]
    elif kind == _BOOL:
        rows["v_bool"] = batch.value[index] != 0
    elif kind == _INT:
        if batch.whole is not None:
            rows["v_int"] = batch.whole[index]
        else:
            with np.errstate(invalid="ignore"):
                rows["v_int"] = batch.value[index].astype(np.int64)
    return rows.tobytes()


def _textual(batch: Batch, tag_id: Tags, index: NDArray[np.intp]) -> bytes:
    parts = []
    for i in index.tolist():
        text = None if batch.text is None else batch.text[i]
        # Whatever cannot be UTF-8 is left to the database to refuse: then it is seen, and kept in quarantine.
        content = None if text is None else str(text).encode("utf-8", "surrogatepass")
        parts.append(struct.pack(">hiqiiii", _FIELDS, 8, int(batch.time_us[i]) - _EPOCH_US, 4, int(tag_id[i]), -1, -1))
        parts.append(struct.pack(">i", -1) if content is None else struct.pack(">i", len(content)) + content)
        parts.append(struct.pack(">iiI", -1, 4, int(batch.status[i])))
        delay = int(batch.delay_us[i])
        parts.append(struct.pack(">iq", 8, delay) if delay else struct.pack(">i", -1))
    return b"".join(parts)
