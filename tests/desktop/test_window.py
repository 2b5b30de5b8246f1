"""The window as an operator uses it: keys, mouse, replay, faceplates, writes, alarms, trend."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from hmi.core.clock import HOUR, MINUTE, SECOND
from hmi.core.command import WriteState
from hmi.core.problem import Place, Problem
from hmi.core.screen import Open
from hmi.core.session import Mode
from hmi.desktop.alarm_view import JOURNAL
from hmi.desktop.faceplate import EVENTS, LIMITS
from tests.desktop.conftest import Desk
from tests.desktop.recorded_plant import GAP, NOW_US, make_plant

TRIP_US = NOW_US - 4 * HOUR - 12 * MINUTE


def press(desk: Desk, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """A key, to whatever has the focus, as the keyboard would."""
    target = desk.window.focusWidget() or desk.window
    QTest.keyClick(target, key, modifier)
    desk.beat()


def furniture(desk: Desk) -> dict[str, tuple[int, int, int, int]]:
    """Where every part of banner, tabs and time bar stands."""
    window = desk.window
    parts: dict[str, QWidget] = {
        "banner": window.banner, "navigation": window.navigation, "stage": window.stage, "time bar": window.time_bar,
        "track": window.time_bar.track, "field": window.time_bar.field, "play": window.time_bar.play,
        "speed": window.time_bar.speed, "span": window.time_bar.span, "live": window.time_bar.live_button,
        "trend": window.navigation.trend, "alarms": window.navigation.alarms,
    }  # fmt: skip
    parts |= {f"level {i}": tab for i, tab in enumerate(window.navigation.levels)}
    return {name: part.geometry().getRect() for name, part in parts.items()}  # type: ignore[misc]


def test_that_the_rows_have_the_heights_of_the_look_guide(make_desk: Callable[..., Desk]) -> None:
    for width, height, rows in ((1920, 1080, (64, 40, 888, 88)), (1280, 720, (56, 40, 552, 72))):
        window = make_desk(width, height).window
        assert (
            window.banner.height(),
            window.navigation.height(),
            window.stage.height(),
            window.time_bar.height(),
        ) == rows


def test_that_a_window_that_is_too_small_scrolls_and_says_so(make_desk: Callable[..., Desk]) -> None:
    window = make_desk(1000, 600).window
    # The vertical scroll bar takes twelve pixels of its own.
    assert window.horizontalScrollBar().maximum() == 1280 - 1000 + 12
    assert window.windowTitle().endswith("(window smaller than 1280 × 720: scroll)")


def test_that_a_typed_time_takes_the_whole_plant_there_and_escape_brings_it_back(desk: Desk) -> None:
    press(desk, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(desk.window.time_bar.field, "yesterday 23:01:44")
    press(desk, Qt.Key.Key_Return)
    replay = desk.replays[0]
    assert desk.window.session is replay
    assert replay.now_us() == NOW_US - 4 * HOUR - 11 * MINUTE
    top = desk.window.banner.text.top
    assert top is not None
    assert top.rule.key == "P-302.state/state"
    assert desk.window.replay_frame.isVisible()
    assert desk.window.time_bar.field.text() == "2025-11-19 23:01:44"
    press(desk, Qt.Key.Key_Escape)
    assert desk.window.session is desk.live
    assert not desk.window.replay_frame.isVisible()
    desk.until(lambda: replay.closed, "the session of the past is closed")


def test_that_a_time_that_is_none_is_marked_and_the_plant_stays_live(desk: Desk) -> None:
    press(desk, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(desk.window.time_bar.field, "half past")
    press(desk, Qt.Key.Key_Return)
    assert desk.window.time_bar.field.property("wrong") is True
    assert desk.window.session is desk.live
    press(desk, Qt.Key.Key_Escape)
    assert desk.window.time_bar.field.text() == "2025-11-20 03:12:44"


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720)])
def test_that_no_element_moves_by_a_pixel_when_replay_begins(
    make_desk: Callable[..., Desk], width: int, height: int
) -> None:
    desk = make_desk(width, height)
    before = furniture(desk)
    desk.window.go_to_time(TRIP_US)
    desk.beat()
    assert furniture(desk) == before
    desk.window.go_live()
    desk.beat()
    assert furniture(desk) == before


def test_that_replay_cannot_be_mistaken_for_live_at_any_edge(desk: Desk) -> None:
    live = desk.window.grab().toImage()
    desk.window.go_to_time(TRIP_US)
    desk.beat()
    then = desk.window.grab().toImage()
    blue = desk.window.theme.replay_blue.rgb()
    for x, y in ((3, 500), (1916, 500), (900, 3), (900, 1076), (600, 70)):
        assert then.pixel(x, y) == blue
        assert live.pixel(x, y) != blue


def test_that_dragging_the_time_bar_scrubs_and_a_press_begins_replay(desk: Desk) -> None:
    track = desk.window.time_bar.track
    y = 44
    QTest.mousePress(track, Qt.MouseButton.LeftButton, pos=QPoint(round(track.x_of(TRIP_US)) + 30, y))
    desk.beat()
    assert desk.window.session.mode is Mode.REPLAY
    for step in range(5):
        QTest.mouseMove(track, QPoint(round(track.x_of(TRIP_US)) + 40 + 20 * step, y))
    desk.beat()
    QTest.mouseRelease(track, Qt.MouseButton.LeftButton, pos=QPoint(round(track.x_of(TRIP_US)) + 120, y))
    desk.beat()
    replay = desk.replays[0]
    assert len(desk.replays) == 1
    assert replay.went == sorted(replay.went)
    assert abs(track.x_of(replay.now_us()) - track.x_of(TRIP_US) - 120) < 2


def test_that_the_span_of_the_time_bar_stands_still_under_the_mouse(desk: Desk) -> None:
    span = desk.window.time_bar.track.span
    desk.window.go_to_time(TRIP_US)
    desk.beat(5, SECOND)
    assert desk.window.time_bar.track.span == span


def test_that_replay_plays_pauses_and_changes_its_speed_by_keys(desk: Desk) -> None:
    desk.window.go_to_time(TRIP_US)
    desk.beat()
    replay = desk.replays[0]
    press(desk, Qt.Key.Key_Space)
    assert replay.playing
    press(desk, Qt.Key.Key_Plus)
    press(desk, Qt.Key.Key_Plus)
    assert replay.speed == 5.0
    desk.beat(10, SECOND)
    assert replay.now_us() >= TRIP_US + 50 * SECOND
    assert desk.window.time_bar.speed.text() == "5×"
    press(desk, Qt.Key.Key_Space)
    assert not replay.playing
    press(desk, Qt.Key.Key_BracketRight)
    assert replay.now_us() == NOW_US - 4 * HOUR - 10 * MINUTE, "the acknowledgement two minutes after the trip"
    press(desk, Qt.Key.Key_End)
    assert desk.window.session is desk.live


def test_that_space_in_the_live_plant_stops_the_picture_here(desk: Desk) -> None:
    press(desk, Qt.Key.Key_Space)
    assert desk.window.session.mode is Mode.REPLAY
    assert desk.replays[0].went == [NOW_US]


def test_that_a_time_nobody_collected_shows_not_recorded_and_no_number(desk: Desk) -> None:
    desk.window.go_to_time(GAP[0] + 5 * MINUTE)
    desk.beat()
    desk.window.open_faceplate(Open(tag="LT-250"))
    desk.beat(5)
    faceplate = desk.window.panes.faceplate
    assert faceplate is not None
    assert dict(faceplate.rows.shown)["Shown"].startswith("no value, not recorded")


def test_that_the_time_bar_tells_why_there_is_a_gap(desk: Desk) -> None:
    track = desk.window.time_bar.track
    middle = QPointF(track.x_of((GAP[0] + GAP[1]) // 2), 36)
    assert track.tip_at(middle) == (
        "Not recorded Wed 21:45:44 to Wed 22:03:44 (18 min): Collector stopped by Engineer 1: update"
    )
    assert "P-302 tripped" in track.tip_at(QPointF(track.x_of(TRIP_US), 18))


def test_that_in_replay_writing_and_acknowledging_are_refused(desk: Desk) -> None:
    desk.window.go_to_time(TRIP_US + SECOND)
    desk.beat()
    press(desk, Qt.Key.Key_F2)
    assert desk.live.acknowledged == []
    assert desk.window.stage.notice.text == "This is how it was then. Acknowledge in the live plant."
    desk.window.operations.ask_write("PT-310.SP", 5.6)
    assert desk.live.writes == []
    desk.window.open_faceplate(Open(tag="PT-310"))
    desk.beat()
    faceplate = desk.window.panes.faceplate
    assert faceplate is not None
    assert faceplate.card is not None
    assert faceplate.card.box is not None
    assert faceplate.card.box.entry is not None
    assert not faceplate.card.box.entry.isEnabled()


def test_that_the_alarms_of_the_live_plant_stay_in_sight_during_replay(desk: Desk) -> None:
    desk.window.go_to_time(TRIP_US)
    desk.beat()
    before = picture_of(desk.window.navigation)
    desk.live.raise_alarm("PT-401/low")
    desk.beat()
    assert picture_of(desk.window.navigation) != before


def picture_of(widget: QWidget) -> QImage:
    return widget.grab().toImage()


def test_that_f2_acknowledges_the_alarm_in_the_banner(desk: Desk) -> None:
    press(desk, Qt.Key.Key_F2)
    assert desk.live.acknowledged == ["LT-250/high"]
    assert desk.window.banner.text.top is None


def test_that_shift_f2_on_a_screen_acknowledges_only_the_alarms_of_its_tags(desk: Desk) -> None:
    desk.live.raise_alarm("P-302.state/state")
    desk.window.go_to_screen("clear-water")
    desk.beat()
    press(desk, Qt.Key.Key_F2, Qt.KeyboardModifier.ShiftModifier)
    assert desk.live.acknowledged == ["LT-250/high"]


def test_that_the_alarm_list_selects_filters_and_acknowledges(desk: Desk) -> None:
    desk.live.raise_alarm("P-302.state/state")
    press(desk, Qt.Key.Key_F7)
    view = desk.window.alarm_view
    assert view is not None
    assert [r.rule.key for r in view.model.records] == ["P-302.state/state", "LT-250/high", "PLC-2/device_lost"]
    view.select("LT-250/high")
    desk.beat()
    assert view.detail.record is not None
    press(desk, Qt.Key.Key_F2)
    assert desk.live.acknowledged == ["LT-250/high"]
    assert [r.rule.key for r in view.selected()] == ["LT-250/high"], "the cursor stays on its alarm when rows move"
    press(desk, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(view.field, "filters")
    desk.beat()
    assert [r.rule.key for r in view.model.records] == ["PLC-2/device_lost"]


def test_that_replay_it_begins_a_minute_before_the_alarm(desk: Desk) -> None:
    desk.window.show_alarms()
    desk.beat()
    press(desk, Qt.Key.Key_F8)
    assert desk.replays[0].went == [NOW_US - 10 * MINUTE - 32 * SECOND]


def test_that_the_journal_tells_everything_newest_first(desk: Desk) -> None:
    desk.window.show_alarms()
    view = desk.window.alarm_view
    assert view is not None
    view.choose(JOURNAL)
    desk.beat()
    times = [event.time_us for event in view.journal.events]
    assert len(times) == 8
    assert times == sorted(times, reverse=True)


def test_that_the_palette_opens_a_tag_by_keyboard_alone(desk: Desk) -> None:
    press(desk, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.focusWidget() is desk.window.search.field or desk.window.search.field.hasFocus()
    QTest.keyClicks(desk.window.search.field, "outgoing")
    QTest.keyClick(desk.window.search.field, Qt.Key.Key_Return)
    desk.beat()
    assert not desk.window.search.isVisible()
    assert desk.window.panes.faceplate is not None
    assert desk.window.panes.faceplate.tag == "FT-310"


def test_that_the_palette_goes_to_a_time(desk: Desk) -> None:
    desk.window.open_palette()
    QTest.keyClicks(desk.window.search.field, "02:50")
    QTest.keyClick(desk.window.search.field, Qt.Key.Key_Return)
    desk.beat()
    assert desk.replays[0].went == [NOW_US - 22 * MINUTE - 44 * SECOND]


def test_that_escape_steps_out_from_the_inside(desk: Desk) -> None:
    desk.window.go_to_time(TRIP_US)
    desk.window.open_faceplate(Open(tag="LT-250"))
    desk.window.open_palette()
    desk.beat()
    QTest.keyClick(desk.window.search.field, Qt.Key.Key_Escape)
    assert not desk.window.search.isVisible()
    press(desk, Qt.Key.Key_Escape)
    assert not desk.window.panes.is_open
    assert desk.window.session.mode is Mode.REPLAY
    press(desk, Qt.Key.Key_Escape)
    assert desk.window.session is desk.live


def open_setpoint(desk: Desk) -> "tuple[object, object]":
    desk.window.open_faceplate(Open(tag="PT-310"))
    desk.beat()
    faceplate = desk.window.panes.faceplate
    assert faceplate is not None
    assert faceplate.card is not None
    box = faceplate.card.box
    assert box is not None
    assert box.entry is not None
    return box, box.entry


def test_that_a_setpoint_is_shown_as_pending_until_the_device_confirms_it(desk: Desk) -> None:
    box, entry = open_setpoint(desk)
    QTest.keyClicks(entry, "5,6")  # type: ignore[arg-type]
    QTest.keyClick(entry, Qt.Key.Key_Return)  # type: ignore[arg-type]
    desk.beat(4, SECOND // 2)
    [write] = desk.live.writes
    assert (write.tag, write.value) == ("PT-310.SP", 5.6)
    assert box._state.text() == "Pending. 5.60 bar sent 03:12:44, not yet confirmed by PLC-1."  # type: ignore[attr-defined]
    assert box._count.text() == "2 s of 5 s"  # type: ignore[attr-defined]
    assert box._old.text() == "5.40 bar", "the old value stays until the device confirms"  # type: ignore[attr-defined]
    desk.live.put("PT-310.SP", 5.6)
    desk.live.end_write(WriteState.CONFIRMED)
    desk.beat()
    assert box._old.text() == "5.60 bar"  # type: ignore[attr-defined]
    assert box._state.text() == "5.60 bar sent 03:12:44: confirmed in 2.0 s."  # type: ignore[attr-defined]


def test_that_a_write_out_of_range_is_not_sent_and_the_range_is_told(desk: Desk) -> None:
    box, entry = open_setpoint(desk)
    QTest.keyClicks(entry, "7")  # type: ignore[arg-type]
    QTest.keyClick(entry, Qt.Key.Key_Return)  # type: ignore[arg-type]
    desk.beat()
    assert desk.live.writes == []
    assert box._state.text() == "Not sent: outside 4.00 to 6.00 bar."  # type: ignore[attr-defined]


def test_that_an_unconfirmed_write_stays_until_somebody_has_looked(desk: Desk) -> None:
    box, _ = open_setpoint(desk)
    desk.window.operations.ask_write("PT-310.SP", 5.6)
    desk.live.end_write(WriteState.UNKNOWN, "no answer within 5 s")
    desk.beat()
    assert "not confirmed by the device: no answer within 5 s" in box._state.text()  # type: ignore[attr-defined]
    assert "not confirmed by the device" in desk.window.stage.notice.text
    box._look.click()  # type: ignore[attr-defined]
    assert box._state.text() == ""  # type: ignore[attr-defined]


def test_that_a_question_is_asked_in_place_and_no_means_nothing_is_written(desk: Desk) -> None:
    desk.window.operations.ask_write("P-301.run", True)
    question = desk.window.stage.question
    assert question.isVisible()
    assert question.text == "Set High-lift pump 1 start to on?"
    desk.beat()
    QTest.keyClick(question, Qt.Key.Key_Escape)
    assert desk.live.writes == []
    desk.window.operations.ask_write("P-301.run", True, "Start P-301?")
    QTest.keyClick(question, Qt.Key.Key_Return)
    [write] = desk.live.writes
    assert (write.value, write.confirmed_by_user) == (True, True)
    desk.live.end_write(WriteState.CONFIRMED)


def test_that_a_question_left_open_dies_with_replay(desk: Desk) -> None:
    desk.window.operations.ask_write("P-301.run", True, "Start P-301?")
    desk.window.go_to_time(TRIP_US)
    desk.beat()
    assert not desk.window.stage.question.isVisible()
    assert desk.live.writes == []


def test_that_a_click_on_a_pump_opens_its_faceplate_beside_the_screen(desk: Desk) -> None:
    mimic = desk.window.mimic
    assert mimic is not None
    pump = next(d for d in mimic.board.drawables if d.element.id == "P-301")
    QTest.mouseClick(mimic, Qt.MouseButton.LeftButton, pos=mimic.place_of(pump))
    desk.beat()
    faceplate = desk.window.panes.faceplate
    assert faceplate is not None
    assert faceplate.title == "P-301"
    assert faceplate.tags == ["P-301.state", "P-301.run"]
    assert faceplate.width() == 568
    assert mimic.width() == 1352
    faceplate.show_tab(LIMITS)
    assert faceplate.rows.shown == [("", "No limits")]
    faceplate.show_tag("P-301.run")
    faceplate.show_tab(EVENTS)
    desk.beat(8)
    assert faceplate.rows.shown == [("", "No events in the last 7 days")]


def test_that_the_faceplate_is_a_drawer_in_a_narrow_window(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(1280, 720)
    desk.window.open_faceplate(Open(tag="LT-250"))
    desk.beat()
    assert desk.window.mimic is not None
    assert desk.window.mimic.width() == 1280
    assert desk.window.panes.faceplate is not None
    assert desk.window.panes.faceplate.width() == 568


def test_that_levels_views_and_history_are_reached_by_keyboard(desk: Desk) -> None:
    window = desk.window
    window.go_to_screen("clear-water")
    desk.beat()
    assert window.navigation.levels[1].text() == "Clear water"
    press(desk, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert window.trail.here.screen == "overview"
    press(desk, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert window.trail.here.screen == "clear-water"
    press(desk, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert window.trail.here.screen == "overview"
    press(desk, Qt.Key.Key_F6)
    assert window.navigation.trend.current
    assert not any(tab.current for tab in window.navigation.levels)


def test_that_a_screen_that_does_not_exist_is_told(desk: Desk) -> None:
    desk.window.go_to_screen("boiler")
    assert desk.window.stage.notice.text == "There is no screen 'boiler'."
    assert desk.window.trail.here.screen == "overview"


def test_that_a_saved_screen_is_shown_anew_at_once_and_problems_are_told(desk: Desk) -> None:
    shown = desk.window.screen_shown
    desk.live.problems = [
        Problem(Place("screens/overview.yaml", 33, 10), "E201", "unknown tag 'tank.levl'", "did you mean 'tank.level'?")
    ]
    desk.live.plant = make_plant()
    desk.live.plant_version += 1
    desk.beat(1)
    assert desk.window.screen_shown is not shown
    assert desk.window.stage.notice.text == "1 problem in the plant's files. F12 shows them."
    assert "1 problem in files" in [word.text for word in desk.window.navigation.health.words]
    press(desk, Qt.Key.Key_F12)
    status = desk.window.panes.status
    assert status is not None
    [text] = [problem.text() for problem in status.problem_labels]
    assert text == "screens/overview.yaml:33:10\nunknown tag 'tank.levl'\nHint: did you mean 'tank.level'?"


def test_that_the_manual_opens_by_f1_and_knows_the_keys(desk: Desk) -> None:
    press(desk, Qt.Key.Key_F1)
    manual = desk.window.panes.manual
    assert manual is not None
    text = manual.text.toPlainText()
    assert "Shift+F2" in text
    assert "not recorded" in text
    press(desk, Qt.Key.Key_F1)
    assert not desk.window.panes.is_open


def test_that_f9_tells_why_the_focused_value_is_what_it_is(desk: Desk) -> None:
    mimic = desk.window.mimic
    assert mimic is not None
    mimic.focus_on(next(d for d in mimic.board.drawables if d.element.id == "level"))
    press(desk, Qt.Key.Key_F9)
    faceplate = desk.window.panes.faceplate
    assert faceplate is not None
    assert faceplate.tag == "LT-250"


def test_that_light_and_dark_are_switched_by_a_key(desk: Desk) -> None:
    dark = desk.window.grab().toImage().pixelColor(1800, 300).lightness()
    press(desk, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    light = desk.window.grab().toImage().pixelColor(1800, 300).lightness()
    assert dark < 60
    assert light > 180


def test_that_the_trend_takes_pens_shows_gaps_and_the_cursor_tells_values(desk: Desk) -> None:
    for tag in ("PT-310", "FT-402"):
        desk.window.show_trend(tag)
    trend = desk.window.trend
    assert trend is not None
    trend.show_span(8 * HOUR)
    trend.source.forget()
    desk.beat(8)
    trend.plot.set_cursor(NOW_US - 100 * MINUTE)
    trend.table.recount()
    lines = trend.table.lines()
    assert [texts[1] for _, texts, _ in lines] == ["PT-310", "FT-402"]
    assert [texts[3] for _, texts, _ in lines] == ["left, bar", "right, L/s"]
    assert lines[1][1][5] == "uncertain, sensor not accurate"
    assert lines[0][1][9] == "96.2"
    [gap] = trend.source.pens[0].gaps
    assert gap.why == "Collector stopped by Engineer 1: update"
    trend.plot.set_cursor(GAP[0] + MINUTE)
    assert [texts[4] for _, texts, _ in trend.table.lines()] == ["—", "—"]


def test_that_a_ninth_pen_is_not_taken(desk: Desk) -> None:
    tags = [tag.name for tag in desk.live.plant.tags][:9]
    for tag in tags:
        desk.window.show_trend(tag)
    assert desk.window.trend is not None
    assert [pen.number for pen in desk.window.trend.source.pens] == list(range(1, 9))


def test_that_live_samples_continue_the_curve_without_asking_again(desk: Desk) -> None:
    desk.window.show_trend("PT-310")
    desk.beat()
    trend = desk.window.trend
    assert trend is not None
    asked = len(desk.live.asked)
    for i in range(20):
        desk.clock.advance_us(SECOND)
        desk.live.put("PT-310", 5.0 + i / 100)
        desk.beat(1)
    [pen] = trend.source.pens
    assert pen.live is not None
    assert pen.live.value[-1] == pytest.approx(5.19)
    assert (pen.live.time_us[-20:] - NOW_US).tolist() == [SECOND * (i + 1) for i in range(20)]
    assert len([a for a in desk.live.asked[asked:] if a[0] == ("PT-310",)]) == 0


def test_that_the_trend_goes_along_into_the_past(desk: Desk) -> None:
    desk.window.show_trend("P-302.state")
    desk.beat()
    desk.window.go_to_time(TRIP_US + MINUTE)
    desk.beat(6)
    trend = desk.window.trend
    assert trend is not None
    assert trend.plot.timeline.end_us == TRIP_US + MINUTE
    [pen] = trend.source.pens
    assert pen.live is not None
    assert pen.live.value[-1] == 2, "tripped"
    assert int(pen.live.time_us[-1]) <= TRIP_US + MINUTE, "nothing from after the time that is shown"


def test_that_the_frame_stays_far_below_fifty_milliseconds(desk: Desk) -> None:
    desk.window.pump.beat()
    for _ in range(20):
        desk.clock.advance_us(50_000)
        desk.window.pump.beat()
        QApplication.processEvents()
    assert desk.window.pump.frames == 21


def test_that_space_never_operates_the_plant_even_with_a_button_in_focus(desk: Desk) -> None:
    desk.window.go_to_screen("clear-water")
    desk.beat()
    mimic = desk.window.mimic
    assert mimic is not None
    mimic.focus_on(next(d for d in mimic.board.drawables if d.element.type == "button"))
    press(desk, Qt.Key.Key_Space)
    assert not desk.window.stage.question.isVisible()
    assert desk.live.writes == []
    assert desk.window.session.mode is Mode.REPLAY


def test_that_hiding_a_view_gives_no_element_of_the_next_one_the_ring(desk: Desk) -> None:
    desk.window.show_alarms()
    desk.beat()
    assert desk.window.alarm_view is not None
    desk.window.alarm_view.field.setFocus()
    desk.window.go_to_screen("overview")
    desk.beat()
    assert desk.window.mimic is not None
    assert desk.window.mimic.focused is None


def test_that_a_button_reached_by_tab_is_pressed_by_enter(desk: Desk) -> None:
    desk.window.navigation.back.hide()
    button = desk.window.banner.findChild(type(desk.window.navigation.back))
    assert button is not None
    button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(button, Qt.Key.Key_Return)
    desk.beat()
    assert desk.live.acknowledged == ["LT-250/high"]


def test_that_a_silent_historian_is_told_and_never_taken_for_an_empty_history(desk: Desk, qtbot: QtBot) -> None:
    desk.live.historian_trouble = "connection refused"
    desk.window.show_trend("PT-310")
    desk.beat()
    trend = desk.window.trend
    assert trend is not None
    assert trend.plot.failure == "connection refused"
    [(_, texts, _)] = trend.table.lines()
    assert texts[4:] == ("", "history not known", "", "", "", "")
    desk.live.historian_trouble = ""
    qtbot.waitUntil(lambda: (desk.beat(1), trend.plot.failure)[1] == "", timeout=10_000)
    trend.table.recount()
    [(_, texts, _)] = trend.table.lines()
    assert texts[5] == "good"
