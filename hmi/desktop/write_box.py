"""Where one tag is written: old value, arrow, new value or buttons of its states, and what became of the last write."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from hmi.core.clock import SECOND
from hmi.core.command import Write, WriteState
from hmi.core.session import Mode, Session
from hmi.core.status import quality_of
from hmi.core.tag import DataType, Tag
from hmi.desktop.furniture import Button, Field, Progress, Themed, label
from hmi.desktop.why import outcome, written
from hmi.desktop.words import clock_text, shown_value
from hmi.mimic.marks import write_pill
from hmi.mimic.theme import Theme

Ask = Callable[[str, float | bool | str], None]


def read_entry(tag: Tag, text: str) -> float | str:
    """What was typed as a value of the tag; a decimal comma counts as a point. Raises `ValueError` with the range."""
    if tag.data_type is DataType.TEXT:
        return text
    try:
        value = float(text.strip().removesuffix(tag.unit).strip().replace(",", "."))
    except ValueError:
        raise ValueError(f"'{text.strip()}' is not a number") from None
    rule = tag.write
    low, high = (rule.low, rule.high) if rule is not None else (None, None)
    if value != value or (low is not None and value < low) or (high is not None and value > high):
        raise ValueError(f"outside {range_text(tag)}")
    return value


def range_text(tag: Tag) -> str:
    """`40.0 to 90.0 %`; one-sided, or empty where anything may be written."""
    low, high = (tag.write.low, tag.write.high) if tag.write is not None else (None, None)
    unit = f" {tag.unit}" if tag.unit else ""
    if low is not None and high is not None:
        return f"{tag.format(low)} to {tag.format(high)}{unit}"
    if low is not None:
        return f"from {tag.format(low)}{unit}"
    return f"up to {tag.format(high)}{unit}" if high is not None else ""


class Entry(Field):
    """A new value. Enter sends, Esc drops it."""

    def __init__(self, send: Callable[[], None]) -> None:
        super().__init__()
        self._send = send

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._send()
        else:
            super().keyPressEvent(event)


class Pill(QWidget, Themed):
    """The mark of a write under way, or of one whose end nobody knows."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._state = WriteState.CONFIRMED
        self.setFixedSize(44, 24)

    def show_state(self, state: WriteState) -> None:
        if state is not self._state:
            self._state = state
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            write_pill(painter, self._state, 22, 12, self.theme)


class WriteBox(QWidget):
    """Sends nothing by itself: `ask(tag, value)` does, after a question where the tag wants one."""

    def __init__(self, theme: Theme, session: Session, tag: Tag, ask: Ask, title: str = "Setpoint") -> None:
        super().__init__()
        self._session = session
        self._tag = tag
        self._ask = ask
        self._seen: set[str] = set()
        self._told = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        row = QHBoxLayout()
        row.setSpacing(8)
        column.addLayout(row)
        caption = label(title, tone="dim")
        caption.setFixedWidth(88)
        row.addWidget(caption)
        self._old = label()
        self._old.setMinimumWidth(88)
        row.addWidget(self._old)
        self.choices: list[tuple[float, Button]] = []
        self.entry: Entry | None = None
        locked = session.mode is Mode.REPLAY
        if tag.states or tag.data_type is DataType.BOOL:
            self._add_choices(theme, row, locked)
        else:
            self._add_entry(theme, row, locked)
        self._pill = Pill(theme)
        row.insertWidget(row.count() - (0 if self.choices else 1), self._pill)
        self._range = label(range_text(tag), role="small")
        column.addWidget(self._range)
        state = QHBoxLayout()
        self._state = label(role="bold", wrap=True)
        self._count = label(tone="dim")
        self._look = Button(theme, "Seen", clicked=self._on_seen)
        state.addWidget(self._state, 1)
        state.addWidget(self._count)
        state.addWidget(self._look)
        column.addLayout(state)
        self._bar = Progress(theme)
        column.addWidget(self._bar)
        if locked:
            self._state.setText("Replay: writing is locked.")
        self._show(None)

    def _add_choices(self, theme: Theme, row: QHBoxLayout, locked: bool) -> None:
        ask, tag_name = self._ask, self._tag.name
        states = dict(self._tag.states) or {0: "off", 1: "on"}
        for value, word in sorted(states.items()):
            button = Button(theme, word, clicked=partial(ask, tag_name, float(value)))
            button.setEnabled(not locked)
            row.addWidget(button)
            self.choices.append((float(value), button))
        row.addStretch(1)

    def _add_entry(self, theme: Theme, row: QHBoxLayout, locked: bool) -> None:
        row.addWidget(label("→"))
        self.entry = Entry(self.send)
        self.entry.setFixedSize(112, 32)
        self.entry.setEnabled(not locked)
        self.entry.setAccessibleName(f"New value of {self._tag.name}, {range_text(self._tag)}")
        self.entry.textEdited.connect(lambda: self._tell(""))
        row.addWidget(self.entry)
        row.addStretch(1)
        self._send_button = Button(theme, "Send", "Enter", clicked=self.send)
        self._send_button.setEnabled(not locked)
        row.addWidget(self._send_button)

    def send(self) -> None:
        """Check what was typed, at once and with the range, and ask for the write."""
        if self.entry is None or not self.entry.text().strip():
            return
        try:
            value = read_entry(self._tag, self.entry.text())
        except ValueError as wrong:
            self._tell(f"Not sent: {wrong}.")
            return
        self.entry.clear()
        self._tell("")
        self._ask(self._tag.name, value)

    def _tell(self, text: str) -> None:
        self._told = text
        self.frame()

    def _on_seen(self) -> None:
        write = self._last()
        if write is not None:
            self._seen.add(write.id)
        self.frame()

    def _last(self) -> Write | None:
        return next((w for w in reversed(self._session.writes) if w.tag == self._tag.name), None)

    def frame(self) -> None:
        """Take over the value and the state of the newest write."""
        session, tag = self._session, self._tag
        known = quality_of(int(session.table.status[tag.index])).has_value
        _set(self._old, shown_value(tag, session.table) if known else "unknown")
        value = float(session.table.value[tag.index])
        for choice, button in self.choices:
            button.set_on(known and choice == value)
        self._show(self._last())

    def _show(self, write: Write | None) -> None:
        pending = write is not None and write.state is WriteState.PENDING
        unknown = write is not None and write.state is WriteState.UNKNOWN and write.id not in self._seen
        self._pill.show_state(write.state if write is not None and (pending or unknown) else WriteState.CONFIRMED)
        self._bar.setVisible(pending)
        self._look.setVisible(unknown)
        if self._told:
            _set(self._state, self._told)
        elif write is not None:
            _set(self._state, self._words(write))
        self._state.setVisible(bool(self._state.text()))
        if write is not None and pending:
            used, whole = self._session.now_us() - write.requested_us, max(write.timeout_us, SECOND)
            _set(self._count, f"{max(used, 0) // SECOND} s of {whole // SECOND} s")
            self._bar.show_share(used / whole)
        self._count.setVisible(pending)
        if self.entry is not None:
            self.entry.setPlaceholderText(written(self._session, write) if write is not None and pending else "")
            self._send_button.setEnabled(not pending and self._session.mode is Mode.LIVE)

    def _words(self, write: Write) -> str:
        session = self._session
        asked = f"{written(session, write)} sent {clock_text(write.requested_us, session.plant.zone)}"
        if write.state is WriteState.PENDING:
            return f"Pending. {asked}, not yet confirmed by {self._tag.device or 'the device'}."
        if write.state is WriteState.UNKNOWN and write.id in self._seen:
            return ""
        return f"{asked}: {outcome(write)}."


def _set(target: QLabel, text: str) -> None:
    if target.text() != text:
        target.setText(text)
