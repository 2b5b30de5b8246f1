"""The demo plant with all its troubles, recorded as a window saw it, and then replayed: the same values and alarms.

`HMI_LONG_DEMO_S` in the environment says how long it runs; three minutes if nobody says.
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import psutil
import psycopg
import pytest

from hmi.cli.opening import load
from hmi.collector.process import start_detached, status, stop
from hmi.core.alarm import AlarmState
from hmi.core.batch import Batch
from hmi.core.clock import SECOND, SystemClock
from hmi.core.home import Home
from hmi.core.plant import Plant
from hmi.core.resources import Shipped, shipped
from hmi.core.status import quality_of
from hmi.demo.process import DevicesProcess, start_devices
from hmi.history.embedded import EmbeddedPostgres
from hmi.session.live import LiveSession
from hmi.session.replay import ReplaySession
from tests.collector.waiting import wait_until
from tests.system.program import Program

RUNS_S = int(os.environ.get("HMI_LONG_DEMO_S", "180"))
LOOK_EVERY_S = 1.0
PLANT = shipped(Shipped.SCREENS) / "waterworks"
ON_THE_WAY_US = SECOND
"""A sample this young may have been on its way to the window when it was looked at."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a window showed at one moment."""

    time_us: int
    values: Batch
    alarms: dict[str, AlarmState]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens to the plant, and when, as a share of the whole time."""

    at: float
    name: str
    argument: str = ""


TROUBLES = (
    Trouble(0.20, "cut", "PLC-2"),
    Trouble(0.35, "restore", "PLC-2"),
    Trouble(0.50, "trip", "P-301"),
    Trouble(0.65, "kill the database"),
)


@pytest.fixture
def devices(program: Program) -> Iterator[DevicesProcess]:
    with start_devices(program.folder) as running:
        yield running


@pytest.fixture
def home(program: Program, devices: DevicesProcess) -> Iterator[Home]:
    environment = {**program.environment, **devices.environment}
    found = program.home(PLANT)
    start_detached(PLANT, found, environment)
    yield found
    stop(found)


@pytest.fixture
def live(home: Home) -> Iterator[LiveSession]:
    session = LiveSession(home, load, SystemClock())
    assert session.wait_for_plant(30)
    yield session
    session.close()


@pytest.mark.long
@pytest.mark.timeout(3 * RUNS_S + 300)
def test_that_replay_shows_what_live_showed(live: LiveSession, devices: DevicesProcess, home: Home) -> None:
    wait_until(lambda: (status(home) or {})["historian_state"] == "ok", "the database answers", 60)
    begun_us = SystemClock().now_us()
    seen = _watch(live, devices, home)
    wait_until(lambda: _stored_beyond(live, seen[-1].time_us), "everything seen is in the database", 60)
    found = status(home)
    assert found is not None
    assert found["samples_lost"] == 0
    assert any(key.startswith("P-301") for look in seen for key in look.alarms), "the trip raised no alarm"
    assert any("PLC-2" in key for look in seen for key in look.alarms), "the lost device raised no alarm"

    gaps = live.coverage(begun_us, SystemClock().now_us()).result(20)
    while_cut_us = seen[0].time_us + int(0.30 * RUNS_S * SECOND)
    of_device = [c for c in gaps if c.source == "PLC-2"]
    assert of_device[0].start_us < while_cut_us < of_device[-1].end_us
    assert not [c for c in of_device if c.start_us <= while_cut_us <= c.end_us], "the cut shows as a gap of its device"
    assert len([c for c in gaps if c.source == "collector"]) == 1, "the collector never paused"

    wrong = _never_stored(live, seen)
    replay = ReplaySession(live.plant, live.reader, SystemClock(), seen[0].time_us)
    try:
        for before, look, after in zip([seen[0], *seen], seen, [*seen[1:], seen[-1]], strict=False):
            wrong += _values_that_differ(look, replay)
            # An alarm that changed about that moment may have been on its way to the window.
            around = (before.alarms, after.alarms)
            steady = [key for key, state in look.alarms.items() if all(a.get(key) == state for a in around)]
            wrong += _alarms_that_differ(look, steady, replay)
    finally:
        replay.close()
    assert not wrong, f"{len(wrong)} differences in {len(seen)} looks:\n" + "\n".join(wrong[:40])


def _watch(live: LiveSession, devices: DevicesProcess, home: Home) -> list[Seen]:
    """Look at the live plant every second while its troubles come and go."""
    clock = SystemClock()
    begun_us = clock.monotonic_us()
    todo = list(TROUBLES)
    seen: list[Seen] = []
    while (gone_us := clock.monotonic_us() - begun_us) < RUNS_S * SECOND:
        if todo and gone_us >= todo[0].at * RUNS_S * SECOND:
            _happen(todo.pop(0), devices, home)
        due_us = begun_us + int(len(seen) * LOOK_EVERY_S * SECOND)
        wait_until(lambda due_us=due_us: clock.monotonic_us() >= due_us, "the next look", 2 * LOOK_EVERY_S)
        alarms = {alarm.key: alarm.state for alarm in live.alarms}
        seen.append(Seen(clock.now_us(), live.table.snapshot(), alarms))
    return seen


def _happen(trouble: Trouble, devices: DevicesProcess, home: Home) -> None:
    if trouble.name == "kill the database":
        with EmbeddedPostgres(home.database).lease("test") as dsn, psycopg.connect(dsn) as connection:
            backend = connection.execute("SELECT pg_backend_pid()").fetchone()
            assert backend is not None
            postmaster = psutil.Process(backend[0]).parent()
        assert postmaster is not None
        postmaster.kill()
    else:
        devices.command(trouble.name, trouble.argument)


def _stored_beyond(live: LiveSession, time_us: int) -> bool:
    """Whether later samples are stored: they arrive in the order in which they were taken."""
    span = live.reader.span()
    return span is not None and span[1] > time_us + 2 * SECOND


def _never_stored(live: LiveSession, seen: list[Seen]) -> list[str]:
    """Samples that a window has shown and the database does not have just so."""
    plant = live.plant
    first_us, last_us = seen[0].time_us, seen[-1].time_us
    stored = live.reader.samples_between(plant.tags, first_us - 1, last_us)
    numbers = [None if math.isnan(number) else number for number in stored.value.tolist()]
    keys = zip(stored.tag.tolist(), stored.time_us.tolist(), strict=True)
    there = dict(zip(keys, zip(numbers, stored.status.tolist(), strict=True), strict=True))
    wrong = []
    for look in seen:
        values = look.values
        for i in np.flatnonzero(values.time_us >= first_us).tolist():
            kept = there.get((i, int(values.time_us[i])))
            # None for no number, which is not even like itself.
            number = float(values.value[i])
            shown = (None if math.isnan(number) else number, int(values.status[i]))
            if kept != shown:
                wrong.append(f"{look.time_us}: {plant.tags[i].name} showed {shown}, stored is {kept}")
    return wrong


def _go_to(look: Seen, replay: ReplaySession) -> None:
    if replay.now_us() == look.time_us and not replay.loading:
        return
    shown = replay.go_to(look.time_us)

    def there() -> bool:
        replay.tick()
        return shown.done()

    wait_until(there, "the replay of a moment", 20)
    assert replay.recorded


def _values_that_differ(look: Seen, replay: ReplaySession) -> list[str]:
    """What a screen would show otherwise in replay than it did live, but for samples that were on their way to it."""
    _go_to(look, replay)
    then = replay.table.snapshot()
    wrong = []
    for tag in replay.plant.tags:
        i = tag.index
        before, after = _shown(replay.plant, look.values, i), _shown(replay.plant, then, i)
        younger = look.values.time_us[i] < then.time_us[i]
        if before != after and not (younger and then.time_us[i] > look.time_us - ON_THE_WAY_US):
            wrong.append(f"{look.time_us}: {tag.name} was {before}, is {after} in replay")
    return wrong


def _alarms_that_differ(look: Seen, steady: list[str], replay: ReplaySession) -> list[str]:
    _go_to(look, replay)
    then = {alarm.key: alarm.state for alarm in replay.alarms}
    return [
        f"{look.time_us}: alarm {key} was {look.alarms[key]}, is {then.get(key)} in replay"
        for key in steady
        if then.get(key) != look.alarms[key]
    ]


def _shown(plant: Plant, values: Batch, i: int) -> tuple[str, str]:
    """A value as a screen says it, and how sure it is."""
    quality = quality_of(int(values.status[i]))
    if not quality.has_value:
        return "", quality.name
    text = values.text[i] if values.text is not None else None
    return plant.tags[i].format(float(values.value[i]), text), quality.name
