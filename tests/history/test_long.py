"""Many deaths in a row: what was committed is in the database once, whoever was killed when."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from hmi.history.embedded import EmbeddedPostgres
from tests.history.conftest import Way, until
from tests.history.test_embedded import postmaster
from tests.history.test_shipping import counted

_COLLECTOR = """
import sys
from pathlib import Path
import numpy as np
from hmi.core.batch import make_batch
from hmi.core.clock import DAY, SystemClock
from hmi.core.plant import HistorianSettings
from hmi.history.embedded import EmbeddedPostgres
from hmi.history.historian import Historian
from hmi.history.spool import Spool
from hmi.core.tag import Tag
TAGS = [Tag("tank.level", 0)]
clock = SystemClock()
server = EmbeddedPostgres(Path(sys.argv[2]))
spool = Spool(Path(sys.argv[1]), TAGS, clock, keep_sent_us=DAY)
historian = Historian(server.start, spool, "test plant", TAGS, HistorianSettings(), clock)
historian.start()
n = int(sys.argv[3])
while True:
    spool.record(make_batch(np.zeros(50), 1_790_000_000_000_000 + n + np.arange(50), n + np.arange(50.0)))
    n += 50
    spool.flush()
    print(n, historian.health.stored, flush=True)
"""


@pytest.mark.long
@pytest.mark.timeout(600)
def test_that_twelve_kills_of_collector_and_database_lose_and_double_nothing(
    server_folder: Path, tmp_path: Path, checkout: Path
) -> None:
    chance = random.Random(4)
    spool, promised, begun = tmp_path / "spool", 0, 0
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    for round_number in range(12):
        collector = subprocess.Popen(
            [sys.executable, "-c", _COLLECTOR, str(spool), str(server_folder), str(begun)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=checkout,
            env=environment,
        )
        assert collector.stdout is not None
        stored = 0
        limit = chance.randrange(200, 3000)
        while stored < limit:
            promised, stored = map(int, collector.stdout.readline().split())
            if round_number % 3 == 1 and stored > limit // 2:
                os.kill(postmaster(server_folder), signal.SIGKILL)
                limit = stored
        collector.kill()
        rest = [line.split() for line in collector.stdout.read().split("\n")[:-1]]
        promised = max([promised, *(int(line[0]) for line in rest)])
        collector.wait(10)
        collector.stdout.close()
        way = Way(lambda: "", spool)
        begun = way.spool.committed + _recorded(way)
        way.close()
        way.reader.close()
        assert begun >= promised
    server = EmbeddedPostgres(server_folder)
    way = Way(server.start, spool)
    way.shipped(60)
    way.historian.stop()
    rows, different, low, high = counted(server.start())
    way.close()
    way.reader.close()
    server.stop()
    assert isinstance(rows, int)
    assert (rows, low, high) == (different, 0.0, rows - 1.0)
    assert rows >= promised
    until(lambda: _ended(server_folder))


def _recorded(way: Way) -> int:
    """The number after the last one that is on disk."""
    chunks = way.spool.chunks(max(0, way.spool.last_seq - 1), 1_000_000)
    return int(chunks[-1].samples.value[-1]) + 1


def _ended(folder: Path) -> bool:
    try:
        psycopg.connect(f"host={folder / 'socket'} user=hindsight dbname=hindsight").close()
    except psycopg.OperationalError:
        return True
    return False
