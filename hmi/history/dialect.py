"""All differences between plain PostgreSQL, TimescaleDB's Apache edition and its Community edition."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np

from hmi.core.batch import Ints
from hmi.core.clock import DAY, HOUR, MINUTE, from_datetime, to_datetime
from hmi.core.plant import HistorianSettings
from hmi.history.database import Database, Kind

OLDEST_SAMPLE = (
    "SELECT min(s.time) FROM tag t CROSS JOIN LATERAL"
    " (SELECT time FROM sample s WHERE s.tag_id = t.tag_id ORDER BY time LIMIT 1) s"
)
"""Tag by tag, because there is an index by tag and time, and none of all times."""

AHEAD = 3
_PARTITION_LOCK = 0x48696E64_02
_ROLL_STEP_US = 10 * MINUTE
_ROLL_BEHIND_US = 2 * MINUTE
_COMPRESS_AFTER = "3 days"
_REACH_US = 8 * DAY
_LATE_US = 2 * DAY
_FIRST_DIRTY = "SELECT min(bucket) FROM rollup_dirty"
_FILLED_UNTIL = (
    "SELECT least(coalesce((SELECT until FROM rollup_state WHERE relation = 'sample_10m'), 'epoch'),"
    " (SELECT min(bucket) FROM rollup_dirty))"
)
_KEEP_MINUTES = "2 years"


@dataclass(frozen=True, slots=True)
class Rollup:
    """A relation with one row for each tag and `width_us`, from which long trends are read.

    `good_until` is SQL for the time up to which it says the same as the samples; NULL where it always does.
    """

    relation: str
    width_us: int
    good_until: str


class Dialect(Protocol):
    """What differs from server to server. All times are microseconds UTC."""

    kind: Kind
    rollups: Sequence[Rollup]

    def make_room(self, database: Database, times: Ints) -> None:
        """Before storing: see that rows of these times have a place. Within the storing transaction."""
        ...

    def forget_rooms(self) -> None:
        """Forget which places are known: one that was known was refused."""
        ...

    def stored(self, database: Database, times: Ints) -> None:
        """After storing, in the same transaction: what was rolled up for these times holds no longer."""
        ...

    def begin(self, database: Database, settings: HistorianSettings) -> None:
        """Once after connecting: policies that the server keeps by itself."""
        ...

    def keep_up(self, database: Database, now_us: int, settings: HistorianSettings) -> None:
        """Every minute, outside any transaction."""
        ...

    def drop_oldest(self, database: Database, now_us: int) -> int | None:
        """Delete the oldest part of the samples, but never the last day; returns the time up to which it went."""
        ...


def dialect_of(kind: Kind) -> Dialect:
    """The dialect for a kind of server."""
    if kind is Kind.TIMESCALEDB:
        return Timescale()
    return Hypertable() if kind is Kind.HYPERTABLE else PlainPostgres()


class _RolledUpByUs:
    """Rollups as ordinary tables, filled by the collector. Late samples mark their bucket as dirty."""

    rollups: Sequence[Rollup] = (Rollup("sample_10m", _ROLL_STEP_US, _FILLED_UNTIL),)

    def stored(self, database: Database, times: Ints) -> None:
        # FOR SHARE: `until` must not move on between this look and our commit.
        row = database.execute("SELECT until FROM rollup_state WHERE relation = 'sample_10m' FOR SHARE").fetchone()
        if row is None:
            return
        late = times[times < from_datetime(row[0])]
        if len(late):
            buckets = np.unique(late // _ROLL_STEP_US) * _ROLL_STEP_US
            database.execute(
                "INSERT INTO rollup_dirty SELECT unnest(%s::timestamptz[]) ON CONFLICT DO NOTHING",
                ([to_datetime(int(bucket)) for bucket in buckets],),
            )

    def _roll_up(self, database: Database, now_us: int) -> None:
        target_us = (now_us - _ROLL_BEHIND_US) // _ROLL_STEP_US * _ROLL_STEP_US
        with database.transaction():
            row = database.execute("SELECT until FROM rollup_state WHERE relation = 'sample_10m' FOR UPDATE").fetchone()
            if row is None:
                first = database.execute(OLDEST_SAMPLE).fetchone()
                if first is None or first[0] is None:
                    return
                until_us = from_datetime(first[0]) // _ROLL_STEP_US * _ROLL_STEP_US
                database.execute(
                    "INSERT INTO rollup_state VALUES ('sample_10m', %s) ON CONFLICT DO NOTHING",
                    (to_datetime(until_us),),
                )
            else:
                until_us = from_datetime(row[0])
            if target_us > until_us:
                database.execute(
                    "INSERT INTO rollup_dirty SELECT DISTINCT date_bin('10 minutes', time, '2000-01-01+00')"
                    " FROM sample WHERE time >= %s AND time < %s ON CONFLICT DO NOTHING",
                    (to_datetime(until_us), to_datetime(target_us)),
                )
                database.execute(
                    "UPDATE rollup_state SET until = %s WHERE relation = 'sample_10m'", (to_datetime(target_us),)
                )
        for (bucket,) in database.execute("SELECT bucket FROM rollup_dirty ORDER BY bucket DESC").fetchall():
            self._roll_up_bucket(database, bucket)

    def _roll_up_bucket(self, database: Database, bucket: datetime) -> None:
        with database.transaction():
            # Deleted first: a sample that comes while we add up marks the bucket anew.
            database.execute("DELETE FROM rollup_dirty WHERE bucket = %s", (bucket,))
            database.execute(
                """
                INSERT INTO sample_10m
                SELECT %(bucket)s, tag_id, min(v) FILTER (WHERE status >= 0), max(v) FILTER (WHERE status >= 0),
                       sum(v) FILTER (WHERE status >= 0 AND status < 1073741824), count(*),
                       count(v) FILTER (WHERE status >= 0 AND status < 1073741824),
                       (array_agg(v ORDER BY time))[1], (array_agg(v ORDER BY time DESC))[1], min(time), max(time),
                       max(status::int8 & 4294967295)
                FROM (SELECT time, tag_id, status, coalesce(v_num, v_int::float8, v_bool::int4::float8) AS v
                      FROM sample WHERE time >= %(bucket)s AND time < %(end)s) s
                GROUP BY tag_id
                ON CONFLICT (tag_id, bucket) DO UPDATE SET
                    v_min = excluded.v_min, v_max = excluded.v_max, v_sum = excluded.v_sum, n = excluded.n,
                    n_good = excluded.n_good, v_first = excluded.v_first, v_last = excluded.v_last,
                    t_first = excluded.t_first, t_last = excluded.t_last, worst = excluded.worst
                """,
                {"bucket": bucket, "end": bucket + timedelta(microseconds=_ROLL_STEP_US)},
            )


class PlainPostgres(_RolledUpByUs):
    """PostgreSQL without TimescaleDB: a partition a day, made ahead and dropped by us."""

    kind = Kind.POSTGRESQL

    def __init__(self) -> None:
        self._known: set[int] = set()

    def make_room(self, database: Database, times: Ints) -> None:
        missing = {int(day) for day in np.unique(times // DAY)} - self._known
        if missing:
            self._make(database, missing)

    def forget_rooms(self) -> None:
        self._known.clear()

    def begin(self, database: Database, settings: HistorianSettings) -> None:
        self._known.clear()

    def keep_up(self, database: Database, now_us: int, settings: HistorianSettings) -> None:
        today = now_us // DAY
        with database.transaction():
            self._make(database, range(today - 1, today + AHEAD + 1))
        self._roll_up(database, now_us)
        for name, day in _partitions(database):
            if (day + 1) * DAY <= now_us - settings.keep_raw_us:
                self._drop(database, name, day)

    def drop_oldest(self, database: Database, now_us: int) -> int | None:
        for name, day in _partitions(database):
            if day >= now_us // DAY - 1:
                return None
            had = database.execute(f"SELECT EXISTS (SELECT FROM {name})").fetchone()
            self._drop(database, name, day)
            if had and had[0]:
                return (day + 1) * DAY
        return None

    def _drop(self, database: Database, name: str, day: int) -> None:
        with database.transaction():
            # Readers may hold the table; rather later than that everything queues up behind us.
            database.execute("SET LOCAL lock_timeout = '3s'")
            database.execute(f"DROP TABLE {name}")
        self._known.discard(day)

    def _make(self, database: Database, days: Iterable[int]) -> None:
        """Partitions for the days since 1970. Attached rather than created in place: readers go on undisturbed."""
        database.execute("SELECT pg_advisory_xact_lock(%s)", (_PARTITION_LOCK,))
        there = {day for _, day in _partitions(database)}
        for day in sorted(set(days) - there):
            start = to_datetime(day * DAY)
            name = f"sample_{start:%Y%m%d}"
            database.execute(f"CREATE TABLE {name} (LIKE sample INCLUDING DEFAULTS)")
            # The numbers are ours: a partition's bounds cannot be parameters.
            bounds = f"FROM ('{start:%Y-%m-%d}+00') TO ('{start + timedelta(days=1):%Y-%m-%d}+00')"
            database.execute(f"ALTER TABLE sample ATTACH PARTITION {name} FOR VALUES {bounds}")
        self._known |= set(days)


def _partitions(database: Database) -> list[tuple[str, int]]:
    """Names and days of the partitions, oldest first."""
    rows = database.execute(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'sample'::regclass ORDER BY c.relname"
    ).fetchall()
    return [(name, _day(name)) for (name,) in rows]


def _day(partition: str) -> int:
    """The day since 1970 that a partition's name ends with."""
    return from_datetime(datetime.strptime(partition[-8:], "%Y%m%d").replace(tzinfo=UTC)) // DAY


class _Chunks:
    """What every edition of TimescaleDB does by itself or with one call: chunks."""

    def make_room(self, database: Database, times: Ints) -> None:
        """Chunks are made by the server."""

    def forget_rooms(self) -> None:
        """Nothing is known."""

    def drop_oldest(self, database: Database, now_us: int) -> int | None:
        row = database.execute(
            "SELECT range_end FROM timescaledb_information.chunks WHERE hypertable_name = 'sample'"
            " ORDER BY range_end LIMIT 1"
        ).fetchone()
        if row is None or from_datetime(row[0]) > now_us - DAY:
            return None
        database.execute("SELECT drop_chunks('sample', older_than => %s)", (row[0],))
        return from_datetime(row[0])


class Hypertable(_Chunks, _RolledUpByUs):
    """TimescaleDB's Apache edition: chunks, but neither columnstore nor policies."""

    kind = Kind.HYPERTABLE

    def begin(self, database: Database, settings: HistorianSettings) -> None:
        """There are no policies in this edition."""

    def keep_up(self, database: Database, now_us: int, settings: HistorianSettings) -> None:
        self._roll_up(database, now_us)
        oldest = to_datetime(now_us - settings.keep_raw_us)
        database.execute("SELECT drop_chunks('sample', older_than => %s)", (oldest,))


class Timescale(_Chunks):
    """TimescaleDB's Community edition: columnstore, continuous aggregates and retention run as its own jobs."""

    kind = Kind.TIMESCALEDB
    rollups: Sequence[Rollup] = (
        Rollup("sample_1h", HOUR, _FIRST_DIRTY),
        Rollup("sample_1m", MINUTE, _FIRST_DIRTY),
    )

    def stored(self, database: Database, times: Ints) -> None:
        # The server's own refresh comes once an hour and reaches back for a week; what is later, we refresh at once.
        days = [to_datetime(int(day) * DAY) for day in np.unique(times // DAY)]
        database.execute(
            "INSERT INTO rollup_dirty SELECT day FROM unnest(%s::timestamptz[]) day"
            " WHERE day < now() - %s::interval ON CONFLICT (bucket) DO UPDATE SET bucket = excluded.bucket",
            (days, timedelta(microseconds=_LATE_US)),
        )

    def begin(self, database: Database, settings: HistorianSettings) -> None:
        keep_us = settings.keep_raw_us
        # A refresh that reaches into what retention has dropped would empty the rollup there.
        reach_us = min(_REACH_US, max(keep_us - 2 * DAY, keep_us // 2))
        with database.transaction():
            for relation in ("sample", "sample_1m", "sample_1h"):
                database.execute("SELECT remove_compression_policy(%s, if_exists => true)", (relation,))
            for relation in ("sample_1m", "sample_1h"):
                database.execute("SELECT remove_continuous_aggregate_policy(%s, if_exists => true)", (relation,))
            database.execute("SELECT remove_retention_policy('sample', if_exists => true)")
            database.execute("SELECT remove_retention_policy('sample_1m', if_exists => true)")
            database.execute(f"SELECT add_retention_policy('sample_1m', drop_after => interval '{_KEEP_MINUTES}')")
            database.execute(
                "SELECT add_retention_policy('sample', drop_after => %s::interval)", (timedelta(microseconds=keep_us),)
            )
            database.execute(f"SELECT add_compression_policy('sample', compress_after => interval '{_COMPRESS_AFTER}')")
            # Versions that refresh bucket by bucket take a minute for a day that comes late, unless told otherwise.
            batches = database.execute(
                "SELECT FROM pg_proc WHERE proname = 'add_continuous_aggregate_policy'"
                " AND 'buckets_per_batch' = ANY(proargnames)"
            ).fetchone()
            batch = ", buckets_per_batch => 1440" if batches is not None else ""
            for relation, behind, every in (("sample_1m", 2 * MINUTE, 5 * MINUTE), ("sample_1h", HOUR, HOUR)):
                database.execute(
                    "SELECT add_continuous_aggregate_policy(%s, start_offset => %s::interval,"
                    f" end_offset => %s::interval, schedule_interval => %s::interval{batch})",
                    (
                        relation,
                        timedelta(microseconds=reach_us),
                        timedelta(microseconds=behind),
                        timedelta(microseconds=every),
                    ),
                )
                database.execute(
                    "SELECT add_compression_policy(%s, compress_after => %s::interval)",
                    (relation, timedelta(microseconds=reach_us + DAY)),
                )

    def keep_up(self, database: Database, now_us: int, settings: HistorianSettings) -> None:
        """The server's own jobs do it, except for days that got samples late."""
        kept_from = to_datetime((now_us - settings.keep_raw_us) // DAY * DAY + DAY)
        database.execute("DELETE FROM rollup_dirty WHERE bucket < %s", (kept_from,))
        dirty = database.execute("SELECT bucket, xmin::text FROM rollup_dirty ORDER BY bucket DESC").fetchall()
        for day, version in dirty:
            for relation in ("sample_1m", "sample_1h"):
                database.execute(
                    "CALL refresh_continuous_aggregate(%s, %s::timestamptz, %s::timestamptz)",
                    (relation, day, day + timedelta(days=1)),
                )
            # Not if a sample that came meanwhile has marked the day anew.
            database.execute("DELETE FROM rollup_dirty WHERE bucket = %s AND xmin::text = %s", (day, version))
