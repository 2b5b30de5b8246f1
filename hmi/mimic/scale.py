"""The scale of a moving analogue indicator: trend and bar on one linear scale, the curve ending at the pointer."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPixmap

from hmi.core.alarm import AlarmKind, AlarmState
from hmi.core.batch import Floats
from hmi.core.plant import Plant
from hmi.core.status import Quality
from hmi.core.tag import Tag
from hmi.mimic import marks
from hmi.mimic.canvas import Canvas, dash_of
from hmi.mimic.history import Columns, Curve, Kind
from hmi.mimic.state import Condition, Situation

BAR = 14.0
_RIGHT = 16.0
_HALF_PIXELS = 2.0
_LIMITS = (AlarmKind.HIGH_HIGH, AlarmKind.HIGH, AlarmKind.LOW, AlarmKind.LOW_LOW)


class ScaleLook(NamedTuple):
    """Heights are from the top, in half pixels. `out` is -1 above the range, 1 below it. `key` names the curve."""

    value: int | None
    out: int
    setpoint: int | None
    key: tuple[int, int]
    stands: bool


class AnalogueScale:
    """One indicator's scale in a rectangle. Owned by one drawable, as it keeps the picture of its curve."""

    def __init__(
        self, plant: Plant, tag: Tag, rect: QRectF, bounds: tuple[float, float], curve: Curve, band: bool = True
    ) -> None:
        self.tag = tag
        self.rect = rect
        self.curve = curve
        self.low, self.high = bounds
        if not self.high > self.low:
            self.high = self.low + 1.0
        self.normal = tag.normal if band else None
        self.limits: list[tuple[float, bool]] = []
        for kind in _LIMITS:
            limit = plant.limit(tag.name, kind)
            if limit is not None and self.low <= limit <= self.high:
                self.limits.append((self.y(limit), len(kind.letters) > 1))
        self.setpoint = plant.tag_index.get(tag.setpoint) if tag.setpoint is not None else None
        self.trend_width = rect.width() - BAR - _RIGHT
        self._picture: QPixmap | None = None
        self._picture_key: object = None

    def y(self, value: float) -> float:
        """Height of a value from the top of the rectangle, kept inside."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.rect.height() * (1 - share)

    def heights(self, values: Floats) -> Floats:
        """`y` for many values."""
        share = (np.clip(values, self.low, self.high) - self.low) / (self.high - self.low)
        return np.asarray(self.rect.height() * (1 - share))

    def look(self, now: Situation, condition: Condition, stands: bool) -> ScaleLook:
        key = self.curve.key(now.now_us)
        value = now.value[self.tag.index]
        if not condition.quality.has_value or value != value:
            return ScaleLook(None, 0, None, key, stands)
        out = -1 if value > self.high else 1 if value < self.low else 0
        setpoint = None
        if self.setpoint is not None and now.quality((self.setpoint,))[0].has_value:
            wanted = now.value[self.setpoint]
            if self.low <= wanted <= self.high:
                setpoint = round(self.y(wanted) * _HALF_PIXELS)
        return ScaleLook(round(self.y(value) * _HALF_PIXELS), out, setpoint, key, stands)

    def paint(self, canvas: Canvas, look: ScaleLook, condition: Condition, now_us: int) -> None:
        rect, theme, quality = self.rect, canvas.theme, condition.quality
        x, y, h = rect.x(), rect.y(), rect.height()
        bar = QRectF(x + self.trend_width, y, BAR, h)
        columns = self.curve.at(now_us)
        self._trend(canvas, look, columns, quality)
        canvas.fill(bar, theme.well)
        if self.normal is not None and not look.stands:
            top, bottom = self.y(self.normal[1]), self.y(self.normal[0])
            canvas.fill(QRectF(bar.x(), y + top, BAR, bottom - top), theme.band)
        gone = quality >= Quality.BAD
        if quality is Quality.FORCED:
            canvas.fill(bar, theme.ink)
        elif gone:
            pattern = canvas.pattern(quality)
            if pattern is not None:
                canvas.fill(bar, pattern)
        canvas.box(bar, theme.line, 1, dash_of(quality))
        if not look.stands:
            for at, thick in self.limits:
                thickness = 3.0 if thick else 1.5
                canvas.fill(QRectF(bar.x() - 4, y + at - thickness / 2, BAR + 4, thickness), theme.ink)
        if look.value is not None:
            at = y + look.value / _HALF_PIXELS
            self._last_piece(canvas, at, columns, bar, quality)
            self._pointer(canvas, at, look.out, condition, bar)
        if quality is Quality.OUT_OF_SERVICE:
            canvas.line(x, y + h, bar.right(), y, theme.ink)
        if look.setpoint is not None:
            self._triangle(canvas, bar.x(), y + look.setpoint / _HALF_PIXELS)

    def _pointer(self, canvas: Canvas, at: float, out: int, condition: Condition, bar: QRectF) -> None:
        theme, alarm = canvas.theme, condition.alarm
        coloured = alarm is not None and alarm.state is not AlarmState.RETURNED
        if coloured and alarm is not None:
            color = theme.p[alarm.priority]
        elif condition.quality in (Quality.STALE, Quality.OUT_OF_SERVICE):
            color = theme.ink3
        else:
            color = theme.ink
        path = QPainterPath()
        if out:
            # Outside the range: an arrow at the edge, pointing out.
            path.moveTo(bar.x() - 2, at - out * 10)
            path.lineTo(bar.right() + 2, at - out * 10)
            path.lineTo(bar.center().x(), at + out * 2)
            edge = theme.onp
        else:
            path.moveTo(bar.x() - 3, at)
            path.lineTo(bar.right() + 12, at - 8)
            path.lineTo(bar.right() + 12, at + 8)
            edge = theme.onp if coloured else theme.canvas
        path.closeSubpath()
        canvas.path(path, canvas.pen(edge, 1.2), color)

    def _triangle(self, canvas: Canvas, x: float, y: float) -> None:
        path = QPainterPath(QPointF(x, y))
        path.lineTo(x - 9, y - 6)
        path.lineTo(x - 9, y + 6)
        path.closeSubpath()
        canvas.path(path, canvas.pen(canvas.theme.ink, 1.5), canvas.theme.canvas)

    def _last_piece(self, canvas: Canvas, at: float, columns: Columns, bar: QRectF, quality: Quality) -> None:
        """From the last whole column to the pointer."""
        if len(columns.kind) and int(columns.kind[-1]) in (Kind.VALUE, Kind.WEAK):
            step = self.trend_width / len(columns.kind)
            dash = (4.0, 3.0) if quality is Quality.STALE else ()
            start = self.rect.y() + self.y(float(columns.last[-1]))
            canvas.line(bar.x() - step / 2, start, bar.x(), at, canvas.theme.ink2, 1.0, dash)

    def _trend(self, canvas: Canvas, look: ScaleLook, columns: Columns, quality: Quality) -> None:
        shown = quality is not Quality.NEVER_READ
        key = (columns.key, look.stands, shown, quality is Quality.STALE, canvas.scale, id(canvas.theme))
        if self._picture is None or self._picture_key != key:
            self._picture = self._draw_trend(canvas, look, columns if shown else None, quality)
            self._picture_key = key
        canvas.painter.drawPixmap(self.rect.topLeft(), self._picture)

    def _draw_trend(self, canvas: Canvas, look: ScaleLook, columns: Columns | None, quality: Quality) -> QPixmap:
        scale, theme, w, h = canvas.scale, canvas.theme, self.trend_width, self.rect.height()
        pixmap = QPixmap(max(1, round(w * scale)), max(1, round(h * scale)))
        pixmap.setDevicePixelRatio(scale)
        pixmap.fill(theme.well)
        with QPainter(pixmap) as painter:
            if self.normal is not None and not look.stands:
                top, bottom = self.y(self.normal[1]), self.y(self.normal[0])
                painter.fillRect(QRectF(0, top, w, bottom - top), theme.band)
            if columns is not None:
                gap = QBrush(canvas.hatch), QBrush(canvas.dots)
                paint_columns(painter, columns, w, h, self.heights, theme.ink2, gap, quality is Quality.STALE)
        return pixmap


def paint_columns(
    painter: QPainter, columns: Columns, width: float, height: float, y: Callable[[Floats], Floats], color: QColor,
    gap: tuple[QBrush, QBrush], stale: bool,
) -> None:  # fmt: skip
    """A curve of columns over the whole width: lines where there are values, hatch or dots where there are none.

    `y` gives the heights of values from the top.
    """
    kinds = columns.kind
    n = len(kinds)
    step = width / n
    low, high, last = y(columns.low), y(columns.high), y(columns.last)
    begins = [0, *(np.flatnonzero(kinds[1:] != kinds[:-1]) + 1).tolist(), n]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    joint: list[QPointF] = []
    for first, after in pairwise(begins):
        kind = int(kinds[first])
        if kind in (Kind.VALUE, Kind.WEAK):
            run = joint + _points(slice(first, after), step, low, high, last)
            joint = run[-1:]
            if len(run) == 1:
                run.append(run[0] + QPointF(step / 2, 0))
            # A line wider than one pixel costs many times as much; two lines half a pixel apart look the same.
            painter.setPen(marks.pen(color, 1.0, (4, 3) if kind == Kind.WEAK or stale else ()))
            painter.drawPolyline(run)
            painter.translate(0, 0.5)
            painter.drawPolyline(run)
            painter.translate(0, -0.5)
            continue
        joint = []
        if kind != Kind.NOTHING:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
            brush = gap[0] if kind == Kind.BAD else gap[1]
            painter.fillRect(QRectF(first * step, 0, (after - first) * step + 0.5, height), brush)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)


def _points(part: slice, step: float, low: Floats, high: Floats, last: Floats) -> list[QPointF]:
    """The corners of a curve: one a column, three where the values of a column are more than a pixel apart."""
    x = (np.arange(part.start, part.stop) + 0.5) * step
    low, high, last = low[part], high[part], last[part]
    wide = low - high > 1
    if not wide.any():
        return [QPointF(*point) for point in zip(x.tolist(), last.tolist(), strict=True)]
    # The last value lies nearer to the low end: the curve has come from the high one.
    falling = last > (low + high) / 2
    across = np.empty((len(x), 3))
    down = np.empty((len(x), 3))
    across[:, 0], across[:, 1], across[:, 2] = x - step / 4, x + step / 4, np.where(wide, x + step / 2, x)
    down[:, 0], down[:, 1], down[:, 2] = np.where(falling, high, low), np.where(falling, low, high), last
    kept = np.stack((wide, wide, np.ones(len(x), bool)), axis=1)
    return [QPointF(*point) for point in zip(across[kept].tolist(), down[kept].tolist(), strict=True)]
