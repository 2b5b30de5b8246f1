"""Draws what a trend shows: ground, grid, bands, limits, gaps and curves. Qt thread only."""

from collections.abc import Iterable, Sequence

import numpy as np
import shiboken6
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from hmi.core.batch import Floats
from hmi.core.event import COLLECTOR
from hmi.trend.curve import Strokes
from hmi.trend.gaps import Gap
from hmi.trend.look import DASHES, Look
from hmi.trend.pens import Pen


def _memory(polygon: QPolygonF, points: int) -> memoryview:
    """The doubles of a polygon, writable. The stubs of Qt know neither this pointer nor its buffer."""
    return memoryview(shiboken6.VoidPtr(polygon.data(), points * 16, True))  # type: ignore[arg-type, call-arg]


def polygon_of(x: Floats, y: Floats) -> QPolygonF:
    """A polygon filled in one copy; point by point would cost a Python object each."""
    polygon = QPolygonF()
    polygon.resize(len(x))
    if len(x):
        memory = np.frombuffer(_memory(polygon, len(x)), dtype=np.float64).reshape(-1, 2)
        memory[:, 0] = x
        memory[:, 1] = y
    return polygon


def line_pen(color: QColor, width: float, dash: Sequence[float] = ()) -> QPen:
    """A pen with flat ends; `dash` in pixels."""
    pen = QPen(color, width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if dash:
        pen.setDashPattern([d / width for d in dash])
    return pen


def y_of(area: QRectF, low: float, high: float, value: float) -> float:
    """The pixel of a value in an area whose bottom is `low` and whose top is `high`."""
    return area.bottom() - (value - low) / (high - low or 1.0) * area.height()


def draw_strokes(
    painter: QPainter,
    area: QRectF,
    strokes: Strokes,
    low: float,
    high: float,
    color: QColor,
    dash: Sequence[float] = (),
    thick: bool = False,
) -> None:
    """One curve within an area, one pixel wide; `thick` makes it two.

    Without antialiasing, and never with a wider pen: a noisy line of some thousand points then takes seconds instead of
    milliseconds. A thick curve is the same line drawn three times, a pixel apart.
    """
    if not len(strokes.x):
        return
    scale = area.height() / (high - low or 1.0)
    x = strokes.x + area.x()
    y = np.clip(area.bottom() - (strokes.y - low) * scale, area.top() - 2, area.bottom() + 2)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(line_pen(color, 1, dash))
    start = 0
    for end in (*strokes.breaks.tolist(), len(x)):
        if end - start == 1:
            painter.drawPoint(QPointF(float(x[start]), float(y[start])))
        elif end > start:
            line = polygon_of(x[start:end], y[start:end])
            painter.drawPolyline(line)
            if thick:
                for right, down in ((1, 0), (0, 1)):
                    painter.drawPolyline(line.translated(right, down))
        start = end


def gap_boxes(area: QRectF, gaps: Iterable[Gap], start_us: int, end_us: int) -> list[tuple[Gap, QRectF]]:
    """Where gaps lie in an area; the shortest is still six pixels wide."""
    scale = area.width() / max(end_us - start_us, 1)
    boxes = []
    for gap in gaps:
        left = max((gap.start_us - start_us) * scale, 0.0)
        right = min((gap.end_us - start_us) * scale, area.width())
        if right > 0 and left < area.width():
            boxes.append((gap, QRectF(area.x() + left, area.y(), max(right - left, 6.0), area.height())))
    return boxes


def draw_gap(painter: QPainter, gap: Gap, box: QRectF, look: Look) -> None:
    """Hatched where a device was lost, dotted where nothing was recorded at all."""
    if gap.source == COLLECTOR:
        painter.fillRect(box, look.well)
        painter.setBrush(look.not_recorded)
    else:
        painter.setBrush(look.bad)
    painter.setPen(line_pen(look.line, 1.5, (1.5, 3.5)) if gap.source == COLLECTOR else line_pen(look.line, 1))
    painter.drawRect(box)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def draw_bad(painter: QPainter, area: QRectF, strokes: Strokes, look: Look) -> None:
    """Hatch where a pen's samples were Bad."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(look.bad)
    for left, right, _ in strokes.bad:
        if right - left >= 1:
            painter.drawRect(QRectF(area.x() + left, area.y(), right - left, area.height()))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def draw_uncertain(painter: QPainter, area: QRectF, pen: Pen, row: int, look: Look) -> None:
    """Dotted bars just above the axis, with the number of the pen."""
    if pen.drawn is None:
        return
    y = area.bottom() - 5 - 14 * row
    for i, (left, right) in enumerate(pen.drawn.uncertain[:200]):
        painter.setPen(line_pen(look.ink, 5, (3, 4)))
        painter.drawLine(QPointF(area.x() + left, y), QPointF(area.x() + max(right, left + 3), y))
        if i == 0:
            painter.setPen(look.ink)
            painter.drawText(QPointF(area.x() + left, y - 6), f"{pen.number} uncertain")


def draw_band(
    painter: QPainter, area: QRectF, low: float, high: float, band: tuple[float, float], color: QColor
) -> None:
    """The normal band, as far as it lies within the range."""
    top = max(y_of(area, low, high, band[1]), area.top())
    bottom = min(y_of(area, low, high, band[0]), area.bottom())
    if bottom > top:
        painter.fillRect(QRectF(area.x(), top, area.width(), bottom - top), color)


def draw_limit(painter: QPainter, area: QRectF, y: float, ink: QColor) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(line_pen(ink, 1, (8, 4)))
    painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))


def draw_on_plate(painter: QPainter, at: QPointF, text: str, ink: QColor, plate: QColor) -> None:
    """A text that can be read over hatches and curves; `at` is the left end of its baseline."""
    box = painter.fontMetrics().boundingRect(text).translated(at.toPoint()).adjusted(-3, -1, 3, 1)
    painter.fillRect(box, plate)
    painter.setPen(ink)
    painter.drawText(at, text)


def draw_badge(painter: QPainter, number: int, x: float, y: float, look: Look) -> None:
    """The number of a pen on its colour, 20 pixels square, with its top left corner at (x, y)."""
    box = QRectF(x, y, 20, 20)
    painter.fillRect(box, look.pens[number - 1])
    font = painter.font()
    font.setPixelSize(13)
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(look.canvas)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(number))


def dash_of(pen: Pen) -> tuple[float, ...]:
    return DASHES[pen.number - 1]


def spread(places: Sequence[float], apart: float, last: float) -> list[float]:
    """Rising places moved to lie `apart` from one another, none beyond `last`."""
    moved = list(places)
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + apart)
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], last - apart * (len(moved) - 1 - i))
    return moved
