"""The demo, as somebody meets it first."""

import json
import signal
import sys

import pytest

from hmi.collector.process import holder_of
from hmi.core.clock import MINUTE
from hmi.core.event import EventKind
from hmi.core.resources import Shipped, shipped
from hmi.core.status import GOOD
from hmi.history.embedded import EmbeddedPostgres
from tests.collector.waiting import wait_until
from tests.system.program import Program

PLANT = shipped(Shipped.SCREENS) / "waterworks"


@pytest.mark.timeout(120)
def test_that_the_demo_counts_in_the_database_and_has_lost_nothing(program: Program) -> None:
    done = program.run("demo", "--headless", "--for", "20s", "--json", timeout_s=110)
    assert done.code == 0, done.err
    summary = json.loads(done.last_line)
    assert summary["tags"] >= 200
    assert summary["historian"] == "postgresql"
    assert summary["samples_lost"] == 0
    assert set(summary["devices"]) == {"PLC-1", "PLC-2", "UA-1"}
    assert {device["state"] for device in summary["devices"].values()} == {"ok"}
    home = program.home(PLANT)
    with program.reader(PLANT) as reader:
        assert reader.count() == summary["samples_stored"] == summary["samples_taken"] > 300
        span = reader.span()
        assert span is not None
        # The collector began before its first sample and ended after its last.
        events = reader.events(span[0] - MINUTE, span[1] + MINUTE)
        counters = reader.history(["PLC-1.sequence", "PLC-2.sequence", "UA-1.sequence"], *span, 1_000_000)
    # The counters rise by one every 100 ms; at 100 ms polls every value of it is seen, but for a beat now and then.
    for counter in counters:
        # After a halt of a busy computer the last value is there once more, as uncertain.
        seen = [int(v) for v, status in zip(counter.value, counter.status, strict=True) if status == GOOD]
        assert seen == sorted(set(seen)), f"{counter.tag} went back, or a value is there twice"
        assert len(seen) > 0.5 * (seen[-1] - seen[0]), f"{counter.tag} was seen too seldom"
    assert {e.kind for e in events} >= {EventKind.COLLECTOR_STARTED, EventKind.COLLECTOR_STOPPED}
    # Nothing of it runs any more.
    assert holder_of(home) is None
    assert EmbeddedPostgres(home.database).holders() == []


@pytest.mark.timeout(120)
def test_that_one_setting_takes_the_demo_to_timescaledb(program: Program, timescale: str) -> None:
    program.environment["HMI_DSN"] = timescale
    done = program.run("demo", "--headless", "--for", "12s", "--json", timeout_s=110)
    assert done.code == 0, done.err
    summary = json.loads(done.last_line)
    assert summary["historian"] == "timescaledb"
    assert summary["samples_lost"] == 0
    assert summary["samples_stored"] == summary["samples_taken"] > 300


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGHUP")
@pytest.mark.timeout(120)
def test_that_what_a_killed_demo_left_is_cleared_away_and_a_closed_terminal_leaves_nothing(program: Program) -> None:
    home = program.home(PLANT)
    killed = program.start("demo", "--headless")
    wait_until(lambda: "Collecting from" in program.said(killed), "the demo collects", 40)
    assert f"hmi stop {PLANT} ends its collector" in program.run("demo", "--headless").err
    killed.kill()
    killed.wait(10)
    left = holder_of(home)
    assert left is not None, "the collector of a killed demo outlives it"

    second = program.start("demo", "--headless")
    pictures = home.folder / "pictures"
    wait_until(lambda: list(pictures.glob("*.png")), "the first picture", 60)
    assert "an earlier demo" in program.said(second)
    own = holder_of(home)
    assert own is not None
    assert own != left
    # Ctrl-C and the closing of the terminal, while the pictures are made.
    second.send_signal(signal.SIGHUP)
    second.send_signal(signal.SIGINT)
    assert second.wait(40) == 0
    assert "Traceback" not in program.said(second)
    assert program.said(second).endswith("The collector has stopped.\n")
    assert holder_of(home) is None
    assert EmbeddedPostgres(home.database).holders() == []
