"""How fast history takes samples and gives them back: spool, shipping beside psql, the plant at one time, trends."""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psycopg

from hmi.core.batch import Batch, make_batch
from hmi.core.clock import DAY, MINUTE, SECOND, SystemClock
from hmi.core.event import Coverage
from hmi.core.plant import HistorianSettings
from hmi.core.tag import Tag
from hmi.history.binaries import find_programs
from hmi.history.embedded import EmbeddedPostgres
from hmi.history.historian import Historian
from hmi.history.reader import Reader
from hmi.history.spool import Spool
from tests.bench.figure import Figure

TAGS = 1000
ROWS = 500_000
FAST_ROWS = 200_000
PATIENCE_S = 120.0


def figures() -> Iterator[Figure]:
    """Runs against an embedded PostgreSQL in a temporary folder; the peer is psql's \\copy of the same rows."""
    folder = Path(tempfile.mkdtemp(prefix="hmi-bench-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "postgresql")
    try:
        begin = time.monotonic()
        dsn = server.start()
        yield Figure("history", "new_database", time.monotonic() - begin, "s")
        server.stop()
        begin = time.monotonic()
        dsn = server.start()
        yield Figure("history", "warm_start", time.monotonic() - begin, "s")
        yield from _measure(folder, dsn)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _measure(folder: Path, dsn: str) -> Iterator[Figure]:
    clock = SystemClock()
    tags = [Tag(f"unit{i:03}.level", i, unit="m") for i in range(TAGS)]
    spool = Spool(folder / "spool", tags, clock, keep_sent_us=DAY)
    # The last minutes of some earlier day, so that all rows lie in one partition.
    start_us = clock.now_us() // DAY * DAY - 12 * 60 * MINUTE
    batches = _samples(start_us)

    begin = time.monotonic()
    for batch in batches:
        spool.record(batch)
    spool.flush(PATIENCE_S)
    yield Figure("history", "spool", ROWS / (time.monotonic() - begin), "rows/s")
    yield Figure("history", "spool_size", spool.bytes / ROWS, "bytes/row")

    historian = Historian(lambda: dsn, spool, "bench", tags, HistorianSettings(), clock)
    historian.start()
    _until(lambda: historian.health.stored > 0)
    begin, first = time.monotonic(), historian.health.stored
    _until(lambda: historian.health.waiting == 0)
    shipped = (historian.health.stored - first) / (time.monotonic() - begin)
    yield Figure("history", "shipping", shipped, "rows/s", "psql \\copy", _psql(folder, dsn))

    spool.record_coverage([Coverage("collector", start_us, start_us + ROWS // TAGS * SECOND)])
    spool.record(make_batch(np.zeros(FAST_ROWS), start_us - DAY + np.arange(FAST_ROWS) * 100_000, np.arange(FAST_ROWS)))
    spool.flush()
    _until(lambda: historian.health.waiting == 0)
    reader = Reader(lambda: dsn)
    at_us = start_us + ROWS // TAGS * SECOND // 2
    yield Figure("history", "values_at_1000_tags", _best(lambda: reader.values_at(tags, at_us)), "ms")
    yield Figure(
        "history",
        "play_10_s_of_1000_tags",
        _best(lambda: reader.samples_between(tags, at_us, at_us + 10 * SECOND)),
        "ms",
    )
    for name, first_us, last_us in (
        ("trend_raw_500", start_us, start_us + DAY),
        (f"trend_of_{FAST_ROWS}", start_us - DAY, start_us - DAY + FAST_ROWS * 100_000),
    ):
        yield Figure(
            "history", name, _best(lambda a=first_us, b=last_us: reader.history([tags[0].name], a, b, 1600)), "ms"
        )  # type: ignore[misc]
    reader.close()
    historian.stop()
    spool.close()


def _samples(start_us: int) -> list[Batch]:
    noise = np.random.default_rng(7)
    every = np.arange(TAGS, dtype=np.int32)
    return [
        make_batch(
            np.tile(every, 10),
            start_us + (10 * i + np.repeat(np.arange(10), TAGS)) * SECOND,
            noise.random(10 * TAGS).round(3),
        )
        for i in range(ROWS // TAGS // 10)
    ]


def _psql(folder: Path, dsn: str) -> float:
    """Rows a second of psql's binary \\copy of the rows that were just shipped, into a table of the same form."""
    file = folder / "rows.copy"
    with psycopg.connect(dsn, autocommit=True) as database:
        database.execute("CREATE TABLE peer (LIKE sample)")
        database.execute("CREATE INDEX ON peer (tag_id, time DESC)")
        database.execute("CREATE INDEX ON peer USING brin (time)")
        rows_out = "COPY (SELECT * FROM sample ORDER BY time) TO STDOUT (FORMAT BINARY)"
        with database.cursor() as cursor, file.open("wb") as out, cursor.copy(rows_out) as copy:
            for piece in copy:
                out.write(piece)
        rows = database.execute("SELECT count(*) FROM sample").fetchone()
    program = find_programs(lambda _: None).path("psql")
    begin = time.monotonic()
    subprocess.run(
        [program, dsn, "-q", "-c", f"\\copy peer FROM '{file}' (FORMAT BINARY)"],
        check=True,
        timeout=PATIENCE_S,
        env={**os.environ, "PGOPTIONS": ""},
    )
    took = time.monotonic() - begin
    with psycopg.connect(dsn, autocommit=True) as database:
        database.execute("DROP TABLE peer")
    return (int(rows[0]) if rows else 0) / took


def _best(run: Callable[[], object], times: int = 5) -> float:
    """The shortest of some runs, in milliseconds."""
    took = []
    for _ in range(times):
        begin = time.perf_counter()
        run()
        took.append(time.perf_counter() - begin)
    return min(took) * 1000


def _until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("history did not get done in time")
        pause.wait(0.01)
