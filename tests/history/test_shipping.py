"""From the spool into the database: once and only once, whatever happens to either of them."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import psycopg
import pytest

from hmi.core.batch import make_batch
from hmi.core.clock import DAY, MINUTE, SECOND
from hmi.core.event import Event, EventKind
from hmi.core.session import HistorianState
from hmi.history.database import Kind, WrongDatabaseError, connect, migrate
from hmi.history.dialect import PlainPostgres
from hmi.history.embedded import EmbeddedPostgres
from hmi.history.shipment import FencedError, Shipment, enter_tags
from hmi.history.upkeep import keep_to_share, keep_up
from tests.history.conftest import TAGS, Way, levels, sql, until
from tests.history.test_embedded import postmaster

KINDS = "SELECT kind, text FROM event ORDER BY event_id"


def counted(dsn: str) -> tuple[object, ...]:
    """Rows, different rows, smallest and largest value of the level."""
    return sql(
        dsn, "SELECT count(*), count(DISTINCT v_num), min(v_num), max(v_num) FROM sample WHERE v_num IS NOT NULL"
    )[0]


@pytest.mark.logs("history is not stored")
def test_that_a_database_killed_in_mid_stream_gets_everything_once(server_folder: Path, tmp_path: Path) -> None:
    server = EmbeddedPostgres(server_folder)
    way = Way(server.start, tmp_path / "spool")
    way.historian.start()
    t = way.clock.now_us() - MINUTE
    try:
        for i in range(60):
            way.spool.record(levels(t + i * 100_000, 500, 100, first=i * 500))
            if i in (20, 40):
                until(lambda i=i: way.historian.health.stored > i * 300)  # type: ignore[misc]
                os.kill(postmaster(server_folder), signal.SIGKILL)
                until(lambda: way.historian.health.state is HistorianState.DOWN)
        way.shipped(30)
        assert counted(server.start()) == (30_000, 30_000, 0.0, 29_999.0)
        assert way.historian.health.lost == 0
    finally:
        way.close()
        way.reader.close()
        server.stop()


@pytest.mark.logs("history is not stored")
def test_that_samples_wait_in_the_spool_while_there_is_no_database(dsn: str, tmp_path: Path) -> None:
    there = [""]
    way = Way(lambda: there[0] or "host=/nowhere/at/all", tmp_path / "spool")
    way.historian.start()
    way.spool.record(levels(way.clock.now_us() - 20 * SECOND, 10))
    way.spool.flush()
    until(lambda: way.historian.health.state is HistorianState.DOWN)
    health = way.historian.health
    assert "nowhere" in health.why
    assert health.waiting == 10
    assert 19 * SECOND < health.lag_us < 120 * SECOND
    there[0] = dsn
    way.shipped()
    assert counted(dsn) == (10, 10, 0.0, 9.0)
    assert (way.historian.health.state, way.historian.health.why) == (HistorianState.OK, "")
    way.close()
    way.reader.close()


_COLLECTOR = """
import sys
from pathlib import Path
import numpy as np
from hmi.core.batch import make_batch
from hmi.core.clock import DAY, SystemClock
from hmi.core.plant import HistorianSettings
from hmi.history.historian import Historian
from hmi.history.spool import Spool
from hmi.core.tag import Tag
TAGS = [Tag("tank.level", 0)]
clock = SystemClock()
spool = Spool(Path(sys.argv[1]), TAGS, clock, keep_sent_us=DAY)
historian = Historian(lambda: sys.argv[2], spool, "test plant", TAGS, HistorianSettings(), clock)
historian.start()
n = int(sys.argv[3])
while True:
    spool.record(make_batch(np.zeros(100), 1_790_000_000_000_000 + n + np.arange(100), n + np.arange(100.0)))
    n += 100
    spool.flush()
    print(n, historian.health.stored, flush=True)
"""


def test_that_a_killed_collector_loses_and_doubles_nothing_in_the_database(
    dsn: str, tmp_path: Path, checkout: Path
) -> None:
    spool, begun = tmp_path / "spool", 0
    for _ in range(2):
        collector = subprocess.Popen(
            [sys.executable, "-c", _COLLECTOR, str(spool), dsn, str(begun)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
        )
        assert collector.stdout is not None
        promised = stored = 0
        while stored < 1500:
            promised, stored = map(int, collector.stdout.readline().split())
        collector.kill()
        rest = [line.split() for line in collector.stdout.read().split("\n")[:-1]]
        promised = max([promised, *(int(line[0]) for line in rest)])
        collector.wait(10)
        collector.stdout.close()
        way = Way(lambda: dsn, spool)
        way.shipped(30)
        way.close()
        way.reader.close()
        rows, different, low, high = counted(dsn)
        assert isinstance(rows, int)
        assert (rows, low, high) == (different, 0.0, rows - 1.0)
        assert rows >= promised
        begun = rows


def test_that_a_second_shipper_of_the_same_spool_is_fenced_off(way: Way) -> None:
    way.spool.record(levels(way.clock.now_us(), 10))
    way.shipped()
    way.historian.stop(0)
    chunks = way.spool.chunks(0, 1000)
    database = connect(way.dsn(), "test")
    second = Shipment(
        database, PlainPostgres(), way.plant, way.spool.uuid, way.spool.dictionary, TAGS, way.clock.now_us
    )
    database.execute("UPDATE plant SET writer = %s", (way.spool.uuid,))
    with pytest.raises(FencedError):
        second.ship(chunks, 0)
    database.execute("UPDATE plant SET writer = gen_random_uuid()")
    with pytest.raises(FencedError):
        second.ship(chunks, chunks[-1].seq)
    database.close()
    assert counted(way.dsn())[0] == 10


@pytest.mark.logs("history is not stored")
def test_that_a_second_collector_of_the_same_plant_must_wait_until_the_first_is_silent(
    way: Way, tmp_path: Path
) -> None:
    way.spool.record(levels(way.clock.now_us(), 10))
    way.shipped()
    other = Way(way.dsn, tmp_path / "copied")
    other.spool.record(levels(way.clock.now_us(), 10, first=100))
    other.historian.start()
    until(lambda: other.historian.health.state is HistorianState.DOWN)
    assert "another collector" in other.historian.health.why
    sql(way.dsn(), "UPDATE plant SET beat = now() - interval '1 hour'")
    way.historian.stop(0)
    other.shipped()
    assert counted(way.dsn())[0] == 20
    other.close()
    other.reader.close()


def test_that_one_database_never_mixes_two_plants(dsn: str) -> None:
    with connect(dsn, "test") as database:
        assert migrate(database, "dairy") is Kind.POSTGRESQL
        assert migrate(database, "dairy") is Kind.POSTGRESQL
        with pytest.raises(WrongDatabaseError, match="'dairy'"):
            migrate(database, "brewery")


@pytest.mark.logs("the database is older")
def test_that_a_database_restored_from_a_backup_is_filled_up_again(way: Way) -> None:
    t = way.clock.now_us() - MINUTE
    for i in range(4):
        way.spool.record(levels(t + i * SECOND, 10, 100, first=i * 10))
        way.spool.flush()
    way.shipped()
    way.close()
    # The backup was taken after the second chunk.
    sql(way.dsn(), "DELETE FROM sample WHERE v_num >= 20; UPDATE spool_position SET seq = 2")
    way.open()
    way.spool.record(levels(t + 10 * SECOND, 10, 100, first=40))
    way.spool.flush()
    assert way.spool.sent_seq > 2
    way.historian.start()
    until(lambda: counted(way.dsn()) == (50, 50, 0.0, 49.0))
    assert sql(way.dsn(), KINDS) == []


@pytest.mark.logs("the database is older")
def test_that_what_a_restored_database_can_get_no_more_is_recorded_as_a_gap(way: Way) -> None:
    t = way.clock.now_us() - MINUTE
    for i in range(4):
        way.spool.record(levels(t + i * SECOND, 10, 100, first=i * 10))
        way.spool.flush()
    way.shipped()
    way.close()
    way.open()
    assert way.spool._file.forget(4, way.clock.now_us() + 1, limit=3) == 3
    sql(way.dsn(), "DELETE FROM sample; UPDATE spool_position SET seq = 1")
    way.shipped()
    until(lambda: len(sql(way.dsn(), KINDS)) == 1)
    kind, text = sql(way.dsn(), KINDS)[0]
    assert kind == EventKind.HISTORY_GAP
    assert "restored from a backup" in str(text)
    assert counted(way.dsn()) == (10, 10, 30.0, 39.0)


@pytest.mark.logs("older than the database")
def test_that_a_spool_restored_from_a_backup_skips_nothing_new(way: Way, tmp_path: Path) -> None:
    t = way.clock.now_us() - MINUTE
    way.spool.record(levels(t, 10))
    way.shipped()
    way.close()
    old = (tmp_path / "spool" / "spool.sqlite").read_bytes()
    way.open()
    for i in range(3):
        way.spool.record(levels(t + (i + 1) * SECOND, 10, 100, first=10 + i * 10))
        way.spool.flush()
    way.shipped()
    way.close()
    for file in (tmp_path / "spool").glob("spool.sqlite*"):
        file.unlink()
    (tmp_path / "spool" / "spool.sqlite").write_bytes(old)
    way.open()
    # These chunks would have numbers that the database believes to have already.
    for i in range(2):
        way.spool.record(levels(t + (i + 10) * SECOND, 10, 100, first=100 + i * 10))
        way.spool.flush()
    way.shipped()
    until(lambda: counted(way.dsn())[0] == 60)
    assert counted(way.dsn()) == (60, 60, 0.0, 119.0)


def test_that_a_lost_spool_begins_anew_beside_what_is_stored(way: Way, tmp_path: Path) -> None:
    t = way.clock.now_us() - MINUTE
    way.spool.record(levels(t, 10))
    way.shipped()
    way.historian.stop()
    way.close()
    for file in (tmp_path / "spool").glob("spool.sqlite*"):
        file.unlink()
    way.open()
    way.spool.record(levels(t + MINUTE, 10, first=10))
    way.shipped()
    assert counted(way.dsn()) == (20, 20, 0.0, 19.0)
    assert sql(way.dsn(), "SELECT count(*) FROM spool_position") == [(2,)]


def test_that_rows_the_database_refuses_go_into_quarantine_and_nothing_waits(way: Way) -> None:
    t = way.clock.now_us() - MINUTE
    texts = [f"batch {i}" for i in range(300)]
    texts[123] = "a\x00b"
    texts[200] = "half a pair \ud800"
    way.spool.record(make_batch(np.full(300, 3), t + np.arange(300), np.full(300, np.nan), text=texts))
    strange = levels(t, 3, 100, first=7)
    strange.time_us[1] = -(2**62)
    strange.time_us[2] = 2**62
    way.spool.record(strange)
    way.spool.record_events(
        [
            Event(t, EventKind.CONFIGURATION, "collector", "good"),
            Event(t, EventKind.CONFIGURATION, "collector", "zero \x00"),
            Event(2**62, EventKind.CONFIGURATION, "collector", "far away", detail={"a": "\x00"}),
        ]
    )
    way.spool.record(levels(t + SECOND, 5, 100, first=10))
    way.shipped()
    assert sql(way.dsn(), "SELECT count(*) FROM sample WHERE v_text IS NOT NULL") == [(298,)]
    assert counted(way.dsn())[0] == 6
    kept = sql(way.dsn(), "SELECT tag, content::text FROM quarantine ORDER BY quarantine_id")
    assert [tag for tag, _ in kept] == ["tank.level", "tank.level", "batch.name", "batch.name", "", ""]
    assert "x00" in str(kept[2][1])
    assert "ud800" in str(kept[3][1])
    told = [kind for kind, _ in sql(way.dsn(), KINDS)]
    assert told.count("configuration") == 1
    assert told.count("quarantine") == 6
    assert way.historian.health.state is HistorianState.OK


def test_that_late_samples_of_any_day_find_their_place(way: Way) -> None:
    now = way.clock.now_us()
    days = [0, 1, 40, 4000]
    way.spool.record(make_batch(np.zeros(4), now - np.array(days) * DAY, np.arange(4.0)))
    way.shipped()
    assert counted(way.dsn())[0] == 4
    way.historian.stop()
    with connect(way.dsn(), "test") as database:
        keep_up(database, PlainPostgres(), way.settings, now)
    assert counted(way.dsn()) == (3, 3, 0.0, 2.0), "what is older than 90 days is gone"
    ahead = sql(
        way.dsn(), "SELECT to_regclass('sample_' || to_char(now() + interval '3 days', 'YYYYMMDD')) IS NOT NULL"
    )
    assert ahead == [(True,)]


def test_that_a_partition_dropped_meanwhile_is_made_again(way: Way) -> None:
    t = way.clock.now_us() - 3 * DAY
    way.spool.record(levels(t, 2))
    way.shipped()
    (name,) = sql(way.dsn(), "SELECT tableoid::regclass::text FROM sample LIMIT 1")[0]
    sql(way.dsn(), f"DROP TABLE {name}")
    way.spool.record(levels(t, 2, first=10))
    way.shipped()
    assert counted(way.dsn()) == (2, 2, 10.0, 11.0)


@pytest.mark.logs("was deleted to keep")
def test_that_the_oldest_days_go_when_the_database_outgrows_its_share_of_the_disk(way: Way) -> None:
    now = way.clock.now_us()
    way.spool.record(make_batch(np.zeros(6), now - np.arange(6) * DAY, np.arange(6.0)))
    way.shipped()
    small = replace(way.settings, share_of_disk=0.5)
    with connect(way.dsn(), "test") as database:
        assert keep_to_share(database, PlainPostgres(), small, now, disk=(10**15, 10**14)) == []
        told = keep_to_share(database, PlainPostgres(), small, now, disk=(1000, 500))
    assert [e.kind for e in told] == [EventKind.HISTORY_GAP] * 4
    assert counted(way.dsn()) == (2, 2, 0.0, 1.0), "yesterday and today stay in any case"


def test_that_rollups_agree_with_the_samples_also_after_late_ones(way: Way) -> None:
    now = way.clock.now_us() // DAY * DAY - DAY
    start = now - 12 * 60 * MINUTE
    way.spool.record(levels(start, 5000, 8 * SECOND))
    way.shipped()
    way.historian.stop()
    with connect(way.dsn(), "test") as database:
        keep_up(database, PlainPostgres(), way.settings, now)
    way.close()
    way.open()
    late = levels(start + 3_333, 4, 60 * MINUTE, first=-7)
    late.status[1] = 0x80000000
    way.spool.record(late)
    way.shipped()
    way.historian.stop()
    with connect(way.dsn(), "test") as database:
        keep_up(database, PlainPostgres(), way.settings, now)
    wrong = sql(
        way.dsn(),
        "SELECT count(*) FROM sample_10m r FULL JOIN (SELECT date_bin('10 minutes', time, '2000-01-01+00') AS bucket,"
        " tag_id, count(*) AS n, min(v_num) FILTER (WHERE status >= 0) AS low, max(v_num) AS high FROM sample"
        " GROUP BY 1, 2) s USING (bucket, tag_id)"
        " WHERE (r.n, r.v_min, r.v_max) IS DISTINCT FROM (s.n, s.low, s.high)",
    )
    assert wrong == [(0,)]
    (trend,) = way.reader.history(["tank.level"], start, now, 40)
    (exact,) = way.reader.history(["tank.level"], start, now, 5000)
    assert trend.bucket_us == 20 * MINUTE
    assert exact.bucket_us == 0
    assert (np.nanmin(trend.low), np.nanmax(trend.high)) == (np.min(exact.value[exact.status < 2**31]), 4999.0)


def test_that_a_thousand_tags_are_entered_once_and_kept_up(dsn: str) -> None:
    tags = [replace(TAGS[0], name=f"unit{i}.level", index=i) for i in range(1000)]
    with connect(dsn, "test") as database:
        migrate(database, "big")
        enter_tags(database, tags)
        enter_tags(database, [replace(tags[0], unit="cm"), *tags[1:]])
        assert database.execute("SELECT count(*), max(tag_id) FROM tag").fetchone() == (1000, 1000)
        units = database.execute("SELECT unit, count(*) FROM tag GROUP BY unit ORDER BY unit").fetchall()
        assert units == [("cm", 1), ("m", 999)]


def test_that_a_reader_survives_a_restart_of_the_database(server_folder: Path, tmp_path: Path) -> None:
    server = EmbeddedPostgres(server_folder)
    way = Way(server.start, tmp_path / "spool")
    way.spool.record(levels(way.clock.now_us(), 10))
    way.shipped()
    way.historian.stop()
    assert way.reader.count() == 10
    server.stop()
    server.start()
    assert way.reader.count() == 10
    way.close()
    way.reader.close()
    server.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server._dsn())


def test_that_a_changed_plant_goes_on_without_a_restart(way: Way) -> None:
    t = way.clock.now_us() - MINUTE
    way.spool.record(levels(t, 5))
    way.shipped()
    changed = (replace(TAGS[4], name="new.flow", index=0, unit="l/s"), replace(TAGS[0], index=1))
    way.spool.use_tags(changed)
    way.historian.use_tags(changed)
    way.spool.record(make_batch([0, 1], t + 30 * SECOND, [7.0, 8.0]))
    way.shipped()
    flow, level = way.reader.history(["new.flow", "tank.level"], t, t + MINUTE, 100)
    assert flow.value.tolist() == [7.0]
    assert level.value.tolist() == [0, 1, 2, 3, 4, 8.0]
    assert sql(way.dsn(), "SELECT unit FROM tag WHERE name = 'new.flow'") == [("l/s",)]


@pytest.mark.logs("history is not stored")
def test_that_stopping_without_a_database_takes_only_as_long_as_it_was_given(tmp_path: Path) -> None:
    way = Way(lambda: "host=/nowhere/at/all", tmp_path / "spool")
    way.historian.start()
    way.spool.record(levels(way.clock.now_us(), 5))
    way.spool.flush()
    until(lambda: way.historian.health.state is HistorianState.DOWN)
    begin = way.clock.monotonic_us()
    way.historian.stop(0.5)
    assert way.clock.monotonic_us() - begin < 5 * SECOND
    assert way.spool.waiting == 5
    way.close()
    way.reader.close()


def test_that_what_is_waiting_is_shipped_before_the_end(way: Way) -> None:
    way.spool.record(levels(way.clock.now_us(), 5))
    way.shipped()
    way.spool.record(levels(way.clock.now_us(), 50_000, 1, first=100))
    way.spool.flush()
    way.historian.stop(20)
    assert way.spool.waiting == 0
    assert counted(way.dsn())[0] == 50_005
    assert sql(way.dsn(), "SELECT writer FROM plant") == [(None,)]
