"""What the furniture says, without a window."""

import itertools
from dataclasses import replace

import pytest

from hmi.core.alarm import Alarm, AlarmState
from hmi.core.clock import HOUR, MINUTE, SECOND
from hmi.core.command import Write, WriteState
from hmi.core.session import Health, HistorianHealth, HistorianState, LinkState
from hmi.desktop.alarm_model import Filter, records_of
from hmi.desktop.alarm_rate import rate_of
from hmi.desktop.banner import banner_text
from hmi.desktop.navigation import health_words
from hmi.desktop.place import Place, Trail, View, parent_of, screens_of_level, tags_in, way_to
from hmi.desktop.rewind import SPEEDS, next_speed, past_time, speed_text
from hmi.desktop.search import Kind, search
from hmi.desktop.time_marks import AlarmMark, marks_of, thinned
from hmi.desktop.why import why_rows
from hmi.desktop.words import near_time
from hmi.desktop.write_box import range_text, read_entry
from tests.desktop.recorded_plant import GAP, NOW_US, LiveOnRecords, start


@pytest.fixture
def live() -> LiveOnRecords:
    return start()[0]


def test_that_the_banner_shows_the_worst_of_the_unacknowledged_alarms_and_of_these_the_newest(
    live: LiveOnRecords,
) -> None:
    plant = live.plant
    alarms = [
        Alarm("LT-250/high", AlarmState.UNACKNOWLEDGED, NOW_US - HOUR, value=4.62),
        Alarm("PT-401/low", AlarmState.UNACKNOWLEDGED, NOW_US - MINUTE, value=4.1),
        Alarm("FT-310/low", AlarmState.UNACKNOWLEDGED, NOW_US, value=200),
        Alarm("P-302.state/state", AlarmState.ACKNOWLEDGED, NOW_US),
    ]
    text = banner_text(alarms, plant)
    assert text.top is not None
    assert text.top.message == "PT-401 North pressure low, 4.10 bar below 4.50 bar"
    assert [(p, c.active, c.state) for p, c in sorted(text.counts.items())] == [
        (1, 1, AlarmState.ACKNOWLEDGED),
        (2, 2, AlarmState.UNACKNOWLEDGED),
        (3, 0, AlarmState.NORMAL),
        (4, 1, AlarmState.UNACKNOWLEDGED),
    ]


def test_that_a_returned_alarm_waits_without_being_counted_as_active(live: LiveOnRecords) -> None:
    text = banner_text([Alarm("LT-250/high", AlarmState.RETURNED, NOW_US)], live.plant)
    assert text.top is None
    assert text.returned == 1
    assert text.counts[2].active == 0
    assert text.counts[2].state is AlarmState.RETURNED


def test_that_times_are_as_short_as_they_can_be_understood(live: LiveOnRecords) -> None:
    zone = live.plant.zone
    assert near_time(NOW_US - MINUTE, NOW_US, zone) == "03:11:44"
    assert near_time(NOW_US - 5 * HOUR, NOW_US, zone) == "Wed 22:12:44"
    assert near_time(NOW_US - 40 * 24 * HOUR, NOW_US, zone).startswith("2025-10-11 ")


def test_that_only_times_that_have_passed_can_be_gone_to(live: LiveOnRecords) -> None:
    zone = live.plant.zone
    assert past_time("02:50", NOW_US, zone) == NOW_US - 22 * MINUTE - 44 * SECOND
    assert past_time("2031-01-01 00:00", NOW_US, zone) is None
    assert past_time("soon", NOW_US, zone) is None


def test_that_speeds_go_from_a_tenth_to_a_thousand_and_keep_their_direction() -> None:
    assert (SPEEDS[0], SPEEDS[-1]) == (0.1, 1000.0)
    assert next_speed(1.0, faster=True) == 2.0
    assert next_speed(1000.0, faster=True) == 1000.0
    assert next_speed(-10.0, faster=False) == -5.0
    assert speed_text(0.1) == "0.1×"


def test_that_the_health_line_is_short_while_all_is_well() -> None:
    well = Health(LinkState.OK, NOW_US, HistorianHealth(HistorianState.OK, lag_us=300_000))
    assert [w.text for w in health_words(well, 0, NOW_US)] == ["Collector ok", "Historian ok, 0.3 s"]
    ill = replace(well, link=LinkState.LOST, historian=HistorianHealth(HistorianState.DOWN, lost=7))
    words = health_words(ill, 2, NOW_US + 9 * SECOND)
    assert [w.text for w in words] == [
        "Collector lost, 9 s", "Historian down", "7 samples lost", "2 problems in files",
    ]  # fmt: skip
    assert all(w.bad for w in words)


def test_that_alarm_marks_have_colour_only_up_to_the_time_shown(live: LiveOnRecords) -> None:
    records = live.records
    span, then = (NOW_US - 8 * HOUR, NOW_US), NOW_US - 4 * HOUR
    alarms = {a.key: a for a in records.alarms_at(then)}
    marks = marks_of(live.plant, records.events, records.coverage, alarms, span, then, NOW_US)
    states = {m.time_us: m.state for m in marks.alarms}
    assert states[NOW_US - 4 * HOUR - 12 * MINUTE] is AlarmState.ACKNOWLEDGED
    assert all(state is AlarmState.NORMAL for time_us, state in states.items() if time_us > then)


def test_that_the_time_bar_has_the_gap_with_its_reason_and_the_lost_device_apart(live: LiveOnRecords) -> None:
    records = live.records
    marks = marks_of(live.plant, records.events, records.coverage, {}, (NOW_US - 8 * HOUR, NOW_US), NOW_US, NOW_US)
    [gap] = marks.gaps
    assert (gap.start_us, gap.end_us) == GAP
    assert gap.why == "Collector stopped by Engineer 1: update"
    assert [(g.source, g.why) for g in marks.device_gaps] == [("PLC-2", "no answer")]
    assert [a.text for a in marks.actions] == ["Operator 2: Acknowledged", "Operator 2: PT-310.SP 5.20 → 5.40"]


def test_that_an_alarm_stands_on_the_time_bar_before_the_historian_knows_it(live: LiveOnRecords) -> None:
    fresh = Alarm("PT-401/low", AlarmState.UNACKNOWLEDGED, NOW_US - SECOND)
    marks = marks_of(live.plant, [], [], {fresh.key: fresh}, (NOW_US - HOUR, NOW_US), NOW_US, NOW_US)
    assert [(m.priority, m.state) for m in marks.alarms] == [(2, AlarmState.UNACKNOWLEDGED)]


def test_that_previous_and_next_mark_find_alarms_actions_and_gaps(live: LiveOnRecords) -> None:
    records = live.records
    marks = marks_of(live.plant, records.events, records.coverage, {}, (NOW_US - 8 * HOUR, NOW_US), NOW_US, NOW_US)
    assert marks.before(GAP[1]) == GAP[0]
    assert marks.after(GAP[0]) == GAP[1]
    assert marks.after(NOW_US) is None


def test_that_of_marks_too_near_to_draw_the_most_urgent_stays(live: LiveOnRecords) -> None:
    records = live.records
    marks = marks_of(live.plant, records.events, records.coverage, {}, (NOW_US - 8 * HOUR, NOW_US), NOW_US, NOW_US)
    kept = thinned(marks.alarms, [100.0 + i for i in range(len(marks.alarms))], 13)
    assert [m.priority for m, _ in kept] == [1]


def test_that_the_list_is_sorted_by_what_needs_attention_and_filtered_by_words(live: LiveOnRecords) -> None:
    live.raise_alarm("P-302.state/state")
    records = records_of(live, Filter())
    assert [r.rule.key for r in records] == ["P-302.state/state", "LT-250/high", "PLC-2/device_lost"]
    assert [r.rule.key for r in records_of(live, Filter(text="tank LEVEL"))] == ["LT-250/high"]
    assert [r.rule.key for r in records_of(live, Filter(priorities=frozenset({3})))] == ["PLC-2/device_lost"]
    assert len(records_of(live, Filter(unacknowledged=True))) == 2


def test_that_new_alarms_are_counted_in_their_ten_minutes(live: LiveOnRecords) -> None:
    bars, day = rate_of(live.records.events, NOW_US)
    assert len(bars) == 48
    assert sum(bars) == 4
    assert bars[-1] == 1
    assert day == 4


def test_that_the_palette_finds_by_letters_and_groups_alarms_first(live: LiveOnRecords) -> None:
    hits = search("250", live, live)
    assert [(h.kind, h.title) for h in hits] == [(Kind.ALARM, "LT-250"), (Kind.TAG, "LT-250")]
    assert hits[0].right == "4.62 m"
    assert [h.title for h in search("north", live, live)] == ["PT-401", "FT-401"]
    assert [h.kind for h in search("high-lift station", live, live)] == [Kind.SCREEN]
    assert [(h.kind, h.right) for h in search("plc-2", live, live)][-1] == (Kind.DEVICE, "lost")


def test_that_the_palette_understands_times_and_offers_commands(live: LiveOnRecords) -> None:
    [hit] = [h for h in search("02:50", live, live) if h.kind is Kind.TIME]
    assert hit.text == "Replay the plant from 2025-11-20 02:50:00"
    assert [h.title for h in search("trend", live, live) if h.kind is Kind.COMMAND] == ["Trend"]


def test_that_a_bad_value_is_found_with_its_reason_instead_of_a_number(live: LiveOnRecords) -> None:
    [hit] = [h for h in search("AT-210", live, live) if h.kind is Kind.TAG]
    assert hit.right == "no comm"


def test_that_places_are_remembered_as_in_a_browser() -> None:
    trail = Trail(Place("overview"))
    trail.go(Place("clear-water"))
    trail.go(Place("clear-water", view=View.TREND))
    assert trail.move(-1)
    assert trail.here.view is View.SCREEN
    trail.go(Place("high-lift"))
    assert not trail.move(1)
    assert trail.move(-2)
    assert trail.here.screen == "overview"


def test_that_levels_know_their_screens_and_the_way_up(live: LiveOnRecords) -> None:
    plant = live.plant
    assert screens_of_level(plant, 2) == ["clear-water", "high-lift"]
    assert screens_of_level(plant, 3) == [], "faceplates are no screens to go to"
    assert way_to(plant, "clear-water") == {1: "overview", 2: "clear-water"}
    assert parent_of(plant, "clear-water") == "overview"
    assert parent_of(plant, "overview") is None


def test_that_the_tags_of_a_screen_are_found_in_every_property(live: LiveOnRecords) -> None:
    screen, _ = live.plant.open_screen("faceplates/pump", {"pump": "P-301"})
    assert tags_in(screen, live.plant) == ["P-301.state", "P-301.run"]


def test_that_why_this_value_tells_status_times_and_origin(live: LiveOnRecords) -> None:
    live.clock.advance_us(400_000)
    rows = dict(why_rows(live, live.plant.tag("PT-310"), live.records.events))
    assert rows["Shown"].endswith("bar, good (Good, 0x00000000), 0.4 s old")
    assert rows["Source time"] == "03:12:44.000, received 38 ms later"
    assert rows["Read from"] == "PLC-1 (Waterworks), modbus-tcp, holding:40"
    assert rows["Passed"] == "range 4.72 to 5.97, deadband 0.01, at least every 1min"
    assert rows["Last writes"] == "01:12:45 Operator 2 PT-310.SP 5.40 confirmed"


def test_that_why_shows_no_number_for_a_bad_value(live: LiveOnRecords) -> None:
    rows = dict(why_rows(live, live.plant.tag("AT-210")))
    assert rows["Shown"].startswith("no value, bad (BadNoCommunication, 0x80310000)")
    assert rows["Device"] == "lost: no answer"


def test_that_a_running_write_stands_among_the_last_writes(live: LiveOnRecords) -> None:
    live.writes = [
        Write("w9", "PT-310.SP", 5.6, "Operator 2", WriteState.UNKNOWN, NOW_US - SECOND, NOW_US, why="no answer")
    ]
    rows = dict(why_rows(live, live.plant.tag("PT-310")))
    assert rows["Last writes"] == "03:12:43 Operator 2, 5.60 bar, not confirmed by the device: no answer"


def test_that_a_typed_value_may_have_a_comma_and_its_unit_and_must_be_in_range(live: LiveOnRecords) -> None:
    tag = live.plant.tag("PT-310.SP")
    assert range_text(tag) == "4.00 to 6.00 bar"
    assert read_entry(tag, " 5,6 bar") == 5.6
    with pytest.raises(ValueError, match=r"outside 4\.00 to 6\.00 bar"):
        read_entry(tag, "6.1")
    with pytest.raises(ValueError, match="not a number"):
        read_entry(tag, "fast")


def test_that_a_flood_of_ten_thousand_alarms_is_thinned_to_what_can_be_seen() -> None:
    marks = [AlarmMark(NOW_US + i, 1 + i % 4, AlarmState.NORMAL, "") for i in range(10_000)]
    kept = thinned(marks, [i * 0.1 for i in range(10_000)], 13)
    places = sorted(x for _, x in kept)
    assert 40 < len(kept) <= 77
    assert min(b - a for a, b in itertools.pairwise(places)) >= 13


def test_that_before_the_plant_was_first_collected_from_there_is_no_gap(live: LiveOnRecords) -> None:
    coverage = [c for c in live.records.coverage if c.start_us >= GAP[1]]
    span = (NOW_US - 8 * HOUR, NOW_US)
    assert marks_of(live.plant, [], coverage, {}, span, NOW_US, NOW_US).gaps != ()
    assert marks_of(live.plant, [], coverage, {}, span, NOW_US, NOW_US, GAP[1]).gaps == ()
