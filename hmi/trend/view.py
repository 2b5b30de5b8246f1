"""The trend view: tags at the left, curves, and the table of values under them."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from hmi.core.clock import to_datetime
from hmi.core.session import Mode, Session
from hmi.core.tag import Tag
from hmi.trend.axes import date_text
from hmi.trend.look import Look
from hmi.trend.pens import MOST_PENS, Pen
from hmi.trend.plot import TrendPlot, font
from hmi.trend.source import TrendSource
from hmi.trend.table import TrendTable
from hmi.trend.tag_list import TAG, TagModel, TagRows
from hmi.trend.timeline import SPANS, Timeline

LIST_WIDTH = 312


class SpanButton(QAbstractButton):
    """One of the spans, or Now; inverse while it is what is shown."""

    def __init__(self, text: str, key: str = "") -> None:
        super().__init__()
        self.setText(text)
        self.key = key
        self.on = False
        self.colors: tuple[QColor, QColor, QColor, QColor] = (QColor(), QColor(), QColor(), QColor())
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        width = self.fontMetrics().horizontalAdvance(self.text()) + 28 + (44 if self.key else 0)
        return QSize(width, 32)

    def show_on(self, on: bool) -> None:
        if on != self.on:
            self.on = on
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        ink, canvas, panel, line = self.colors
        with QPainter(self) as painter:
            box = self.rect().adjusted(0, 0, -1, -1)
            painter.setPen(ink if self.on or self.hasFocus() else line)
            painter.setBrush(ink if self.on else panel)
            painter.drawRect(box)
            painter.setFont(font(14))
            painter.setPen(canvas if self.on else ink)
            room = box.adjusted(0, 0, -44, 0) if self.key else box
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, self.text())
            if self.key:
                painter.setFont(font(12))
                chip = box.adjusted(box.width() - 46, 7, -8, -7)
                painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, self.key)
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(chip)


class TrendView(QWidget):
    """Works on any session; `set_session` keeps the pens and asks anew. Call `frame` while it is visible."""

    def __init__(self, session: Session, look: Look) -> None:
        super().__init__()
        self._look = look
        self.source = TrendSource(session, self)
        self.source.arrived.connect(self._on_arrived)
        self.source.failed.connect(self._on_failed)
        self.plot = TrendPlot(self.source, look)
        self.table = TrendTable(self.source, self.plot, look)
        self.model = TagModel(self.source)
        self._rows = TagRows(self.model, look)
        self._frames = 0
        self._counted_us = 0
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._side())
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addLayout(self._bar())
        right.addWidget(self.plot, 1)
        right.addWidget(self.table)
        row.addLayout(right, 1)
        self.setFocusProxy(self.plot)
        self.plot.timeline_changed.connect(self._on_timeline)
        self.plot.cursor_moved.connect(self.table.update)
        self.table.selected.connect(self.plot.select)
        self.set_look(look)
        self._on_search("")
        self.table.recount()

    def _side(self) -> QWidget:
        self._list_side = QWidget()
        self._list_side.setFixedWidth(LIST_WIDTH)
        column = QVBoxLayout(self._list_side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.field = QLineEdit()
        self.field.setPlaceholderText("Find a tag   Ctrl F")
        self.field.setFixedHeight(32)
        self.field.textChanged.connect(self._on_search)
        self.field.installEventFilter(self)
        box = QHBoxLayout()
        box.setContentsMargins(16, 16, 16, 12)
        box.addWidget(self.field)
        column.addLayout(box)
        self._found = QLabel()
        self._found.setContentsMargins(16, 0, 16, 8)
        self._found.setProperty("role", "small")
        column.addWidget(self._found)
        self.list = QListView()
        self.list.setObjectName("side")
        self.list.setModel(self.model)
        self.list.setItemDelegate(self._rows)
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(lambda index: self.toggle(index.data(TAG)))
        self.list.installEventFilter(self)
        column.addWidget(self.list, 1)
        hint = QLabel(f"Enter adds or removes a pen.\n{MOST_PENS} pens at most.")
        hint.setProperty("role", "small")
        hint.setContentsMargins(16, 12, 16, 12)
        column.addWidget(hint)
        return self._list_side

    def _bar(self) -> QHBoxLayout:
        bar = QHBoxLayout()
        bar.setContentsMargins(24, 8, 24, 8)
        bar.setSpacing(0)
        self.spans = [SpanButton(word) for word, _ in SPANS]
        for button, (_, span) in zip(self.spans, SPANS, strict=True):
            button.clicked.connect(lambda _=False, span=span: self.show_span(span))
            bar.addWidget(button)
        bar.addSpacing(8)
        self.now = SpanButton("Now", "End")
        self.now.clicked.connect(self.follow)
        bar.addWidget(self.now)
        bar.addStretch(1)
        self._range = QLabel()
        self._range.setProperty("tone", "dim")
        bar.addWidget(self._range)
        return bar

    def set_session(self, session: Session) -> None:
        """Live or replay, or another plant; the span ends at the session's now."""
        self.source.set_session(session)
        self.plot.selected = next(iter(self.source.pens), None)
        self.plot.failure = ""
        self.plot.set_timeline(Timeline(session.now_us(), self.plot.timeline.span_us))
        self.model.refresh()
        self.table.recount()

    def set_look(self, look: Look) -> None:
        self._look = look
        self._rows.look = look
        self.table.look = look
        colors = (look.ink, look.canvas, look.panel, look.line)
        for button in (*self.spans, self.now):
            button.colors = colors
            button.update()
        self.plot.set_look(look)
        self.table.update()
        self.list.viewport().update()
        self.update()

    def set_compact(self, compact: bool) -> None:
        self._list_side.setFixedWidth(240 if compact else LIST_WIDTH)

    def focus_search(self) -> None:
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def add_pen(self, tag: str) -> Pen | None:
        """A pen for a tag; the one it has already, or None where there are eight."""
        pen = next((p for p in self.source.pens if p.tag.name == tag), None) or self.source.add(tag)
        if pen is not None:
            self.plot.select(pen)
        self._after_pens()
        return pen

    def remove_pen(self, tag: str) -> None:
        self.source.remove(tag)
        self._after_pens()

    def toggle(self, tag: Tag) -> None:
        """Enter, or a click on a line of the list."""
        if any(pen.tag.name == tag.name for pen in self.source.pens):
            self.remove_pen(tag.name)
        else:
            self.add_pen(tag.name)

    def show_span(self, span_us: int) -> None:
        self.plot.set_timeline(self.plot.timeline.with_span(span_us, self.source.session.now_us()))

    def follow(self) -> None:
        """Now, End: the end of the span is the session's time again."""
        self.plot.set_timeline(self.plot.timeline.follow(self.source.session.now_us()))

    def frame(self) -> None:
        self.plot.frame()
        self._frames += 1
        if self._frames % 10 == 0:
            self.list.viewport().update()
        if self._frames % 5 == 0 and self.plot.timeline.end_us != self._counted_us:
            self._counted_us = self.plot.timeline.end_us
            self.table.recount()

    def _after_pens(self) -> None:
        self.plot.redraw()
        self.plot.frame()
        self.list.viewport().update()
        self.table.recount()

    def _on_search(self, text: str) -> None:
        self.model.search(text)
        self._found.setText(f"{self.model.found} tags found" if text else f"{self.model.found} tags")
        if self.model.tags:
            self.list.setCurrentIndex(self.model.index(0))

    def _on_arrived(self) -> None:
        self.plot.failure = ""
        line = self.plot.timeline
        for pen in self.source.pens:
            pen.prepare(
                line.start_us, line.end_us, self.plot.area.width(), min(self.source.session.now_us(), line.end_us)
            )
        self.plot.redraw()
        self.table.recount()

    def _on_failed(self, why: str) -> None:
        self.plot.failure = why
        self.plot.redraw()

    def _on_timeline(self) -> None:
        line, zone = self.plot.timeline, self.source.session.plant.zone
        start, end = to_datetime(line.start_us, zone), to_datetime(line.end_us, zone)
        first = f"{date_text(start)} {start:%H:%M:%S}"
        last = f"{end:%H:%M:%S}" if start.date() == end.date() else f"{date_text(end)} {end:%H:%M:%S}"
        text = f"{first} to {last}"
        if self._range.text() != text:
            self._range.setText(text)
        for button, (_, span) in zip(self.spans, SPANS, strict=True):
            button.show_on(span == line.span_us)
        self.now.show_on(line.following)
        self.now.setToolTip(
            "The end follows the time" if self.source.session.mode is Mode.LIVE else "The end follows replay"
        )
        self.table.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                index = self.list.currentIndex()
                if index.isValid():
                    self.toggle(index.data(TAG))
                return True
            if watched is self.field and event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                step = 1 if event.key() == Qt.Key.Key_Down else -1
                row = min(max(self.list.currentIndex().row() + step, 0), len(self.model.tags) - 1)
                self.list.setCurrentIndex(self.model.index(row))
                return True
            if watched is self.field and event.key() == Qt.Key.Key_Escape:
                self.field.clear()
                self.plot.setFocus(Qt.FocusReason.OtherFocusReason)
                return True
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self._look.canvas)
            side = self._list_side.geometry()
            painter.fillRect(side, self._look.panel)
            painter.fillRect(side.right(), 0, 1, self.height(), self._look.hair)
