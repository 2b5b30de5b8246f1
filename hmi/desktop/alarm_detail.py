"""Beside the alarm list: what the selected alarm is, how long there is, cause, consequence, action, curve, limit."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from hmi.core.alarm import AlarmState
from hmi.core.clock import MINUTE
from hmi.core.duration import duration_text
from hmi.core.moment import span_words
from hmi.core.session import Mode, Session
from hmi.desktop.alarm_model import AlarmRecord
from hmi.desktop.furniture import AlarmIcon, Button, Fill, Progress, Scroll, label
from hmi.desktop.rows import Rows
from hmi.desktop.style import trend_look
from hmi.desktop.words import alarm_title, near_time, text_beside_source, value_text
from hmi.mimic.theme import Theme
from hmi.trend.small import SmallTrend, limits_of

WIDTH = 552


def limit_lines(session: Session, record: AlarmRecord) -> list[tuple[str, str]]:
    """Limit with delay and deadband, and when the alarm came, was acknowledged and went."""
    rule, alarm = record.rule, record.alarm
    now, zone = session.now_us(), session.plant.zone
    rows: list[tuple[str, str]] = []
    words = []
    if rule.tag >= 0 and rule.kind.letters:
        tag = session.plant.tags[rule.tag]
        words.append(value_text(tag, rule.limit))
        if rule.deadband:
            words.append(f"deadband {value_text(tag, rule.deadband)}")
    if rule.on_delay_us:
        words.append(f"delay {duration_text(rule.on_delay_us)}")
    if words:
        rows.append(("Limit", ", ".join(words)))
    rows.append(("Raised", near_time(alarm.raised_us, now, zone)))
    if alarm.returned_us:
        rows.append(("Returned", near_time(alarm.returned_us, now, zone)))
    if alarm.acknowledged_us:
        rows.append(("Acknowledged", f"{near_time(alarm.acknowledged_us, now, zone)} by {alarm.acknowledged_by}"))
    return rows


class _Block(Fill):
    """A titled piece of the pane."""

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__(theme, "panel", "bottom")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(24, 16, 24, 16)
        self.column.setSpacing(8)
        self.title = label(title, role="small")
        self.column.addWidget(self.title)
        self.text = label(wrap=True)
        self.column.addWidget(self.text)


class AlarmDetail(Fill):
    """Empty while nothing is selected."""

    acknowledge_asked = Signal(str)
    screen_asked = Signal(str)
    replay_asked = Signal(object)
    faceplate_asked = Signal(str)

    def __init__(self, theme: Theme, session: Session) -> None:
        super().__init__(theme, "panel", "left")
        self._session = session
        self.record: AlarmRecord | None = None
        self._curve_of = ""
        self._head = Fill(theme, "panel", "bottom")
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        head = self._head_box = QVBoxLayout(self._head)
        head.setContentsMargins(24, 20, 24, 16)
        head.setSpacing(16)
        title = QHBoxLayout()
        title.setSpacing(16)
        self._icon = AlarmIcon(theme, 56)
        title.addWidget(self._icon)
        names = QVBoxLayout()
        names.setSpacing(0)
        self._name = label(role="head", wrap=True)
        self._text = label(wrap=True)
        names.addWidget(self._name)
        names.addWidget(self._text)
        title.addLayout(names, 1)
        head.addLayout(title)
        actions = QHBoxLayout()
        actions.setSpacing(8)
        self.acknowledge = Button(theme, "Acknowledge", "F2", on=True, clicked=self._on_acknowledge)
        self.to_screen = Button(theme, "Screen", clicked=self._on_screen)
        self.faceplate = Button(theme, "Faceplate", clicked=self._on_faceplate)
        self.replay = Button(theme, "Replay it", "F8", clicked=self.replay_it)
        for button in (self.acknowledge, self.to_screen, self.faceplate):
            actions.addWidget(button)
        actions.addStretch(1)
        actions.addWidget(self.replay)
        head.addLayout(actions)
        column.addWidget(self._head)
        self._inside = QWidget()
        blocks = QVBoxLayout(self._inside)
        blocks.setContentsMargins(0, 0, 0, 0)
        blocks.setSpacing(0)
        self._respond = _Block(theme, "")
        self._left = Progress(theme, 8)
        self._respond.column.addWidget(self._left)
        self._respond.text.setProperty("role", "large")
        self._cause = _Block(theme, "Cause")
        self._consequence = _Block(theme, "Consequence")
        self._action = _Block(theme, "Action")
        self._curve = _Block(theme, "")
        self._curve.text.hide()
        self._trend = SmallTrend(session, trend_look(theme), 10 * MINUTE, labels=72)
        self._trend.setFixedHeight(104)
        self._curve.column.addWidget(self._trend)
        self._data = _Block(theme, "Limit data")
        self._data.text.hide()
        self._rows = Rows()
        self._data.column.addWidget(self._rows)
        for block in (self._respond, self._cause, self._consequence, self._action, self._curve, self._data):
            blocks.addWidget(block)
        blocks.addStretch(1)
        column.addWidget(Scroll(self._inside), 1)
        self.show_record(None)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._trend.set_look(trend_look(theme))

    def set_compact(self, compact: bool) -> None:
        """Narrow windows have no room for the names of keys."""
        self.setFixedWidth(424 if compact else WIDTH)
        self._head_box.setContentsMargins(16 if compact else 24, 20, 16 if compact else 24, 16)
        for button, key in ((self.acknowledge, "F2"), (self.replay, "F8")):
            button.key = "" if compact else key
            button.updateGeometry()

    def set_session(self, session: Session) -> None:
        self._session = session
        self._curve_of = ""
        self.show_record(None)

    def show_record(self, record: AlarmRecord | None) -> None:
        """The selected alarm, or none."""
        self.record = record
        self._head.setVisible(record is not None)
        self._inside.setVisible(record is not None)
        if record is None:
            return
        rule, session = record.rule, self._session
        self._icon.show_alarm(int(rule.priority), record.alarm.state)
        self._name.setText(alarm_title(rule, session.plant))
        self._text.setText(text_beside_source(rule))
        for block, text in (
            (self._cause, rule.cause),
            (self._consequence, rule.consequence),
            (self._action, "\n".join(f"{i}. {line}" for i, line in enumerate(rule.action, 1))),
        ):
            block.text.setText(text)
            block.setVisible(bool(text))
        live = session.mode is Mode.LIVE
        waits = record.alarm.state in (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED)
        self.acknowledge.setEnabled(live and waits)
        self.acknowledge.set_on(live and waits)
        self.to_screen.setEnabled(rule.screen is not None and rule.screen in session.plant.screens)
        self.faceplate.setEnabled(rule.tag >= 0)
        self._curve.setVisible(rule.tag >= 0)
        if rule.tag >= 0:
            tag = session.plant.tags[rule.tag]
            self._curve.title.setText(f"{tag.name}, last 10 min" + (f", {tag.unit}" if tag.unit else ""))
            if self._curve_of != tag.name:
                self._curve_of = tag.name
                self._trend.show_tag(session, tag.name, limits_of(session.plant, tag.name))
        self.frame()

    def frame(self) -> None:
        """Time left to respond, and the curve."""
        record = self.record
        if record is None:
            return
        rule, alarm = record.rule, record.alarm
        if rule.tag >= 0:
            self._trend.frame()
        self._respond.setVisible(rule.respond_us is not None and alarm.state.active)
        if rule.respond_us is not None:
            left = alarm.raised_us + rule.respond_us - self._session.now_us()
            title = f"Respond within {span_words(rule.respond_us)}"
            text = f"{span_words(left)} left" if left > 0 else f"over by {span_words(-left)}"
            for target, words in ((self._respond.title, title), (self._respond.text, text)):
                if target.text() != words:
                    target.setText(words)
            self._left.show_share(left / rule.respond_us)
        self._rows.show_rows(limit_lines(self._session, record))

    def _on_acknowledge(self) -> None:
        if self.record is not None:
            self.acknowledge_asked.emit(self.record.rule.key)

    def _on_screen(self) -> None:
        if self.record is not None and self.record.rule.screen is not None:
            self.screen_asked.emit(self.record.rule.screen)

    def _on_faceplate(self) -> None:
        if self.record is not None and self.record.rule.tag >= 0:
            self.faceplate_asked.emit(self._session.plant.tags[self.record.rule.tag].name)

    def replay_it(self) -> None:
        """The plant a minute before the alarm."""
        if self.record is not None:
            self.replay_asked.emit(self.record.alarm.raised_us - MINUTE)
