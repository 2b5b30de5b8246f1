"""The surface elements are drawn on: the painter with theme, scale and blink phase, and text that stays readable."""

from dataclasses import dataclass, field
from enum import Enum
from math import ceil, floor

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPixmap

from hmi.core.alarm import AlarmState
from hmi.core.command import WriteState
from hmi.core.status import Quality
from hmi.mimic import marks
from hmi.mimic.state import AlarmMark, Condition
from hmi.mimic.theme import Role, Theme

_ANY_DIGIT = str.maketrans("123456789", "000000000")
_EDGE = 18.0
_NO_BRUSH = QBrush(Qt.BrushStyle.NoBrush)


def any_digits(text: str) -> str:
    """A short text with all digits alike: those of B612 are equally wide, so one measure serves all such numbers."""
    return text.translate(_ANY_DIGIT) if len(text) < 12 else text


class Align(Enum):
    LEFT = "left"
    MIDDLE = "middle"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Blink:
    """Which blinking parts are lit: the ring of priority 1, the other rings, the dashes of returned alarms."""

    urgent: bool = True
    ring: bool = True
    returned: bool = True

    @classmethod
    def at(cls, phase_ms: int) -> "Blink":
        """Half on, half off: 2 Hz, 1 Hz and 0.5 Hz, all beginning lit."""
        return cls(phase_ms % 500 < 250, phase_ms % 1000 < 500, phase_ms % 2000 < 1000)

    def of(self, alarm: AlarmMark) -> bool:
        if alarm.state is AlarmState.UNACKNOWLEDGED:
            return self.urgent if alarm.priority == 1 else self.ring
        return self.returned if alarm.state is AlarmState.RETURNED else True


def dash_of(quality: Quality) -> tuple[float, ...]:
    """How an outline is broken, by quality."""
    if quality is Quality.STALE:
        return (6, 3)
    return (1.5, 3.5) if quality in (Quality.NEVER_READ, Quality.NOT_RECORDED) else ()


@dataclass(slots=True)
class Canvas:
    """Everything is in logical pixels of the screen; `scale` is device pixels for one of them.

    `glass` is the same without the display's own pixel ratio: what decides how large text must be to be read.
    """

    painter: QPainter
    theme: Theme
    scale: float = 1.0
    glass: float = 1.0
    compact: bool = False
    blink: Blink = field(default_factory=Blink)

    def font_px(self, role: Role) -> int:
        return role.pixels(self.glass)

    def width(self, text: str, role: Role) -> float:
        """Width of a text in logical pixels."""
        theme, glass = self.theme, self.glass
        text = any_digits(text)
        return theme.stamps.get(("width", text, role, glass), lambda: self._metrics(role).horizontalAdvance(text))

    def _metrics(self, role: Role) -> QFontMetricsF:
        theme, glass = self.theme, self.glass
        return theme.stamps.get(("metrics", role, glass), lambda: QFontMetricsF(theme.font(role, glass)))

    def elided(self, text: str, role: Role, room: float) -> str:
        """The text, shortened with dots where it is wider than `room`."""
        if self.width(text, role) <= room:
            return text
        return self._metrics(role).elidedText(text, Qt.TextElideMode.ElideRight, max(room, 0))

    def text(self, x: float, base: float, text: str, role: Role, color: QColor, align: Align = Align.LEFT) -> float:
        """Draw text on a baseline; return its width."""
        if not text:
            return 0.0
        width = self.width(text, role)
        if align is not Align.LEFT:
            x -= width / 2 if align is Align.MIDDLE else width
        painter = self.painter
        painter.setFont(self.theme.font(role, self.glass))
        painter.setPen(color)
        painter.drawText(QPointF(x, base), text)
        return width

    def number(self, x: float, base: float, text: str, role: Role, color: QColor) -> float:
        """Draw a number from a kept picture of it; return its width.

        Numbers change with every sample and come again: shaping their text each time costs five times as much.
        """
        if self.scale != 1.0 or len(text) > 12:
            return self.text(x, base, text, role, color)
        left, top = floor(x), round(base)
        quarter = int((x - left) * 4)
        key = (text, role, color.rgb(), quarter)
        pixmap, width, ascent = self.theme.stamps.get(key, lambda: self._picture(text, quarter, role, color))
        self.painter.drawPixmap(left, top - ascent, pixmap)
        return width

    def _picture(self, text: str, quarter: int, role: Role, color: QColor) -> tuple[QPixmap, float, int]:
        font = self.theme.font(role, self.glass)
        metrics = self._metrics(role)
        width, ascent = metrics.horizontalAdvance(text), ceil(metrics.ascent())
        pixmap = QPixmap(ceil(width) + 3, ceil(metrics.height()) + 1)
        pixmap.fill(Qt.GlobalColor.transparent)
        with QPainter(pixmap) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setFont(font)
            painter.setPen(color)
            painter.drawText(QPointF(quarter / 4, ascent), text)
        return pixmap, width, ascent

    def centred_base(self, role: Role, middle: float) -> float:
        """The baseline that puts capitals of a role in the middle of a line."""
        return middle + self.font_px(role) * 0.36

    def pen(self, color: QColor, width: float, dash: tuple[float, ...] = ()) -> QPen:
        """`marks.pen`, kept."""
        return self.theme.stamps.get((color.rgba(), width, dash), lambda: marks.pen(color, width, dash))

    def fill(self, rect: QRectF, brush: QColor | QBrush) -> None:
        self.painter.fillRect(rect, brush)

    def box(
        self, rect: QRectF, stroke: QColor, width: float = 1.5, dash: tuple[float, ...] = (),
        brush: QColor | QBrush | None = None,
    ) -> None:  # fmt: skip
        painter = self.painter
        painter.setPen(self.pen(stroke, width, dash))
        painter.setBrush(_NO_BRUSH if brush is None else brush)
        painter.drawRect(rect)

    def line(
        self, x1: float, y1: float, x2: float, y2: float, color: QColor, width: float = 1.5,
        dash: tuple[float, ...] = (),
    ) -> None:  # fmt: skip
        self.painter.setPen(self.pen(color, width, dash))
        self.painter.drawLine(QLineF(x1, y1, x2, y2))

    def path(self, path: QPainterPath, stroke: QPen | None, brush: QColor | QBrush | None = None) -> None:
        painter = self.painter
        painter.setPen(Qt.PenStyle.NoPen if stroke is None else stroke)
        painter.setBrush(_NO_BRUSH if brush is None else brush)
        painter.drawPath(path)

    @property
    def hatch(self) -> QBrush:
        return marks.hatch_brush(self.theme, self.scale)

    @property
    def dots(self) -> QBrush:
        return marks.dot_brush(self.theme, self.scale)

    def pattern(self, quality: Quality) -> QBrush | None:
        """What fills a body that has no value: hatch, dots, or nothing."""
        if quality is Quality.BAD:
            return self.hatch
        return self.dots if quality is Quality.NOT_RECORDED else None

    def alarm(self, alarm: AlarmMark, x: float, y: float, size: float) -> None:
        marks.alarm_shape(
            self.painter, alarm.priority, alarm.state, x, y, size, self.theme, self.blink.of(alarm), self.scale
        )

    def quality(self, quality: Quality, x: float, y: float, size: float = 1.0) -> None:
        marks.quality_mark(self.painter, quality, x, y, self.theme, size, self.scale)

    def lock(self, x: float, y: float) -> None:
        marks.lock_mark(self.painter, x, y, self.theme, 1.0, self.scale)

    def pill(self, state: WriteState, x: float, y: float, size: float = 0.9) -> None:
        marks.write_pill(self.painter, state, x, y, self.theme, size, self.scale)

    def frame(self, rect: QRectF, alarm: AlarmMark, width: float = 3.5) -> None:
        marks.alarm_frame(self.painter, rect, alarm.priority, alarm.state, self.theme, width)

    def write_frame(self, rect: QRectF, state: WriteState) -> None:
        """The outline of an element whose write is pending or unknown."""
        if state is WriteState.PENDING:
            self.box(rect, self.theme.ink, 1.5, (5, 3))
        elif state is WriteState.UNKNOWN:
            self.box(rect, self.theme.ink, 2)

    def surround(self, body: QRectF, condition: Condition) -> None:
        """Frame, alarm mark, quality mark, write pill and lock around a body (nothing when plain)."""
        if condition.plain:
            return
        alarm, write, quality, ink = condition.alarm, condition.write, condition.quality, self.theme.ink
        if alarm is not None:
            self.frame(body.adjusted(-6, -6, 6, 6), alarm, 3.0)
            # At the edge of the screen the mark moves in: a mark cut in half cannot be told by its shape.
            self.alarm(alarm, max(body.left() - 13, _EDGE), max(body.top() - 5, _EDGE), 0.85)
        if quality is Quality.OUT_OF_SERVICE:
            self.line(body.left(), body.bottom(), body.right(), body.top(), ink, 1.5)
        if quality is not Quality.GOOD:
            self.quality(quality, body.right() - 1, body.top() + 3)
        if write is not None and write.state in (WriteState.PENDING, WriteState.UNKNOWN):
            self.write_frame(body.adjusted(-5, -5, 5, 5), write.state)
            self.pill(write.state, body.right() - 2, body.top() - 6)
        if condition.locked:
            self.lock(body.right() - 1, body.top() + 3)


SURROUND = (-33.0, -24.0, 18.0, 8.0)
"""How far `surround` reaches over a body, as margins for `QRectF.adjusted`."""
