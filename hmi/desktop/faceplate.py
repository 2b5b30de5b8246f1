"""The pane beside the mimic: a faceplate, and under it limits, events and why a value is what it is."""

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from hmi.core.clock import DAY, SECOND
from hmi.core.duration import duration_text
from hmi.core.event import Event
from hmi.core.screen import Screen
from hmi.core.session import Session, known_alarms
from hmi.core.tag import Tag
from hmi.desktop.furniture import Button, Choices, Fill, Scroll, label
from hmi.desktop.place import tags_in
from hmi.desktop.rows import Rows
from hmi.desktop.tag_card import TagCard
from hmi.desktop.why import why_rows
from hmi.desktop.words import STATE_WORDS, near_time, plain_text, value_text
from hmi.desktop.write_box import Ask
from hmi.mimic.theme import Theme
from hmi.mimic.view import MimicView
from hmi.trend.handover import Handover

LIMITS, EVENTS, WHY = range(3)
_EVENTS_AGAIN_US = 10 * SECOND
_FRAMES_PER_FILL = 4


@dataclass(frozen=True, slots=True)
class Subject:
    """What a faceplate is about: a screen with its parameters filled in, or one tag."""

    screen: Screen | None = None
    tag: str = ""


def limit_rows(session: Session, tag: Tag) -> list[tuple[str, str]]:
    """Every alarm of the tag with its limit, priority and present state."""
    plant = session.plant
    states = {alarm.key: alarm.state for alarm in known_alarms(session)}
    rows = []
    for rule in plant.rules_of.get(tag.name, ()):
        words = [rule.priority.word.lower()]
        if rule.kind.letters:
            words.insert(0, value_text(tag, rule.limit))
            if rule.deadband:
                words.append(f"deadband {rule.deadband:g}")
        if rule.on_delay_us:
            words.append(f"delay {duration_text(rule.on_delay_us)}")
        if rule.key in states:
            words.append(STATE_WORDS[states[rule.key]].lower())
        rows.append((rule.kind.letters or "State", f"{', '.join(words)}\n{rule.text}"))
    if tag.normal is not None:
        rows.append(("Normal", f"{tag.format(tag.normal[0])} to {value_text(tag, tag.normal[1])}"))
    return rows or [("", "No limits")]


class FaceplatePane(Fill):
    """568 pixels wide. Asks for nothing by itself but history; writes go through the window."""

    closed = Signal()
    trend_asked = Signal(str)
    opened = Signal(object, str)
    write_asked = Signal(str, object, str)

    def __init__(self, theme: Theme, session: Session, subject: Subject, ask: Ask, tab: int = WHY) -> None:
        super().__init__(theme, "panel", "left")
        self.subject = subject
        self._session = session
        self._handover = Handover(self)
        self._events: list[Event] = []
        self._failure = ""
        self._asked_us = -_EVENTS_AGAIN_US
        self._asking = False
        self.tab = tab
        self._frames = 0
        plant = session.plant
        self.tags = tags_in(subject.screen, plant) if subject.screen is not None else [subject.tag]
        self.tag = self._first_tag(subject)
        self.mimic: MimicView | None = None
        self.card: TagCard | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._head(theme))
        if subject.screen is not None:
            self.mimic = MimicView(session, subject.screen, theme, self)
            width, height = subject.screen.head.size
            self.mimic.setFixedHeight(round(568 * height / width))
            self.mimic.opened.connect(self.opened)
            self.mimic.write_requested.connect(self.write_asked)
            self.mimic.focused_tag.connect(self._on_focused)
            column.addWidget(self.mimic)
        elif self.tag:
            self.card = TagCard(theme, session, plant.tag(self.tag), ask)
            column.addWidget(self.card)
        self.tabs = Choices(theme, ["Limits", "Events", "Why this value?"], self.show_tab)
        bar = QHBoxLayout()
        bar.setContentsMargins(24, 8, 24, 8)
        bar.addWidget(self.tabs)
        bar.addStretch(1)
        self._about = label(role="bold")
        bar.addWidget(self._about)
        column.addLayout(bar)
        self.rows = Rows()
        inside = QWidget()
        box = QVBoxLayout(inside)
        box.setContentsMargins(24, 12, 24, 12)
        box.addWidget(self.rows)
        box.addStretch(1)
        column.addWidget(Scroll(inside), 1)
        self.show_tab(tab)

    def _first_tag(self, subject: Subject) -> str:
        if subject.tag in self._session.plant.tag_index:
            return subject.tag
        return self.tags[0] if self.tags else ""

    def _head(self, theme: Theme) -> QWidget:
        head = Fill(theme, "panel", "bottom")
        row = QHBoxLayout(head)
        row.setContentsMargins(24, 12, 24, 12)
        row.setSpacing(8)
        plant = self._session.plant
        if self.subject.screen is not None:
            title = plain_text(self.subject.screen.head.title) or self.subject.screen.name
            about = ""
        else:
            title = self.tag
            about = plant.tag(self.tag).description if self.tag else ""
        self.title = title
        row.addWidget(label(title, role="head"))
        row.addWidget(label(about, tone="dim"), 1)
        row.addWidget(Button(theme, "Trend", clicked=lambda: self.trend_asked.emit(self.tag)))
        close = Button(theme, icon="close", clicked=self.closed.emit)
        close.setAccessibleName("Close the faceplate")
        row.addWidget(close)
        return head

    def _on_focused(self, tag: str) -> None:
        if tag and tag in self._session.plant.tag_index:
            self.show_tag(tag)

    def show_tag(self, tag: str) -> None:
        """Let the tabs tell about this tag."""
        if tag != self.tag:
            self.tag = tag
            self._events = []
            self._asked_us = -_EVENTS_AGAIN_US
            self._fill()

    def show_tab(self, number: int) -> None:
        self.tab = number
        self.tabs.choose(number)
        self._asked_us = -_EVENTS_AGAIN_US
        self._fill()

    def set_phase(self, phase_ms: int) -> None:
        if self.mimic is not None:
            self.mimic.set_phase(phase_ms)

    def frame(self) -> None:
        """Once a frame while it is shown."""
        if self.mimic is not None:
            self.mimic.frame()
        if self.card is not None:
            self.card.frame()
        now = self._session.now_us()
        if not self._asking and abs(now - self._asked_us) > _EVENTS_AGAIN_US and self.tab in (EVENTS, WHY) and self.tag:
            self._asking, self._asked_us = True, now
            self._handover.take(self._session.events(now - 7 * DAY, now, 2000), self._on_events, self._on_failure)
        self._frames += 1
        if self._frames % _FRAMES_PER_FILL == 1:
            self._fill()

    def _on_events(self, events: list[Event]) -> None:
        self._asking = False
        self._failure = ""
        names = {self.tag, self._session.plant.tag(self.tag).setpoint} if self.tag else set()
        self._events = [event for event in events if event.source in names]

    def _on_failure(self, error: BaseException) -> None:
        # An empty list would say that nothing happened; what is true is that nobody knows.
        self._asking = False
        self._failure = str(error)

    def _fill(self) -> None:
        session = self._session
        if self._about.text() != self.tag:
            self._about.setText(self.tag if len(self.tags) > 1 else "")
        if not self.tag:
            self.rows.show_rows([("", "Nothing here is bound to a tag.")])
            return
        tag = session.plant.tag(self.tag)
        if self.tab == WHY:
            self.rows.show_rows(why_rows(session, tag, self._events))
        elif self.tab == LIMITS:
            self.rows.show_rows(limit_rows(session, tag))
        else:
            now, zone = session.now_us(), session.plant.zone
            newest = sorted((e for e in self._events if e.time_us <= now), key=lambda e: -e.time_us)[:60]
            lines = [(near_time(e.time_us, now, zone), f"{e.text}" + (f" ({e.who})" if e.who else "")) for e in newest]
            if self._failure:
                lines.insert(0, ("", f"The historian does not answer: {self._failure}"))
            reading = "reading history" if self._asking else "No events in the last 7 days"
            self.rows.show_rows(lines or [("", reading)])
