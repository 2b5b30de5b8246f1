"""The track of the time bar: coverage with its gaps, alarms above, operator actions below, and the head to drag."""

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from hmi.core.event import COLLECTOR
from hmi.core.moment import span_words
from hmi.core.session import Mode, Session
from hmi.desktop.furniture import Themed, font
from hmi.desktop.time_marks import AlarmMark, Marks, thinned
from hmi.desktop.words import near_time
from hmi.mimic.marks import alarm_shape, dot_brush, hatch_brush, pen
from hmi.mimic.theme import Theme
from hmi.trend.axes import time_ticks
from hmi.trend.gaps import Gap

LEAD = 0.006
"""Share of the track that lies after now while live, so that the head is not at the very edge."""


class TimeTrack(QWidget, Themed):
    """Shows `start_us`..`end_us`. Pressing or dragging asks for a time; the wheel moves the span."""

    time_asked = Signal(object)
    moved = Signal(object)

    def __init__(self, session: Session, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._session = session
        self._marks = Marks()
        self._span = (0, 1)
        self._head_us = 0
        self._now_us = 0
        self._first_us = 0
        self._dragging = False
        self._loading = False
        self._ring = (True, True)
        self._ground: QPixmap | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Time track")
        self.setFixedHeight(88)

    @property
    def dragging(self) -> bool:
        return self._dragging

    @property
    def span(self) -> tuple[int, int]:
        return self._span

    def set_session(self, session: Session) -> None:
        self._session = session
        self._ground = None
        self.update()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._ground = None

    def set_compact(self, compact: bool) -> None:
        self.setFixedHeight(72 if compact else 88)
        self._ground = None

    def show_span(self, start_us: int, end_us: int) -> None:
        if round(self._x(start_us)) != 0 or round(self._x(end_us)) != self.width() or self._ground is None:
            self._span = (start_us, end_us)
            self._ground = None
            self.update()

    def show_marks(self, marks: Marks) -> None:
        if marks != self._marks:
            self._marks = marks
            self._ground = None
            self.update()

    def show_head(self, time_us: int, loading: bool) -> None:
        if round(self._x(time_us)) != round(self._x(self._head_us)) or loading != self._loading:
            self.update()
        self._head_us = time_us
        self._loading = loading

    def _x(self, time_us: int) -> float:
        start, end = self._span
        return (time_us - start) / max(end - start, 1) * self.width()

    def time_at(self, x: float) -> int:
        """The time under a pixel."""
        start, end = self._span
        return start + round(x / max(self.width(), 1) * (end - start))

    def x_of(self, time_us: int) -> float:
        """The pixel of a time."""
        return self._x(time_us)

    def resizeEvent(self, event: QEvent) -> None:
        self._ground = None

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            if self._ground is None:
                ratio = self.devicePixelRatioF()
                self._ground = QPixmap(self.size() * ratio)
                self._ground.setDevicePixelRatio(ratio)
                with QPainter(self._ground) as inner:
                    inner.setRenderHint(QPainter.RenderHint.Antialiasing)
                    self._paint_ground(inner)
            painter.drawPixmap(0, 0, self._ground)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_head(painter)

    def _middle(self) -> float:
        return self.height() / 2 - (5 if self.height() < 80 else 8)

    def _paint_ground(self, painter: QPainter) -> None:
        theme, height, small = self.theme, self.height(), self.height() < 80
        y = self._middle()
        painter.fillRect(self.rect(), theme.chrome)
        painter.fillRect(0, 0, self.width(), 1, theme.hair)
        start, end = self._span
        now_x = min(self._x(self._now_us), self.width())
        first_x = min(max(self._x(self._first_us), 0.0), now_x)
        if first_x > 0:
            self._paint_gap(painter, Gap(COLLECTOR, start, self.time_at(first_x)), QRectF(0, y - 6, 0, 12))
        painter.fillRect(QRectF(first_x, y - 5, max(now_x - first_x, 0), 10), theme.level)
        for gap in self._marks.device_gaps:
            self._paint_gap(painter, gap, QRectF(0, y + 1, 0, 5))
        for gap in self._marks.gaps:
            self._paint_gap(painter, gap, QRectF(0, y - 6, 0, 12))
        painter.setFont(font(12))
        for tick in time_ticks(start, end, self._session.plant.zone, max(self.width() // (140 if small else 84), 2)):
            x = self._x(tick.time_us)
            painter.setPen(pen(theme.line, 1.5))
            painter.drawLine(QPointF(x, y + 5), QPointF(x, y + 11))
            painter.setPen(theme.ink2)
            text = tick.day or tick.label
            width = painter.fontMetrics().horizontalAdvance(text)
            left = min(max(x - width / 2, 0), self.width() - width)
            painter.drawText(QPointF(left, height - (14 if small else 20)), text)
        shown = thinned(self._marks.alarms, [self._x(m.time_us) for m in self._marks.alarms], 13)
        for mark, x in shown:
            # At the very end a shape moves in by its own width, rather than being cut.
            inside = min(max(x, 11.0), self.width() - 11.0)
            alarm_shape(painter, mark.priority, mark.state, inside, y - 18, 0.62, theme)
        painter.setPen(pen(theme.ink, 1.5))
        painter.setBrush(theme.ink)
        last = -10.0
        for action in self._marks.actions:
            x = self._x(action.time_us)
            if x - last < 2:
                continue
            last = x
            painter.drawPolygon(
                QPolygonF(
                    [
                        QPointF(x, y + 6),
                        QPointF(x, y + 17),
                        QPointF(x + 7, y + 17),
                        QPointF(x + 4, y + 13.5),
                        QPointF(x + 7, y + 10),
                        QPointF(x, y + 10),
                    ]
                )
            )

    def set_now(self, now_us: int) -> None:
        """Until when there can be anything recorded: the time of the live plant."""
        if round(self._x(now_us)) != round(self._x(self._now_us)) and self._x(self._now_us) < self.width():
            self._ground = None
            self.update()
        self._now_us = now_us

    def set_first(self, time_us: int) -> None:
        """Since when the plant is collected from; before that the band is empty."""
        self._first_us = time_us
        self._ground = None
        self.update()

    def _paint_gap(self, painter: QPainter, gap: Gap, lane: QRectF) -> None:
        """Dots where nothing was recorded, hatch where a device was lost: as on screens and trends."""
        left, right = max(self._x(gap.start_us), 0.5), min(self._x(gap.end_us), self.width() - 0.5)
        box = QRectF(left, lane.y(), max(right - left, 6), lane.height())
        theme, ratio = self.theme, painter.device().devicePixelRatioF()
        if gap.source == COLLECTOR:
            painter.fillRect(box, theme.well)
            painter.setPen(pen(theme.line, 1.5, (1.5, 3.5)))
            painter.setBrush(dot_brush(theme, ratio))
        else:
            painter.setPen(pen(theme.line, 1))
            painter.setBrush(hatch_brush(theme, ratio))
        painter.drawRect(box)

    def _paint_head(self, painter: QPainter) -> None:
        theme, y = self.theme, self._middle()
        replay = self._session.mode is Mode.REPLAY
        color = theme.replay_blue if replay else theme.ink
        x = self._x(self._head_us)
        painter.setPen(pen(color, 3))
        painter.drawLine(QPointF(x, 2 if self.height() < 80 else 6), QPointF(x, y + 18))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawPolygon(QPolygonF([QPointF(x - 8, y + 26), QPointF(x + 8, y + 26), QPointF(x, y + 16)]))
        if self._loading:
            painter.setFont(font(12))
            text = "reading history"
            width = painter.fontMetrics().horizontalAdvance(text) + 12
            left = x + 10 if x + 10 + width < self.width() else x - 10 - width
            box = QRectF(left, 2, width, 18)
            painter.fillRect(box, theme.chrome)
            painter.setPen(theme.ink)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._dragging = True
            self._ask(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragging:
            self._ask(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._dragging and event.button() is Qt.MouseButton.LeftButton:
            self._dragging = False

    def _ask(self, x: float) -> None:
        near = self._near_mark(x)
        self.time_asked.emit(near if near is not None else self.time_at(min(max(x, 0), self.width())))

    def _near_mark(self, x: float) -> int | None:
        """A press on an alarm shape goes to the alarm, not to the pixel beside it."""
        times = [m.time_us for m in self._marks.alarms if abs(self._x(m.time_us) - x) < 2.5]
        return min(times, key=lambda t: abs(self._x(t) - x)) if times else None

    def wheelEvent(self, event: QWheelEvent) -> None:
        start, end = self._span
        self.moved.emit(-round(event.angleDelta().y() / 120 * (end - start) / 8))

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.tip_at(QPointF(event.pos()))
            if text:
                QToolTip.showText(event.globalPos(), text, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def tip_at(self, at: QPointF) -> str:
        """What lies under a point: an alarm, a gap with its reason, an action."""
        zone, now = self._session.plant.zone, self._session.now_us()
        y = self._middle()

        def when(time_us: int) -> str:
            return near_time(time_us, now, zone)

        if at.y() < y - 7:
            near: list[AlarmMark] = [m for m in self._marks.alarms if abs(self._x(m.time_us) - at.x()) < 10]
            return "\n".join(f"{when(m.time_us)} {m.text}" for m in near[-8:])
        if at.y() <= y + 7:
            if self.time_at(at.x()) < self._first_us:
                if self._first_us >= self._now_us:
                    return "Nothing was recorded until now"
                return f"Nothing before {when(self._first_us)}: collecting began then"
            gaps = [
                g
                for g in (*self._marks.gaps, *self._marks.device_gaps)
                if self._x(g.start_us) - 3 <= at.x() <= max(self._x(g.end_us), self._x(g.start_us) + 6) + 3
            ]
            return "\n".join(
                f"{g.title} {when(g.start_us)} to {when(g.end_us)} ({span_words(g.end_us - g.start_us)})"
                + (f": {g.why}" if g.why else ", nobody could say why")
                for g in gaps[:8]
            )
        acts = [m for m in self._marks.actions if -4 < at.x() - self._x(m.time_us) < 12]
        return "\n".join(f"{when(m.time_us)} {m.text}" for m in acts[-8:])
