"""The widget under keyboard and mouse."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolTip
from pytestqt.qtbot import QtBot

from hmi.core.alarm import AlarmKind
from hmi.core.command import WriteState
from hmi.core.screen import Open
from hmi.core.session import Mode
from hmi.core.status import BAD_NO_COMMUNICATION, Quality
from hmi.core.table import Table
from hmi.mimic.paint_control import SetpointDrawable
from hmi.mimic.state import PLAIN
from hmi.mimic.theme import Role, Theme
from hmi.mimic.view import MimicView
from tests.mimic.pixels import pixels
from tests.mimic.plant_on_a_table import PlantOnATable, discrete, limit, measure, plant_of, screen_of, writable
from tests.mimic.states_sheet import element

SIZE = (600.0, 300.0)
ELEMENTS = (
    element(type="text", id="title", at=(16, 24), text="Clear water", style="heading", open={"screen": "clear-water"}),
    element(type="value", id="level", at=(20, 60), size=(120, 32), value="LT-250"),
    element(type="pump", id="pump", at=(300, 76), state="P-301.state",
            open={"faceplate": "pump", "with": {"pump": "P-301"}}),
    element(type="button", id="start", at=(20, 140), text="Start", write="P-301.start", to=1),
    element(type="button", id="stop", at=(140, 140), text="Stop", write="P-301.start", to=0, confirm="Stop P-301?"),
    element(type="setpoint", id="sp", at=(20, 220), tag="P-301.sp"),
    element(type="line", points=((0, 290), (600, 290))),
)  # fmt: skip


def plant_session(mode: Mode = Mode.LIVE) -> PlantOnATable:
    tags = [
        measure("LT-250", description="Clear-water tank level"),
        discrete("P-301.state", {0: "standby", 1: "running"}),
        writable(discrete("P-301.start", {0: "no", 1: "yes"})),
        writable(measure("P-301.sp", unit="%", high=100, decimals=1), 20, 100),
    ]
    session = PlantOnATable(plant_of(tags, [limit("LT-250", AlarmKind.HIGH, 4.5)]), mode)
    session.put_all({"LT-250": 3.87, "P-301.state": 0, "P-301.start": 0, "P-301.sp": 74})
    return session


class Shown:
    """A view on the glass, with everything that it has said."""

    def __init__(self, qtbot: QtBot, session: PlantOnATable) -> None:
        self.session = session
        self.view = MimicView(session, screen_of(ELEMENTS, SIZE), Theme.load("dark"))
        qtbot.addWidget(self.view)
        self.view.resize(600, 300)
        self.opened: list[tuple[Open, str]] = []
        self.written: list[tuple[str, object, str]] = []
        self.focused: list[str] = []
        self.view.opened.connect(lambda what, tag: self.opened.append((what, tag)))
        self.view.write_requested.connect(lambda tag, value, question: self.written.append((tag, value, question)))
        self.view.focused_tag.connect(self.focused.append)
        self.view.show()
        self.view.frame()

    def at(self, name: str) -> QPoint:
        return self.view.place_of(self.element(name))

    def element(self, name: str) -> SetpointDrawable:
        return next(d for d in self.view.board.drawables if d.element.id == name)

    def click(self, name: str) -> None:
        QTest.mouseClick(self.view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, self.at(name))

    def keys(self, text: str) -> None:
        for char in text:
            QTest.keyClick(self.view, char)

    def press(self, key: Qt.Key) -> None:
        QTest.keyClick(self.view, key)

    def focus(self, name: str) -> None:
        self.view.focus_on(self.element(name))

    @property
    def focused_id(self) -> str | None:
        return self.view.focused.element.id if self.view.focused is not None else None


@pytest.fixture
def shown(qtbot: QtBot) -> Iterator[Shown]:
    return Shown(qtbot, plant_session())


def test_that_a_click_on_a_value_opens_the_faceplate_of_its_tag(shown: Shown) -> None:
    shown.click("level")
    assert [(o.tag, tag) for o, tag in shown.opened] == [("LT-250", "LT-250")]


def test_that_a_click_opens_what_the_file_says(shown: Shown) -> None:
    shown.click("pump")
    shown.click("title")
    assert [(o.faceplate, o.screen, tag) for o, tag in shown.opened] == [
        ("pump", None, "P-301.state"),
        (None, "clear-water", ""),
    ]


def test_that_tab_walks_through_all_that_can_be_reached_and_then_leaves(shown: Shown) -> None:
    walked = []
    while shown.view.focusNextPrevChild(True) and shown.focused_id is not None and len(walked) < 20:
        walked.append(shown.focused_id)
    assert walked == ["title", "level", "pump", "start", "stop", "sp"]
    assert shown.view.focused is None


def test_that_arrows_go_to_the_nearest_element_that_way(shown: Shown) -> None:
    shown.focus("level")
    shown.press(Qt.Key.Key_Right)
    assert shown.focused_id == "pump"
    shown.press(Qt.Key.Key_Left)
    assert shown.focused_id == "level"
    shown.press(Qt.Key.Key_Down)
    assert shown.focused_id == "start"
    assert shown.focused[-1] == "P-301.start"


def test_that_enter_opens_the_focused_element(shown: Shown) -> None:
    shown.focus("level")
    shown.press(Qt.Key.Key_Return)
    assert shown.opened[0][1] == "LT-250"


def test_that_the_focus_has_a_ring_and_a_name_for_screen_readers(shown: Shown) -> None:
    before = pixels(shown.view.grab().toImage())
    shown.view.setFocus()
    shown.focus("level")
    after = pixels(shown.view.grab().toImage())
    changed = np.argwhere(np.abs(before - after).max(axis=2) > 100)
    assert len(changed) > 100 if shown.view.hasFocus() else len(changed) == 0
    assert shown.view.accessibleName() == "LT-250 Clear-water tank level"
    assert shown.view.accessibleDescription() == "3.87 m; good"


def test_that_a_button_asks_for_its_write_and_nothing_is_shown_as_done(shown: Shown) -> None:
    before = pixels(shown.view.board.picture.toImage())
    shown.click("start")
    shown.view.frame()
    assert shown.written == [("P-301.start", 1.0, "")]
    assert np.array_equal(before, pixels(shown.view.board.picture.toImage()))


def test_that_a_button_with_a_question_hands_the_question_over(shown: Shown) -> None:
    shown.click("stop")
    assert shown.written == [("P-301.start", 0.0, "Stop P-301?")]


def test_that_a_pending_button_is_not_pressed_twice(shown: Shown) -> None:
    shown.session.add_write("P-301.start", 1, WriteState.PENDING)
    shown.view.frame()
    shown.click("start")
    assert shown.written == []
    shown.click("stop")
    assert shown.written == [("P-301.start", 0.0, "Stop P-301?")], "stopping is always possible"


def test_that_a_setpoint_is_typed_and_sent_with_enter(shown: Shown) -> None:
    shown.focus("sp")
    shown.keys("78,5")
    field = shown.element("sp")
    assert field.edit is not None
    assert field.edit.text == "78,5"
    shown.press(Qt.Key.Key_Return)
    assert shown.written == [("P-301.sp", 78.5, "")]
    assert field.edit is None


def test_that_a_click_begins_the_edit_and_escape_drops_it(shown: Shown) -> None:
    shown.click("sp")
    field = shown.element("sp")
    assert field.edit is not None
    shown.keys("5")
    shown.press(Qt.Key.Key_Backspace)
    assert field.edit.text == ""
    shown.press(Qt.Key.Key_Escape)
    assert field.edit is None
    assert shown.written == []


@pytest.mark.parametrize("typed", ["178", "5", "-3", "1.2.3", ""])
def test_that_a_wrong_setpoint_is_refused_at_once_with_its_range(shown: Shown, typed: str) -> None:
    shown.click("sp")
    shown.keys(typed)
    shown.press(Qt.Key.Key_Return)
    field = shown.element("sp")
    assert shown.written == []
    assert field.edit is not None, "the field stays open"
    assert field.edit.error in ("20.0 to 100.0 % only", "not a number", "type a number")


def test_that_too_much_is_said_while_typing(shown: Shown) -> None:
    shown.click("sp")
    shown.keys("178")
    field = shown.element("sp")
    assert field.edit is not None
    assert field.edit.error == "20.0 to 100.0 % only"


def test_that_the_windows_shortcuts_do_not_take_keys_from_the_field(shown: Shown) -> None:
    taken: list[str] = []
    for keys in ("-", "Esc"):
        shortcut = QShortcut(QKeySequence(keys), shown.view)
        shortcut.activated.connect(lambda keys=keys: taken.append(keys))
    shown.view.activateWindow()
    shown.view.setFocus()
    shown.focus("sp")
    shown.keys("-3")
    field = shown.element("sp")
    assert field.edit is not None
    assert field.edit.text == "-3"
    shown.press(Qt.Key.Key_Escape)
    assert field.edit is None
    assert taken == []
    shown.press(Qt.Key.Key_Escape)
    assert taken == ["Esc"], "with no field open, Esc is the window's"


def test_that_space_presses_no_button_because_it_plays_the_time(shown: Shown) -> None:
    shown.focus("start")
    shown.press(Qt.Key.Key_Space)
    assert shown.written == []


def test_that_an_edit_ends_when_the_focus_moves_on(shown: Shown) -> None:
    shown.click("sp")
    shown.keys("78")
    field = shown.element("sp")
    shown.focus("level")
    assert field.edit is None
    assert shown.written == []


def test_that_nothing_can_be_written_in_replay(qtbot: QtBot) -> None:
    shown = Shown(qtbot, plant_session(Mode.REPLAY))
    for name in ("start", "stop", "sp"):
        shown.click(name)
    shown.focus("sp")
    shown.keys("78")
    shown.press(Qt.Key.Key_Return)
    assert shown.written == []
    assert shown.element("sp").edit is None


def test_that_an_unknown_write_stays_until_somebody_has_looked(shown: Shown) -> None:
    shown.session.add_write("P-301.sp", 78, WriteState.UNKNOWN)
    shown.view.frame()
    field = shown.element("sp")
    situation = shown.view.board.situation
    assert situation.condition(field.bound).write is not None
    shown.click("sp")
    assert situation.condition(field.bound).write is None


def test_that_a_reload_keeps_the_focus_and_shows_the_new_screen(shown: Shown) -> None:
    shown.focus("level")
    moved = [e.model_copy(update={"at": (200, 60)}) if e.id == "level" else e for e in ELEMENTS]
    shown.view.set_screen(screen_of(moved, SIZE))
    assert shown.focused_id == "level"
    assert shown.element("level").rect.x() == 200


def test_that_a_new_plant_is_never_shown_with_the_numbers_of_other_tags(shown: Shown) -> None:
    session = shown.session
    session.plant = plant_of([measure("NEW-1"), *session.plant.tags])
    session.table = Table(len(session.plant.tags))
    session.put_all({"NEW-1": 9.99, "LT-250": 3.87})
    shown.view.frame()
    level = shown.element("level")
    assert level.look(shown.view.board.situation).body.text == "3.87"


def test_that_a_new_table_of_the_same_plant_is_read_from_its_beginning(shown: Shown) -> None:
    session = shown.session
    session.table = Table(len(session.plant.tags))
    shown.view.frame()
    situation = shown.view.board.situation
    assert situation.condition(shown.element("level").bound).quality is Quality.NEVER_READ
    session.put("LT-250", 4.1)
    shown.view.frame()
    assert situation.condition(shown.element("level").bound) is PLAIN


def test_that_the_tooltip_says_value_quality_and_reason(shown: Shown) -> None:
    shown.session.put("LT-250", 3.87, BAD_NO_COMMUNICATION)
    shown.view.frame()
    at = shown.at("level")
    shown.view.event(QHelpEvent(QEvent.Type.ToolTip, at, shown.view.mapToGlobal(at)))
    assert QToolTip.text() == "LT-250 Clear-water tank level: bad, no comm"
    QToolTip.hideText()


def test_that_the_screen_fits_the_window_and_clicks_follow(shown: Shown) -> None:
    shown.view.resize(1200, 900)
    shown.view.frame()
    assert shown.view.board.scale == 2.0
    assert shown.view.board.at(shown.view.board.to_screen(QPointF(shown.at("pump")))) is shown.element("pump")
    shown.click("pump")
    assert shown.opened[0][1] == "P-301.state"


@pytest.mark.parametrize("scale", [0.4, 0.62, 0.667, 1.0, 1.5])
def test_that_no_text_is_smaller_than_twelve_pixels_on_the_glass(scale: float) -> None:
    for role in Role:
        if role is not Role.DIGIT:
            assert role.pixels(scale) * scale >= 11.99


def test_that_a_frame_costs_no_more_than_the_window_can_give(shown: Shown) -> None:
    shown.session.put("LT-250", 3.9)
    shown.view.frame()
    assert 0 < shown.view.frame_ms < 50
    assert shown.view.sizeHint() == QSize(600, 300)
