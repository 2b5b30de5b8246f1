"""Processes ended without warning in the middle of their work, and counted against what the device has served."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from hmi.collector.process import holder_of
from hmi.core.clock import SECOND, SystemClock
from hmi.core.event import COLLECTOR
from hmi.history.embedded import EmbeddedPostgres
from tests.collector.bench_plc import BenchPlc
from tests.collector.folders import write_plant
from tests.collector.waiting import wait_until
from tests.system.program import Program

ACCEPTED_WITHIN_US = 150_000
"""What was served longer than this before a kill is on disk: 100 ms of promise and the way through the socket."""


@pytest.fixture
def plc() -> Iterator[BenchPlc]:
    with BenchPlc() as device:
        yield device


@pytest.fixture
def plant(program: Program, plc: BenchPlc) -> Path:
    return write_plant(program.folder / "plant", plc.port, period="50ms")


def served(plc: BenchPlc, more: int) -> None:
    want = len(plc.served) + more
    wait_until(lambda: len(plc.served) >= want, f"{more} more reads at the device", 20)


def stored_counts(program: Program, plant: Path) -> list[int]:
    """What is in the database of the device's counter, in the order of time."""
    with program.reader(plant) as reader:
        end_us = SystemClock().now_us() + SECOND
        series = reader.history(["PLC-1.sequence"], 0, end_us, 1_000_000)[0]
    return [int(v) for v in series.value if v == v]


@pytest.mark.timeout(120)
def test_that_a_killed_window_leaves_no_hole_in_history(program: Program, plc: BenchPlc, plant: Path) -> None:
    window = program.start("run", plant)
    program.wait_for_history(plant, 10)
    wait_until(lambda: program.status(plant)["desktops"] == 1, "the window has joined", 20)
    served(plc, 20)
    window.kill()
    window.wait(10)
    served(plc, 20)
    assert program.status(plant)["desktops"] == 0
    second = program.start("run", plant)
    wait_until(lambda: program.status(plant)["desktops"] == 1, "another window has joined", 20)
    served(plc, 10)
    second.kill()
    second.wait(10)
    stopping_us = SystemClock().now_us()
    program.good("stop", plant)
    accepted = [n for n, at_us in plc.served if at_us < stopping_us - ACCEPTED_WITHIN_US]
    stored = stored_counts(program, plant)
    assert stored[: len(accepted)] == accepted
    assert stored == list(range(1, len(stored) + 1)), "a hole, or a sample that is there twice"
    with program.reader(plant) as reader:
        runs = [c for c in reader.coverage(0, stopping_us + SECOND) if c.source == COLLECTOR]
    assert len(runs) == 1
    assert runs[0].end_us >= stopping_us


@pytest.mark.timeout(120)
def test_that_database_and_collector_killed_together_lose_and_double_nothing(
    program: Program, plc: BenchPlc, plant: Path
) -> None:
    program.start("run", plant, "--headless")
    program.wait_for_history(plant, 10)
    home = program.home(plant)
    with EmbeddedPostgres(home.database).lease("test") as dsn, psycopg.connect(dsn) as connection:
        backend = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert backend is not None
        postmaster = psutil.Process(backend[0]).parent()
    assert postmaster is not None
    postmaster.kill()
    served(plc, 15)
    holder = holder_of(home)
    assert holder is not None
    alive_us = SystemClock().now_us()
    psutil.Process(holder.pid).kill()
    psutil.Process(holder.pid).wait(10) if psutil.pid_exists(holder.pid) else None
    again = program.start("run", plant, "--headless")
    wait_until(lambda: len(program.status(plant).get("devices", {})) == 1, "a new collector", 30)
    served(plc, 15)
    program.wait_for_history(plant, 1)
    stopping_us = SystemClock().now_us()
    program.good("stop", plant)
    again.send_signal(2)
    try:
        again.wait(10)
    except subprocess.TimeoutExpired:
        again.kill()
    stored = stored_counts(program, plant)
    assert len(stored) == len(set(stored)), "a sample is there twice"
    assert stored == sorted(stored)
    missing = [at_us for n, at_us in plc.served if n not in set(stored)]
    ends = (alive_us, stopping_us)
    unexplained = [at_us for at_us in missing if not any(-SECOND < e - at_us <= ACCEPTED_WITHIN_US for e in ends)]
    assert not unexplained, "samples that had been accepted are missing"
