"""Ctrl+K: one field that finds everything, over the plant and under the banner; the plant stays lit behind it."""

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from hmi.core.session import Session
from hmi.desktop.furniture import Themed, font, key_chip
from hmi.desktop.search import Hit, Kind, search
from hmi.mimic.marks import alarm_shape
from hmi.mimic.theme import Theme

WIDTH = 800
_FIELD, _HEADING, _ROW, _FOOT = 56, 32, 40, 40
_HINTS = (("Enter", "open"), ("Ctrl Enter", "faceplate"), ("Ctrl T", "add to trend"), ("Esc", "close"))


class Palette(QWidget, Themed):
    """Keys: up and down choose, Enter opens, Ctrl+Enter the faceplate, Ctrl+T adds the tag to the trend, Esc closes."""

    chosen = Signal(object)
    faceplate_asked = Signal(object)
    trend_asked = Signal(object)
    closed = Signal()

    def __init__(self, theme: Theme, session: Session, live: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self._session = session
        self._live = live
        self.hits: list[Hit] = []
        self.at = 0
        self._boxes: list[tuple[QRectF, Hit]] = []
        self.field = QLineEdit(self)
        self.field.setObjectName("palette-field")
        self.field.setGeometry(24, 4, 440, 48)
        self.field.setAccessibleName("Find tags, screens, devices, alarms, times, commands")
        self.field.textChanged.connect(lambda _: self.refresh())
        self.field.installEventFilter(self)
        self.hide()

    def begin(self, session: Session) -> None:
        """Show it empty, for this session."""
        self._session = session
        self.field.clear()
        self.refresh()
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def end(self) -> None:
        if self.isVisible():
            self.hide()
            self.closed.emit()

    def refresh(self) -> None:
        """Search again for what is typed."""
        self.hits = search(self.field.text(), self._session, self._live)
        self.at = 0
        self._place()
        self.update()

    def _place(self) -> None:
        """Boxes of the rows; what does not fit between banner and time bar is left out, the last groups first."""
        parent = self.parentWidget()
        most = (parent.height() if parent is not None else 720) - 48
        y = float(_FIELD)
        self._boxes = []
        kind: Kind | None = None
        for hit in self.hits:
            need = _ROW + (_HEADING if hit.kind is not kind else 0)
            if y + need + _FOOT + 8 > most:
                break
            if hit.kind is not kind:
                kind = hit.kind
                y += _HEADING
            self._boxes.append((QRectF(2, y, WIDTH - 4, _ROW), hit))
            y += _ROW
        self.hits = [hit for _, hit in self._boxes]
        if not self.hits:
            y += _ROW
        self.resize(WIDTH, round(y) + 8 + _FOOT)

    @property
    def current(self) -> Hit | None:
        return self.hits[self.at] if self.hits else None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and self._take_key(event):
            return True
        return super().eventFilter(watched, event)

    def _take_key(self, event: QKeyEvent) -> bool:
        key, control = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if key == Qt.Key.Key_Escape:
            self.end()
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up) and self.hits:
            self.at = (self.at + (1 if key == Qt.Key.Key_Down else -1)) % len(self.hits)
            self.field.setAccessibleDescription(f"{self.hits[self.at].title}, {self.hits[self.at].text}")
            self.update()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.faceplate_asked if control else self.chosen)
        elif control and key == Qt.Key.Key_T:
            self._choose(self.trend_asked)
        else:
            return False
        return True

    def _choose(self, signal: object) -> None:
        hit = self.current
        if hit is not None:
            self.end()
            signal.emit(hit)  # type: ignore[attr-defined]

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for i, (box, _) in enumerate(self._boxes):
            if box.contains(event.position()):
                self.at = i
                self._choose(self.chosen)
                return

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.theme
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), theme.ink)
            painter.fillRect(self.rect().adjusted(2, 2, -2, -2), theme.panel)
            painter.fillRect(QRectF(2, _FIELD - 1, WIDTH - 4, 1), theme.line)
            painter.setFont(font(12))
            painter.setPen(theme.ink2)
            vertical = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(
                QRectF(470, 0, WIDTH - 494, _FIELD), vertical | Qt.AlignmentFlag.AlignRight,
                "tags, screens, devices, alarms, times, commands",
            )  # fmt: skip
            kind: Kind | None = None
            for i, (box, hit) in enumerate(self._boxes):
                if hit.kind is not kind:
                    kind = hit.kind
                    painter.setFont(font(12))
                    painter.setPen(theme.ink2)
                    painter.drawText(QRectF(24, box.y() - 22, 300, 18), vertical, kind.value)
                self._paint_row(painter, box, hit, i == self.at)
            if not self._boxes:
                painter.setFont(font(14))
                painter.setPen(theme.ink2)
                painter.drawText(QRectF(24, _FIELD, 400, _ROW), vertical, "Nothing found")
            self._paint_foot(painter)

    def _paint_row(self, painter: QPainter, box: QRectF, hit: Hit, current: bool) -> None:
        theme = self.theme
        vertical = Qt.AlignmentFlag.AlignVCenter
        if current:
            painter.fillRect(box, theme.well)
            painter.fillRect(QRectF(box.x(), box.y(), 4, box.height()), theme.ink)
        if hit.priority:
            alarm_shape(painter, hit.priority, hit.state, 38, box.center().y(), 28 / 44, theme)
        elif hit.kind is Kind.SCREEN:
            painter.setFont(font(14))
            painter.setPen(theme.ink)
            painter.drawText(QRectF(24, box.y(), 24, box.height()), vertical, hit.right.removeprefix("level "))
        painter.setFont(font(14))
        painter.setPen(theme.ink2)
        right_width = QFontMetrics(painter.font()).horizontalAdvance(hit.right)
        painter.drawText(box.adjusted(0, 0, -22, 0), vertical | Qt.AlignmentFlag.AlignRight, hit.right)
        painter.setPen(theme.ink)
        painter.setFont(font(14, True))
        wide = 330.0 if hit.kind in (Kind.COMMAND, Kind.SCREEN) else 160.0
        name_width = max(wide, painter.fontMetrics().horizontalAdvance(hit.title) + 12.0)
        painter.drawText(QRectF(56, box.y(), name_width, box.height()), vertical, hit.title)
        painter.setFont(font(14))
        room = WIDTH - 56 - name_width - right_width - 56
        text = QFontMetrics(painter.font()).elidedText(hit.text, Qt.TextElideMode.ElideRight, int(max(room, 0)))
        painter.setPen(theme.ink2 if hit.kind is Kind.SCREEN else theme.ink)
        painter.drawText(QRectF(56 + name_width, box.y(), room, box.height()), vertical, text)

    def _paint_foot(self, painter: QPainter) -> None:
        theme = self.theme
        y = self.height() - _FOOT
        painter.fillRect(QRectF(2, y, WIDTH - 4, 1), theme.hair)
        x = 24.0
        metrics = QFontMetrics(font(12))
        for key, word in _HINTS:
            width = metrics.horizontalAdvance(key) + 8
            key_chip(painter, QRectF(x + 0.5, y + 11.5, width, 17), key, theme.ink2, theme.hair)
            painter.drawText(QRectF(x + width + 8, y, 160, _FOOT), Qt.AlignmentFlag.AlignVCenter, word)
            x += width + metrics.horizontalAdvance(word) + 32
