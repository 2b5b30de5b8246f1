"""The alarm banner: plant and user, counts by priority, the worst newest unacknowledged alarm, the clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QToolTip, QWidget

from hmi.core.alarm import Alarm, AlarmRule, AlarmState, Priority
from hmi.core.moment import span_words
from hmi.core.plant import Plant
from hmi.core.session import Mode, Session, alarms_known
from hmi.core.status import Quality
from hmi.desktop.furniture import Blink, Button, Themed, font
from hmi.desktop.words import alarm_message, clock_text, long_date, near_time, unknown_alarms
from hmi.mimic.marks import alarm_shape, dot_brush, pen, quality_mark
from hmi.mimic.theme import Theme

_BLINKING = (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED)


@dataclass(frozen=True, slots=True)
class Count:
    """How many alarms of a priority are active, and the state that most needs attention."""

    active: int = 0
    state: AlarmState = AlarmState.NORMAL


@dataclass(frozen=True, slots=True)
class Top:
    """The alarm in the banner."""

    rule: AlarmRule
    alarm: Alarm
    message: str


@dataclass(frozen=True, slots=True)
class BannerText:
    """All that the banner says, so that it is painted only when something of it changed."""

    counts: Mapping[int, Count] = field(default_factory=dict)
    top: Top | None = None
    returned: int = 0
    waiting: int = 0
    unknown: str = ""
    """Why nothing is known of alarms, empty while they are."""


def counts_of(alarms: Sequence[Alarm], plant: Plant) -> dict[int, Count]:
    """Active alarms by priority; a returned one that nobody acknowledged gives its mark, but does not count."""
    found: dict[int, Count] = {}
    order = (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED, AlarmState.RETURNED)
    for priority in Priority:
        states = [a.state for a in alarms if (r := plant.rule.get(a.key)) is not None and r.priority is priority]
        state = next((s for s in order if s in states), AlarmState.NORMAL)
        found[int(priority)] = Count(sum(s.active for s in states), state)
    return found


def banner_text(alarms: Sequence[Alarm], plant: Plant) -> BannerText:
    """The worst of the unacknowledged active alarms, of these the newest."""
    waiting = [
        (rule, alarm)
        for alarm in alarms
        if alarm.state is AlarmState.UNACKNOWLEDGED and (rule := plant.rule.get(alarm.key)) is not None
    ]
    top = None
    if waiting:
        rule, alarm = min(waiting, key=lambda pair: (int(pair[0].priority), -pair[1].raised_us))
        top = Top(rule, alarm, alarm_message(rule, alarm, plant))
    returned = sum(a.state is AlarmState.RETURNED for a in alarms)
    return BannerText(counts_of(alarms, plant), top, returned, len(waiting))


class Banner(QWidget, Themed):
    """Always there, covered by nothing. Alarms and clock are those of the session: in replay, as they were then."""

    acknowledge_asked = Signal(str)
    alarms_asked = Signal(int)
    top_asked = Signal(str)

    def __init__(self, session: Session, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._session = session
        self._text = BannerText()
        self._versions: tuple[int, int, str] = (-1, -1, "")
        self._second = -1
        self._blink = Blink()
        self._compact = False
        self._message_box = QRectF()
        self._tiles: list[QRectF] = []
        self._button = Button(theme, "Acknowledge", "F2", on=True, clicked=self._ask, parent=self)
        self._button.hide()
        self.setFixedHeight(64)
        self.setAccessibleName("Alarm banner")
        self.setMouseTracking(True)

    @property
    def text(self) -> BannerText:
        return self._text

    def set_session(self, session: Session) -> None:
        self._session = session
        self._versions = (-1, -1, "")
        self._second = -1

    def set_compact(self, compact: bool) -> None:
        self._compact = compact
        self._button.key = "" if compact else "F2"
        self._button.updateGeometry()
        self.setFixedHeight(56 if compact else 64)
        self._arrange()
        self.update()

    def frame(self, blink: Blink) -> None:
        """Take over alarms and time; repaint when a word of it changed, or the blinking ring."""
        session = self._session
        unknown = "" if alarms_known(session) else unknown_alarms(session)
        versions = (session.alarms_version, session.plant_version, unknown)
        if versions != self._versions:
            self._versions = versions
            self._text = BannerText(unknown=unknown) if unknown else banner_text(session.alarms, session.plant)
            top = self._text.top
            self.setAccessibleDescription(
                f"{top.rule.priority.word}: {top.message}" if top else unknown or "No unacknowledged alarm"
            )
            self._arrange()
            self.update()
        second = session.now_us() // 1_000_000
        if second != self._second:
            self._second = second
            self.update()
        blink = blink if session.mode is Mode.LIVE else Blink()
        if blink != self._blink:
            self._blink = blink
            if any(count.state in _BLINKING for count in self._text.counts.values()):
                self.update()

    def _ask(self) -> None:
        if self._text.top is not None:
            self.acknowledge_asked.emit(self._text.top.alarm.key)

    def _arrange(self) -> None:
        margin, gap = (16, 8) if self._compact else (24, 24)
        tile, tile_gap, tile_height = (52, 0, 40) if self._compact else (64, 8, 40)
        plant_width = 136 if self._compact else 208
        x = margin + plant_width + gap
        top = (self.height() - tile_height) / 2
        self._tiles = [QRectF(x + i * (tile + tile_gap), top, tile, tile_height) for i in range(4)]
        x += 4 * tile + 3 * tile_gap + gap
        height = 40 if self._compact else 48
        clock_width = 112 if self._compact else 136
        self._message_box = QRectF(
            x, (self.height() - height) / 2, self.width() - margin - clock_width - gap - x, height
        )
        size = self._button.sizeHint()
        self._button.setGeometry(
            round(self._message_box.right()) - size.width() - 8,
            round(self._message_box.center().y()) - 16,
            size.width(),
            32,
        )
        self._button.setVisible(self._text.top is not None and self._session.mode is Mode.LIVE)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.theme
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillRect(self.rect(), theme.chrome)
            painter.fillRect(0, self.height() - 1, self.width(), 1, theme.hair)
            self._paint_plant(painter)
            for i, tile in enumerate(self._tiles):
                self._paint_tile(painter, tile, i + 1)
            self._paint_message(painter)
            self._paint_clock(painter)

    def _paint_plant(self, painter: QPainter) -> None:
        margin = 16 if self._compact else 24
        width = 136 if self._compact else 208
        bold = font(14 if self._compact else 16, True)
        width += 12  # up to the first shape
        if QFontMetrics(bold).horizontalAdvance(self._session.plant.name) > width:
            bold = font(12 if self._compact else 14, True)
        painter.setFont(bold)
        painter.setPen(self.theme.ink)
        middle = self.height() / 2 + (2 if self._compact else 0)
        name = QFontMetrics(bold).elidedText(self._session.plant.name, Qt.TextElideMode.ElideRight, width)
        painter.drawText(QPointF(margin, middle - 5), name)
        painter.setFont(font(12))
        painter.setPen(self.theme.ink2)
        painter.drawText(QPointF(margin, middle + 14), self._session.health.who)

    def _paint_tile(self, painter: QPainter, tile: QRectF, priority: int) -> None:
        count = self._text.counts.get(priority, Count())
        ring = self._blink.shows(priority, count.state)
        scale = 36 / 44 if not self._compact else 32 / 44
        alarm_shape(painter, priority, count.state, tile.x() + 18, tile.center().y(), scale, self.theme, ring)
        painter.setFont(font(16 if self._compact else 20, count.active > 0))
        painter.setPen(self.theme.ink if count.active else self.theme.ink3)
        rest = tile.adjusted(34 if self._compact else 42, 0, 0, 0)
        shown = "–" if self._text.unknown else str(count.active)
        painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter, shown)

    def _paint_message(self, painter: QPainter) -> None:
        theme, box, top = self.theme, self._message_box, self._text.top
        painter.fillRect(box, theme.canvas)
        middle = box.center().y()
        inner = QRectF(box.x() + (8 if self._compact else 16), box.y(), box.width() - 24, box.height())
        vertical = Qt.AlignmentFlag.AlignVCenter
        if self._text.unknown:
            self._paint_unknown(painter, box, inner)
            return
        if top is None:
            painter.setPen(pen(theme.hair, 1))
            painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
            painter.setFont(font(14))
            painter.setPen(theme.ink2)
            returned = self._text.returned
            more = f". {returned} returned, not acknowledged" if returned else ""
            painter.drawText(inner, vertical, f"No unacknowledged alarm{more}")
            return
        priority = int(top.rule.priority)
        if not theme.dark:
            painter.setPen(pen(theme.onp, 5))
            painter.drawRect(box.adjusted(1.5, 1.5, -1.5, -1.5))
        painter.setPen(pen(theme.p[priority], 3))
        painter.drawRect(box.adjusted(1.5, 1.5, -1.5, -1.5))
        ring = self._blink.shows(priority, top.alarm.state)
        alarm_shape(painter, priority, top.alarm.state, inner.x() + 18, middle, 36 / 44 * 0.95, theme, ring)
        x = inner.x() + (40 if self._compact else 52)
        painter.setPen(theme.ink)
        if not self._compact:
            painter.setFont(font(14, True))
            word = top.rule.priority.word.upper()
            painter.drawText(QRectF(x, box.y(), 120, box.height()), vertical, word)
            x += painter.fontMetrics().horizontalAdvance(word) + 16
        end = self._paint_message_end(painter, top)
        message = font(15 if self._compact else 18, True)
        painter.setFont(message)
        painter.setPen(theme.ink)
        shown = QFontMetrics(message).elidedText(top.message, Qt.TextElideMode.ElideRight, int(max(end - 16 - x, 0)))
        painter.drawText(QRectF(x, box.y(), end - x, box.height()), vertical, shown)

    def _paint_unknown(self, painter: QPainter, box: QRectF, inner: QRectF) -> None:
        """As everything that was not recorded: dots, a dotted outline, the mark and the word."""
        theme, text = self.theme, self._text.unknown
        painter.setPen(pen(theme.line, 1.5, (1.5, 3.5)))
        painter.setBrush(dot_brush(theme, painter.device().devicePixelRatioF()))
        painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
        painter.setFont(font(14))
        width = painter.fontMetrics().horizontalAdvance(text)
        painter.fillRect(QRectF(inner.x() - 4, box.center().y() - 12, width + 40, 24), theme.canvas)
        quality_mark(painter, Quality.NOT_RECORDED, inner.x() + 10, box.center().y(), theme)
        painter.setPen(theme.ink2)
        painter.drawText(inner.adjusted(28, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_message_end(self, painter: QPainter, top: Top) -> float:
        """Time and age, from the right; returns where they begin."""
        theme, box, session = self.theme, self._message_box, self._session
        right = box.right() - 16
        texts: list[tuple[str, QColor]] = []
        if session.mode is Mode.REPLAY:
            texts.append(("as it was then", theme.ink2))
        else:
            right = self._button.x() - (8.0 if self._compact else 16.0)
        texts.append((span_words(session.now_us() - top.alarm.raised_us), theme.ink2))
        if not self._compact:
            texts.append((near_time(top.alarm.raised_us, session.now_us(), session.plant.zone), theme.ink))
        painter.setFont(font(14))
        for text, color in texts:
            width = painter.fontMetrics().horizontalAdvance(text)
            painter.setPen(color)
            painter.drawText(
                QRectF(right - width, box.y(), width + 1, box.height()), Qt.AlignmentFlag.AlignVCenter, text
            )
            right -= width + 16
        return right

    def _paint_clock(self, painter: QPainter) -> None:
        theme, session = self.theme, self._session
        replay = session.mode is Mode.REPLAY
        margin = 16 if self._compact else 24
        width = 112 if self._compact else 136
        box = QRectF(self.width() - margin - width, 0, width, self.height())
        if replay:
            # The ground reaches beyond the digits, so that these stand where they stood.
            reach = 4 if self._compact else 12
            painter.fillRect(box.adjusted(-reach, 8, reach, -1), theme.replay_blue)
        painter.setPen(theme.onreplay if replay else theme.ink)
        zone, now = session.plant.zone, session.now_us()
        right = Qt.AlignmentFlag.AlignRight
        middle = self.height() / 2
        painter.setFont(font(20 if self._compact else 26, True))
        painter.drawText(
            # Below the frame of replay, whose upper edge the digits would touch.
            QRectF(box.x() - 40, middle - (22 if self._compact else 27), width + 40, 32 if not self._compact else 28),
            right | Qt.AlignmentFlag.AlignVCenter,
            clock_text(now, zone),
        )
        painter.setFont(font(12))
        painter.drawText(QRectF(box.x() - 40, middle + 5, width + 40, 18), right, long_date(now, zone))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for i, tile in enumerate(self._tiles):
            if tile.contains(event.position()):
                self.alarms_asked.emit(i + 1)
                return
        if self._text.top is not None and self._message_box.contains(event.position()):
            self.top_asked.emit(self._text.top.alarm.key)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        for i, tile in enumerate(self._tiles):
            if tile.contains(event.position()):
                QToolTip.showText(event.globalPosition().toPoint(), f"{Priority(i + 1).word} alarms", self)
                return
        QToolTip.hideText()
