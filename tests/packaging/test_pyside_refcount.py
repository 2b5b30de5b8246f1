"""PySide6 6.12.0 on Python 3.11 loses a reference of None with each call that returns nothing, until it aborts."""

import sys

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

CALLS = 1_000


def test_that_calls_into_qt_do_not_eat_up_the_references_of_none(qapp: QApplication) -> None:
    image = QImage(16, 16, QImage.Format.Format_ARGB32)
    painter = QPainter(image)
    try:
        before = sys.getrefcount(None)
        for _ in range(CALLS):
            painter.setPen(Qt.GlobalColor.black)
            painter.translate(0, 0)
            painter.drawLine(0, 0, 5, 5)
        lost = before - sys.getrefcount(None)
    finally:
        painter.end()
    # Other parts of the process may take or give a few; the fault loses one or two for each of the 3,000 calls.
    assert abs(lost) < CALLS / 10
