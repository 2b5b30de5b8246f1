"""The same history on a real TimescaleDB: hypertable, columnstore, continuous aggregates, retention."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hmi.core.alarm import AlarmState
from hmi.core.batch import make_batch
from hmi.core.clock import DAY, HOUR, MINUTE, SECOND, SystemClock, to_datetime
from hmi.core.event import Coverage, Event, EventKind
from hmi.core.plant import HistorianSettings
from hmi.core.status import BAD_NO_DATA, GOOD
from hmi.history.database import Kind, connect, kind_of, migrate
from hmi.history.dialect import Hypertable, Timescale
from hmi.history.upkeep import keep_to_share, keep_up
from tests.history.conftest import TAGS, Way, levels, sql
from tests.timescale.modules import node_program, timescale_modules


@pytest.fixture(scope="module")
def timescale() -> Iterator[str]:
    """A TimescaleDB in memory."""
    folder = timescale_modules()
    server = subprocess.Popen(
        [node_program(), folder / "wire.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
    )
    assert server.stdin is not None
    assert server.stdout is not None
    word, _, port = server.stdout.readline().strip().partition(" ")
    assert word == "READY"
    yield f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
    server.stdin.close()
    server.wait(20)
    server.stdout.close()


@pytest.fixture
def way(timescale: str, tmp_path: Path) -> Iterator[Way]:
    made = Way(lambda: timescale, tmp_path / "spool")
    yield made
    made.historian.stop()
    made.close()
    made.reader.close()


@pytest.fixture
def old_us(way: Way) -> int:
    """The time from which on the level counts up every 30 s for 2,000 samples; long enough ago to be compressed."""
    t = way.clock.now_us() // DAY * DAY - 20 * DAY
    way.historian.start()
    way.spool.record_coverage([Coverage("collector", t, t + DAY)])
    way.shipped(30)
    if sql(way.dsn(), "SELECT count(*) >= 2000 FROM sample") == [(False,)]:
        way.spool.record(levels(t, 2000, 30 * SECOND))
        way.shipped(30)
    return t


def run_jobs(dsn: str, like: str) -> int:
    """This TimescaleDB has no scheduler: run the jobs of policies by hand."""
    jobs = sql(dsn, f"SELECT job_id FROM timescaledb_information.jobs WHERE proc_name LIKE '{like}' ORDER BY job_id")
    for (job,) in jobs:
        sql(dsn, f"CALL run_job({job})")
    return len(jobs)


def test_that_everything_is_stored_and_read_as_on_plain_postgresql(way: Way, old_us: int) -> None:
    t = old_us
    way.spool.record(make_batch([3, 1], t + MINUTE, [np.nan, 5.0], whole=[0, 5], text=["batch", None]))
    way.spool.record(make_batch([3], t + 2 * MINUTE, [np.nan], text=["bad \x00"]))
    way.spool.record_events([Event(t, EventKind.ALARM_RAISED, "tank.level", "high", "tank.level/high")])
    way.shipped(30)
    assert way.historian.health.kind == "timescaledb"
    with connect(way.dsn(), "test") as database:
        assert kind_of(database) is Kind.TIMESCALEDB
    assert way.reader.count() == 2002
    at = way.reader.values_at(TAGS, t + 10 * MINUTE + 1)
    assert at.value[0] == 20.0
    assert at.whole is not None
    assert at.whole[1] == 5
    assert at.text is not None
    assert at.text[3] == "batch"
    assert at.status.tolist() == [GOOD, GOOD, BAD_NO_DATA, GOOD, BAD_NO_DATA]
    assert [a.state for a in way.reader.alarms_at(t + 1)] == [AlarmState.UNACKNOWLEDGED]
    assert sql(way.dsn(), "SELECT count(*) FROM quarantine") == [(1,)]
    assert sql(
        way.dsn(), "SELECT count(*) > 0 FROM timescaledb_information.chunks WHERE hypertable_name = 'sample'"
    ) == [(True,)]


def test_that_continuous_aggregates_give_the_same_trend_as_the_samples(way: Way, old_us: int) -> None:
    t = old_us
    raw = way.reader.history(["tank.level"], t, t + 17 * HOUR, 10_000)[0]
    assert (len(raw), raw.bucket_us) == (2000, 0)
    before = way.reader.history(["tank.level"], t, t + 17 * HOUR, 200)[0]
    assert run_jobs(way.dsn(), "policy_refresh_continuous_aggregate") == 2
    # Older than the policies reach: such days are refreshed by the collector.
    way.historian.stop()
    with connect(way.dsn(), "test") as database:
        Timescale().keep_up(database, way.clock.now_us(), way.settings)
        assert database.execute("SELECT count(*) FROM rollup_dirty").fetchone() == (0,)
        database.execute("ALTER MATERIALIZED VIEW sample_1h SET (timescaledb.materialized_only = true)")
    hours = sql(
        way.dsn(), "SELECT n, n_good, v_min, v_max, v_first, v_last FROM sample_1h ORDER BY tag_id, bucket LIMIT 1"
    )
    assert hours == [(120, 120, 0.0, 119.0, 0.0, 119.0)]
    sql(way.dsn(), "ALTER MATERIALIZED VIEW sample_1h SET (timescaledb.materialized_only = false)")
    for buckets, wide in ((200, 6 * MINUTE), (10, 2 * HOUR)):
        (trend,) = way.reader.history(["tank.level"], t, t + 17 * HOUR, buckets)
        assert trend.bucket_us == wide
        assert (np.nanmin(trend.low), np.nanmax(trend.high), trend.value[-1]) == (0.0, 1999.0, 1999.0)
        if buckets == 200:
            np.testing.assert_array_equal(trend.low, before.low)
            np.testing.assert_array_equal(trend.value, before.value)


def test_that_the_columnstore_takes_old_chunks_and_answers_the_same(way: Way, old_us: int) -> None:
    t = old_us
    at = way.reader.values_at(TAGS, t + 10 * MINUTE + 1)
    assert run_jobs(way.dsn(), "policy_compression") == 3
    packed = "SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = 'sample' AND is_compressed"
    assert sql(way.dsn(), packed) == [(1,)]
    after = way.reader.values_at(TAGS, t + 10 * MINUTE + 1)
    np.testing.assert_array_equal(at.value, after.value)
    np.testing.assert_array_equal(at.status, after.status)
    # A late sample still finds its place among compressed ones.
    way.spool.record(levels(t + 10 * MINUTE + 5, 1, first=-99))
    way.shipped(30)
    assert way.reader.values_at(TAGS[:1], t + 10 * MINUTE + 6).value[0] == -99.0


@pytest.mark.logs("was deleted to keep")
def test_that_retention_and_the_share_of_the_disk_drop_old_chunks(way: Way) -> None:
    now = way.clock.now_us()
    way.spool.record(make_batch([0, 0], now - np.array([200, 3]) * DAY, [1.0, 2.0]))
    way.shipped(30)
    assert run_jobs(way.dsn(), "policy_retention") == 2
    assert sql(way.dsn(), "SELECT count(*) FROM sample WHERE time < now() - interval '100 days'") == [(0,)]
    with connect(way.dsn(), "test") as database:
        told = keep_to_share(database, Timescale(), way.settings, now, disk=(1000, 500))
    assert len(told) >= 2
    assert sql(way.dsn(), "SELECT count(*) FROM sample WHERE time < now() - interval '2 days'") == [(0,)]


def test_that_the_apache_edition_keeps_chunks_and_rolls_up_by_the_collector(timescale: str) -> None:
    now = SystemClock().now_us() // DAY * DAY
    with connect(timescale, "test") as database:
        database.execute("CREATE SCHEMA apache")
        database.execute("SET search_path TO apache, public")
        try:
            assert migrate(database, "apache plant", Kind.HYPERTABLE) is Kind.HYPERTABLE
            database.execute("INSERT INTO tag (name, data_type, lane) VALUES ('a', 'float32', 'float')")
            database.execute(
                "INSERT INTO sample SELECT %s - i * interval '1 minute', 1, i, NULL, NULL, NULL, 0, NULL"
                " FROM generate_series(1, 6000) i",
                (to_datetime(now),),
            )
            keep_up(database, Hypertable(), HistorianSettings(keep_raw_us=3 * DAY), now)
            rolled = database.execute("SELECT count(*), sum(n) FROM sample_10m").fetchone()
            assert rolled == (599, 5990), "the last ten minutes may still get samples"
            kept = database.execute("SELECT min(time) >= %s FROM sample", (to_datetime(now - 4 * DAY),)).fetchone()
            assert kept == (True,)
            assert Hypertable().drop_oldest(database, now) is not None
        finally:
            database.execute("SET search_path TO public")
            database.execute("DROP SCHEMA apache CASCADE")
