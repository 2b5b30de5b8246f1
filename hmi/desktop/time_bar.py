"""The time bar: transport, track, typed time, span, and the way back to live."""

from concurrent.futures import Future
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QToolTip, QWidget

from hmi.core.clock import DAY, HOUR, SECOND
from hmi.core.event import COLLECTOR, Coverage, Event
from hmi.core.moment import FORMS
from hmi.core.session import Mode, Session, alarms_known, known_alarms
from hmi.desktop.furniture import Button, Themed
from hmi.desktop.rewind import SPEEDS, Replay, past_time, speed_text, why_no_past_time
from hmi.desktop.time_marks import Marks, marks_of
from hmi.desktop.time_track import LEAD, TimeTrack
from hmi.desktop.words import full_time
from hmi.mimic.theme import Theme
from hmi.trend.handover import Handover

SPANS: tuple[tuple[str, int], ...] = (("1 h", HOUR), ("8 h", 8 * HOUR), ("24 h", DAY), ("7 d", 7 * DAY))
REFRESH_US = 5 * SECOND
WHY_SHOWN_MS = 8000


class TimeField(QLineEdit):
    """A typed time. Enter goes there; Esc, or leaving it, shows the time of the session again."""

    typed = Signal(str)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.editing = False
        self.setAccessibleName("Time to go to")
        self.setToolTip(f"Type a time and press Enter: {FORMS}")
        self.textEdited.connect(self._on_edited)
        self.returnPressed.connect(lambda: self.typed.emit(self.text()))

    def _on_edited(self) -> None:
        self.editing = True
        self.show_wrong(False)

    def show_wrong(self, wrong: bool) -> None:
        if bool(self.property("wrong")) != wrong:
            self.setProperty("wrong", wrong)
            self.style().unpolish(self)
            self.style().polish(self)

    def show_time(self, text: str) -> None:
        if not self.editing and text != self.text():
            self.setText(text)

    def begin(self) -> None:
        """Ctrl+G: everything selected, so that the first key replaces it."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()
        self.editing = True

    def leave(self) -> None:
        self.editing = False
        self.show_wrong(False)
        self.clearFocus()
        self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
            return
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.editing = False
        self.show_wrong(False)


class TimeBar(QWidget, Themed):
    """Shows where the session's time lies among what was recorded. Asks the live session for events and coverage."""

    time_asked = Signal(object)
    live_asked = Signal()
    play_asked = Signal(float)
    pause_asked = Signal()
    speed_asked = Signal(float)

    def __init__(self, session: Session, live: Session, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._session = session
        self._live = live
        self._compact = False
        self._span_us = 8 * HOUR
        self._fixed_end: int | None = None
        self._handover = Handover(self)
        self._asking = 0
        self._answers = 0
        self._asked: tuple[int, int] | None = None
        self._asked_us = 0
        self._versions = (-1, -1)
        self._events: list[Event] = []
        self._coverage: list[Coverage] = []
        self._marks = Marks()
        self._first_us = 0
        self._asked_first = False
        self._marked: object = None
        self.previous = self._square("previous", "Previous mark  [", lambda: self.step(False))
        self.backwards = self._square("back", "Play backwards", lambda: self.play_asked.emit(-self.shown_speed))
        self.play = self._square("pause", "Play or pause  Space", self.toggle)
        self.next = self._square("next", "Next mark  ]", lambda: self.step(True))
        self.speed = Button(theme, "1×", width=64, clicked=self._choose_speed, parent=self)
        self.speed.setToolTip("Speed of replay  +  −")
        self.track = TimeTrack(session, theme)
        self.track.setParent(self)
        self.track.time_asked.connect(self.time_asked)
        self.track.moved.connect(self._on_moved)
        self.field = TimeField()
        self.field.setParent(self)
        self.field.typed.connect(self._on_typed)
        self.span = Button(theme, "8 h", width=56, clicked=self._choose_span, parent=self)
        self.span.setToolTip("How much the time bar shows")
        self.live_button = Button(
            theme, "LIVE", on=True, bold=True, width=88, clicked=self.live_asked.emit, parent=self
        )
        self.setFixedHeight(88)
        self.setAccessibleName("Time bar")
        self._show_mode()

    def _square(self, icon: str, tip: str, clicked: object) -> Button:
        button = Button(self.theme, icon=icon, clicked=clicked, parent=self)  # type: ignore[arg-type]
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        return button

    @property
    def marks(self) -> Marks:
        return self._marks

    @property
    def asking(self) -> bool:
        """Whether the historian has been asked and has not answered yet."""
        return self._asking > 0 or self._asked is None

    @property
    def shown_speed(self) -> float:
        """The speed of replay, without direction."""
        return abs(self._replay.speed) if self._replay is not None else 1.0

    @property
    def _replay(self) -> Replay | None:
        return self._session if self._session.mode is Mode.REPLAY else None  # type: ignore[return-value]

    def set_session(self, session: Session) -> None:
        if session.mode is Mode.REPLAY and self._session.mode is Mode.LIVE:
            # What is under the mouse must stay there: the span stands still from here on.
            self._fixed_end = self.track.span[1]
        elif session.mode is Mode.LIVE:
            self._fixed_end = None
        self._session = session
        self._marked = None
        self.track.set_session(session)
        self._show_mode()

    def _show_mode(self) -> None:
        """LIVE while it is; else the way there, with its key where there is room."""
        live = self._session.mode is Mode.LIVE
        self.live_button.bold = live
        self.live_button.key = "" if live or self._compact else "End"
        self.live_button.set_text("LIVE" if live else "Live")
        self.live_button.set_on(live)
        self.live_button.update()

    def set_compact(self, compact: bool) -> None:
        self._compact = compact
        self.setFixedHeight(72 if compact else 88)
        self.track.set_compact(compact)
        self._show_mode()
        self._arrange()

    def show_time(self, time_us: int) -> None:
        """Bring a time into the span that is shown."""
        if self._session.mode is Mode.REPLAY:
            end = self._fixed_end if self._fixed_end is not None else self._live.now_us()
            if not end - self._span_us <= time_us <= end:
                self._fixed_end = time_us + self._span_us // 2

    def frame(self) -> None:
        session, live = self._session, self._live
        now, live_now = session.now_us(), live.now_us()
        replay = self._replay
        if replay is not None and not self.track.dragging:
            self.show_time(now)
        end = self._fixed_end if self._fixed_end is not None else live_now + int(self._span_us * LEAD)
        end = min(end, live_now + int(self._span_us * LEAD))
        self.track.show_span(end - self._span_us, end)
        self.track.set_now(live_now)
        self.track.show_head(now, replay is not None and replay.loading and not self.track.dragging)
        self._refresh(end - self._span_us, end, live_now)
        marked = (self._answers, session.mode, session.alarms_version, alarms_known(session), self.track.span)
        if marked != self._marked:
            self._marked = marked
            alarms = {alarm.key: alarm for alarm in known_alarms(session)}
            self._marks = marks_of(
                live.plant,
                self._events,
                self._coverage,
                alarms,
                (end - self._span_us, end),
                now,
                live_now,
                self._first_us,
            )
            self.track.show_marks(self._marks)
        self.field.show_time(full_time(now, session.plant.zone))
        playing = replay is None or replay.playing
        self.play.set_icon("pause" if playing else "play")
        self.play.set_on(replay is not None and replay.playing)
        self.speed.set_text(speed_text(1.0 if replay is None else replay.speed))

    def _ask_first(self, now_us: int) -> None:
        """Once: since when there is anything at all."""
        self._asked_first = True

        def found(coverage: list[Coverage]) -> None:
            self._first_us = min((row.start_us for row in coverage if row.source == COLLECTOR), default=now_us)
            # Nothing yet: it is asked again, as collecting may begin at any time.
            self._asked_first = bool(coverage)
            self.track.set_first(self._first_us)
            self._answers += 1

        def failed(error: BaseException) -> None:
            # Asked again with the next refresh; until then everything before counts as a gap.
            self._asked_first = False

        self._handover.take(self._live.coverage(0, now_us), found, failed)

    def _refresh(self, start_us: int, end_us: int, now_us: int) -> None:
        versions = (self._live.alarms_version, self._live.writes_version)
        stale = now_us - self._asked_us > REFRESH_US or versions != self._versions
        outside = self._asked is None or start_us < self._asked[0] or end_us > self._asked[1]
        if self._asking or not (stale or outside):
            return
        if not outside and now_us - self._asked_us < SECOND:
            return
        self._versions = versions
        self._asked_us = now_us
        if not self._asked_first:
            self._ask_first(now_us)
        margin = self._span_us // 8
        self._asked = (start_us - margin, end_us + margin)
        self._asking = 2
        events: Future[list[Event]] = self._live.events(*self._asked)
        self._handover.take(events, self._on_events, self._on_failure)
        self._handover.take(self._live.coverage(*self._asked), self._on_coverage, self._on_failure)

    def _on_events(self, events: list[Event]) -> None:
        self._asking -= 1
        self._answers += 1
        self._events = sorted(events, key=lambda e: e.time_us)

    def _on_coverage(self, coverage: list[Coverage]) -> None:
        self._asking -= 1
        self._answers += 1
        self._coverage = coverage

    def _on_failure(self, error: BaseException) -> None:
        # The historian's trouble stands in the health line; here the marks stay as they were, and are asked for again.
        self._asking -= 1

    def step(self, forward: bool) -> None:
        """To the next or previous mark."""
        now = self._session.now_us()
        time_us = self._marks.after(now) if forward else self._marks.before(now - SECOND // 2)
        if time_us is None and not forward:
            time_us = self.track.span[0]
        if time_us is not None and time_us <= self._live.now_us():
            self.time_asked.emit(time_us)

    def toggle(self) -> None:
        """Space: pause or go on. Live, it stops the picture here, which is replay."""
        replay = self._replay
        if replay is None:
            self.time_asked.emit(self._live.now_us())
        elif replay.playing:
            self.pause_asked.emit()
        else:
            self.play_asked.emit(abs(replay.speed))

    def _on_typed(self, text: str) -> None:
        session = self._session
        time_us = past_time(text, self._live.now_us(), session.plant.zone)
        if time_us is None:
            why = why_no_past_time(text, self._live.now_us(), session.plant.zone)
            self.field.show_wrong(True)
            self.field.setAccessibleDescription(why)
            above = self.field.mapToGlobal(self.field.rect().topLeft())
            QToolTip.showText(above - QPoint(0, 56), why, self.field, self.field.rect(), WHY_SHOWN_MS)
            return
        self.field.leave()
        self.time_asked.emit(time_us)

    def _on_moved(self, by_us: int) -> None:
        end = self.track.span[1] + by_us
        limit = self._live.now_us() + int(self._span_us * LEAD)
        self._fixed_end = None if end >= limit and self._session.mode is Mode.LIVE else min(end, limit)

    def choose_span(self, span_us: int) -> None:
        """Show another length of time, around the time that is shown."""
        self._span_us = span_us
        self.span.set_text(next(word for word, us in SPANS if us == span_us))
        if self._session.mode is Mode.REPLAY:
            self._fixed_end = self._session.now_us() + span_us // 2
        self._asked = None

    def _choose_span(self) -> None:
        menu = QMenu(self)
        for word, us in SPANS:
            menu.addAction(word, partial(self.choose_span, us))
        self._pop_up(menu, self.span)

    def _choose_speed(self) -> None:
        menu = QMenu(self)
        for speed in SPEEDS:
            menu.addAction(speed_text(speed), partial(self.speed_asked.emit, speed))
        self._pop_up(menu, self.speed)

    def _pop_up(self, menu: QMenu, button: Button) -> None:
        menu.aboutToHide.connect(menu.deleteLater)
        at = button.mapToGlobal(button.rect().topLeft())
        at.setY(at.y() - menu.sizeHint().height())
        menu.popup(at)

    def _arrange(self) -> None:
        margin, gap = (16, 16) if self._compact else (24, 24)
        y = (self.height() - 32) // 2
        x = margin
        self.backwards.setVisible(not self._compact)
        self.span.setVisible(not self._compact)
        for button in (self.previous, self.backwards, self.play, self.next):
            if button is self.backwards and self._compact:
                continue
            button.setGeometry(x, y, 32, 32)
            x += 36
        self.speed.setGeometry(x, y, 56 if self._compact else 64, 32)
        x += self.speed.width() + gap
        right = self.width() - margin
        live_width = 56 if self._compact else 88
        self.live_button.setGeometry(right - live_width, y, live_width, 32)
        right -= live_width + 8
        if not self._compact:
            self.span.setGeometry(right - 56, y, 56, 32)
            right -= 64
        field_width = 176
        self.field.setGeometry(right - field_width, y, field_width, 32)
        self.track.setGeometry(x, 0, right - field_width - gap - x, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self.theme.chrome)
            painter.fillRect(0, 0, self.width(), 1, self.theme.hair)
