"""A small trend of one tag, for a faceplate or beside an alarm: band, limits, curve, gaps. No interaction."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QWidget

from hmi.core.clock import HOUR
from hmi.core.plant import Plant
from hmi.core.session import Session
from hmi.trend.look import Look
from hmi.trend.painting import draw_band, draw_gap, draw_limit, draw_strokes, gap_boxes, line_pen, y_of
from hmi.trend.pens import Axis, assign_axes
from hmi.trend.source import TrendSource
from hmi.trend.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Limit:
    """A line across, with its letters."""

    value: float
    letters: str = ""


def limits_of(plant: Plant, tag: str) -> tuple[Limit, ...]:
    """All limits of a tag."""
    return tuple(Limit(rule.limit, rule.kind.letters) for rule in plant.rules_of.get(tag, ()) if rule.kind.letters)


class SmallTrend(QWidget):
    """The last `span_us` of one tag, up to the session's now. Call `frame` while it is visible."""

    def __init__(self, session: Session, look: Look, span_us: int = HOUR, labels: int = 0) -> None:
        super().__init__()
        self._look = look
        self._source = TrendSource(session, self)
        self._source.arrived.connect(self._redraw)
        self._line = Timeline(session.now_us(), span_us, True)
        self._labels = labels
        self._tag = ""
        self._limits: tuple[Limit, ...] = ()
        self._axis: Axis | None = None
        self._drawn_us = 0
        self.setMinimumHeight(40)

    @property
    def axis(self) -> Axis | None:
        """The range shown, once there is something to show."""
        return self._axis

    def set_look(self, look: Look) -> None:
        self._look = look
        self.update()

    def show_tag(self, session: Session, tag: str, limits: tuple[Limit, ...] = ()) -> None:
        """Another tag, or another session."""
        for pen in list(self._source.pens):
            self._source.remove(pen.tag.name)
        self._source.set_session(session)
        self._tag, self._limits, self._axis = tag, limits, None
        if tag in session.plant.tag_index:
            self._source.add(tag)
        self._redraw()

    def frame(self) -> None:
        """Follow the time; repaint when the curve grew or moved by a pixel."""
        session = self._source.session
        self._line = self._line.at_now(session.now_us())
        width = max(self._plot().width(), 2)
        self._source.want(self._line, round(width))
        grew = self._source.frame()
        if grew or abs(self._line.end_us - self._drawn_us) > self._line.span_us / width:
            self._redraw()

    def _plot(self) -> QRectF:
        return QRectF(0, 0, max(self.width() - self._labels, 2), self.height())

    def _redraw(self) -> None:
        self._drawn_us = self._line.end_us
        area = self._plot()
        for pen in self._source.pens:
            pen.prepare(
                self._line.start_us,
                self._line.end_us,
                area.width() - (18 if not self._labels else 0),
                self._line.end_us,
            )
        if self._source.pens:
            self._axis, _ = assign_axes(self._source.pens, self._source.pens[0])
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        look, area = self._look, self._plot()
        with QPainter(self) as painter:
            painter.fillRect(area, look.well)
            if not self._source.pens or self._axis is None:
                return
            pen = self._source.pens[0]
            low, high = pen.range
            for limit in self._limits:
                # The limit that the curve nears is part of the picture; far ones would flatten it.
                if low - (high - low) < limit.value < high + (high - low):
                    low, high = (
                        min(low, limit.value - (high - low) * 0.04),
                        max(high, limit.value + (high - low) * 0.04),
                    )
            plot = area.adjusted(0, 2, -18 if not self._labels else 0, -2)
            if pen.tag.normal is not None:
                draw_band(
                    painter, plot.adjusted(0, 0, 18 if not self._labels else 0, 0), low, high, pen.tag.normal, look.band
                )
            for gap, box in gap_boxes(plot, pen.gaps, self._line.start_us, self._line.end_us):
                draw_gap(painter, gap, box, look)
            font = QFont("B612")
            font.setPixelSize(12)
            painter.setFont(font)
            for limit in self._limits:
                y = y_of(plot, low, high, limit.value)
                if area.top() <= y <= area.bottom():
                    draw_limit(painter, plot, y, look.ink)
                    if self._labels:
                        painter.setPen(look.ink)
                        text = f"{limit.letters} {pen.tag.format(limit.value)}"
                        painter.drawText(
                            QRectF(area.right() + 6, y - 8, self._labels, 16), Qt.AlignmentFlag.AlignVCenter, text
                        )
            if pen.drawn is not None:
                draw_strokes(painter, plot, pen.drawn, low, high, look.ink2)
                if not self._labels and len(pen.drawn.y) and len(pen.drawn.x) and not pen.drawn.bad[-1:]:
                    self._draw_pointer(painter, plot, y_of(plot, low, high, float(pen.drawn.y[-1])))
            if not self._source.knows(self._line.start_us):
                painter.setPen(look.ink2)
                state = "history not known" if self._source.silent else "reading history"
                painter.drawText(area, Qt.AlignmentFlag.AlignCenter, state)

    def _draw_pointer(self, painter: QPainter, plot: QRectF, y: float) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(line_pen(self._look.canvas, 1))
        painter.setBrush(self._look.ink)
        x = plot.right() - 1
        painter.drawPolygon(QPolygonF([QPointF(x, y), QPointF(x + 18, y - 7), QPointF(x + 18, y + 7)]))
