"""Reads history back: trends, the whole plant at one time, what happened, and when anything was collected."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import numpy as np
import psycopg
from numpy.typing import NDArray

from hmi.core.alarm import Alarm, AlarmState, acknowledge, raise_alarm, return_alarm
from hmi.core.batch import EMPTY, Batch, Ints, make_batch
from hmi.core.clock import MINUTE, from_datetime, to_datetime
from hmi.core.event import COLLECTOR, Coverage, Event, EventKind
from hmi.core.series import Series, raw_series
from hmi.core.session import HistoryUnavailableError, NoHistoryYetError
from hmi.core.status import BAD_NO_DATA
from hmi.core.tag import Lane, Tag
from hmi.history.columns import SAMPLE_COLUMNS, VALUE, ints, packed, read_samples, read_series
from hmi.history.database import Database, WrongDatabaseError, connect, kind_of
from hmi.history.dialect import Rollup, dialect_of
from hmi.history.pack import EARLIEST_US, LATEST_US

_IDLE = 4
_TIMEOUT_MS = 120_000
_FEW = 200
_ALARM_KINDS = (EventKind.ALARM_RAISED, EventKind.ALARM_ACKNOWLEDGED, EventKind.ALARM_RETURNED)


class HistoryCancelledError(HistoryUnavailableError):
    """The reading was cancelled by whoever had asked."""


class Cancellation:
    """Lets one thread end the readings that another has begun with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[Database] = set()
        self.cancelled = False

    def cancel(self) -> None:
        """End what runs and refuse what would follow. Any thread, any number of times."""
        with self._lock:
            self.cancelled = True
            running = list(self._running)
        for database in running:
            database.cancel()

    @contextmanager
    def over(self, database: Database) -> Iterator[None]:
        """The connection is cancelled with us while the `with` lasts."""
        with self._lock:
            if self.cancelled:
                raise HistoryCancelledError("cancelled")
            self._running.add(database)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(database)


class Reader:
    """Reads over a few connections of its own. Any thread; every call blocks until the answer is there.

    `dsn` is called before every new connection. All methods raise `HistoryUnavailableError`.
    """

    def __init__(self, dsn: Callable[[], str]) -> None:
        self._dsn = dsn
        self._lock = threading.Lock()
        self._idle: list[Database] = []
        self._ids: dict[str, int] = {}
        self._rollups: Sequence[Rollup] = ()
        self._closed = False

    def close(self) -> None:
        """Close the connections. A reading that still runs ends its own."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for database in idle:
            database.close()

    # ------------------------------------------------------------------ trends

    def history(
        self, tags: Sequence[str], start_us: int, end_us: int, buckets: int, cancel: Cancellation | None = None
    ) -> list[Series]:
        """One series a tag: raw samples and the one before `start_us`, or an envelope where there are too many.

        There are too many when they are more than two a bucket. An envelope's buckets may begin somewhat before
        `start_us`, and are at least as wide as asked for. A tag without history gives an empty series.
        """
        start_us, end_us = _within(start_us), _within(end_us)
        with self._connection(cancel) as database:
            ids = self._ids_of(database, tags)
            before_us = self._covered_since(database, start_us)
            return [
                self._one(database, tag, tag_id, start_us, end_us, before_us, buckets)
                for tag, tag_id in zip(tags, ids, strict=True)
            ]

    def _one(
        self,
        database: Database,
        tag: str,
        tag_id: int | None,
        start_us: int,
        end_us: int,
        before_us: int | None,
        buckets: int,
    ) -> Series:
        if tag_id is None or end_us < start_us:
            return raw_series(tag, start_us, end_us, *_nothing())
        limit = max(2 * buckets, _FEW)
        time_us, value, status = read_series(database, tag_id, start_us, end_us, before_us, limit + 1)
        if len(time_us) <= limit or buckets < 1:
            return raw_series(tag, start_us, end_us, time_us, value, status)
        width_us = max(1, -(-(end_us - start_us) // buckets))
        fitting = [rollup for rollup in self._rollups if rollup.width_us <= width_us]
        if not fitting:
            return self._envelope(database, tag, tag_id, start_us, end_us, start_us, width_us, None)
        rollup = max(fitting, key=lambda r: r.width_us)
        width_us = -(-width_us // rollup.width_us) * rollup.width_us
        origin_us = start_us // rollup.width_us * rollup.width_us
        return self._envelope(database, tag, tag_id, start_us, end_us, origin_us, width_us, rollup)

    def _envelope(
        self,
        database: Database,
        tag: str,
        tag_id: int,
        start_us: int,
        end_us: int,
        origin_us: int,
        width_us: int,
        rollup: Rollup | None,
    ) -> Series:
        """Extremes, last value, worst status of each bucket; from a rollup as far as it goes, then from samples."""
        split_us = origin_us
        if rollup is not None:
            row = database.execute(rollup.good_until).fetchone()
            until_us = _within(2**62) if row is None or row[0] is None else from_datetime(row[0])
            # No bucket may lie across the end of what the rollup knows.
            split_us = min(end_us + 1, origin_us + max(0, until_us - origin_us) // width_us * width_us)
        parts = []
        if rollup is not None and split_us > origin_us:
            parts.append(
                _buckets(database, _ROLLED.format(rollup.relation), tag_id, origin_us, split_us, width_us, origin_us)
            )
        if split_us <= end_us:
            parts.append(_buckets(database, _RAW, tag_id, split_us, end_us + 1, width_us, origin_us))
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        time_us, last, low, high, worst = columns
        return Series(
            tag, start_us, end_us, time_us.astype(np.int64), last, low, high, worst.astype(np.uint32), width_us
        )

    # ------------------------------------------------------------------ the plant at one time

    def values_at(self, tags: Sequence[Tag], time_us: int, cancel: Cancellation | None = None) -> Batch:
        """The value of each tag at a time: one sample a tag, in the order of `tags`.

        Only what was collected in the same run of the collector counts: where the collector did not run at that time,
        or has not seen the tag since it began, the status is `BAD_NO_DATA` and there is no value.
        """
        if not tags:
            return EMPTY
        time_us = _within(time_us)
        with self._connection(cancel) as database:
            since_us = self._covered_since(database, time_us)
            ids = np.array([-1 if i is None else i for i in self._ids_of(database, [t.name for t in tags])], np.int32)
            found = np.full(len(tags), -1, np.int64)
            parts: list[Batch] = []
            if since_us is not None:
                # Nearly every tag has a sample within its heartbeat; only for the others it is worth looking far back.
                near_us = time_us - 2 * max(tag.heartbeat_us for tag in tags) - MINUTE
                for low_us in (max(near_us, since_us), since_us):
                    missing = np.flatnonzero((found < 0) & (ids >= 0))
                    if not len(missing):
                        break
                    part = _latest(database, ids[missing], low_us, time_us)
                    found[missing[part.tag]] = sum(len(p) for p in parts) + np.arange(len(part))
                    parts.append(part)
        return _spread(tags, found, parts, time_us)

    def samples_between(
        self, tags: Sequence[Tag], after_us: int, until_us: int, cancel: Cancellation | None = None
    ) -> Batch:
        """All samples in (after, until], ordered by time."""
        if not tags or until_us <= after_us:
            return EMPTY
        with self._connection(cancel) as database:
            ids = self._ids_of(database, [tag.name for tag in tags])
            there = [(tag, i) for tag, i in zip(tags, ids, strict=True) if i is not None]
            # Tag by tag, because there is an index by tag and time, and none by time alone.
            found = read_samples(
                database,
                f"SELECT {SAMPLE_COLUMNS} FROM unnest(%(ids)s::int4[]) WITH ORDINALITY u(wanted, place)"
                " CROSS JOIN LATERAL (SELECT * FROM sample s WHERE s.tag_id = u.wanted"
                " AND s.time > %(after)s AND s.time <= %(until)s OFFSET 0) s ORDER BY s.time, u.place",
                {"ids": [i for _, i in there], "after": _moment(after_us), "until": _moment(until_us)},
            )
        return _renamed([tag for tag, _ in there], found)

    def _covered_since(self, database: Database, time_us: int) -> int | None:
        """The beginning of the collector's run that covers a time; None where it did not run."""
        row = database.execute(
            "SELECT start FROM coverage WHERE source = %s AND start <= %s AND until >= %s ORDER BY start DESC LIMIT 1",
            (COLLECTOR, _moment(time_us), _moment(time_us)),
        ).fetchone()
        return None if row is None else from_datetime(row[0])

    # ------------------------------------------------------------------ what happened

    def coverage(self, start_us: int, end_us: int) -> list[Coverage]:
        """Times of collecting that touch the span, by their beginning."""
        with self._connection(None) as database:
            rows = database.execute(
                "SELECT source, start, until, why FROM coverage WHERE until >= %s AND start <= %s"
                " ORDER BY start, source",
                (_moment(start_us), _moment(end_us)),
            ).fetchall()
        return [Coverage(source, from_datetime(a), from_datetime(b), why) for source, a, b, why in rows]

    def events(self, start_us: int, end_us: int, limit: int = 10_000) -> list[Event]:
        """What happened in [start, end], oldest first; the newest `limit` where there is more."""
        with self._connection(None) as database:
            rows = database.execute(
                "SELECT time, kind, source, text, key, priority, who, detail FROM event"
                " WHERE time >= %s AND time <= %s ORDER BY time DESC, event_id DESC LIMIT %s",
                (_moment(start_us), _moment(end_us), limit),
            ).fetchall()
        return [
            Event(from_datetime(time), EventKind(kind), source, text, key, priority, who, detail)
            for time, kind, source, text, key, priority, who, detail in reversed(rows)
        ]

    def alarms_at(self, time_us: int) -> list[Alarm]:
        """The alarms that were not normal at a time, told from what happened before."""
        with self._connection(None) as database:
            rows = database.execute(_ALARM_EVENTS, {"at": _moment(time_us)}).fetchall()
        alarms: dict[str, Alarm] = {}
        for key, kind, time, who, value in rows:
            before = alarms.get(key, Alarm(key))
            happened_us = from_datetime(time)
            number = float("nan") if value is None else float(value)
            if kind == EventKind.ALARM_RAISED:
                # What came earlier than the last raising belongs to an alarm that is over.
                alarms[key] = raise_alarm(Alarm(key), happened_us, number)
            elif kind == EventKind.ALARM_RETURNED:
                alarms[key] = return_alarm(before, happened_us, number)
            else:
                alarms[key] = acknowledge(before, happened_us, who)
        return [alarm for alarm in alarms.values() if alarm.state is not AlarmState.NORMAL]

    def count(self) -> int:
        """How many samples are stored. Counts them, so it takes its time with a long history."""
        with self._connection(None) as database:
            row = database.execute("SELECT count(*) FROM sample").fetchone()
        return int(row[0]) if row else 0

    def span(self) -> tuple[int, int] | None:
        """The times of the oldest and the newest sample; None without any."""
        with self._connection(None) as database:
            row = database.execute(
                # Tag by tag, because there is an index by tag and time, and none of all times.
                "SELECT min(a.time), max(b.time) FROM tag t"
                " CROSS JOIN LATERAL (SELECT time FROM sample s WHERE s.tag_id = t.tag_id ORDER BY time LIMIT 1) a"
                " CROSS JOIN LATERAL (SELECT time FROM sample s WHERE s.tag_id = t.tag_id ORDER BY time DESC LIMIT 1) b"
            ).fetchone()
        if row is None or row[0] is None:
            return None
        return from_datetime(row[0]), from_datetime(row[1])

    # ------------------------------------------------------------------ connections

    @contextmanager
    def _connection(self, cancel: Cancellation | None) -> Iterator[Database]:
        try:
            database = self._take()
            try:
                with (cancel or Cancellation()).over(database), database.transaction():
                    database.execute(f"SET LOCAL statement_timeout = {_TIMEOUT_MS}")
                    yield database
            finally:
                self._give_back(database)
        except psycopg.errors.QueryCanceled as error:
            if cancel is not None and cancel.cancelled:
                raise HistoryCancelledError("cancelled") from error
            raise HistoryUnavailableError("reading history took too long; ask for a shorter time") from error
        except (psycopg.Error, WrongDatabaseError, OSError) as error:
            why = str(error).strip().split("\n", 1)[0]
            raise HistoryUnavailableError(f"history cannot be read: {why}") from error

    def _take(self) -> Database:
        while True:
            with self._lock:
                if self._closed:
                    raise HistoryUnavailableError("history is closed")
                if not self._idle:
                    break
                database = self._idle.pop()
            try:
                # A server that was started anew has left us with a dead line.
                database.execute("SELECT 1")
            except psycopg.Error:
                database.close()
                continue
            return database
        dsn = self._dsn()
        if not dsn:
            raise HistoryUnavailableError("it is not known yet where history is stored")
        database = connect(dsn, "reader")
        kind = kind_of(database)
        if kind is None:
            database.close()
            raise NoHistoryYetError("the database holds no history yet")
        self._rollups = dialect_of(kind).rollups
        database.read_only = True
        return database

    def _give_back(self, database: Database) -> None:
        with self._lock:
            if not self._closed and not database.broken and len(self._idle) < _IDLE:
                self._idle.append(database)
                return
        database.close()

    def _ids_of(self, database: Database, tags: Sequence[str]) -> list[int | None]:
        if any(tag not in self._ids for tag in tags):
            self._ids = dict(database.execute("SELECT name, tag_id FROM tag").fetchall())
        return [self._ids.get(tag) for tag in tags]


_RAW = f"""
SELECT date_bin(%(width)s, time, %(origin)s) AS bucket, min({VALUE}) FILTER (WHERE status >= 0) AS low,
       max({VALUE}) FILTER (WHERE status >= 0) AS high, max(status::int8 & 4294967295) AS worst, max(time) AS t_last,
       (SELECT {VALUE} FROM sample l WHERE l.tag_id = %(tag)s AND l.time = max(s.time) LIMIT 1) AS v_last
FROM sample s WHERE tag_id = %(tag)s AND time >= %(start)s AND time < %(end)s GROUP BY 1
"""

_ROLLED = """
SELECT date_bin(%(width)s, r.bucket, %(origin)s) AS bucket, min(v_min) AS low, max(v_max) AS high,
       max(worst) AS worst, max(t_last) AS t_last,
       (SELECT v_last FROM {0} l WHERE l.tag_id = %(tag)s AND l.bucket = max(r.bucket) LIMIT 1) AS v_last
FROM {0} r WHERE tag_id = %(tag)s AND r.bucket >= %(start)s AND r.bucket < %(end)s GROUP BY 1
"""

# For each alarm the last event of each kind: more is not needed to know its state. The keys are found by leaps
# through the index, however many events there are.
_ALARM_EVENTS = f"""
WITH RECURSIVE keys AS (
    (SELECT key FROM event WHERE kind LIKE 'alarm.%%' ORDER BY key LIMIT 1)
    UNION ALL
    SELECT (SELECT e.key FROM event e WHERE e.kind LIKE 'alarm.%%' AND e.key > k.key ORDER BY e.key LIMIT 1)
    FROM keys k WHERE k.key IS NOT NULL
)
SELECT k.key, e.kind, e.time, e.who,
       CASE WHEN jsonb_typeof(e.detail -> 'value') = 'number' THEN (e.detail ->> 'value')::float8 END
FROM keys k
CROSS JOIN unnest(ARRAY[{", ".join(f"'{kind}'" for kind in _ALARM_KINDS)}]) w(kind)
CROSS JOIN LATERAL (
    SELECT * FROM event e WHERE e.kind LIKE 'alarm.%%' AND e.key = k.key AND e.kind = w.kind AND e.time <= %(at)s
    ORDER BY e.time DESC, e.event_id DESC LIMIT 1
) e
WHERE k.key IS NOT NULL
ORDER BY e.time, e.event_id
"""


def _buckets(
    database: Database, source: str, tag_id: int, start_us: int, end_us: int, width_us: int, origin_us: int
) -> tuple[Ints, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], Ints]:
    """Time, last value, low, high and worst status of each bucket that holds samples, rising in time."""
    row = database.execute(
        f"SELECT {packed('bucket', 'timestamptz')}, {packed('v_last', 'float8')}, {packed('low', 'float8')},"
        f" {packed('high', 'float8')}, {packed('worst', 'int8')} FROM (SELECT * FROM ({source}) b ORDER BY bucket) b",
        {
            "tag": tag_id,
            "width": timedelta(microseconds=width_us),
            "origin": _moment(origin_us),
            "start": _moment(start_us),
            "end": _moment(end_us),
        },
        binary=True,
    ).fetchone()
    if row is None:
        return np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0), np.empty(0, np.int64)
    return (
        ints(row[0], time=True),
        np.frombuffer(row[1] or b"", ">f8").astype(np.float64),
        np.frombuffer(row[2] or b"", ">f8").astype(np.float64),
        np.frombuffer(row[3] or b"", ">f8").astype(np.float64),
        ints(row[4]),
    )


def _latest(database: Database, ids: NDArray[np.int32], low_us: int, time_us: int) -> Batch:
    """The newest sample of each tag in [low, time]; `tag` is the place in `ids`."""
    return read_samples(
        database,
        f"SELECT {SAMPLE_COLUMNS} FROM unnest(%(ids)s::int4[]) WITH ORDINALITY u(wanted, place)"
        " CROSS JOIN LATERAL (SELECT * FROM sample s WHERE s.tag_id = u.wanted"
        " AND s.time <= %(at)s AND s.time >= %(low)s ORDER BY s.time DESC LIMIT 1) s",
        {"ids": ids.tolist(), "at": _moment(time_us), "low": _moment(low_us)},
    )


def _spread(tags: Sequence[Tag], found: Ints, parts: Sequence[Batch], time_us: int) -> Batch:
    """One sample for each tag: what was found, and `BAD_NO_DATA` for the rest."""
    n = len(tags)
    value, status = np.full(n, np.nan), np.full(n, BAD_NO_DATA, np.uint32)
    times, delay, whole = np.full(n, time_us, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    text = np.full(n, None, object)
    at = 0
    for part in parts:
        here = np.flatnonzero((found >= at) & (found < at + len(part)))
        place = found[here] - at
        times[here], value[here], status[here] = part.time_us[place], part.value[place], part.status[place]
        delay[here] = part.delay_us[place]
        if part.whole is not None:
            whole[here] = part.whole[place]
        if part.text is not None:
            text[here] = part.text[place]
        at += len(part)
    index = np.fromiter((tag.index for tag in tags), np.int32, n)
    return make_batch(index, times, value, status, delay, *_lanes(tags, whole, text))


def _renamed(tags: Sequence[Tag], found: Batch) -> Batch:
    """A batch whose `tag` was the place in `tags`, with the tags' own indices."""
    index = np.fromiter((tag.index for tag in tags), np.int32, len(tags))
    whole, text = _lanes(tags, found.whole, found.text)
    tag = index[found.tag] if len(found) else found.tag
    return Batch(tag, found.time_us, found.value, found.status, found.delay_us, whole, text)


def _lanes(
    tags: Sequence[Tag], whole: Ints | None, text: NDArray[np.object_] | None
) -> tuple[Ints | None, NDArray[np.object_] | None]:
    """The lanes for exact numbers and text, each only where a tag has it."""
    lanes = {tag.lane for tag in tags}
    return (whole if Lane.INT in lanes else None), (text if Lane.TEXT in lanes else None)


def _nothing() -> tuple[Ints, NDArray[np.float64], NDArray[np.uint32]]:
    return np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint32)


def _within(time_us: int) -> int:
    """The time, or the nearest that a database can hold."""
    return min(max(int(time_us), EARLIEST_US), LATEST_US)


def _moment(time_us: int) -> object:
    return to_datetime(_within(time_us))
