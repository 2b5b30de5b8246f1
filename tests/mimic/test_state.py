"""What an element has to show, decided without a window."""

from dataclasses import replace

import pytest

from hmi.core.alarm import AlarmKind, AlarmState, Priority
from hmi.core.binding import parse_text, parse_value
from hmi.core.clock import HOUR, MINUTE, SECOND
from hmi.core.command import WriteState
from hmi.core.device import DeviceHealth, DeviceState
from hmi.core.session import LinkState, Mode
from hmi.core.status import (
    BAD_NO_COMMUNICATION,
    BAD_NO_DATA,
    BAD_OUT_OF_SERVICE,
    GOOD_LOCAL_OVERRIDE,
    UNCERTAIN,
    UNCERTAIN_LAST_USABLE_VALUE,
    Quality,
)
from hmi.core.tag import WriteRule
from hmi.mimic.bound import Binder
from hmi.mimic.state import PLAIN, Bound, Situation, age_words
from tests.mimic.plant_on_a_table import PlantOnATable, discrete, limit, measure, plant_of, writable
from tests.mimic.states_sheet import element


@pytest.fixture
def session() -> PlantOnATable:
    tags = [
        measure("LT-250"),
        measure("FT-310"),
        discrete("P-301.state", {0: "standby", 1: "running", 2: "tripped"}),
        writable(measure("P-301.sp"), 0, 100),
    ]
    rules = [
        limit("LT-250", AlarmKind.HIGH, 4.5),
        limit("LT-250", AlarmKind.HIGH_HIGH, 4.8, Priority.URGENT),
        limit("P-301.state", AlarmKind.STATE, 2, Priority.LOW),
    ]
    return PlantOnATable(plant_of(tags, rules))


def fresh(session: PlantOnATable) -> Situation:
    situation = Situation(session)
    situation.refresh()
    return situation


def bound(session: PlantOnATable, *tags: str) -> Bound:
    return Bound(tuple(session.plant.tag_index[t] for t in tags), tags, tags)


def test_that_a_good_value_without_alarm_or_write_shows_nothing_but_itself(session: PlantOnATable) -> None:
    session.put("LT-250", 3.87)
    assert fresh(session).condition(bound(session, "LT-250")) is PLAIN


@pytest.mark.parametrize(
    ("status", "quality", "word"),
    [
        (UNCERTAIN, Quality.UNCERTAIN, ""),
        (UNCERTAIN_LAST_USABLE_VALUE, Quality.STALE, "4 min"),
        (BAD_OUT_OF_SERVICE, Quality.OUT_OF_SERVICE, ""),
        (GOOD_LOCAL_OVERRIDE, Quality.FORCED, ""),
        (BAD_NO_COMMUNICATION, Quality.BAD, "no comm"),
        (BAD_NO_DATA, Quality.NOT_RECORDED, "not rec."),
    ],
)
def test_that_every_status_has_its_quality_and_its_word(
    session: PlantOnATable, status: int, quality: Quality, word: str
) -> None:
    session.put("LT-250", 3.87, status, age_us=4 * MINUTE)
    condition = fresh(session).condition(bound(session, "LT-250"))
    assert (condition.quality, condition.word) == (quality, word)


def test_that_a_tag_without_any_sample_is_never_read(session: PlantOnATable) -> None:
    assert fresh(session).condition(bound(session, "LT-250")).quality is Quality.NEVER_READ


def test_that_the_worst_tag_decides_the_quality_of_an_element(session: PlantOnATable) -> None:
    session.put("LT-250", 3.87, UNCERTAIN)
    session.put("FT-310", 388, BAD_NO_COMMUNICATION)
    condition = fresh(session).condition(bound(session, "LT-250", "FT-310"))
    assert condition.quality is Quality.BAD
    assert condition.word == "no comm"


def test_that_everything_is_stale_while_the_collector_is_silent(session: PlantOnATable) -> None:
    session.put("LT-250", 3.87)
    situation = fresh(session)
    session.health = replace(session.health, link=LinkState.SILENT)
    session.time_us += 12 * SECOND
    assert situation.refresh().everything
    condition = situation.condition(bound(session, "LT-250"))
    assert (condition.quality, condition.word) == (Quality.STALE, "12 s")


def test_that_replay_does_not_care_whether_the_collector_is_heard(session: PlantOnATable) -> None:
    session.mode = Mode.REPLAY
    session.health = replace(session.health, link=LinkState.LOST)
    session.put("LT-250", 3.87)
    assert fresh(session).condition(bound(session, "LT-250")) is PLAIN


def test_that_an_unacknowledged_alarm_stands_before_a_worse_acknowledged_one(session: PlantOnATable) -> None:
    session.put("LT-250", 4.9)
    session.raise_alarm("LT-250/high_high", AlarmState.ACKNOWLEDGED)
    session.raise_alarm("LT-250/high", AlarmState.UNACKNOWLEDGED)
    mark = fresh(session).condition(bound(session, "LT-250")).alarm
    assert mark == (2, AlarmState.UNACKNOWLEDGED)


def test_that_the_worst_priority_shows_when_two_alarms_are_in_the_same_state(session: PlantOnATable) -> None:
    session.put("LT-250", 4.9)
    session.raise_alarm("LT-250/high")
    session.raise_alarm("LT-250/high_high")
    mark = fresh(session).condition(bound(session, "LT-250")).alarm
    assert mark == (1, AlarmState.UNACKNOWLEDGED)


def test_that_only_what_changed_is_named(session: PlantOnATable) -> None:
    situation = fresh(session)
    session.put("FT-310", 388)
    session.raise_alarm("P-301.state/state")
    changed = situation.refresh()
    assert changed.tags == [1]
    assert changed.sources == {"P-301.state"}
    again = situation.refresh()
    assert (again.tags, again.sources, again.everything) == ([], set(), False)


def test_that_a_pending_write_counts_its_seconds_and_a_confirmed_one_is_silent(session: PlantOnATable) -> None:
    session.put("P-301.sp", 74)
    session.add_write("P-301.sp", 78, WriteState.PENDING)
    write = fresh(session).condition(bound(session, "P-301.sp")).write
    assert write is not None
    assert (write.new, write.note) == ("78.00", "2 s of 5 s")
    session.add_write("P-301.sp", 78, WriteState.CONFIRMED)
    assert fresh(session).condition(bound(session, "P-301.sp")).write is None


@pytest.mark.parametrize(
    ("state", "note"),
    [
        (WriteState.UNKNOWN, "not confirmed by the device"),
        (WriteState.REFUSED, "refused: above 100"),
        (WriteState.FAILED, "failed: above 100"),
    ],
)
def test_that_a_write_without_success_says_so(session: PlantOnATable, state: WriteState, note: str) -> None:
    session.add_write("P-301.sp", 178, state, "" if state is WriteState.UNKNOWN else "above 100")
    write = fresh(session).condition(bound(session, "P-301.sp")).write
    assert write is not None
    assert write.note == note


def test_that_a_write_shows_on_the_tag_that_must_read_it_back() -> None:
    start = replace(discrete("P-301.start", {0: "no", 1: "yes"}), write=WriteRule(readback="P-301.state"))
    session = PlantOnATable(plant_of([discrete("P-301.state", {0: "standby", 1: "running"}), start]))
    session.put("P-301.state", 0)
    session.add_write("P-301.start", 1, WriteState.PENDING)
    assert fresh(session).condition(bound(session, "P-301.state")).write is not None


def test_that_controls_are_locked_in_replay_and_values_are_not(session: PlantOnATable) -> None:
    session.mode = Mode.REPLAY
    session.put("P-301.sp", 74)
    situation = fresh(session)
    index = session.plant.tag_index["P-301.sp"]
    assert situation.condition(Bound((index,), control=True)).locked
    assert not situation.condition(Bound((index,))).locked


def test_that_a_lost_device_is_named(session: PlantOnATable) -> None:
    session.lose(DeviceHealth("PLC-1", DeviceState.LOST, 0))
    assert fresh(session).lost_device(0) == "PLC-1"


def test_that_ages_have_one_unit() -> None:
    assert [age_words(a) for a in (3 * SECOND, 90 * SECOND, 4 * HOUR, 60 * HOUR)] == ["3 s", "1 min", "4 h", "2 d"]


def test_that_a_state_counts_as_on_by_the_list_of_its_tag(session: PlantOnATable) -> None:
    binder = Binder(session.plant, element(type="pump", at=(0, 0)))
    quantity = binder.quantity(parse_value("P-301.state"))
    for value, on in ((0, False), (1, True), (2, False)):
        session.put("P-301.state", value)
        assert quantity.on(fresh(session)) is on


def test_that_an_expression_without_a_value_is_not_true(session: PlantOnATable) -> None:
    quantity = Binder(session.plant, element(type="pump", at=(0, 0))).quantity(parse_value("= {FT-310} > 5"))
    assert not quantity.on(fresh(session))
    session.put("FT-310", 388)
    assert quantity.on(fresh(session))


def test_that_text_never_shows_a_number_it_does_not_have(session: PlantOnATable) -> None:
    words = Binder(session.plant, element(type="pump", at=(0, 0))).words(parse_text("Level {LT-250:.2f} m"))
    session.put("LT-250", 3.87)
    assert words.render(fresh(session)) == "Level 3.87 m"
    session.put("LT-250", 3.87, BAD_NO_COMMUNICATION)
    assert words.render(fresh(session)) == "Level no comm m"


def test_that_a_text_with_one_missing_value_keeps_its_words_and_the_others(session: PlantOnATable) -> None:
    words = Binder(session.plant, element(type="pump", at=(0, 0))).words(
        parse_text("Tank {LT-250:.2f} m, outflow {FT-310:.0f} L/s")
    )
    session.put("LT-250", 3.87, BAD_NO_COMMUNICATION)
    session.put("FT-310", 388)
    assert words.runs(fresh(session)) == (
        ("Tank ", Quality.GOOD), ("no comm", Quality.BAD), (" m, outflow 388 L/s", Quality.GOOD),
    )  # fmt: skip


def test_that_an_unknown_tag_is_an_error_of_the_compiler(session: PlantOnATable) -> None:
    with pytest.raises(KeyError):
        Binder(session.plant, element(type="pump", at=(0, 0))).quantity(parse_value("P-999"))
