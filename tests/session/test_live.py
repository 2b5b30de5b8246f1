"""The live session on a real collector of a small plant: what a view sees, and what becomes of it when things break."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hmi.cli.new import make_plant
from hmi.cli.opening import load
from hmi.collector.process import start_detached, stop
from hmi.core.clock import MINUTE, SECOND, SystemClock
from hmi.core.command import WriteState
from hmi.core.home import Home, home_of
from hmi.core.session import LinkState
from hmi.core.status import GOOD
from hmi.session.live import LiveSession
from tests.history.conftest import until

FAR_S = 40.0


@dataclass
class Running:
    """A collector of the starter plant, and a session on it."""

    folder: Path
    home: Home
    pid: int
    session: LiveSession

    def index(self, tag: str) -> int:
        return self.session.plant.tag_index[tag]

    def value(self, tag: str) -> float:
        return float(self.session.table.value[self.index(tag)])

    def good(self, tag: str) -> bool:
        return int(self.session.table.status[self.index(tag)]) == GOOD


@pytest.fixture
def running() -> Iterator[Running]:
    top = Path(tempfile.mkdtemp(prefix="hmi-"))
    top.chmod(0o755)  # PostgreSQL runs as another user for root
    folder = top / "plant"
    make_plant(folder)
    environment = {**os.environ, "HMI_HOME": str(top / "home")}
    home = home_of(folder, environment)
    pid = start_detached(folder, home, environment)
    session = LiveSession(home, load, SystemClock())
    assert session.wait_for_plant(FAR_S)
    yield Running(folder, home, pid, session)
    session.close()
    stop(home)
    shutil.rmtree(top, ignore_errors=True)


def test_that_values_move_and_history_joins_them_without_a_seam(running: Running) -> None:
    session = running.session
    until(lambda: running.good("FT-1"), FAR_S)
    first = running.value("FT-1")
    until(lambda: running.value("FT-1") != first, FAR_S)
    until(lambda: session.health.historian.stored > 30, FAR_S, "samples reach the database")
    until(lambda: session.dsn, FAR_S)
    now_us = session.now_us()
    (series,) = session.history(["FT-1"], now_us - MINUTE, now_us, 500).result(FAR_S)
    assert (np.diff(series.time_us) > 0).all(), "samples rise in time, none comes twice"
    assert now_us - series.time_us[-1] < 3 * SECOND, "the newest seconds come from the collector's memory"
    known = series.value[np.isfinite(series.value)]
    # A ramp of 20 L/s in 60 s, read once a second: no step between neighbours but the fall at its end.
    steps = np.abs(np.diff(known))
    assert ((steps < 2) | (steps > 15)).all()


def test_that_a_write_is_confirmed_and_an_impossible_one_refused(running: Running) -> None:
    session = running.session
    until(lambda: running.good("LT-1.SP"), FAR_S)
    done = session.write("LT-1.SP", 2.5).result(FAR_S)
    assert done.state is WriteState.CONFIRMED
    until(lambda: running.value("LT-1.SP") == 2.5, FAR_S)
    refused = session.write("LT-1.SP", 99.0).result(FAR_S)
    assert refused.state is WriteState.REFUSED
    assert "above" in refused.why
    until(lambda: len(session.writes) == 2, FAR_S)


def test_that_a_saved_screen_arrives_and_is_taken_over_in_a_tick_only(running: Running) -> None:
    session = running.session
    before, version = session.plant, session.plant_version
    screen = running.folder / "screens" / "overview.yaml"
    screen.write_text(screen.read_text(encoding="utf-8").replace("title: ", "title: New "), encoding="utf-8")
    until(lambda: session._told, FAR_S, "the collector sends the changed file")
    assert session.plant is before
    session.tick()
    assert session.plant_version == version + 1
    assert "New" in session.plant.files["screens/overview.yaml"]


def test_that_a_broken_file_leaves_the_plant_and_tells_the_problem(running: Running) -> None:
    session = running.session
    before = session.plant
    tags = running.folder / "tags" / "tags.csv"
    tags.write_text(tags.read_text(encoding="utf-8").replace("float32", "flout32"), encoding="utf-8")
    until(lambda: session.problems, FAR_S)
    session.tick()
    assert session.plant.tags == before.tags
    assert any("flout32" in str(problem) for problem in session.problems)


def test_that_a_killed_collector_is_lost_at_once_and_heard_again_when_it_is_back(running: Running) -> None:
    session = running.session
    until(lambda: running.good("LT-1.SP"), FAR_S)
    os.kill(running.pid, signal.SIGKILL)
    until(lambda: session.health.link is LinkState.LOST, 5.0)
    failed = session.write("LT-1.SP", 1.0).result(FAR_S)
    assert failed.state is WriteState.FAILED, "nothing was sent, and that is certain"
    start_detached(running.folder, running.home, {**os.environ, "HMI_HOME": str(running.home.folder.parent)})
    until(lambda: session.health.link is LinkState.OK, FAR_S)
    session.tick()
    until(lambda: running.good("LT-1"), FAR_S)


class SettableClock(SystemClock):
    """The clock of a computer that somebody sets."""

    set_by_us = 0

    def now_us(self) -> int:
        return super().now_us() + self.set_by_us


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="only Unix can halt a process")
def test_that_a_halted_collector_is_silent_though_the_clock_was_set_back(running: Running) -> None:
    clock = SettableClock()
    session = LiveSession(running.home, load, clock)
    try:
        assert session.wait_for_plant(FAR_S)
        os.kill(running.pid, signal.SIGSTOP)
        clock.set_by_us = -60 * MINUTE
        until(lambda: session.health.link is LinkState.SILENT, 10, "the silence is noticed")
    finally:
        os.kill(running.pid, signal.SIGCONT)
        session.close()
