"""Replay: the plant as it was, and nothing that nobody collected."""

import math
from collections.abc import Callable, Iterator

import pytest

from hmi.core.alarm import AlarmState
from hmi.core.batch import make_batch
from hmi.core.clock import HOUR, MINUTE, SECOND, HandClock
from hmi.core.command import WriteState
from hmi.core.event import COLLECTOR, Coverage, Event, EventKind
from hmi.core.plant import Plant
from hmi.core.session import LinkState
from hmi.core.status import BAD_NO_COMMUNICATION, GOOD, Quality, quality_of
from hmi.session.replay import LOCKED, ReplaySession
from tests.collector.plants import plant
from tests.history.conftest import TAGS, Way, until

T0 = 1_790_000_000 * SECOND
"""When the recording begins. It lasts ten minutes, stops for ten, and goes on for ten."""


@pytest.fixture
def recorded(way: Way) -> Plant:
    for begin in (T0, T0 + 20 * MINUTE):
        way.spool.record_coverage([Coverage(COLLECTOR, begin, begin + 10 * MINUTE, "stopped by eva")])
        way.spool.record_coverage([Coverage("plc", begin, begin + 10 * MINUTE)])
        way.spool.record(make_batch([0, 2], begin, [0.0, 1.0]))
        n = 600
        way.spool.record(make_batch([0] * n, [begin + i * SECOND for i in range(n)], [float(i) for i in range(n)]))
    way.spool.record(make_batch([0], T0 + 9 * MINUTE + SECOND // 2, [math.nan], BAD_NO_COMMUNICATION))
    for minute, kind, who, value in (
        (2, EventKind.ALARM_RAISED, "", 120.0),
        (3, EventKind.ALARM_ACKNOWLEDGED, "eva", 120.0),
        (4, EventKind.ALARM_RETURNED, "", 90.0),
    ):
        told = Event(T0 + minute * MINUTE, kind, "tank.level", "high", "tank.level/high", 2, who, {"value": value})
        way.spool.record_events([told])
    way.shipped()
    return plant(TAGS)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(T0 + HOUR)


@pytest.fixture
def replay(way: Way, recorded: Plant, clock: HandClock) -> Iterator[ReplaySession]:
    session = ReplaySession(recorded, way.reader, clock, T0 + 5 * MINUTE, "eva")
    settle(session)
    yield session
    session.close()


def settle(session: ReplaySession) -> None:
    """Let the session take over what the historian found."""

    def ticked() -> bool:
        session.tick()
        return not session.loading

    until(ticked)
    session.tick()


def go(session: ReplaySession, time_us: int) -> None:
    done = session.go_to(time_us)
    until(lambda: (session.tick(), done.done())[1])


def level(session: ReplaySession) -> float:
    return float(session.table.value[0])


def quality(session: ReplaySession, tag: int = 0) -> Quality:
    return quality_of(int(session.table.status[tag]))


def test_that_every_value_is_the_one_that_held_at_that_time(replay: ReplaySession) -> None:
    assert level(replay) == 300.0
    go(replay, T0 + 5 * MINUTE + SECOND - 1)
    assert level(replay) == 300.0
    go(replay, T0 + 7 * MINUTE)
    assert (level(replay), quality(replay)) == (420.0, Quality.GOOD)
    assert float(replay.table.value[2]) == 1.0


def test_that_what_nobody_collected_is_not_recorded_and_never_the_last_value_from_before(replay: ReplaySession) -> None:
    for time_us in (T0 - 1, T0 + 15 * MINUTE, T0 + 40 * MINUTE):
        go(replay, time_us)
        assert quality(replay) is Quality.NOT_RECORDED
        assert math.isnan(level(replay))
        assert replay.health.link is LinkState.LOST
    go(replay, T0 + 25 * MINUTE)
    assert quality(replay) is Quality.GOOD


def test_that_a_value_that_was_bad_then_is_bad_now(replay: ReplaySession) -> None:
    go(replay, T0 + 9 * MINUTE + SECOND // 2)
    assert quality(replay) is Quality.BAD


def test_that_alarms_are_as_they_were(replay: ReplaySession) -> None:
    states = {}
    for minute in (1, 2, 3, 4):
        go(replay, T0 + minute * MINUTE + 1)
        states[minute] = [a.state for a in replay.alarms]
    assert states == {1: [], 2: [AlarmState.UNACKNOWLEDGED], 3: [AlarmState.ACKNOWLEDGED], 4: []}


def test_that_nothing_can_be_written_or_acknowledged_in_the_past(replay: ReplaySession) -> None:
    refused = replay.write("tank.level", 1.0).result(1)
    assert (refused.state, refused.why) == (WriteState.REFUSED, LOCKED)
    assert replay.acknowledge(["tank.level/high"]).result(1) == 0


def playing(session: ReplaySession, clock: HandClock, seconds: float, see: Callable[[], None] = lambda: None) -> None:
    """Play for so many seconds of wall time, in frames of 50 ms, while the historian keeps up."""
    for _ in range(round(seconds * 20)):
        until(lambda: (session.tick(), session._ahead or session.speed > 60 or session.speed < 0)[1])
        clock.advance_us(SECOND // 20)
        session.tick()
        see()


def test_that_playing_shows_every_sample_in_its_time(replay: ReplaySession, clock: HandClock) -> None:
    go(replay, T0 + MINUTE)
    replay.play(10)
    seen: list[float] = []
    playing(replay, clock, 6, lambda: seen.append(level(replay)))
    assert replay.now_us() == pytest.approx(T0 + 2 * MINUTE, abs=2 * SECOND)
    assert seen == sorted(seen)
    assert len(set(seen)) >= 55
    assert level(replay) == (replay.now_us() - T0) // SECOND


def test_that_an_alarm_comes_while_playing(replay: ReplaySession, clock: HandClock) -> None:
    go(replay, T0 + 2 * MINUTE - 5 * SECOND)
    assert not replay.alarms
    replay.play(10)
    playing(replay, clock, 1)
    assert [a.state for a in replay.alarms] == [AlarmState.UNACKNOWLEDGED]


def test_that_playing_into_a_gap_shows_not_recorded_and_out_of_it_the_values_again(
    replay: ReplaySession, clock: HandClock
) -> None:
    go(replay, T0 + 10 * MINUTE - 5 * SECOND)
    replay.play(60)
    seen: list[Quality] = []
    playing(replay, clock, 12, lambda: seen.append(quality(replay)))
    order = [q for i, q in enumerate(seen) if i == 0 or seen[i - 1] is not q]
    assert Quality.NOT_RECORDED in order
    assert order[-1] is Quality.GOOD


def test_that_a_thousand_times_faster_arrives_where_it_should(replay: ReplaySession, clock: HandClock) -> None:
    go(replay, T0)
    replay.play(1000)
    for _ in range(10):
        clock.advance_us(SECOND // 20)
        replay.tick()
        settle(replay)
    assert T0 + 5 * MINUTE < replay.now_us() <= T0 + 10 * MINUTE
    assert level(replay) == (replay.now_us() - T0) // SECOND


def test_that_replay_can_run_backwards(replay: ReplaySession, clock: HandClock) -> None:
    go(replay, T0 + 9 * MINUTE)
    replay.play(-60)
    for _ in range(20):
        clock.advance_us(SECOND // 20)
        replay.tick()
        settle(replay)
    assert replay.now_us() < T0 + 9 * MINUTE
    assert level(replay) == (replay.now_us() - T0) // SECOND


def test_that_a_hasty_hand_on_the_time_bar_costs_one_query_at_a_time(replay: ReplaySession) -> None:
    wishes = [replay.go_to(T0 + i * SECOND) for i in range(1, 500)]
    until(lambda: (replay.tick(), all(w.done() for w in wishes))[1])
    assert level(replay) == 499.0
    assert replay.now_us() == T0 + 499 * SECOND


def test_that_a_dead_historian_leaves_nothing_old_on_the_screen(way: Way, recorded: Plant, clock: HandClock) -> None:
    from hmi.history.reader import Reader

    nowhere = Reader(lambda: "host=127.0.0.1 port=1 user=nobody connect_timeout=2")
    session = ReplaySession(recorded, nowhere, clock, T0)
    settle(session)
    assert quality(session) is Quality.NOT_RECORDED
    assert session.failure
    assert session.table.status[0] != GOOD
    session.close()
    nowhere.close()
