"""The collector as a process: killed without warning, and counted against what the device has served."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from hmi.collector.process import CollectorStartError, holder_of, last_run, start_detached, status, stop
from hmi.core.clock import SECOND, SystemClock
from hmi.core.event import COLLECTOR, EventKind
from hmi.core.home import Home, home_of
from hmi.history.embedded import EmbeddedPostgres
from hmi.history.reader import Reader
from hmi.link.client import request
from tests.collector.bench_plc import BenchPlc
from tests.collector.folders import write_plant
from tests.collector.waiting import wait_until

ACCEPTED_WITHIN_US = 150_000
"""What was served longer than this before the kill is on disk: 100 ms of promise and the way through the socket."""


@pytest.fixture
def plc() -> Iterator[BenchPlc]:
    with BenchPlc() as device:
        yield device


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "HMI_HOME": str(tmp_path / "home")}


@pytest.fixture
def home(tmp_path: Path, environment: dict[str, str]) -> Iterator[Home]:
    found = home_of(tmp_path / "plant", environment)
    yield found
    holder = holder_of(found)
    if holder is not None:
        os.kill(holder.pid, signal.SIGKILL)
        psutil.Process(holder.pid).wait(5)


def served(plc: BenchPlc, more: int) -> None:
    want = len(plc.served) + more
    wait_until(lambda: len(plc.served) >= want, f"{more} more reads at the device", 15)


def kill(pid: int) -> int:
    """End a process without warning; the wall time at which it was still there."""
    process = psutil.Process(pid)
    alive_us = SystemClock().now_us()
    process.kill()
    process.wait(5)
    return alive_us


def test_that_a_killed_collector_loses_and_doubles_nothing_that_it_had_accepted(
    tmp_path: Path, plc: BenchPlc, environment: dict[str, str], home: Home
) -> None:
    folder = write_plant(tmp_path / "plant", plc.port, period="50ms")
    killed: list[int] = []
    for _ in range(2):
        pid = start_detached(folder, home, environment)
        served(plc, 30)
        wait_until(lambda: (status(home) or {})["samples_stored"] > 0, "the first samples are in the database", 30)
        killed.append(kill(pid))
    start_detached(folder, home, environment)
    served(plc, 20)
    stopping_us = SystemClock().now_us()
    assert stop(home)
    stopped_us = SystemClock().now_us()
    with EmbeddedPostgres(home.database).lease("test") as dsn:
        reader = Reader(lambda: dsn)
        try:
            series = reader.history(["PLC-1.sequence"], 0, stopped_us + SECOND, 1_000_000)[0]
            events = reader.events(0, stopped_us + SECOND, 1000)
            coverage = [c for c in reader.coverage(0, stopped_us + SECOND) if c.source == COLLECTOR]
        finally:
            reader.close()
    stored = [int(v) for v in series.value if v == v]
    assert stored == sorted(stored)
    assert len(stored) == len(set(stored)), "a sample is there twice"
    missing = {n: at for n, at in plc.served if n not in set(stored)}
    ends = [*killed, stopping_us]
    too_late = {n for n, at in missing.items() if any(-SECOND < end_us - at <= ACCEPTED_WITHIN_US for end_us in ends)}
    assert set(missing) == too_late, "a sample that had been accepted is missing"
    assert set(stored) <= {n for n, _ in plc.served}
    assert [e.kind for e in events].count(EventKind.COLLECTOR_STARTED) == 3
    assert [e.kind for e in events].count(EventKind.COLLECTOR_STOPPED) == 1
    # Three intervals with gaps between them, none reaching past its kill.
    assert len(coverage) == 3
    for interval, end_us in zip(sorted(coverage, key=lambda c: c.start_us), ends, strict=True):
        assert interval.end_us - end_us < SECOND
        assert end_us - interval.end_us < 2 * SECOND


def test_that_a_killed_database_comes_back_and_misses_nothing(
    tmp_path: Path, plc: BenchPlc, environment: dict[str, str], home: Home
) -> None:
    folder = write_plant(tmp_path / "plant", plc.port, period="50ms")
    pid = start_detached(folder, home, environment)
    wait_until(lambda: (status(home) or {})["samples_stored"] > 20, "samples are in the database", 20)
    with EmbeddedPostgres(home.database).lease("test") as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        backend = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert backend is not None
        postmaster = psutil.Process(backend[0]).parent()
        assert postmaster is not None
        postmaster.kill()
        postmaster.wait(5)
    read_then = len(plc.served)
    wait_until(lambda: (status(home) or {})["samples_stored"] > read_then + 20, "the database is back", 30)
    stopping_us = SystemClock().now_us()
    os.kill(pid, signal.SIGTERM)
    psutil.Process(pid).wait(20)
    last = last_run(home)
    assert last["samples_taken"] == last["samples_stored"]
    with EmbeddedPostgres(home.database).lease("test") as dsn:
        reader = Reader(lambda: dsn)
        try:
            series = reader.history(["PLC-1.sequence"], 0, stopping_us + SECOND, 1_000_000)[0]
        finally:
            reader.close()
    stored = [int(v) for v in series.value if v == v]
    served_before = [n for n, at in plc.served if at < stopping_us - ACCEPTED_WITHIN_US]
    assert stored[: len(served_before)] == served_before


def test_that_one_collector_runs_for_a_plant_and_ends_in_order(
    tmp_path: Path, plc: BenchPlc, environment: dict[str, str], home: Home
) -> None:
    folder = write_plant(tmp_path / "plant", plc.port)
    assert status(home) is None
    assert not stop(home)
    with ThreadPoolExecutor(2) as starters:
        at_once = [starters.submit(start_detached, folder, home, environment) for _ in range(2)]
        pid, other = (start.result(40) for start in at_once)
    assert other == pid
    assert start_detached(folder, home, environment) == pid
    # Of its own session: Ctrl-C in our terminal does not reach it.
    assert os.getsid(pid) == pid
    found = status(home)
    assert found is not None
    assert found["plant"] == "Bench"
    served(plc, 10)
    write = request(home.socket, "write", {"tag": "FT-1", "value": 42, "confirmed": False})["write"]
    assert write["state"] == "confirmed"
    tags = folder / "tags" / "bench.csv"
    tags.write_text(tags.read_text() + "FT-3,New,PLC-1,holding:12,uint16,L/s,100ms,0,1000,,,\n")
    wait_until(lambda: (status(home) or {})["tags"] == 7, "the changed files are taken", 15)
    served(plc, 5)
    process = psutil.Process(pid)
    assert stop(home)
    last = last_run(home)
    assert last["samples_taken"] == last["samples_stored"] > 10
    assert (last["samples_lost"], last["samples_waiting"]) == (0, 0)
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert holder_of(home) is None
    assert not home.socket.exists()


def test_that_a_plant_with_errors_is_refused_with_the_list(
    tmp_path: Path, plc: BenchPlc, environment: dict[str, str], home: Home
) -> None:
    folder = write_plant(tmp_path / "plant", plc.port)
    tags = folder / "tags" / "bench.csv"
    tags.write_text(tags.read_text().replace("holding:11", "holding:eleven"))
    with pytest.raises(CollectorStartError, match=r"tags/bench.csv:4:address: error:"):
        start_detached(folder, home, environment)
