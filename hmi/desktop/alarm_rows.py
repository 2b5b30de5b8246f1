"""How rows of the alarm list and the journal are painted: mark, bold while not acknowledged, ink edge when selected."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from hmi.core.alarm import AlarmState
from hmi.core.event import Event, EventKind
from hmi.desktop.alarm_model import RECORD, AlarmRecord, Column
from hmi.desktop.furniture import Blink, font
from hmi.mimic.marks import alarm_shape
from hmi.mimic.theme import Theme

ROW_HEIGHT = 44
_DIM = (Column.LASTING, Column.LIMIT, Column.AREA)


class AlarmRows(QStyledItemDelegate):
    """One for the list and the journal. `blink` is the phase of the marks."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.blink = Blink()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(64, ROW_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme = self.theme
        record = index.data(RECORD)
        box: QRect = option.rect
        state: QStyle.StateFlag = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        painter.fillRect(box, theme.well if selected else theme.canvas)
        painter.fillRect(box.x(), box.bottom(), box.width(), 1, theme.ink if selected else theme.hair)
        if index.column() == 0:
            if selected:
                painter.fillRect(box.x(), box.y(), 4, box.height(), theme.ink)
            self._paint_mark(painter, box, record)
            return
        bold, color = self._tone(record, index.column())
        painter.setFont(font(14, bold))
        painter.setPen(color)
        room = box.adjusted(8, 0, -8, 0)
        text = QFontMetrics(painter.font()).elidedText(
            str(index.data() or ""), Qt.TextElideMode.ElideRight, room.width()
        )
        side = (
            index.data(Qt.ItemDataRole.TextAlignmentRole) or Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        painter.drawText(room, Qt.AlignmentFlag(side), text)

    def _paint_mark(self, painter: QPainter, box: QRect, record: object) -> None:
        x, y = box.x() + 42, box.center().y()
        if isinstance(record, AlarmRecord):
            priority = int(record.rule.priority)
            ring = self.blink.shows(priority, record.alarm.state)
            alarm_shape(painter, priority, record.alarm.state, x, y, 36 / 44, self.theme, ring)
        elif isinstance(record, Event) and record.kind is EventKind.ALARM_RAISED and record.priority in (1, 2, 3, 4):
            alarm_shape(painter, record.priority, AlarmState.NORMAL, x, y, 0.7, self.theme)

    def _tone(self, record: object, column: int) -> tuple[bool, QColor]:
        theme = self.theme
        if isinstance(record, AlarmRecord):
            state = record.alarm.state
            bold = state is AlarmState.UNACKNOWLEDGED and column != Column.LASTING
            dim = state is AlarmState.RETURNED or column in _DIM
            return bold, theme.ink2 if dim else theme.ink
        return column == 3, theme.ink2 if column in (2, 5) else theme.ink
