"""The widget that shows one screen: repaints what changed; keyboard and mouse open and operate its elements."""

import time

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QFocusEvent,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from hmi.core.command import WriteState
from hmi.core.screen import Screen
from hmi.core.session import Session
from hmi.mimic import marks
from hmi.mimic.board import Board
from hmi.mimic.drawable import Drawable
from hmi.mimic.paint_control import ButtonDrawable, SetpointDrawable
from hmi.mimic.reach import nearest
from hmi.mimic.theme import Theme

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_TYPED = "0123456789-.,"
_MANY_RECTS = 60
_SLICE_NS = 12_000_000
_HISTORY_WAIT_S = 10.0


class MimicView(QWidget):
    """One screen of one session.

    Signals: `opened` with what to open and the tag; `focused_tag` when the focus has moved (tag or empty);
    `write_requested` with tag, value and the question to ask first (empty: none). `frame_ms` is the CPU time of the
    last frame. Call `set_phase` and `frame` once a frame. A screen opens in slices of a few milliseconds, during which
    nothing of it is shown; `waiting` says so.
    """

    opened = Signal(object, str)
    focused_tag = Signal(str)
    write_requested = Signal(str, object, str)

    def __init__(
        self, session: Session, screen: Screen, theme: Theme, parent: QWidget | None = None, compact: bool = False
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.frame_ms = 0.0
        self._board = Board(session, screen, theme, compact, at_once=False)
        self._focus: Drawable | None = None
        self._kept: object = None
        self._ring = False
        # A screen is opened in slices; between them the window answers.
        self._slices = QTimer(self)
        self._slices.setSingleShot(True)
        self._slices.timeout.connect(self._advance)
        self._pressed: Drawable | None = None
        self._name_view()

    @property
    def board(self) -> Board:
        return self._board

    @property
    def waiting(self) -> bool:
        """Whether the screen is not all drawn, or history was asked for and has not come."""
        return not self._board.ready or self._board.curves.waiting

    @property
    def screen_shown(self) -> Screen:
        return self._board.screen

    def sizeHint(self) -> QSize:
        width, height = self._board.screen.head.size
        return QSize(int(width), int(height))

    def _name_view(self) -> None:
        title = "".join(p for p in self._board.screen.head.title.pieces if isinstance(p, str))
        self.setAccessibleName(f"Screen {title}".strip())

    # what is shown

    def frame(self) -> None:
        """Show what is new. Call at most 20 times a second."""
        board = self._board
        if board.situation.outdated:
            # The collector has accepted other files; until the window opens the screen anew, it keeps its form.
            self._show(board.session, board.screen, board.theme, board.compact)
            return
        if not board.ready:
            self._advance()
            return
        rects = self._board.frame()
        self.frame_ms = self._board.frame_ms
        if not rects:
            return
        if len(rects) > _MANY_RECTS:
            self.update()
            return
        ratio = self.devicePixelRatioF()
        for rect in rects:
            logical = QRectF(rect.x() / ratio, rect.y() / ratio, rect.width() / ratio, rect.height() / ratio)
            self.update(logical.toAlignedRect())

    def set_phase(self, phase_ms: int) -> None:
        """The blink phase of the window, in milliseconds from any origin."""
        self._board.set_phase(phase_ms)

    def set_theme(self, theme: Theme) -> None:
        self._board.set_theme(theme)
        self._slices.start(0)

    def set_screen(self, screen: Screen) -> None:
        """Show another screen, or a new form of this one; the focus stays on the element of the same id or place."""
        self._show(self._board.session, screen, self._board.theme, self._board.compact)

    def set_session(self, session: Session, theme: Theme) -> None:
        """Show the same screen at another time: live or replay."""
        if session.plant is not self._board.situation.plant:
            self._show(session, self._board.screen, theme, self._board.compact)
            return
        self._drop_edit()
        self._board.set_session(session, theme)
        self._slices.start(0)
        self.update()

    def set_compact(self, compact: bool) -> None:
        """Leave out what small windows have no room for."""
        if compact != self._board.compact:
            self._show(self._board.session, self._board.screen, self._board.theme, compact)

    def _show(self, session: Session, screen: Screen, theme: Theme, compact: bool) -> None:
        if self._focus is not None:
            self._kept = _place_of(self._focus)
        self._board = Board(session, screen, theme, compact, at_once=False)
        self._focus = None
        self._pressed = None
        self._name_view()
        self.update()
        self._layout()

    def _layout(self) -> None:
        self._board.layout(self.size(), self.devicePixelRatioF())
        self._advance()

    def _advance(self) -> None:
        """Open the screen for a slice of time; more slices follow until all of it is there."""
        board = self._board
        if not board.sized:
            self._layout()
            return
        if not board.advance(_SLICE_NS):
            self._slices.start(0)
            return
        self._slices.stop()
        if self._kept is not None:
            self._focus = next((d for d in board.drawables if d.reachable and _place_of(d) == self._kept), None)
            self._kept = None
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._board.layout(self.size(), self.devicePixelRatioF())
        # What made the size another has its own work to do in this turn.
        self._slices.start(0)

    def paintEvent(self, event: QPaintEvent) -> None:
        board, ratio = self._board, self.devicePixelRatioF()
        with QPainter(self) as painter:
            area = QRectF(event.rect())
            shown = QRectF(0, 0, board.picture.width() / ratio, board.picture.height() / ratio)
            if not shown.contains(area):
                # Nothing is shown of a screen that is not all drawn, or as much as there was before the size changed.
                painter.fillRect(area, board.theme.canvas)
            area = area.intersected(shown)
            source = QRectF(area.x() * ratio, area.y() * ratio, area.width() * ratio, area.height() * ratio)
            painter.drawPixmap(area, board.picture, source)
            if self._focus is not None and self._ring and self.hasFocus() and not board.hidden(self._focus):
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                device = board.to_device(self._focus.focus_rect)
                around = QRectF(device.x() / ratio, device.y() / ratio, device.width() / ratio, device.height() / ratio)
                marks.focus_ring(painter, around, board.theme)

    # focus

    @property
    def focused(self) -> Drawable | None:
        """The element that the keyboard acts on."""
        return self._focus

    def focus_on(self, drawable: Drawable | None, ring: bool = True) -> None:
        """Move the keyboard to an element of this view."""
        self._drop_edit()
        self._focus, self._ring = drawable, ring
        tag = drawable.main_tag.name if drawable is not None and drawable.main_tag is not None else ""
        self.focused_tag.emit(tag)
        if drawable is not None:
            self.setAccessibleName(drawable.spoken_name())
            self.setAccessibleDescription(drawable.spoken_state(self._board.situation))
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Focus))
        else:
            self._name_view()
        self.update()

    def _reachable(self) -> list[Drawable]:
        return [d for d in self._board.drawables if d.reachable and not self._board.hidden(d)]

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: A002 - Qt's name
        order = self._reachable()
        at = order.index(self._focus) if self._focus in order else (-1 if next else len(order))
        at += 1 if next else -1
        if 0 <= at < len(order):
            self.focus_on(order[at])
            return True
        self.focus_on(None)
        return super().focusNextPrevChild(next)

    def focusInEvent(self, event: QFocusEvent) -> None:
        order = self._reachable()
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason) and order:
            self.focus_on(order[0] if event.reason() is Qt.FocusReason.TabFocusReason else order[-1])
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        if event.reason() is not Qt.FocusReason.ActiveWindowFocusReason:
            self._drop_edit()
        self.update()
        super().focusOutEvent(event)

    # keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        field = self._focus if isinstance(self._focus, SetpointDrawable) else None
        if field is not None and plain and self._edit_key(field, key, event.text()):
            return
        if plain and key in _ARROWS:
            found = nearest(self._focus, self._reachable(), _ARROWS[key])
            if found is not None:
                self.focus_on(found)
            return
        if plain and key in _ENTER and self._focus is not None:
            self.activate(self._focus)
            return
        super().keyPressEvent(event)

    def _is_ours(self, event: QKeyEvent) -> bool:
        field = self._focus
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if not isinstance(field, SetpointDrawable) or not plain:
            return False
        typed = bool(event.text()) and event.text() in _TYPED
        return typed or (field.edit is not None and event.key() in (*_ENTER, Qt.Key.Key_Escape, Qt.Key.Key_Backspace))

    def _edit_key(self, field: SetpointDrawable, key: Qt.Key, text: str) -> bool:
        """Whether the key belongs to the field that is being edited."""
        edit = field.edit
        if edit is None:
            if text and text in _TYPED and self._may_write(field):
                field.type(text)
                self._touched(field)
                return True
            return False
        if key == Qt.Key.Key_Escape:
            self._drop_edit()
        elif key in _ENTER:
            self._send(field)
        elif key == Qt.Key.Key_Backspace:
            field.type(edit.text[:-1])
        elif text and text in _TYPED:
            field.type(edit.text + text)
        else:
            # While a number is typed, arrows must not walk away from it.
            return key in _ARROWS
        self._touched(field)
        return True

    def _touched(self, drawable: Drawable) -> None:
        self._board.touch(drawable)
        self.frame()

    def _drop_edit(self) -> None:
        field = self._focus
        if isinstance(field, SetpointDrawable) and field.edit is not None:
            field.edit = None
            self._touched(field)

    def _send(self, field: SetpointDrawable) -> None:
        order = field.order()
        if order is not None:
            field.edit = None
            self.write_requested.emit(order.tag, order.value, order.question)

    def _may_write(self, drawable: Drawable) -> bool:
        condition = self._board.situation.condition(drawable.bound)
        pending = condition.write is not None and condition.write.state is WriteState.PENDING
        return not condition.locked and not pending

    def activate(self, drawable: Drawable) -> None:
        """What Enter and a click do: press a button, edit a field, open what belongs to it."""
        write = self._board.situation.condition(drawable.bound).write
        if write is not None and write.state.ended:
            # Somebody has looked at it: what is not known stays in the list of events.
            self._board.situation.looked_at.add(write.id)
            self._touched(drawable)
        if isinstance(drawable, ButtonDrawable):
            if self._may_write(drawable):
                order = drawable.order()
                self.write_requested.emit(order.tag, order.value, order.question)
            return
        if isinstance(drawable, SetpointDrawable):
            if self._may_write(drawable):
                if drawable.edit is None:
                    drawable.type("")
                self._touched(drawable)
            return
        opens = drawable.opens
        if opens is not None:
            self.opened.emit(opens, drawable.main_tag.name if drawable.main_tag is not None else "")

    # mouse

    def _at(self, position: QPointF, reachable: bool) -> Drawable | None:
        return self._board.at(self._board.to_screen(position * self.devicePixelRatioF()), reachable)

    def place_of(self, drawable: Drawable) -> QPoint:
        """The middle of an element, in pixels of this widget."""
        device = self._board.to_device(drawable.rect).center() / self.devicePixelRatioF()
        return device.toPoint()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._pressed = self._at(event.position(), reachable=True)
            if self._pressed is not self._focus:
                self.focus_on(self._pressed, ring=self._pressed is not None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed = self._pressed, None
        if event.button() is not Qt.MouseButton.LeftButton or pressed is None:
            return
        if self._at(event.position(), reachable=True) is pressed:
            self.activate(pressed)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = self._at(event.position(), reachable=True)
        self.setCursor(Qt.CursorShape.PointingHandCursor if over is not None else Qt.CursorShape.ArrowCursor)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._is_ours(event):
            # A key that belongs to the field must not reach the window's shortcuts (Esc, minus).
            event.accept()
            return True
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            over = self._at(QPointF(event.pos()), reachable=False)
            text = over.tooltip(self._board.situation) if over is not None else ""
            if text:
                QToolTip.showText(event.globalPos(), text, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)


def _place_of(drawable: Drawable) -> tuple[object, ...]:
    """What an element is known by over a reload: its id, else what it is and where it lies."""
    if drawable.element.id is not None:
        return (drawable.element.id, drawable.main_tag.name if drawable.main_tag is not None else "")
    return (type(drawable), round(drawable.rect.x()), round(drawable.rect.y()))


def render_screen(session: Session, screen: Screen, theme: Theme, size: QSize) -> QImage:
    """A picture of one screen as it is now, with its curves. Waits up to ten seconds for history."""
    compact = size.width() < 1440
    board = Board(session, screen, theme, compact)
    board.layout(size)
    board.frame()
    deadline = time.monotonic() + _HISTORY_WAIT_S
    while board.curves.waiting and time.monotonic() < deadline:
        board.curves.wait(max(0.0, deadline - time.monotonic()))
        board.frame()
    return board.picture.toImage()
