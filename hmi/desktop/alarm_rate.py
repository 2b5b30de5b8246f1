"""New alarms per ten minutes: whether operators can still follow."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from hmi.core.clock import DAY, HOUR, MINUTE
from hmi.core.event import Event, EventKind
from hmi.core.plant import Plant
from hmi.desktop.furniture import Themed, font
from hmi.mimic.marks import pen
from hmi.mimic.theme import Theme
from hmi.trend.axes import time_ticks

SPAN_US = 8 * HOUR
BAR_US = 10 * MINUTE
FLOOD = 10
MANAGEABLE_A_DAY = 150


def rate_of(events: Sequence[Event], now_us: int) -> tuple[list[int], int]:
    """New alarms in each ten minutes of the last eight hours, oldest first, and in the last 24 hours."""
    times = np.array([e.time_us for e in events if e.kind is EventKind.ALARM_RAISED and e.time_us <= now_us], np.int64)
    bars, _ = np.histogram(times, bins=SPAN_US // BAR_US, range=(now_us - SPAN_US, now_us))
    return bars.tolist(), int((times > now_us - DAY).sum())


class AlarmRate(QWidget, Themed):
    """Bars of the last eight hours with the line above which it is a flood."""

    def __init__(self, theme: Theme, plant: Plant) -> None:
        super().__init__()
        self.theme = theme
        self._plant = plant
        self._bars: list[int] = []
        self._day = 0
        self._now_us = 0
        self.setFixedHeight(148)

    def show_events(self, events: Sequence[Event], now_us: int) -> None:
        self._bars, self._day = rate_of(events, now_us)
        self._now_us = now_us
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.theme
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), theme.canvas)
            plot = QRectF(24, 28, self.width() - 88, 96)
            painter.fillRect(plot, theme.well)
            painter.setFont(font(14))
            painter.setPen(theme.ink2)
            painter.drawText(
                QRectF(24, 0, self.width(), 24), "New alarms per 10 min, last 8 h. A flood starts above 10."
            )
            word = "manageable (below 150)" if self._day < MANAGEABLE_A_DAY else "more than can be handled (150)"
            right = QRectF(24, 0, self.width() - 88, 24)
            painter.drawText(right, Qt.AlignmentFlag.AlignRight, f"Last 24 h: {self._day}, {word}")
            painter.setPen(pen(theme.line, 1, (6, 4)))
            painter.drawLine(QPointF(plot.x(), plot.y() + 8), QPointF(plot.right(), plot.y() + 8))
            painter.setFont(font(12))
            painter.setPen(theme.ink)
            painter.drawText(QPointF(plot.right() + 8, plot.y() + 13), str(FLOOD))
            painter.setPen(theme.ink2)
            painter.drawText(QPointF(plot.right() + 8, plot.bottom() + 4), "0")
            width = plot.width() / max(len(self._bars), 1)
            for i, n in enumerate(self._bars):
                height = min(n * 8.8, plot.height())
                if n:
                    painter.fillRect(
                        QRectF(plot.x() + i * width + 2, plot.bottom() - height, width - 4, height), theme.line
                    )
            for tick in time_ticks(self._now_us - SPAN_US, self._now_us, self._plant.zone, 9):
                x = plot.x() + (tick.time_us - self._now_us + SPAN_US) / SPAN_US * plot.width()
                painter.drawText(QRectF(x - 40, plot.bottom() + 4, 80, 16), Qt.AlignmentFlag.AlignHCenter, tick.label)
