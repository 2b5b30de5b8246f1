"""The ground between navigation and time bar: one view, a pane at its right, and what lies over them for a moment."""

from functools import partial

from PySide6.QtCore import QEvent, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from hmi.desktop import palette
from hmi.desktop.furniture import Button, Themed, label
from hmi.mimic.theme import Theme

PANE_WIDTH = 568
COMPACT_BELOW = 1440
LEAST_WIDTH, LEAST_HEIGHT = 1280, 720
NOTICE_MS = 8000
_FRAME_PX = 8


class Question(QWidget, Themed):
    """Asks in place, without stopping anything: the plant goes on being shown. Enter is yes, Esc is no."""

    answered = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        row = QHBoxLayout(self)
        row.setContentsMargins(24, 12, 24, 12)
        row.setSpacing(12)
        self._text = label(role="large", wrap=True)
        row.addWidget(self._text, 1)
        self.yes = Button(theme, "Yes", "Enter", on=True, clicked=lambda: self.answer(True))
        self.no = Button(theme, "No", "Esc", clicked=lambda: self.answer(False))
        row.addWidget(self.yes)
        row.addWidget(self.no)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text()

    def ask(self, text: str) -> None:
        """A question that was open before counts as answered with no."""
        if self.isVisible():
            self.answered.emit(False)
        self._text.setText(text)
        self.setAccessibleName(text)
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def answer(self, yes: bool) -> None:
        self.hide()
        self.answered.emit(yes)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.answer(True)
        elif event.key() == Qt.Key.Key_Escape:
            self.answer(False)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self.theme.ink)
            painter.fillRect(self.rect().adjusted(2, 2, -2, -2), self.theme.panel)


class Notice(QWidget, Themed):
    """One line that says what became of something; goes by itself."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 8)
        self._text = label(role="bold")
        row.addWidget(self._text)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text() if self.isVisible() else ""

    def tell(self, text: str) -> None:
        self._text.setText(text)
        self.setAccessibleName(text)
        self.adjustSize()
        self.show()
        self.raise_()
        self._timer.start(NOTICE_MS)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self.theme.line)
            painter.fillRect(self.rect().adjusted(1, 1, -1, -1), self.theme.canvas)


class Stage(QWidget, Themed):
    """Places the view and the pane. Below 1440 pixels the pane is a drawer over the view."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.view: QWidget | None = None
        self.pane: QWidget | None = None
        self.palette_box: QWidget | None = None
        self._sheet = ""
        self.question = Question(theme, self)
        self.notice = Notice(theme, self)

    def set_sheet(self, sheet: str) -> None:
        """The stylesheet of everything on the stage; what is not shown gets it when it is shown."""
        self._sheet = sheet
        for part in (self.view, self.pane, self.palette_box, self.question, self.notice):
            if part is not None:
                # Going through all widgets of a view takes Qt long: each has a turn of the event loop for itself.
                QTimer.singleShot(0, part, partial(self._style, part))

    def _style(self, part: QWidget) -> None:
        if part.styleSheet() != self._sheet:
            part.setStyleSheet(self._sheet)

    def show_view(self, view: QWidget) -> None:
        """Another view; the one before is hidden, not deleted."""
        if view is not self.view:
            before, self.view = self.view, view
            self._style(view)
            view.setParent(self)
            view.show()
            if before is not None:
                self._keep_focus(before)
                before.hide()
        self._arrange()

    def show_pane(self, pane: QWidget | None) -> None:
        """Another pane, or none."""
        if pane is not self.pane and self.pane is not None:
            self._keep_focus(self.pane)
            self.pane.hide()
        self.pane = pane
        if pane is not None:
            self._style(pane)
            pane.setParent(self)
            pane.show()
        self._arrange()

    def _keep_focus(self, leaving: QWidget) -> None:
        """To the view, before what has the focus is hidden: Qt would move it on as if Tab had been pressed."""
        focused: QWidget | None = self.window().focusWidget()
        if focused is None or self.view is None:
            return
        if focused is leaving or leaving.isAncestorOf(focused):
            self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_palette(self, box: QWidget | None) -> None:
        self.palette_box = box
        if box is not None:
            self._style(box)
        self._arrange()

    def _arrange(self) -> None:
        drawer = self.width() < COMPACT_BELOW
        pane = self.pane
        whole = self.rect()
        if self.view is not None:
            room = whole if pane is None or drawer else whole.adjusted(0, 0, -PANE_WIDTH, 0)
            self.view.setGeometry(room)
            self.view.lower()
        if pane is not None:
            pane.setGeometry(whole.right() + 1 - PANE_WIDTH, 0, PANE_WIDTH, whole.height())
            pane.raise_()
        if self.palette_box is not None:
            self.palette_box.move((self.width() - palette.WIDTH) // 2, 24)
            self.palette_box.raise_()
        width = min(760, self.width() - 48)
        self.question.setGeometry(QRect((self.width() - width) // 2, self.height() - 104, width, 80))
        self.notice.move(24, self.height() - self.notice.height() - 16)
        for over in (self.question, self.notice):
            over.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:
            self._arrange()
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self.theme.canvas)


class ReplayFrame(QWidget, Themed):
    """The blue frame of replay: over everything, in nobody's way."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            w, h, px = self.width(), self.height(), _FRAME_PX
            for edge in (QRectF(0, 0, w, px), QRectF(0, h - px, w, px), QRectF(0, 0, px, h), QRectF(w - px, 0, px, h)):
                painter.fillRect(edge, self.theme.replay_blue)
