"""Alarm shapes, quality marks, write pills, frames and hatches: the same on screens, lists and the time bar."""

from collections.abc import Callable
from math import ceil

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPen, QPixmap, QPolygonF, QTransform

from hmi.core.alarm import AlarmState
from hmi.core.command import WriteState
from hmi.core.status import Quality
from hmi.mimic.theme import Role, Theme

SQUARE = 17.0
"""Side of a quality mark at scale 1."""
REACH = 22.0
"""How far an alarm shape with its ring goes from its centre at scale 1."""
_DIGIT_BASE = {1: 4.6, 2: 7.6, 3: 1.6, 4: 4.6}
_HATCH_TILE = 12.0
_DOT_TILE = 8.0


def _shape(priority: int) -> QPainterPath:
    path = QPainterPath()
    if priority == 4:
        path.addEllipse(QPointF(0, 0), 10.5, 10.5)
        return path
    corners = {
        1: ((0, -13), (13, 0), (0, 13), (-13, 0)),
        2: ((0, -13), (14, 10), (-14, 10)),
        3: ((0, 13), (14, -10), (-14, -10)),
    }[priority]
    path.addPolygon(QPolygonF([QPointF(x, y) for x, y in corners]))
    path.closeSubpath()
    return path


def device_scale(painter: QPainter) -> float:
    """Device pixels for one unit of the painter."""
    return painter.worldTransform().m11() * painter.device().devicePixelRatioF()


def stamp(
    painter: QPainter, theme: Theme, key: object, half: tuple[float, float], x: float, y: float,
    draw: Callable[[QPainter], None], scale: float = 0.0,
) -> None:  # fmt: skip
    """Draw something of half width and height `half` around (x, y), as a picture kept for its key and scale."""
    scale = scale or device_scale(painter)

    def make() -> QPixmap:
        pixmap = QPixmap(ceil(2 * half[0] * scale), ceil(2 * half[1] * scale))
        pixmap.fill(Qt.GlobalColor.transparent)
        pixmap.setDevicePixelRatio(scale)
        with QPainter(pixmap) as inner:
            inner.setRenderHint(QPainter.RenderHint.Antialiasing)
            inner.translate(half[0], half[1])
            draw(inner)
        return pixmap

    painter.drawPixmap(QPointF(x - half[0], y - half[1]), theme.stamps.get((key, scale), make))


def pen(color: QColor, width: float, dash: tuple[float, ...] = ()) -> QPen:
    """A pen with square ends; `dash` in logical pixels, not in pen widths."""
    made = QPen(color, width)
    made.setCapStyle(Qt.PenCapStyle.FlatCap)
    made.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    if dash:
        made.setDashPattern([d / width for d in dash])
    return made


def _centred(painter: QPainter, theme: Theme, text: str, color: QColor, base: float) -> None:
    painter.setFont(theme.font(Role.DIGIT))
    painter.setPen(color)
    width = painter.fontMetrics().horizontalAdvance(text)
    painter.drawText(QPointF(-width / 2, base), text)


def alarm_shape(
    painter: QPainter, priority: int, state: AlarmState, x: float, y: float, scale: float, theme: Theme,
    blink_on: bool = True, unit: float = 0.0,
) -> None:  # fmt: skip
    """Shape, digit and state of an alarm around (x, y). `blink_on` is the phase of the ring or of the dashes.

    `unit` is `device_scale(painter)`, if the caller knows it.
    """
    size = scale * (1.15 if priority == 1 else 1.0)

    def draw(inner: QPainter) -> None:
        inner.scale(size, size)
        _alarm(inner, priority, state, theme, blink_on)

    half = REACH * size
    stamp(painter, theme, ("alarm", priority, state, size, blink_on), (half, half), x, y, draw, unit)


def _alarm(painter: QPainter, priority: int, state: AlarmState, theme: Theme, blink_on: bool) -> None:
    shape = _shape(priority)
    digit = theme.ink
    if state is AlarmState.UNACKNOWLEDGED:
        if blink_on:
            ring = pen(theme.ink, 2.0)
            ring.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(ring)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(QTransform.fromScale(1.42, 1.42).map(shape))
        painter.setPen(pen(theme.onp, 1))
        painter.setBrush(theme.p[priority])
        painter.drawPath(shape)
        digit = theme.on_p[priority]
    elif state is AlarmState.ACKNOWLEDGED:
        painter.setBrush(theme.canvas)
        for color, width in ((theme.onp, 5.0), (theme.p[priority], 3.0)):
            painter.setPen(pen(color, width))
            painter.drawPath(shape)
    elif state is AlarmState.RETURNED:
        painter.setBrush(theme.canvas)
        painter.setPen(pen(theme.ink, 1.5, (4, 2.5)) if blink_on else Qt.PenStyle.NoPen)
        painter.drawPath(shape)
    else:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen(theme.line, 1.2))
        painter.drawPath(shape)
        digit = theme.ink3
    _centred(painter, theme, str(priority), digit, _DIGIT_BASE[priority])


def quality_mark(
    painter: QPainter, quality: Quality, x: float, y: float, theme: Theme, scale: float = 1.0, unit: float = 0.0
) -> None:
    """The square of a quality around (x, y). Good has none."""
    if quality is Quality.GOOD:
        return

    def draw(inner: QPainter) -> None:
        inner.scale(scale, scale)
        _quality(inner, quality, theme)

    half = 10.0 * scale
    stamp(painter, theme, ("quality", quality, scale), (half, half), x, y, draw, unit)


def lock_mark(painter: QPainter, x: float, y: float, theme: Theme, scale: float = 1.0, unit: float = 0.0) -> None:
    """The square of a control that cannot be operated."""

    def draw(inner: QPainter) -> None:
        inner.scale(scale, scale)
        _square(inner, theme, inverse=False)
        inner.fillRect(QRectF(-4, -0.5, 8, 5.5), theme.ink)
        path = QPainterPath(QPointF(-2.5, -0.5))
        path.lineTo(-2.5, -3)
        path.arcTo(QRectF(-2.5, -5.5, 5, 5), 180, -180)
        path.lineTo(2.5, -0.5)
        inner.setBrush(Qt.BrushStyle.NoBrush)
        inner.setPen(pen(theme.ink, 1.8))
        inner.drawPath(path)

    stamp(painter, theme, ("lock", scale), (10.0 * scale, 10.0 * scale), x, y, draw, unit)


def _square(painter: QPainter, theme: Theme, inverse: bool) -> None:
    painter.setPen(pen(theme.ink, 1.5))
    painter.setBrush(theme.ink if inverse else theme.canvas)
    painter.drawRoundedRect(QRectF(-8.5, -8.5, SQUARE, SQUARE), 1.5, 1.5)


def _quality(painter: QPainter, quality: Quality, theme: Theme) -> None:
    inverse = quality in (Quality.BAD, Quality.FORCED)
    _square(painter, theme, inverse)
    front = theme.canvas if inverse else theme.ink
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen(front, 1.8))
    if quality is Quality.UNCERTAIN:
        _centred(painter, theme, "?", front, 4.6)
    elif quality is Quality.FORCED:
        _centred(painter, theme, "F", front, 4.6)
    elif quality is Quality.BAD:
        painter.drawLine(QPointF(-4, -4), QPointF(4, 4))
        painter.drawLine(QPointF(4, -4), QPointF(-4, 4))
    elif quality is Quality.STALE:
        painter.drawEllipse(QPointF(0, 0), 5.2, 5.2)
        painter.drawPolyline(QPolygonF([QPointF(0, -3.4), QPointF(0, 0), QPointF(2.6, 1.6)]))
    elif quality is Quality.NEVER_READ:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(front)
        for x in (-4.4, 0.0, 4.4):
            painter.drawEllipse(QPointF(x, 0), 1.5, 1.5)
    elif quality is Quality.NOT_RECORDED:
        painter.drawEllipse(QPointF(0, 0), 4.8, 4.8)
        painter.drawLine(QPointF(-5, 5), QPointF(5, -5))
    elif quality is Quality.OUT_OF_SERVICE:
        painter.fillRect(QRectF(-5, -1.6, 10, 3.2), front)


def write_pill(
    painter: QPainter, state: WriteState, x: float, y: float, theme: Theme, scale: float = 1.0, unit: float = 0.0
) -> None:
    """The pill of a write that is pending, or whose end is unknown, around (x, y). Other states have a word instead."""
    if state not in (WriteState.PENDING, WriteState.UNKNOWN):
        return

    def draw(inner: QPainter) -> None:
        inner.scale(scale, scale)
        unknown = state is WriteState.UNKNOWN
        inner.setPen(pen(theme.ink, 1.5, () if unknown else (5, 3)))
        inner.setBrush(theme.ink if unknown else theme.canvas)
        inner.drawRoundedRect(QRectF(-18, -9, 36, 18), 9, 9)
        _centred(inner, theme, "W ?" if unknown else "W…", theme.canvas if unknown else theme.ink, 4.6)

    stamp(painter, theme, ("write", state, scale), (20 * scale, 11 * scale), x, y, draw, unit)


def alarm_frame(
    painter: QPainter, rect: QRectF, priority: int, state: AlarmState, theme: Theme, width: float = 3.5
) -> None:
    """The frame of an alarmed element along `rect`: coloured while active, dashed ink when returned."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if state is AlarmState.RETURNED:
        painter.setPen(pen(theme.ink, 1.5, (4, 2.5)))
        painter.drawRect(rect)
    elif state.active:
        unack = state is AlarmState.UNACKNOWLEDGED
        painter.setPen(pen(theme.onp, width + 2.5 if unack else 4.5))
        painter.drawRect(rect)
        painter.setPen(pen(theme.p[priority], width if unack else 2.0))
        painter.drawRect(rect)


def focus_ring(painter: QPainter, rect: QRectF, theme: Theme) -> None:
    """The ring around what the keyboard acts on."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen(theme.ink, 2))
    painter.drawRoundedRect(rect.adjusted(-5, -5, 5, 5), 2, 2)


def hatch_brush(theme: Theme, scale: float = 1.0) -> QBrush:
    """Diagonal hatch on the well: bad, or lost. `scale` is device pixels for one unit of the painter."""
    return theme.stamps.get(("hatch", scale), lambda: _tile(theme, scale, _HATCH_TILE, hatch=True))


def dot_brush(theme: Theme, scale: float = 1.0) -> QBrush:
    """Dots on nothing: not recorded."""
    return theme.stamps.get(("dots", scale), lambda: _tile(theme, scale, _DOT_TILE, hatch=False))


def _tile(theme: Theme, scale: float, side: float, hatch: bool) -> QBrush:
    pixels = max(4, round(side * scale))
    tile = QPixmap(pixels, pixels)
    tile.fill(theme.well if hatch else Qt.GlobalColor.transparent)
    with QPainter(tile) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(pixels / side, pixels / side)
        if hatch:
            painter.setPen(pen(theme.line, 1.8))
            for shift in (-side, 0.0, side):
                painter.drawLine(QPointF(shift - side, 2 * side), QPointF(shift + 2 * side, -side))
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.line)
            painter.drawEllipse(QPointF(side / 2, side / 2), 1.1, 1.1)
    brush = QBrush(tile)
    brush.setTransform(QTransform.fromScale(1 / scale, 1 / scale))
    return brush
