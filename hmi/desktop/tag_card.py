"""The built-in faceplate of one tag: name, key value with its quality, the last hour, and where it is written."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from hmi.core.session import Session
from hmi.core.status import quality_of, reason_of
from hmi.core.tag import Tag
from hmi.desktop.furniture import QualityIcon, label
from hmi.desktop.style import trend_look
from hmi.desktop.why import short_age
from hmi.desktop.write_box import Ask, WriteBox
from hmi.mimic.theme import Theme
from hmi.trend.small import SmallTrend, limits_of
from hmi.trend.statistics import QUALITY_WORDS


class TagCard(QWidget):
    """Fits into 568 pixels. A measurement with a setpoint tag writes that; a writable tag itself."""

    def __init__(self, theme: Theme, session: Session, tag: Tag, ask: Ask) -> None:
        super().__init__()
        self._session = session
        self._tag = tag
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 14)
        column.setSpacing(8)
        row = QHBoxLayout()
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addWidget(label(tag.description or tag.name, role="small"))
        value_row = QHBoxLayout()
        value_row.setSpacing(8)
        self._mark = QualityIcon(theme)
        self._value = label(role="big")
        self._unit = label(tag.unit, tone="dim")
        # On the line on which the large digits stand.
        self._unit.setContentsMargins(0, 0, 0, 10)
        value_row.addWidget(self._mark)
        value_row.addWidget(self._value)
        value_row.addWidget(self._unit, 0, Qt.AlignmentFlag.AlignBottom)
        value_row.addStretch(1)
        left.addLayout(value_row)
        self._quality = label(tone="dim")
        left.addWidget(self._quality)
        row.addLayout(left, 1)
        right = QVBoxLayout()
        right.setSpacing(0)
        self._span = label("last 60 min", role="small")
        self._trend = SmallTrend(session, trend_look(theme))
        self._trend.setFixedSize(248, 60)
        self._trend.show_tag(session, tag.name, limits_of(session.plant, tag.name))
        right.addWidget(self._span)
        right.addWidget(self._trend)
        right.addStretch(1)
        row.addLayout(right)
        column.addLayout(row)
        self.box: WriteBox | None = None
        written = tag
        if tag.setpoint is not None and tag.setpoint in session.plant.tag_index:
            written = session.plant.tag(tag.setpoint)
        if written.write is not None:
            self.box = WriteBox(theme, session, written, ask, "Setpoint" if written is not tag else "Set to")
            column.addWidget(self.box)

    def frame(self) -> None:
        table, i, tag = self._session.table, self._tag.index, self._tag
        status = int(table.status[i])
        quality = quality_of(status)
        text = table.text[i]
        shown = tag.format(float(table.value[i]), None if text is None else str(text)) if quality.has_value else "—"
        if self._value.text() != shown:
            self._value.setText(shown)
        self._unit.setVisible(quality.has_value)
        self._mark.show_quality(quality)
        self._mark.setVisible(quality != 0)
        words = QUALITY_WORDS[quality] if quality.has_value else f"{QUALITY_WORDS[quality]}, {reason_of(status)}"
        if quality.has_value and quality != 0:
            words = f"{words}, {short_age(self._session.now_us() - int(table.time_us[i]))} old"
        if self._quality.text() != words:
            self._quality.setText(words)
        self._trend.frame()
        axis = self._trend.axis
        if axis is not None:
            span = f"last 60 min, {tag.format(axis.low)} to {tag.format(axis.high)} {tag.unit}".rstrip()
            if self._span.text() != span:
                self._span.setText(span)
        if self.box is not None:
            self.box.frame()
