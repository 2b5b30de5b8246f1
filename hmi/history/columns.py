"""Brings columns out of PostgreSQL as bytes, in one row, so that numpy reads them without an object per value."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmi.core.batch import EMPTY, Batch, Floats, Ints, Statuses
from hmi.core.clock import to_datetime
from hmi.history.database import Database

VALUE = "coalesce(v_num, v_int::float8, v_bool::int4::float8)"
"""The value of a row of table sample as a number; NULL where there is none."""

SAMPLE_COLUMNS = (
    "u.place, s.time, coalesce(s.v_num, s.v_int::float8, s.v_bool::int4::float8) AS value, s.status,"
    " s.delay_us, s.v_int, s.v_text"
)
"""What `read_samples` wants: `u.place` is the place of the tag, counted from 1."""

_EPOCH_US = 946_684_800_000_000
_SEND = {"timestamptz": "timestamptz_send", "float8": "float8send", "int4": "int4send", "int8": "int8send"}
_EMPTY_OF = {"float8": "'NaN'", "int4": "0", "int8": "0"}


def packed(column: str, form: str) -> str:
    """SQL that gathers a column into one string of its binary values, in the order of the rows; NULL as NaN or 0."""
    whole = column if form == "timestamptz" else f"coalesce({column}, {_EMPTY_OF[form]}::{form})"
    return f"string_agg({_SEND[form]}({whole}), ''::bytea)"


def ints(raw: bytes | None, *, time: bool = False) -> Ints:
    """The numbers of a packed int8 or timestamptz column (then as microseconds UTC)."""
    found = np.frombuffer(raw or b"", ">i8").astype(np.int64)
    return found + _EPOCH_US if time else found


def floats(raw: bytes | None) -> Floats:
    """The numbers of a packed float8 column."""
    return np.frombuffer(raw or b"", ">f8").astype(np.float64)


def statuses(raw: bytes | None) -> Statuses:
    """The status codes of a packed int4 column, with their bits as they were."""
    return np.frombuffer(raw or b"", ">u4").astype(np.uint32)


def read_series(
    database: Database, tag_id: int, start_us: int, end_us: int, before_us: int | None, limit: int
) -> tuple[Ints, Floats, Statuses]:
    """At most `limit` samples of a tag in [start, end], and the last one in [before, start) in front of them."""
    before = (
        f"(SELECT time, {VALUE} AS v, status FROM sample WHERE tag_id = %(tag)s AND time < %(start)s"
        " AND time >= %(before)s ORDER BY time DESC LIMIT 1) UNION ALL "
        if before_us is not None
        else ""
    )
    row = database.execute(
        f"SELECT {packed('time', 'timestamptz')}, {packed('v', 'float8')}, {packed('status', 'int4')} FROM ("
        f"{before}(SELECT time, {VALUE} AS v, status FROM sample WHERE tag_id = %(tag)s"
        " AND time >= %(start)s AND time <= %(end)s ORDER BY time LIMIT %(limit)s)) s",
        {
            "tag": tag_id,
            "start": to_datetime(start_us),
            "end": to_datetime(end_us),
            "before": None if before_us is None else to_datetime(before_us),
            "limit": limit,
        },
        binary=True,
    ).fetchone()
    if row is None:
        row = (None, None, None)
    return ints(row[0], time=True), floats(row[1]), statuses(row[2])


def read_samples(database: Database, source: str, values: Mapping[str, Any]) -> Batch:
    """The rows of a query over `SAMPLE_COLUMNS` as a batch, `tag` being the place of the tag counted from 0."""
    row = database.execute(
        f"SELECT {packed('place', 'int8')}, {packed('time', 'timestamptz')}, {packed('value', 'float8')},"
        f" {packed('status', 'int4')}, {packed('delay_us', 'int8')}, {packed('v_int', 'int8')},"
        f" CASE WHEN count(v_text) > 0 THEN array_agg(v_text) END FROM ({source}) s",
        values,
        binary=True,
    ).fetchone()
    if row is None or row[0] is None:
        return EMPTY
    place = ints(row[0])
    text: NDArray[np.object_] = np.full(len(place), None, object)
    if row[6] is not None:
        text[:] = row[6]
    return Batch(
        (place - 1).astype(np.int32),
        ints(row[1], time=True),
        floats(row[2]),
        statuses(row[3]),
        ints(row[4]),
        ints(row[5]),
        text,
    )
