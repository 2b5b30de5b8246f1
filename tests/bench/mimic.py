"""Bench `mimic`: CPU time of a frame with 1,000 bound elements all changing, and the time to open such a screen.

The peer draws the same mix as plain items of a QGraphicsView in the same run: what one gets without writing a painter.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QBrush, QPen, QPolygonF
from PySide6.QtWidgets import (
    QApplication,
    QGraphicsEllipseItem,
    QGraphicsItem,
    QGraphicsLineItem,
    QGraphicsPolygonItem,
    QGraphicsRectItem,
    QGraphicsScene,
    QGraphicsSimpleTextItem,
    QGraphicsView,
)

from hmi.core.alarm import AlarmKind
from hmi.core.batch import make_batch
from hmi.core.clock import SECOND
from hmi.core.screen import AnyElement
from hmi.core.tag import Tag
from hmi.mimic.theme import Role, Theme, load_fonts
from hmi.mimic.view import MimicView
from tests.bench.figure import Figure
from tests.mimic.plant_on_a_table import PlantOnATable, discrete, limit, measure, plant_of, screen_of
from tests.mimic.states_sheet import element

COLUMNS, ROWS, CELL_W, CELL_H = 40, 25, 48.0, 35.0
COUNT = COLUMNS * ROWS
FRAMES = 40


def kind_of(i: int) -> str:
    """40 % values, 20 % indicators and tanks, 20 % pipes and valves, 20 % pumps."""
    return ("value", "value", "value", "value", "indicator", "tank", "pipe", "valve", "pump", "pump")[i % 10]


def build() -> tuple[list[Tag], list[AnyElement]]:
    tags: list[Tag] = []
    elements: list[AnyElement] = []
    for i in range(COUNT):
        x, y = (i % COLUMNS) * CELL_W, (i // COLUMNS) * CELL_H
        kind, name = kind_of(i), f"T-{i}"
        if kind in ("value", "indicator", "tank"):
            tags.append(measure(name, unit="", normal=(3.0, 7.0)))
        else:
            tags.append(discrete(name, {0: "stopped", 1: "running"}))
        if kind == "value":
            elements.append(element(type="value", at=(x + 2, y + 4), size=(44, 26), value=name))
        elif kind == "indicator":
            elements.append(element(type="indicator", at=(x + 4, y + 10), size=(42, 16), value=name))
        elif kind == "tank":
            elements.append(element(type="tank", at=(x + 10, y + 5), size=(22, 24), level=name))
        elif kind == "pipe":
            elements.append(element(type="pipe", points=((x + 6, y + 17), (x + 42, y + 17)), flow=name))
        elif kind == "valve":
            elements.append(element(type="valve", at=(x + 24, y + 18), size=22, state=name))
        else:
            elements.append(element(type="pump", at=(x + 24, y + 17), size=20, state=name))
    return tags, elements


def new_values(n: int, seed: int) -> np.ndarray:
    """Values for all tags such that every element looks different from the frame before."""
    rng = np.random.default_rng(seed)
    values = rng.random(n) * 10
    discrete_tags = np.array([kind_of(i) in ("pipe", "valve", "pump") for i in range(n)])
    values[discrete_tags] = seed % 2
    return values


def cpu_ms(call: Callable[[], None]) -> float:
    begin = time.thread_time_ns()
    call()
    return (time.thread_time_ns() - begin) / 1e6


def ours() -> tuple[float, float]:
    """CPU ms a frame, and ms from making the view to its first complete paint."""
    tags, elements = build()
    rules = [limit(t.name, AlarmKind.HIGH, 9.0) for t in tags if t.unit == "" and not t.states]
    session = PlantOnATable(plant_of(tags, rules))
    index = np.arange(COUNT, dtype=np.int32)
    session.table.apply(make_batch(index, session.time_us, new_values(COUNT, 0)))
    begin = time.perf_counter()
    view = MimicView(session, screen_of(elements, (1920, 888)), Theme.load("dark"))
    view.resize(1920, 888)
    view.show()
    while not view.board.ready:
        QApplication.processEvents()
    view.frame()
    view.repaint()
    opened = (time.perf_counter() - begin) * 1000

    def frame() -> None:
        view.frame()
        view.repaint()

    costs = []
    for n in range(1, FRAMES + 5):
        session.time_us += SECOND // 10
        session.table.apply(make_batch(index, session.time_us, new_values(COUNT, n)))
        costs.append(cpu_ms(frame))
    view.close()
    return statistics.median(costs[5:]), opened


class Peer:
    """The same mix as items of a QGraphicsView."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self.scene = QGraphicsScene(0, 0, 1920, 888)
        self.scene.setBackgroundBrush(theme.canvas)
        self.view = QGraphicsView(self.scene)
        self.items: list[QGraphicsItem] = [self._item(i) for i in range(COUNT)]
        self.view.resize(1922, 890)

    def _item(self, i: int) -> QGraphicsItem:
        x, y = (i % COLUMNS) * CELL_W, (i // COLUMNS) * CELL_H
        kind, pen = kind_of(i), QPen(self.theme.line, 2)
        item: QGraphicsItem
        if kind == "value":
            text = QGraphicsSimpleTextItem("0.00")
            text.setFont(self.theme.font(Role.STATE))
            text.setBrush(self.theme.ink)
            text.setPos(x + 4, y + 6)
            item = text
        elif kind in ("indicator", "tank"):
            item = QGraphicsRectItem(x + 10, y + 5, 22, 24)
        elif kind == "pipe":
            item = QGraphicsLineItem(x + 6, y + 17, x + 42, y + 17)
        elif kind == "valve":
            corners = [QPointF(x + a, y + b) for a, b in ((13, 10), (35, 25), (35, 10), (13, 25))]
            item = QGraphicsPolygonItem(QPolygonF(corners))
        else:
            item = QGraphicsEllipseItem(x + 14, y + 7, 20, 20)
        if isinstance(item, QGraphicsRectItem | QGraphicsPolygonItem | QGraphicsEllipseItem | QGraphicsLineItem):
            item.setPen(pen)
        self.scene.addItem(item)
        return item

    def change(self, values: np.ndarray) -> None:
        fills = QBrush(self.theme.stop), QBrush(self.theme.run)
        for i, (item, value) in enumerate(zip(self.items, values.tolist(), strict=True)):
            if isinstance(item, QGraphicsSimpleTextItem):
                item.setText(f"{value:.2f}")
            elif isinstance(item, QGraphicsRectItem):
                x, y = (i % COLUMNS) * CELL_W, (i // COLUMNS) * CELL_H
                item.setRect(QRectF(x + 10, y + 5 + 2.4 * (10 - value), 22, 2.4 * value))
                item.setBrush(self.theme.level)
            elif isinstance(item, QGraphicsLineItem):
                item.setPen(QPen(self.theme.pipe, 4 if value else 2))
            elif isinstance(item, QGraphicsPolygonItem | QGraphicsEllipseItem):
                item.setBrush(fills[int(value)])


def peer() -> tuple[float, float]:
    begin = time.perf_counter()
    shown = Peer(Theme.load("dark"))
    shown.view.show()
    QApplication.processEvents()
    shown.view.viewport().repaint()
    opened = (time.perf_counter() - begin) * 1000

    def frame(values: np.ndarray) -> None:
        shown.change(values)
        QApplication.processEvents()
        shown.view.viewport().repaint()

    costs = [cpu_ms(partial(frame, new_values(COUNT, n))) for n in range(1, FRAMES + 5)]
    shown.view.close()
    return statistics.median(costs[5:]), opened


def figures() -> Iterator[Figure]:
    application = QApplication.instance() or QApplication([])
    load_fonts()
    assert application is not None
    runs = [(ours(), peer()) for _ in range(3)]
    for at, (figure, unit) in enumerate((("mimic_1000_100", "ms CPU per frame"), ("open_1000_ms", "ms"))):
        mine = statistics.median(run[0][at] for run in runs)
        theirs = statistics.median(run[1][at] for run in runs)
        yield Figure("mimic", figure, mine, unit, "QGraphicsView, plain items", theirs)
