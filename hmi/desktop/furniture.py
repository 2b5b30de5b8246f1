"""Small parts that the window is made of, painted from the theme: buttons with their key, marks, rows of choices."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QLabel, QLineEdit, QScrollArea, QSizePolicy, QWidget

from hmi.core.alarm import AlarmState
from hmi.core.status import Quality
from hmi.mimic.marks import alarm_shape, pen, quality_mark
from hmi.mimic.theme import Theme


def font(pixels: int, bold: bool = False) -> QFont:
    made = QFont("B612")
    made.setPixelSize(pixels)
    made.setBold(bold)
    return made


@dataclass(frozen=True, slots=True)
class Blink:
    """What of the blinking marks is on now; one phase for the whole window. Steady as it comes."""

    ring: bool = True
    urgent: bool = True
    returned: bool = True

    @classmethod
    def at(cls, phase_ms: int) -> "Blink":
        """Rings at 1 Hz, urgent ones at 2 Hz, the dashes of returned alarms at 0.5 Hz."""
        return cls(phase_ms % 1000 < 500, phase_ms % 500 < 250, phase_ms % 2000 < 1000)

    def shows(self, priority: int, state: AlarmState) -> bool:
        """Whether ring or dashes of an alarm are drawn."""
        if state is AlarmState.RETURNED:
            return self.returned
        return self.urgent if priority == 1 else self.ring


class Themed:
    """A widget that paints from the theme. `dress` gives all of them another one."""

    theme: Theme

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        if isinstance(self, QWidget):
            self.update()


def dress(root: QWidget, theme: Theme) -> None:
    """Give the theme to a widget and everything inside it."""
    for widget in [root, *root.findChildren(QWidget)]:
        if isinstance(widget, Themed):
            widget.set_theme(theme)


def label(text: str = "", role: str = "", tone: str = "", wrap: bool = False) -> QLabel:
    """A text styled by the window's stylesheet."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        made.setProperty("role", role)
    if tone:
        made.setProperty("tone", tone)
    made.setWordWrap(wrap)
    return made


def _polygon(*points: tuple[float, float]) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in points])


def _icon(name: str) -> QPainterPath:
    """Transport signs in a square of 16."""
    path = QPainterPath()
    shapes: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
        "previous": (((3, 3), (3, 13)), ((13, 3), (6, 8), (13, 13), (13, 3))),
        "back": (((12, 3), (4, 8), (12, 13), (12, 3)),),
        "play": (((4, 3), (12, 8), (4, 13), (4, 3)),),
        "pause": (((5, 3), (5, 13)), ((11, 3), (11, 13))),
        "next": (((13, 3), (13, 13)), ((3, 3), (10, 8), (3, 13), (3, 3))),
        "close": (((4, 4), (12, 12)), ((12, 4), (4, 12))),
    }
    for shape in shapes[name]:
        path.addPolygon(_polygon(*shape))
    return path


class Button(QAbstractButton, Themed):
    """A button: outline; inverse while `on`; dashed while it cannot be used. `key` is shown in a small frame."""

    def __init__(
        self, theme: Theme, text: str = "", key: str = "", *, icon: str = "", on: bool = False, width: int = 0,
        bold: bool = False, clicked: Callable[[], object] | None = None, parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.theme = theme
        self.key = key
        self.on = on
        self.bold = bold
        self._icon = icon
        self._width = width
        self._hover = False
        self.mark: tuple[int, AlarmState] | None = None
        self.setText(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        if clicked is not None:
            self.clicked.connect(lambda: clicked())

    def set_on(self, on: bool) -> None:
        if on != self.on:
            self.on = on
            self.update()

    def set_text(self, text: str) -> None:
        if text != self.text():
            self.setText(text)
            self.updateGeometry()
            self.update()

    def set_icon(self, icon: str) -> None:
        if icon != self._icon:
            self._icon = icon
            self.update()

    def sizeHint(self) -> QSize:
        if self._width:
            return QSize(self._width, 32)
        if self._icon and not self.text():
            return QSize(32, 32)
        width = 24 + QFontMetrics(font(14, self.bold)).horizontalAdvance(self.text()) + (24 if self.mark else 0)
        if self.key:
            width += 16 + QFontMetrics(font(12)).horizontalAdvance(self.key)
        return QSize(width + 1, 32)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hover = True
        self.update()

    def leaveEvent(self, event: object) -> None:
        self._hover = False
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.theme
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            usable = self.isEnabled()
            front = theme.ink3 if not usable else theme.canvas if self.on else theme.ink
            box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
            if not usable:
                painter.setPen(pen(theme.hair, 1, (4, 3)))
                painter.setBrush(Qt.BrushStyle.NoBrush)
            elif self.on:
                painter.setPen(pen(theme.ink, 1))
                painter.setBrush(theme.ink)
            else:
                painter.setPen(pen(theme.ink if self._hover else theme.line, 1))
                painter.setBrush(theme.well if self.isDown() else theme.panel)
            painter.drawRoundedRect(box, 2, 2)
            if self.hasFocus():
                painter.setPen(QPen(theme.canvas if self.on else theme.ink, 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(box.adjusted(3, 3, -3, -3))
            if self._icon and not self.text():
                painter.translate((self.width() - 16) / 2, (self.height() - 16) / 2)
                painter.setPen(QPen(front, 2))
                painter.setBrush(front if self._icon != "close" else Qt.BrushStyle.NoBrush)
                painter.drawPath(_icon(self._icon))
                return
            self._paint_text(painter, front)

    def _paint_text(self, painter: QPainter, front: QColor) -> None:
        theme = self.theme
        painter.setFont(font(14, self.bold))
        text_width = painter.fontMetrics().horizontalAdvance(self.text())
        key_width = QFontMetrics(font(12)).horizontalAdvance(self.key) + 8 if self.key else 0
        mark_width = 24 if self.mark else 0
        x = (self.width() - text_width - mark_width - (key_width + 8 if self.key else 0)) / 2
        if self.mark:
            alarm_shape(painter, self.mark[0], self.mark[1], x + 9, self.height() / 2, 0.62, theme)
            x += mark_width
        painter.setPen(front)
        painter.drawText(QRectF(x, 0, text_width + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, self.text())
        if self.key:
            frame = QRectF(x + text_width + 8.5, (self.height() - 17) / 2 - 0.5, key_width, 17)
            key_chip(painter, frame, self.key, front if self.on else theme.ink2, front if self.on else theme.hair)


def key_chip(painter: QPainter, frame: QRectF, key: str, ink: QColor, line: QColor) -> None:
    """The name of a key in its frame."""
    painter.setFont(font(12))
    painter.setPen(pen(line, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(frame, 2, 2)
    painter.setPen(ink)
    painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, key)


class Field(QLineEdit):
    """A text field that Esc empties first; an empty one lets Esc through."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)


class AlarmIcon(QWidget, Themed):
    """The shape of an alarm, by itself."""

    def __init__(self, theme: Theme, side: int = 36, scale: float = 1.0) -> None:
        super().__init__()
        self.theme = theme
        self._scale = scale * side / 44
        self._what: tuple[int, AlarmState] = (4, AlarmState.NORMAL)
        self.setFixedSize(side, side)

    def show_alarm(self, priority: int, state: AlarmState) -> None:
        if (priority, state) != self._what:
            self._what = (priority, state)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            alarm_shape(painter, *self._what, self.width() / 2, self.height() / 2, self._scale, self.theme)


class QualityIcon(QWidget, Themed):
    """The square of a quality; nothing while good."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._quality = Quality.GOOD
        self.setFixedSize(20, 20)

    def show_quality(self, quality: Quality) -> None:
        if quality is not self._quality:
            self._quality = quality
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            quality_mark(painter, self._quality, 10, 10, self.theme)


class Choices(QWidget):
    """Buttons side by side, one of which is on."""

    def __init__(self, theme: Theme, words: list[str], chosen: Callable[[int], object]) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self.buttons: list[Button] = []
        for i, word in enumerate(words):
            button = Button(theme, word, clicked=partial(chosen, i))
            row.addWidget(button)
            self.buttons.append(button)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def choose(self, number: int) -> None:
        """Show one as on; -1 for none."""
        for i, button in enumerate(self.buttons):
            button.set_on(i == number)


class Scroll(QScrollArea):
    """Scrolls one widget up and down on the ground of whatever it lies on."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for ground in (self, self.viewport(), inside):
            ground.setAutoFillBackground(False)
        self.setObjectName("scroll")


class Progress(QWidget, Themed):
    """How much of a time is used up: a plain bar, no animation."""

    def __init__(self, theme: Theme, height: int = 4) -> None:
        super().__init__()
        self.theme = theme
        self._share = 0.0
        self.setFixedHeight(height)

    def show_share(self, share: float) -> None:
        share = min(max(share, 0.0), 1.0)
        if round(share * self.width()) != round(self._share * self.width()):
            self.update()
        self._share = share

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self.theme.hair)
            painter.fillRect(QRectF(0, 0, self.width() * self._share, self.height()), self.theme.ink)


class Fill(QWidget, Themed):
    """A plain ground of one of the theme's colours, with an optional hairline at one edge."""

    def __init__(self, theme: Theme, color: str, edge: str = "") -> None:
        super().__init__()
        self.theme = theme
        self._color = color
        self._edge = edge

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), getattr(self.theme, self._color))
            painter.setPen(self.theme.hair)
            if self._edge == "left":
                painter.drawLine(0, 0, 0, self.height())
            elif self._edge == "right":
                painter.drawLine(self.width() - 1, 0, self.width() - 1, self.height())
            elif self._edge == "bottom":
                painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)
