"""Pictures of the whole window, as `hmi render` makes them."""

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication

from hmi.core.clock import HOUR
from hmi.desktop.picture import render_window
from hmi.mimic.theme import Theme
from tests.desktop.recorded_plant import NOW_US, start


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("screen", ["overview", "clear-water", "alarms", "trend"])
def test_that_a_picture_has_the_size_and_the_theme_asked_for(screen: str) -> None:
    live, _, _ = start()
    picture = render_window(live, screen, QSize(1440, 900), "light")
    assert (picture.width(), picture.height()) == (1440, 900)
    assert picture.pixelColor(600, 3) == Theme.load("light").chrome


@pytest.mark.usefixtures("qapp")
def test_that_a_picture_of_the_past_has_the_frame_of_replay() -> None:
    _, replay, _ = start()
    picture = render_window(replay(NOW_US - 4 * HOUR), "overview", QSize(1920, 1080), "dark")
    assert picture.pixelColor(3, 540) == Theme.load("dark", True).replay_blue


def test_that_a_screen_that_does_not_exist_is_an_error(qapp: QApplication) -> None:
    live, _, _ = start()
    with pytest.raises(KeyError):
        render_window(live, "boiler", QSize(1920, 1080), "dark")
