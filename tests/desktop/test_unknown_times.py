"""What nobody recorded, and what has not come yet: never shown as known, on any view."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from hmi.core.alarm import AlarmState
from hmi.core.clock import HOUR, MINUTE, SECOND
from hmi.core.event import COLLECTOR
from hmi.desktop.rewind import past_time, why_no_past_time
from hmi.desktop.time_marks import marks_of
from hmi.desktop.words import text_beside_source
from hmi.mimic.state import Situation
from tests.desktop.conftest import Desk
from tests.desktop.recorded_plant import GAP, NOW_US, make_plant

TRIPPED_US = NOW_US - 4 * HOUR


def test_that_alarms_in_a_gap_are_said_to_be_unknown(desk: Desk) -> None:
    desk.window.go_to_time(TRIPPED_US)
    desk.beat()
    assert desk.window.banner.text.counts[1].active == 1
    desk.window.show_alarms()
    desk.beat()
    view = desk.window.alarm_view
    assert view is not None
    assert view.model.records
    desk.window.go_to_time(GAP[0] + MINUTE)
    desk.replays[0].alarms = desk.replays[0].records.alarms_at(TRIPPED_US)
    desk.beat()
    desk.replays[0].alarms = desk.replays[0].records.alarms_at(TRIPPED_US)
    desk.replays[0].alarms_version += 1
    desk.beat()
    assert desk.replays[0].alarms[0].state is not AlarmState.NORMAL
    assert desk.window.banner.text.unknown == "Alarms not recorded at this time"
    assert not desk.window.banner.text.counts
    assert view.model.records == []
    situation = Situation(desk.replays[0])
    situation.refresh()
    assert situation.alarm(["P-302.state"]) is None
    desk.window.go_to_time(TRIPPED_US)
    desk.beat()
    assert desk.window.banner.text.unknown == ""
    assert view.model.records


def test_that_the_trend_of_a_replay_tells_values_and_not_the_wait_for_them(desk: Desk) -> None:
    desk.window.show_trend("LT-250")
    desk.beat()
    desk.window.go_to_time(TRIPPED_US + 3 * SECOND)
    desk.beat()
    trend = desk.window.trend
    assert trend is not None
    pen, session = trend.source.pens[0], desk.replays[0]
    # The table first says "not recorded" at the time asked for, then what was read a little before.
    pen.tail.append(session.now_us() + SECOND, float("nan"), 0x809B0000)
    session.show(session.now_us())
    desk.beat()
    assert pen.tail.newest_us <= session.now_us()
    desk.until(lambda: trend.source.knows(trend.plot.timeline.start_us), "history is there")
    [(_, texts, quality)] = trend.table.lines()
    assert quality == 0
    assert texts[4] != "—"


def test_that_a_time_in_the_future_is_refused_with_a_word(desk: Desk) -> None:
    zone = ZoneInfo("Europe/Berlin")
    assert past_time("2030-01-01 00:00", NOW_US, zone) is None
    assert why_no_past_time("2030-01-01 00:00", NOW_US, zone) == "2030-01-01 00:00:00 lies in the future"
    assert why_no_past_time("25 o'clock", NOW_US, zone).startswith("'25 o'clock' is not a time.")
    field = desk.window.time_bar.field
    field.typed.emit("2030-01-01 00:00")
    assert field.accessibleDescription() == "2030-01-01 00:00:00 lies in the future"
    assert desk.window.session is desk.live


def test_that_nothing_recorded_at_all_is_no_gap_of_the_collector() -> None:
    marks = marks_of(make_plant(), [], [], {}, (NOW_US - HOUR, NOW_US), NOW_US, NOW_US, first_us=NOW_US)
    assert not [gap for gap in marks.gaps if gap.source == COLLECTOR]


def test_that_an_alarm_does_not_say_its_tag_twice() -> None:
    plant = make_plant()
    rule = plant.rule["PLC-2/device_lost"]
    long = replace(rule, text="PLC-2 (Filters 3 and 4): no communication")
    assert text_beside_source(long) == "No communication"
    assert text_beside_source(rule) == rule.text
