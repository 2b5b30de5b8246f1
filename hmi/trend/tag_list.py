"""The searchable list of tags beside a trend: one line a tag, its number where it has a pen."""

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from hmi.core.session import Session
from hmi.core.status import quality_of, reason_of
from hmi.core.tag import DataType, Tag
from hmi.trend.look import Look
from hmi.trend.painting import draw_badge, line_pen
from hmi.trend.plot import font
from hmi.trend.source import TrendSource

TAG = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex


def matches(tag: Tag, words: list[str]) -> bool:
    """Whether every word stands in the name, description, area or unit. Texts have no curve."""
    line = f"{tag.name} {tag.description} {tag.area} {tag.unit}".lower()
    return tag.data_type is not DataType.TEXT and all(word in line for word in words)


class TagModel(QAbstractListModel):
    """Tags that match, then the pens that do not, so that none is ever out of reach."""

    def __init__(self, source: TrendSource) -> None:
        super().__init__()
        self._source = source
        self._words: list[str] = []
        self.tags: list[Tag] = []
        self.found = 0
        self.search("")

    @property
    def session(self) -> Session:
        return self._source.session

    def search(self, text: str) -> None:
        self._words = text.lower().split()
        self.refresh()

    def refresh(self) -> None:
        """After another search, another pen or another plant."""
        self.beginResetModel()
        tags = [tag for tag in self.session.plant.tags if matches(tag, self._words)]
        self.found = len(tags)
        names = {tag.name for tag in tags}
        self.tags = tags + [pen.tag for pen in self._source.pens if pen.tag.name not in names]
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.tags)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.tags):
            return None
        tag = self.tags[index.row()]
        if role == TAG:
            return tag
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{tag.name} {tag.description}"
        return None

    def number(self, tag: Tag) -> int:
        """The number of its pen, 0 without one."""
        return next((pen.number for pen in self._source.pens if pen.tag.name == tag.name), 0)


class TagRows(QStyledItemDelegate):
    """Paints a line: box or number, name, description, value with unit or the mark of what is wrong."""

    HEIGHT = 48

    def __init__(self, model: TagModel, look: Look) -> None:
        super().__init__()
        self._model = model
        self.look = look

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(312, self.HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        look, session = self.look, self._model.session
        box: QRect = option.rect
        state: QStyle.StateFlag = option.state
        tag: Tag = index.data(TAG)
        painter.fillRect(box, look.well if state & QStyle.StateFlag.State_Selected else look.panel)
        painter.fillRect(box.x(), box.bottom(), box.width(), 1, look.hair)
        middle = box.center().y()
        number = self._model.number(tag)
        if number:
            draw_badge(painter, number, box.x() + 16, middle - 10, look)
        else:
            painter.setPen(line_pen(look.line, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box.x() + 16, middle - 10, 20, 20)
        right = self._paint_value(painter, box, tag, session)
        room = right - box.x() - 56
        for text, chosen, color, y in (
            (tag.name, font(14, True), look.ink, middle - 3),
            (tag.description, font(12), look.ink2, middle + 15),
        ):
            painter.setFont(chosen)
            painter.setPen(color)
            painter.drawText(box.x() + 44, y, QFontMetrics(chosen).elidedText(text, Qt.TextElideMode.ElideRight, room))

    def _paint_value(self, painter: QPainter, box: QRect, tag: Tag, session: Session) -> int:
        """Value and unit from the right; returns where they begin."""
        look, i = self.look, tag.index
        status = int(session.table.status[i])
        quality = quality_of(status)
        right = box.right() - 16
        vertical = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        small = reason_of(status) if not quality.has_value else tag.unit
        painter.setFont(font(12))
        painter.setPen(look.ink2)
        width = max(painter.fontMetrics().horizontalAdvance(small), 24) + 4
        painter.drawText(QRect(right - width, box.y(), width, box.height()), vertical, small)
        right -= width + 4
        if quality.has_value:
            painter.setFont(font(14, True))
            painter.setPen(look.ink)
            text = tag.format(float(session.table.value[i]))
            width = painter.fontMetrics().horizontalAdvance(text)
            painter.drawText(QRect(right - width, box.y(), width, box.height()), vertical, text)
            right -= width + 6
        if quality != 0:
            look.quality(painter, quality, right - 10, box.center().y())
            right -= 26
        return right
