"""The navigation row: levels 1 to 4, Trend, Alarms, health, the search field; in replay blue, with the word."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QMenu, QSizePolicy, QWidget

from hmi.core.device import DeviceState
from hmi.core.moment import span_words
from hmi.core.problem import Problem, Severity
from hmi.core.session import Health, HistorianState, LinkState, Mode, Session
from hmi.core.status import Quality
from hmi.desktop.banner import Count, counts_of
from hmi.desktop.furniture import Blink, Button, Themed, font, key_chip
from hmi.mimic.marks import alarm_shape, lock_mark, pen, quality_mark
from hmi.mimic.theme import Theme

LEVELS = ("Overview", "Unit", "Detail", "Diagnostics")


@dataclass(frozen=True, slots=True)
class HealthWord:
    """A piece of the health line; `bad` ones carry the mark and stand in bold."""

    text: str
    bad: bool = False


def health_words(health: Health, problems: int, now_us: int) -> tuple[HealthWord, ...]:
    """Collector, historian, devices and files in a few words each; what is well about devices and files is not told."""
    link = health.link
    words: list[HealthWord] = []
    if link is LinkState.OK:
        words.append(HealthWord("Collector ok"))
    elif link is LinkState.CONNECTING:
        words.append(HealthWord("Connecting to the collector"))
    else:
        age = f", {span_words(now_us - health.heard_us)}" if health.heard_us else ""
        words.append(HealthWord(f"Collector {link.value}{age}", bad=True))
    historian = health.historian
    if historian.state is HistorianState.OK:
        words.append(HealthWord(f"Historian ok, {historian.lag_us / 1e6:.1f} s"))
    elif historian.state is HistorianState.BEHIND:
        words.append(HealthWord(f"Historian {span_words(historian.lag_us)} behind", bad=True))
    elif historian.state is HistorianState.DOWN:
        words.append(HealthWord("Historian down", bad=True))
    else:
        words.append(HealthWord("Historian starting"))
    if historian.lost:
        words.append(HealthWord(f"{historian.lost} samples lost", bad=True))
    lost = sum(device.state is not DeviceState.OK for device in health.devices)
    if lost:
        words.append(HealthWord(f"{lost} of {len(health.devices)} devices lost", bad=True))
    if problems:
        words.append(HealthWord(f"{problems} {'problem' if problems == 1 else 'problems'} in files", bad=True))
    return tuple(words)


class Tab(QAbstractButton, Themed):
    """A level or a view in the navigation row; the one that is shown is bold and underlined."""

    def __init__(self, theme: Theme, text: str, number: str = "", key: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.number = number
        self.key = key
        self.current = False
        self.known = True
        self.compact = False
        self.setText(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_as(self, text: str, current: bool, known: bool) -> None:
        if (text, current, known) != (self.text(), self.current, self.known):
            self.setText(text)
            self.current, self.known = current, known
            self.update()

    def sizeHint(self) -> QSize:
        # Bold or not, a tab takes the same place.
        width = QFontMetrics(font(14, True)).horizontalAdvance(self.text()) + (16 if self.compact else 24)
        if self.number:
            width += 28
        if self.key:
            width += 17 + QFontMetrics(font(12)).horizontalAdvance(self.key)
        return QSize(width, 40)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.theme
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            strong = theme.onreplay if theme.replay else theme.ink
            front = strong if theme.replay or self.current else theme.ink2 if self.known else theme.ink3
            x = 8.0 if self.compact else 12.0
            middle = self.height() / 2
            if self.number:
                dash = () if self.known else (2.0, 2.0)
                painter.setPen(pen(strong if theme.replay else theme.line, 1, dash))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                box = QRectF(x + 0.5, middle - 9, 19, 18)
                painter.drawRect(box)
                painter.setFont(font(12))
                painter.setPen(front)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.number)
                x += 28
            painter.setFont(font(14, self.current))
            painter.setPen(front)
            width = painter.fontMetrics().horizontalAdvance(self.text())
            painter.drawText(QRectF(x, 0, width + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, self.text())
            if self.key:
                chip = QRectF(x + width + 8.5, middle - 9, QFontMetrics(font(12)).horizontalAdvance(self.key) + 8, 17)
                key_chip(painter, chip, self.key, front, strong if theme.replay else theme.hair)
            if self.current:
                painter.fillRect(QRectF(0, self.height() - 3, self.width(), 3), strong)
            if self.hasFocus():
                painter.setPen(pen(strong, 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(QRectF(self.rect()).adjusted(3, 4, -3, -6))


class HealthLine(QAbstractButton, Themed):
    """Collector, historian, devices, files. A click opens the status pane."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.words: tuple[HealthWord, ...] = ()
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Health of collector, historian and devices")

    def show_words(self, words: tuple[HealthWord, ...]) -> bool:
        """True if they differ from what was shown."""
        if words == self.words:
            return False
        self.words = words
        self.setAccessibleDescription(", ".join(word.text for word in words))
        self.update()
        return True

    def sizeHint(self) -> QSize:
        return QSize(sum(self._width(word) for word in self.words) + 16 * len(self.words), 32)

    def fit(self, width: int) -> int:
        """The width taken when only so much is there: good news goes first."""
        return sum(self._width(w) + 16 for w in self._shown(width))

    def _shown(self, width: int) -> list[HealthWord]:
        shown = list(self.words)
        for word in self.words:
            if sum(self._width(w) + 16 for w in shown) <= width:
                break
            if not word.bad:
                shown.remove(word)
        while shown and sum(self._width(w) + 16 for w in shown) > width:
            shown.pop()
        return shown

    def _width(self, word: HealthWord) -> int:
        return QFontMetrics(font(14, word.bad)).horizontalAdvance(word.text) + (26 if word.bad else 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            x = 0.0
            for word in self._shown(self.width()):
                painter.setFont(font(14, word.bad))
                painter.setPen(self.theme.ink if word.bad else self.theme.ink2)
                if word.bad:
                    quality_mark(painter, Quality.BAD, x + 10, self.height() / 2, self.theme)
                painter.drawText(
                    QRectF(x + (26 if word.bad else 0), 0, self.width(), self.height()),
                    Qt.AlignmentFlag.AlignVCenter,
                    word.text,
                )
                x += self._width(word) + 16
            if self.hasFocus():
                painter.setPen(pen(self.theme.ink, 2))
                painter.drawRect(self.rect().adjusted(1, 1, -1, -1))


class SearchField(QAbstractButton, Themed):
    """Looks like a field and opens the palette."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setText("Find tag, screen, alarm")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.theme
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(pen(theme.ink if self.hasFocus() else theme.line, 2 if self.hasFocus() else 1))
            painter.setBrush(theme.well)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
            painter.setFont(font(14))
            painter.setPen(theme.ink2)
            painter.drawText(self.rect().adjusted(8, 0, -8, 0), Qt.AlignmentFlag.AlignVCenter, self.text())
            width = QFontMetrics(font(12)).horizontalAdvance("Ctrl K") + 8
            if self.width() > 180:
                key_chip(painter, QRectF(self.width() - width - 8.5, 5.5, width, 17), "Ctrl K", theme.ink2, theme.hair)


class Navigation(QWidget, Themed):
    """40 pixels, live and in replay; the tabs stand at the same place in both."""

    level_asked = Signal(int)
    trend_asked = Signal()
    alarms_asked = Signal()
    palette_asked = Signal()
    status_asked = Signal()
    live_asked = Signal()

    def __init__(self, session: Session, live: Session, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._session = session
        self._live = live
        self._compact = False
        self._blink = Blink()
        self._live_counts: dict[int, Count] = {}
        self._live_version = -1
        self._hatched = QRectF()
        self.setFixedHeight(40)
        self.levels = [Tab(theme, word, str(i + 1), parent=self) for i, word in enumerate(LEVELS)]
        for i, tab in enumerate(self.levels):
            tab.clicked.connect(lambda _=False, i=i: self.level_asked.emit(i + 1))
        self.trend = Tab(theme, "Trend", key="F6", parent=self)
        self.trend.clicked.connect(self.trend_asked)
        self.alarms = Tab(theme, "Alarms", key="F7", parent=self)
        self.alarms.clicked.connect(self.alarms_asked)
        self.health = HealthLine(theme, self)
        self.health.clicked.connect(self.status_asked)
        self.search = SearchField(theme, self)
        self.search.clicked.connect(self.palette_asked)
        self.back = Button(theme, "Return to live", "Esc", on=True, clicked=self.live_asked.emit, parent=self)

    def set_session(self, session: Session) -> None:
        self._session = session
        self._arrange()

    def set_compact(self, compact: bool) -> None:
        self._compact = compact
        for tab in (*self.levels, self.trend, self.alarms):
            tab.compact = compact
        self._arrange()

    def show_place(self, crumbs: dict[int, str], level: int, view: str) -> None:
        """Titles of the screens on the way to the one that is shown; `view` is `Trend`, `Alarms` or empty."""
        for i, tab in enumerate(self.levels):
            tab.show_as(crumbs.get(i + 1, LEVELS[i]), level == i + 1 and not view, i + 1 in crumbs)
        self.trend.show_as("Trend", view == "Trend", True)
        self.alarms.show_as("Alarms", view == "Alarms", True)
        self._arrange()

    def frame(self, problems: tuple[Problem, ...], blink: Blink) -> None:
        live = self._live
        wrong = sum(problem.severity is Severity.ERROR for problem in problems)
        if self.health.show_words(health_words(live.health, wrong, live.now_us())):
            self._arrange_health()
        changed = live.alarms_version != self._live_version or blink != self._blink
        if changed and self._session.mode is Mode.REPLAY:
            self._live_version, self._blink = live.alarms_version, blink
            self._live_counts = counts_of(live.alarms, live.plant)
            self.update()

    def offer(self, level: int, screens: list[tuple[str, Callable[[], None]]]) -> None:
        """A list of the level's screens under its tab, each with what choosing it does."""
        menu = QMenu(self)
        for title, chosen in screens:
            menu.addAction(title, chosen)
        if not screens:
            menu.addAction("No screen of this level").setEnabled(False)
        menu.aboutToHide.connect(menu.deleteLater)
        tab = self.levels[level - 1]
        menu.popup(tab.mapToGlobal(tab.rect().bottomLeft()))

    def _arrange(self) -> None:
        x = 4 if self._compact else 24
        for tab in self.levels:
            tab.setGeometry(x, 0, tab.sizeHint().width(), 40)
            x += tab.width() + (0 if self._compact else 8)
        x += 8 if self._compact else 16
        for tab in (self.trend, self.alarms):
            tab.setGeometry(x, 0, tab.sizeHint().width(), 40)
            x += tab.width() + (0 if self._compact else 8)
        margin = 16 if self._compact else 24
        replay = self._session.mode is Mode.REPLAY
        self.search.setVisible(not replay)
        self.health.setVisible(not replay)
        self.back.setVisible(replay)
        right = self.width() - margin
        if replay:
            size = self.back.sizeHint()
            self.back.setGeometry(right - size.width(), 4, size.width(), 32)
            self._hatched = QRectF(x, 0, right - size.width() - 16 - x, 40)
        else:
            self._arrange_health()
        self.update()

    def _arrange_health(self) -> None:
        """From the right: search field, health, as much of it as there is room for beside the tabs."""
        left = self.alarms.geometry().right() + (1 if self._compact else 9)
        right = self.width() - (16 if self._compact else 24)
        width = 216 if self._compact else 304
        self.search.setGeometry(right - width, 6, width, 28)
        taken = self.health.fit(right - width - 16 - left)
        self.health.setGeometry(right - width - taken, 4, taken, 32)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.theme
        with QPainter(self) as painter:
            if self._session.mode is not Mode.REPLAY:
                painter.fillRect(self.rect(), theme.panel)
                painter.fillRect(0, self.height() - 1, self.width(), 1, theme.hair)
                return
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillRect(self.rect(), theme.replay_blue)
            area = self._hatched
            right = self._paint_live_box(painter, area.right())
            note = "Not the plant now. Writing is locked."
            painter.setFont(font(14))
            note_width = painter.fontMetrics().horizontalAdvance(note) + 36
            if right - area.x() - note_width > 280:
                right -= note_width
                lock_mark(painter, right + 10, 20, theme)
                painter.setPen(theme.onreplay)
                painter.drawText(QRectF(right + 28, 0, note_width, 40), Qt.AlignmentFlag.AlignVCenter, note)
                right -= 16
            painter.setFont(font(22, True))
            spaced = painter.font()
            spaced.setLetterSpacing(spaced.SpacingType.AbsoluteSpacing, 3)
            painter.setFont(spaced)
            word_width = painter.fontMetrics().horizontalAdvance("REPLAY")
            middle = (area.x() + right) / 2
            painter.setPen(theme.onreplay)
            painter.drawText(
                QRectF(middle - word_width / 2, 0, word_width + 8, 40), Qt.AlignmentFlag.AlignVCenter, "REPLAY"
            )
            self._paint_hatch(painter, QRectF(area.x(), 12, middle - word_width / 2 - 16 - area.x(), 16))
            self._paint_hatch(
                painter, QRectF(middle + word_width / 2 + 16, 12, right - middle - word_width / 2 - 16, 16)
            )

    def _paint_hatch(self, painter: QPainter, box: QRectF) -> None:
        if box.width() < 16:
            return
        painter.save()
        painter.setClipRect(box)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.onreplay)
        x = box.x() - 16
        while x < box.right():
            # Bars 4 px thick, leaning by 45 degrees, every 12 px across.
            painter.drawPolygon(
                QPolygonF([QPointF(x, 28), QPointF(x + 5.66, 28), QPointF(x + 21.66, 12), QPointF(x + 16, 12)])
            )
            x += 16.97
        painter.restore()

    def _paint_live_box(self, painter: QPainter, right: float) -> float:
        """The live plant's alarms, blinking as they do there; returns where the box begins.

        A picture of the past knows no live plant, and says nothing about it.
        """
        if self._live is self._session:
            return right
        theme = self.theme
        shown = [(p, c) for p, c in sorted(self._live_counts.items()) if c.active]
        painter.setFont(font(14))
        words = painter.fontMetrics().horizontalAdvance("Live now")
        rest = 56 * len(shown) if shown else painter.fontMetrics().horizontalAdvance("no alarm") + 8
        width = words + 32 + rest
        box = QRectF(right - width, 4, width, 32)
        painter.fillRect(box, theme.chrome)
        painter.setPen(theme.ink)
        vertical = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(box.adjusted(12, 0, 0, 0), vertical, "Live now")
        x = box.x() + 20 + words
        if not shown:
            painter.setPen(theme.ink2)
            painter.drawText(QRectF(x, 4, 120, 32), vertical, "no alarm")
        for priority, count in shown:
            ring = self._blink.shows(priority, count.state)
            alarm_shape(painter, priority, count.state, x + 16, 20, 32 / 44, theme, ring)
            painter.setPen(theme.ink)
            painter.setFont(font(14))
            painter.drawText(QRectF(x + 38, 4, 24, 32), vertical, str(count.active))
            x += 56
        return box.x() - 16
