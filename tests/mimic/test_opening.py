"""A screen opens in slices, so that the window goes on answering, and shows nothing before it shows all."""

import pytest
from PySide6.QtCore import QCoreApplication, QSize
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from hmi.core.screen import AnyElement
from hmi.core.session import Mode
from hmi.mimic.board import Board
from hmi.mimic.theme import Theme, Themes
from hmi.mimic.view import MimicView
from tests.mimic.pixels import pixels
from tests.mimic.plant_on_a_table import NOW_US, PlantOnATable, discrete, measure, plant_of, screen_of
from tests.mimic.states_sheet import element

COUNT = 600
MOST_TURNS = 2000


def many() -> tuple[PlantOnATable, tuple[AnyElement, ...]]:
    """A screen full of values and pumps."""
    session = PlantOnATable(plant_of([measure("LT-250"), discrete("P-301.state", {0: "standby", 1: "running"})]))
    session.put_all({"LT-250": 3.87, "P-301.state": 1})
    made = [
        element(type="value", at=(i % 30 * 60, i // 30 * 40), size=(56, 28), value="LT-250")
        if i % 2
        else element(type="pump", at=(i % 30 * 60 + 20, i // 30 * 40 + 16), size=24, state="P-301.state")
        for i in range(COUNT)
    ]
    return session, tuple(made)


def image_of(view: MimicView) -> QImage:
    return view.grab().toImage()


def open_wholly(view: MimicView) -> int:
    """Turns of the event loop until all is drawn."""
    turns = 0
    while not view.board.ready:
        QCoreApplication.processEvents()
        turns += 1
        assert turns < MOST_TURNS
    return turns


@pytest.fixture
def view(qtbot: QtBot) -> MimicView:
    session, elements = many()
    made = MimicView(session, screen_of(elements, (1800, 800)), Theme.load("dark"))
    qtbot.addWidget(made)
    made.resize(1800, 800)
    return made


def test_that_a_large_screen_opens_over_several_turns_of_the_window(view: MimicView) -> None:
    view.show()
    assert not view.board.ready
    assert view.waiting
    assert open_wholly(view) > 1


def test_that_nothing_of_a_screen_is_shown_before_all_of_it_is(view: MimicView) -> None:
    view.show()
    assert not view.board.ready
    ground = view.board.theme.canvas
    picture = pixels(image_of(view))
    if not view.board.ready:
        assert (picture == (ground.red(), ground.green(), ground.blue())).all()
    open_wholly(view)
    assert len({tuple(p) for p in pixels(image_of(view))[16].tolist()}) > 2


def test_that_a_screen_opened_in_slices_looks_like_one_drawn_at_once(view: MimicView) -> None:
    view.show()
    open_wholly(view)
    at_once = Board(view.board.session, view.board.screen, view.board.theme)
    at_once.layout(QSize(1800, 800))
    at_once.frame()
    assert (pixels(image_of(view)) == pixels(at_once.picture.toImage())).all()


def test_that_a_value_that_comes_while_a_screen_opens_is_shown_with_the_next_frame(view: MimicView) -> None:
    view.show()
    session = view.board.session
    assert isinstance(session, PlantOnATable)
    open_wholly(view)
    before = pixels(image_of(view))
    session.put("LT-250", 1.23)
    view.frame()
    assert (pixels(image_of(view)) != before).any()


def test_that_the_live_picture_is_gone_at_once_when_the_plant_goes_to_another_time(view: MimicView) -> None:
    view.show()
    open_wholly(view)
    themes = Themes()
    session = view.board.session
    past = PlantOnATable(session.plant, Mode.REPLAY)
    past.time_us = NOW_US - 3_600_000_000
    past.put_all({"LT-250": 2.5, "P-301.state": 0})
    drawables = view.board.drawables
    view.set_session(past, themes.get("dark", replay=True))
    assert view.board.picture.isNull()
    assert view.board.at(view.board.drawables[0].rect.center()) is None, "what is not shown cannot be clicked"
    open_wholly(view)
    assert view.board.drawables is drawables, "the screen is not compiled anew for another time"
    assert themes.get("dark", replay=True) is view.board.theme


def test_that_a_screen_takes_over_only_the_tags_it_shows() -> None:
    tags = [measure(f"T-{i}") for i in range(50)]
    session = PlantOnATable(plant_of(tags))
    for tag in tags:
        session.put(tag.name, 1.0)
    elements = (element(type="value", at=(10, 10), value="T-7", tooltip="{T-9}"),)
    board = Board(session, screen_of(elements), Theme.load("dark"))
    board.layout(QSize(1920, 888))
    session.put("T-8", 2.0)
    session.put("T-9", 2.0)
    assert board.frame()
    situation = board.situation
    assert [i for i, value in enumerate(situation.value) if value == value] == [7, 9]
    session.put("T-8", 3.0)
    assert situation.refresh().tags == []
