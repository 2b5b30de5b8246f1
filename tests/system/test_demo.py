"""The demo, as somebody meets it first."""

import json

import pytest

from hmi.collector.process import holder_of
from hmi.core.clock import MINUTE
from hmi.core.event import EventKind
from hmi.core.resources import Shipped, shipped
from hmi.history.embedded import EmbeddedPostgres
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
        seen = [int(v) for v in counter.value if v == v]
        assert seen == sorted(set(seen)), f"{counter.tag} went back, or a value is there twice"
        assert len(seen) > 0.5 * (seen[-1] - seen[0]), f"{counter.tag} was seen too seldom"
    assert {e.kind for e in events} >= {EventKind.COLLECTOR_STARTED, EventKind.COLLECTOR_STOPPED}
    # Nothing of it runs any more.
    assert holder_of(home) is None
    assert EmbeddedPostgres(home.database).holders() == []
