"""Answers of the historian reach the view on its own thread, and nobody when the view is gone."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QElapsedTimer, QEvent, QObject, QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from hmi.trend.curve import Strokes
from hmi.trend.handover import Handover
from hmi.trend.painting import draw_strokes, spread


def test_that_an_answer_from_another_thread_arrives_on_the_thread_of_the_view(qtbot: QtBot) -> None:
    view = QObject()
    handover = Handover(view)
    seen: list[tuple[int, threading.Thread]] = []
    with ThreadPoolExecutor(1) as worker:
        handover.take(worker.submit(lambda: 42), lambda n: seen.append((n, threading.current_thread())))
        qtbot.waitUntil(lambda: bool(seen), timeout=3000)
    assert seen == [(42, threading.main_thread())]


def test_that_an_answer_that_is_there_already_does_not_come_within_the_question(qtbot: QtBot) -> None:
    view = QObject()
    future: Future[int] = Future()
    future.set_result(1)
    seen: list[int] = []
    Handover(view).take(future, seen.append)
    assert seen == []
    qtbot.waitUntil(lambda: seen == [1], timeout=3000)


def test_that_a_failure_is_handed_over_as_one(qtbot: QtBot) -> None:
    view = QObject()
    future: Future[int] = Future()
    failures: list[BaseException] = []
    Handover(view).take(future, lambda _: pytest.fail("there is no result"), failures.append)
    future.set_exception(OSError("the historian is away"))
    qtbot.waitUntil(lambda: bool(failures), timeout=3000)
    assert str(failures[0]) == "the historian is away"


def test_that_an_answer_to_a_closed_view_is_dropped(qapp: QApplication) -> None:
    view = QObject()
    handover = Handover(view)
    future: Future[int] = Future()
    seen: list[int] = []
    handover.take(future, seen.append)
    view.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert not shiboken6.isValid(handover)
    future.set_result(1)
    QCoreApplication.processEvents()
    assert seen == []


def test_that_a_thick_noisy_curve_does_not_stall_the_window(qapp: QApplication) -> None:
    n = 5_600
    noise = np.random.default_rng(1).normal(size=n)
    curve = Strokes(np.linspace(0, 1455, n), noise, np.zeros(0, np.int64))
    picture = QImage(1608, 592, QImage.Format.Format_RGB32)
    painter = QPainter(picture)
    took = QElapsedTimer()
    took.start()
    draw_strokes(painter, QRectF(64, 40, 1456, 480), curve, -4, 4, QColor("white"), (), thick=True)
    elapsed = took.elapsed()
    painter.end()
    # With a pen two pixels wide this takes more than ten seconds.
    assert elapsed < 1000


def test_that_numbers_at_the_right_end_make_room_for_one_another() -> None:
    assert spread([10, 12, 100], 22, 480) == [10, 32, 100]
    assert spread([470, 475, 479], 22, 480) == [436, 458, 480]
