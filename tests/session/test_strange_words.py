"""A live session outlives what it cannot understand: it says so and connects anew."""

from pathlib import Path

import pytest

from hmi.cli.opening import load
from hmi.core.clock import SystemClock
from hmi.core.home import Home
from hmi.link.frame import Frame
from hmi.session.live import LiveSession
from tests.history.conftest import until
from tests.link.test_link import Running


@pytest.mark.logs("cannot be understood", "the collector's plant cannot be read here")
@pytest.mark.parametrize("strange", [Frame("batch"), Frame("alarms", {"alarms": [{"no": "alarm"}]}), Frame("health")])
def test_that_a_frame_of_another_version_costs_the_connection_and_no_more(tmp_path: Path, strange: Frame) -> None:
    running = Running(tmp_path / "run" / "c.sock", True)
    session = LiveSession(Home(tmp_path, tmp_path / "run" / "c.sock"), load, SystemClock())
    try:
        until(lambda: running.server.connected == 1)
        first = next(iter(running.server._peers))
        running.send(running.server._broadcast, strange)
        until(lambda: running.server.connected == 1 and first not in running.server._peers, 10, "it connects anew")
    finally:
        session.close()
        running.stop()
