"""A mistake of the program while it draws: it is told, and the window stays."""

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from hmi.desktop.banner import Banner
from hmi.desktop.window import MainWindow
from tests.desktop.recorded_plant import start


@pytest.mark.qt_no_exception_capture
@pytest.mark.usefixtures("qapp")
def test_that_a_mistake_while_drawing_leaves_no_open_painter(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """An open painter ends the whole process when its widget goes; the next drawing must work as well."""
    live, replay, clock = start()
    window = MainWindow(live, replay, "dark", clock)
    qtbot.addWidget(window)
    window.resize(1920, 1080)
    window.show()
    window.frame()
    told: list[BaseException] = []
    monkeypatch.setattr("sys.excepthook", lambda kind, error, trace: told.append(error))

    def broken(self: Banner, *args: object) -> None:
        raise ZeroDivisionError("a mistake")

    drawn = [name for name in vars(Banner) if name.startswith("_paint")]
    assert drawn
    with monkeypatch.context() as patch:
        for name in drawn:
            patch.setattr(Banner, name, broken)
        window.banner.repaint()
        QApplication.processEvents()
    assert any(isinstance(error, ZeroDivisionError) for error in told)
    before = len(told)
    window.banner.repaint()
    assert len(told) == before
