"""The plot of the trend view: curves on two axes, gaps with their reason, alarms below, a cursor."""

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from hmi.core.alarm import AlarmState
from hmi.core.clock import DAY, SECOND, to_datetime
from hmi.core.event import COLLECTOR
from hmi.core.session import Session, known_alarms
from hmi.core.status import Quality
from hmi.trend.axes import WEEKDAYS, time_ticks, value_labels
from hmi.trend.gaps import Gap
from hmi.trend.look import Look
from hmi.trend.painting import (
    dash_of,
    draw_bad,
    draw_badge,
    draw_band,
    draw_gap,
    draw_limit,
    draw_on_plate,
    draw_strokes,
    draw_uncertain,
    gap_boxes,
    line_pen,
    spread,
    y_of,
)
from hmi.trend.pens import Axis, Pen, assign_axes
from hmi.trend.small import limits_of
from hmi.trend.source import TrendSource
from hmi.trend.statistics import value_at
from hmi.trend.timeline import Timeline

LEFT, RIGHT, TOP, BOTTOM = 64, 88, 40, 72
_DIVISIONS = 4
FRAMES_PER_GROWTH = 4
"""New samples within the same pixel column are drawn at every fourth frame: five times a second."""


def font(pixels: int, bold: bool = False) -> QFont:
    made = QFont("B612")
    made.setPixelSize(pixels)
    made.setBold(bold)
    return made


class TrendPlot(QWidget):
    """Draws onto a picture that is made anew only when curves or span changed; the cursor lies above it."""

    timeline_changed = Signal()
    cursor_moved = Signal()

    def __init__(self, source: TrendSource, look: Look) -> None:
        super().__init__()
        self._source = source
        self._look = look
        self.timeline = Timeline(source.session.now_us())
        self.selected: Pen | None = None
        self.axes: tuple[Axis | None, Axis | None] = (None, None)
        self.cursor_us: int | None = None
        self.failure = ""
        self._picture: QPixmap | None = None
        self._drawn_us = 0
        self._frames = 0
        self._grew = False
        self._drag: tuple[float, int] | None = None
        self._dragged = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(320, 240)
        self.setAccessibleName("Trend")

    @property
    def session(self) -> Session:
        return self._source.session

    @property
    def area(self) -> QRectF:
        return QRectF(LEFT, TOP, max(self.width() - LEFT - RIGHT, 2), max(self.height() - TOP - BOTTOM, 2))

    def set_look(self, look: Look) -> None:
        self._look = look
        self.redraw()

    def set_timeline(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.redraw()
        self.timeline_changed.emit()

    def redraw(self) -> None:
        """Curves, span or size changed."""
        self._picture = None
        self.update()

    def frame(self) -> None:
        """Follow the time, ask for what is missing, take what came."""
        now = self.session.now_us()
        self.timeline = self.timeline.at_now(now)
        width = self.area.width()
        self._source.want(self.timeline, round(width))
        grew = self._source.frame()
        self._frames += 1
        self._grew |= grew
        moved = abs(self.timeline.end_us - self._drawn_us) > self.timeline.span_us / width
        if moved or (self._grew and self._frames % FRAMES_PER_GROWTH == 0):
            self._grew = False
            self.redraw()
            self.timeline_changed.emit()

    def x_of(self, time_us: int) -> float:
        area = self.area
        return area.x() + (time_us - self.timeline.start_us) / self.timeline.span_us * area.width()

    def time_at(self, x: float) -> int:
        area = self.area
        return self.timeline.start_us + round((x - area.x()) / area.width() * self.timeline.span_us)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.redraw()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            if self._picture is None:
                ratio = self.devicePixelRatioF()
                self._picture = QPixmap(self.size() * ratio)
                self._picture.setDevicePixelRatio(ratio)
                self._drawn_us = self.timeline.end_us
                with QPainter(self._picture) as inner:
                    self._paint(inner)
            painter.drawPixmap(0, 0, self._picture)
            self._paint_cursor(painter)

    def _paint(self, painter: QPainter) -> None:
        look, area, line = self._look, self.area, self.timeline
        until = min(self.session.now_us(), line.end_us)
        for pen in self._source.pens:
            pen.prepare(line.start_us, line.end_us, area.width(), until)
        if self.selected not in self._source.pens:
            self.selected = self._source.pens[0] if self._source.pens else None
        self.axes = assign_axes(self._source.pens, self.selected)
        painter.fillRect(self.rect(), look.canvas)
        painter.fillRect(area, look.well)
        selected = self.selected
        if selected is not None and selected.tag.normal is not None:
            draw_band(painter, area, *selected.range, selected.tag.normal, look.band)
        self._paint_grid(painter, area)
        self._paint_times(painter, area)
        painter.save()
        painter.setClipRect(area)
        if selected is not None and selected.drawn is not None:
            draw_bad(painter, area, selected.drawn, look)
        gaps = list(
            dict.fromkeys(g for pen in self._source.pens for g in pen.gaps if g.source == COLLECTOR or pen is selected)
        )
        boxes = gap_boxes(area, gaps, line.start_us, line.end_us)
        for pen in sorted(self._source.pens, key=lambda p: p is selected):
            if pen.drawn is not None:
                color = look.pens[pen.number - 1]
                draw_strokes(painter, area, pen.drawn, *pen.range, color, dash_of(pen), pen is selected)
        # A held value may reach into a gap: what was not recorded is drawn over it.
        for gap, box in boxes:
            draw_gap(painter, gap, box, look)
        painter.setFont(font(12))
        doubtful = [p for p in self._source.pens if p.drawn is not None and p.drawn.uncertain]
        for row, pen in enumerate(doubtful):
            draw_uncertain(painter, area, pen, row, look)
        painter.restore()
        if selected is not None:
            self._paint_limits(painter, area, selected)
        self._paint_ends(painter, area)
        self._paint_alarms(painter, area)
        self._paint_gap_note(painter, area, boxes)
        self._paint_state(painter, area)

    def _paint_grid(self, painter: QPainter, area: QRectF) -> None:
        look = self._look
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for k in range(_DIVISIONS + 1):
            y = area.bottom() - area.height() * k / _DIVISIONS
            painter.setPen(line_pen(look.hair, 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        painter.setFont(font(14))
        for axis, left in ((self.axes[0], True), (self.axes[1], False)):
            if axis is None:
                continue
            side = Qt.AlignmentFlag.AlignRight if left else Qt.AlignmentFlag.AlignLeft
            x = 0.0 if left else area.right() + 34
            room = area.left() - 10 if left else RIGHT - 36
            painter.setPen(look.ink)
            painter.drawText(QRectF(x, 8, room, 20), side | Qt.AlignmentFlag.AlignVCenter, axis.unit)
            painter.setPen(look.ink2)
            for value, text in value_labels(axis.low, axis.high, _DIVISIONS):
                y = y_of(area, axis.low, axis.high, value)
                painter.drawText(QRectF(x, y - 10, room, 20), side | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_times(self, painter: QPainter, area: QRectF) -> None:
        look, line = self._look, self.timeline
        zone = self.session.plant.zone
        painter.setFont(font(14))
        ticks = time_ticks(line.start_us, line.end_us, zone, max(round(area.width()) // 110, 2))
        for tick in ticks:
            x = self.x_of(tick.time_us)
            painter.setPen(line_pen(look.hair, 1))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom() + 6))
            painter.setPen(look.ink if tick.day else look.ink2)
            text = tick.day or tick.label
            width = painter.fontMetrics().horizontalAdvance(text)
            painter.drawText(QPointF(x - width / 2, self.height() - 10), text)

    def _paint_limits(self, painter: QPainter, area: QRectF, pen: Pen) -> None:
        look = self._look
        for limit in limits_of(self.session.plant, pen.tag.name):
            y = y_of(area, *pen.range, limit.value)
            if not area.top() <= y <= area.bottom():
                continue
            draw_limit(painter, area, y, look.ink)
            painter.setFont(font(14))
            text = f"{pen.tag.name} {limit.letters} {pen.tag.format(limit.value)} {pen.tag.unit}".rstrip()
            draw_on_plate(painter, QPointF(area.x() + 8, y - 8), text, look.ink, look.well)
        if pen.tag.normal is not None:
            y = y_of(area, *pen.range, pen.tag.normal[1])
            if area.top() <= y <= area.bottom() - 20:
                painter.setFont(font(12))
                text = f"{pen.tag.name} normal"
                draw_on_plate(painter, QPointF(area.x() + 8, y + 18), text, look.ink2, look.band)

    def _paint_ends(self, painter: QPainter, area: QRectF) -> None:
        """Each pen's number at its right end; numbers make room for one another."""
        look = self._look
        pens = [p for p in self._source.pens if p.drawn is not None and len(p.drawn.y)]
        true_y = {p.number: y_of(area, *p.range, float(p.drawn.y[-1])) for p in pens if p.drawn is not None}
        pens.sort(key=lambda p: true_y[p.number])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        places = spread([min(max(true_y[p.number], area.top()), area.bottom()) for p in pens], 22, area.bottom())
        for pen, at in zip(pens, places, strict=True):
            painter.setPen(line_pen(look.pens[pen.number - 1], 1))
            painter.drawLine(QPointF(area.right(), true_y[pen.number]), QPointF(area.right() + 8, at))
            draw_badge(painter, pen.number, area.right() + 8, at - 10, look)

    def _paint_alarms(self, painter: QPainter, area: QRectF) -> None:
        look, session = self._look, self.session
        states = {alarm.key: alarm for alarm in known_alarms(session)}
        names = {pen.tag.name for pen in self._source.pens}
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        last = -100.0
        for event in sorted(self._source.events, key=lambda e: e.time_us):
            x = self.x_of(event.time_us)
            if not area.left() <= x <= area.right() or event.priority not in (1, 2, 3, 4) or x - last < 12:
                continue
            if names and event.source not in names and event.priority > 2:
                continue
            last = x
            alarm = states.get(event.key)
            same = alarm is not None and abs(alarm.raised_us - event.time_us) < SECOND
            painter.setPen(line_pen(look.line, 1))
            painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 8))
            look.alarm(
                painter,
                event.priority,
                alarm.state if alarm is not None and same else AlarmState.NORMAL,
                x,
                area.bottom() + 22,
                0.72,
            )

    def _paint_gap_note(self, painter: QPainter, area: QRectF, boxes: list[tuple[Gap, QRectF]]) -> None:
        """From, to and why of the widest gap; the others tell theirs at the cursor."""
        if not boxes:
            return
        gap, box = max(boxes, key=lambda pair: pair[1].width())
        if box.width() < 8:
            return
        look = self._look
        zone = self.session.plant.zone
        start, end = to_datetime(gap.start_us, zone), to_datetime(gap.end_us, zone)
        known = gap.start_us > self._source.loaded_from_us + SECOND
        running = gap.end_us >= self.session.now_us() - SECOND
        what = "Not recorded" if gap.source == COLLECTOR else "No data"
        until = "now" if running else f"{end:%H:%M:%S}"
        # Where what was read begins within the gap, nobody has looked when the gap began.
        first = f"{what} {start:%H:%M:%S} to {until}" if known else f"{what} before {until}"
        unsaid = "Nobody could say why" if known else "It began before what is shown"
        second = gap.why or (unsaid if gap.source == COLLECTOR else f"{gap.source} lost")
        width = 46.0 + max(painter.fontMetrics().horizontalAdvance(second), _width(painter, font(14, True), first))
        left = box.right() + 8 if box.right() + 8 + width < area.right() else box.left() - 8 - width
        if box.width() > width + 24:
            # Within the gap it covers nothing that was recorded.
            left = box.center().x() - width / 2
        if left < area.left():
            return
        note = QRectF(left, area.top() + 56, width + 8, 50)
        painter.fillRect(note, look.canvas)
        painter.setPen(line_pen(look.line, 1))
        painter.drawRect(note)
        mark = Quality.NOT_RECORDED if gap.source == COLLECTOR else Quality.BAD
        look.quality(painter, mark, note.x() + 18, note.center().y())
        painter.setFont(font(14, True))
        painter.setPen(look.ink)
        painter.drawText(QPointF(note.x() + 38, note.y() + 20), first)
        painter.setFont(font(12))
        painter.setPen(look.ink2)
        painter.drawText(QPointF(note.x() + 38, note.y() + 40), second)

    def _paint_state(self, painter: QPainter, area: QRectF) -> None:
        text = ""
        if not self._source.pens:
            text = "Choose tags at the left: Enter adds a pen."
        elif self.failure:
            text = f"The historian does not answer: {self.failure}"
        elif not self._source.knows(self.timeline.start_us):
            text = "Reading history"
        if text:
            painter.setFont(font(14))
            painter.setPen(self._look.ink2)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_cursor(self, painter: QPainter) -> None:
        time_us = self.cursor_us
        if time_us is None:
            return
        look, area = self._look, self.area
        x = self.x_of(time_us)
        if not area.left() <= x <= area.right():
            return
        painter.setPen(line_pen(look.ink, 1.5))
        painter.drawLine(QPointF(x, 30), QPointF(x, area.bottom() + 40))
        moment = to_datetime(time_us, self.session.plant.zone)
        text = (
            f"{moment:%H:%M:%S}" if self.timeline.span_us <= DAY else f"{moment.day}.{moment.month}. {moment:%H:%M:%S}"
        )
        box = QRectF(min(max(x - 74, 0), self.width() - 148), 6, 148, 26)
        painter.fillRect(box, look.ink)
        painter.setFont(font(14, True))
        painter.setPen(look.canvas)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{WEEKDAYS[moment.weekday()]} {text}")
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for pen in self._source.pens:
            if pen.live is None:
                continue
            at = value_at(pen.live, time_us, pen.gaps)
            y = y_of(area, *pen.range, at.value)
            if at.value == at.value and area.top() <= y <= area.bottom():
                painter.setPen(line_pen(look.well, 2))
                painter.setBrush(look.pens[pen.number - 1])
                painter.drawEllipse(QPointF(x, y), 4.5, 4.5)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._drag = (event.position().x(), self.timeline.end_us)
            self._dragged = False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        if self._drag is not None and (self._dragged or abs(x - self._drag[0]) > 4):
            self._dragged = True
            by = round((self._drag[0] - x) / self.area.width() * self.timeline.span_us)
            wanted = self._drag[1] + by - self.timeline.end_us
            self.set_timeline(self.timeline.pan(wanted, self.session.now_us()))
            return
        self.set_cursor(self.time_at(min(max(x, self.area.left()), self.area.right())))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag = None

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / 120
        now = self.session.now_us()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.set_timeline(self.timeline.pan(-round(steps * self.timeline.span_us / 10), now))
        else:
            self.set_timeline(self.timeline.zoom(0.8**steps, self.time_at(event.position().x()), now))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, line, now = event.key(), self.timeline, self.session.now_us()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        pixel = max(round(line.span_us / self.area.width()), 1)
        about = self.cursor_us if self.cursor_us is not None else line.start_us + line.span_us // 2
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and not event.modifiers() & Qt.KeyboardModifier.AltModifier:
            sign = 1 if key == Qt.Key.Key_Right else -1
            if shift:
                self.set_timeline(line.pan(sign * line.span_us // 8, now))
            else:
                self.set_cursor(min(max(about + sign * pixel * (10 if control else 1), line.start_us), line.end_us))
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self.set_timeline(line.pan((1 if key == Qt.Key.Key_PageDown else -1) * line.span_us // 2, now))
        elif control and key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Up):
            self.set_timeline(line.zoom(0.5, about, now))
        elif control and key in (Qt.Key.Key_Minus, Qt.Key.Key_Down):
            self.set_timeline(line.zoom(2.0, about, now))
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and self._source.pens:
            self._select_next(1 if key == Qt.Key.Key_Down else -1)
        else:
            super().keyPressEvent(event)

    def _select_next(self, step: int) -> None:
        pens = self._source.pens
        at = pens.index(self.selected) if self.selected in pens else 0
        self.select(pens[(at + step) % len(pens)])

    def select(self, pen: Pen) -> None:
        """The pen whose band and limits are shown."""
        self.selected = pen
        self.redraw()
        self.cursor_moved.emit()

    def set_cursor(self, time_us: int) -> None:
        self.cursor_us = time_us
        self.update()
        self.cursor_moved.emit()


def _width(painter: QPainter, chosen: QFont, text: str) -> float:
    painter.setFont(chosen)
    width = float(painter.fontMetrics().horizontalAdvance(text))
    painter.setFont(font(12))
    return width
