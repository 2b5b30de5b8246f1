"""The alarm list: current, unacknowledged, journal; filters; detail of the selected alarm."""

from functools import partial

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QTableView, QVBoxLayout, QWidget

from hmi.core.alarm import AlarmState, Priority
from hmi.core.clock import DAY, SECOND
from hmi.core.event import Event
from hmi.core.session import Mode, Session, alarms_known
from hmi.desktop.alarm_detail import AlarmDetail
from hmi.desktop.alarm_model import RECORD, AlarmModel, AlarmRecord, Filter, JournalModel
from hmi.desktop.alarm_rate import AlarmRate
from hmi.desktop.alarm_rows import ROW_HEIGHT, AlarmRows
from hmi.desktop.furniture import Blink, Button, Field, Fill, label
from hmi.desktop.words import unknown_alarms
from hmi.mimic.theme import Theme
from hmi.trend.handover import Handover

CURRENT, UNACKNOWLEDGED, JOURNAL = range(3)
_WIDTHS = (76, 80, 112, 112, 112, 380, 104, 80, 104, 208)
_JOURNAL_WIDTHS = (76, 168, 160, 160, 520, 160)
_EVENTS_AGAIN_US = 5 * SECOND


class AlarmView(Fill):
    """Two tables in one place; the one that is not shown costs nothing."""

    acknowledge_asked = Signal(object)
    screen_asked = Signal(str)
    replay_asked = Signal(object)
    faceplate_asked = Signal(str)

    def __init__(self, theme: Theme, session: Session) -> None:
        super().__init__(theme, "canvas")
        self._session = session
        self._version = (-1, True)
        self._second = -1
        self._asked_us = -_EVENTS_AGAIN_US
        self._asking = False
        self._handover = Handover(self)
        self.mode = CURRENT
        self.model = AlarmModel(session)
        self.journal = JournalModel(session)
        self._rows = AlarmRows(theme)
        self.table = self._make_table(self.model, _WIDTHS, 5)
        self.journal_table = self._make_table(self.journal, _JOURNAL_WIDTHS, 4)
        self.journal_table.hide()
        self.detail = AlarmDetail(theme, session)
        self.detail.acknowledge_asked.connect(lambda key: self.acknowledge_asked.emit([key]))
        self.detail.screen_asked.connect(self.screen_asked)
        self.detail.replay_asked.connect(self.replay_asked)
        self.detail.faceplate_asked.connect(self.faceplate_asked)
        self.rate = AlarmRate(theme, session.plant)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addWidget(self._bar(theme))
        self._summary = label(tone="dim")
        summary = Fill(theme, "canvas", "bottom")
        summary.setFixedHeight(40)
        inside = QHBoxLayout(summary)
        inside.setContentsMargins(24, 0, 24, 0)
        inside.addWidget(self._summary)
        left.addWidget(summary)
        left.addWidget(self.table, 1)
        left.addWidget(self.journal_table, 1)
        left.addWidget(self.rate)
        row.addLayout(left, 1)
        row.addWidget(self.detail)
        self.detail.set_compact(False)
        self.choose(CURRENT)

    def _make_table(self, model: AlarmModel | JournalModel, widths: tuple[int, ...], stretch: int) -> QTableView:
        table = QTableView()
        table.setModel(model)
        table.setItemDelegate(self._rows)
        table.setShowGrid(False)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        header = table.horizontalHeader()
        header.setFixedHeight(32)
        header.setHighlightSections(False)
        for i, width in enumerate(widths):
            table.setColumnWidth(i, width)
        header.setSectionResizeMode(stretch, QHeaderView.ResizeMode.Stretch)
        table.selectionModel().selectionChanged.connect(lambda *_: self._on_selected())
        return table

    def _bar(self, theme: Theme) -> QWidget:
        bar = Fill(theme, "canvas", "bottom")
        bar.setFixedHeight(56)
        row = QHBoxLayout(bar)
        row.setContentsMargins(24, 0, 24, 0)
        row.setSpacing(8)
        row.addWidget(label("Alarms", role="head"))
        self.modes = [
            Button(theme, word, clicked=partial(self.choose, i))
            for i, word in enumerate(("Current", "Unacknowledged", "Journal"))
        ]
        for button in self.modes:
            row.addWidget(button)
        row.addSpacing(16)
        self.priorities: list[Button] = []
        for priority in Priority:
            button = Button(theme, priority.word, clicked=partial(self.toggle_priority, int(priority)))
            button.mark = (int(priority), AlarmState.ACKNOWLEDGED)
            self.priorities.append(button)
            row.addWidget(button)
        row.addStretch(1)
        self.field = Field()
        self.field.setPlaceholderText("Filter text, tag, unit")
        self.field.setFixedSize(208, 32)
        self.field.textChanged.connect(lambda _: self._refilter())
        row.addWidget(self.field)
        return bar

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._rows.theme = theme

    def set_session(self, session: Session) -> None:
        self._session = session
        self._version = (-1, True)
        self._asked_us = -_EVENTS_AGAIN_US
        self.model.set_session(session)
        self.journal.set_session(session)
        self.detail.set_session(session)

    def set_compact(self, compact: bool) -> None:
        """Narrow windows drop what is said twice."""
        for button in self.priorities:
            button.setText("" if compact else Priority(self.priorities.index(button) + 1).word)
            button.updateGeometry()
        for column in (1, 8, 9):
            self.table.setColumnHidden(column, compact)
        self.field.setFixedWidth(128 if compact else 208)
        self.detail.set_compact(compact)

    def choose(self, mode: int) -> None:
        self.mode = mode
        for i, button in enumerate(self.modes):
            button.set_on(i == mode)
        self.table.setVisible(mode != JOURNAL)
        self.journal_table.setVisible(mode == JOURNAL)
        self.detail.setVisible(mode != JOURNAL)
        self._refilter()

    def toggle_priority(self, priority: int) -> None:
        """Several may be chosen; none chosen shows all."""
        button = self.priorities[priority - 1]
        button.set_on(not button.on)
        self._refilter()

    def show_priority(self, priority: int) -> None:
        """Only this one."""
        for i, button in enumerate(self.priorities):
            button.set_on(i + 1 == priority)
        self._refilter()

    def select(self, key: str) -> None:
        """Put the cursor on an alarm, if it is in the list."""
        for row, record in enumerate(self.model.records):
            if record.rule.key == key:
                self.table.selectRow(row)

    def _refilter(self) -> None:
        chosen = frozenset(i + 1 for i, button in enumerate(self.priorities) if button.on)
        wanted = Filter(self.mode == UNACKNOWLEDGED, chosen, self.field.text())
        self.model.set_filter(wanted)
        self.journal.set_filter(wanted)
        self._count()

    def _count(self) -> None:
        if not alarms_known(self._session):
            self._summary.setText(f"{unknown_alarms(self._session)}. The journal holds what is known.")
            self.modes[0].set_text("Current –")
            self.modes[1].set_text("Unacknowledged –")
            return
        states = [record.alarm.state for record in self.model.records]
        waiting = sum(s is AlarmState.UNACKNOWLEDGED for s in states)
        done = sum(s is AlarmState.ACKNOWLEDGED for s in states)
        gone = sum(s is AlarmState.RETURNED for s in states)
        self._summary.setText(f"{waiting} active unacknowledged      {done} active acknowledged      {gone} returned")
        total = len(self._session.alarms)
        unacknowledged = sum(not a.state.active or a.state is AlarmState.UNACKNOWLEDGED for a in self._session.alarms)
        self.modes[0].set_text(f"Current {total}")
        self.modes[1].set_text(f"Unacknowledged {unacknowledged}")

    def frame(self, blink: Blink) -> None:
        session = self._session
        now = session.now_us()
        version = (session.alarms_version, alarms_known(session))
        if version != self._version:
            self._version = version
            self.model.refresh()
            self._count()
            self._on_selected()
            if self.detail.record is None and self.model.records:
                self.table.selectRow(0)
        elif now // SECOND != self._second:
            self.model.tick()
        self._second = now // SECOND
        blink = blink if session.mode is Mode.LIVE else Blink()
        if blink != self._rows.blink:
            self._rows.blink = blink
            if any(r.alarm.state is not AlarmState.ACKNOWLEDGED for r in self.model.records):
                self.table.viewport().update(0, 0, 76, self.table.height())
        self.detail.frame()
        if not self._asking and abs(now - self._asked_us) > _EVENTS_AGAIN_US:
            self._asking, self._asked_us = True, now
            self._handover.take(session.events(now - DAY, now, 5000), self._on_events, self._on_failure)

    def _on_events(self, events: list[Event]) -> None:
        self._asking = False
        self.journal.set_events(events)
        self.rate.show_events(events, self._session.now_us())

    def _on_failure(self, error: BaseException) -> None:
        # The journal stays as it was; the health line says that the historian is away.
        self._asking = False

    def _on_selected(self) -> None:
        selected = self.selected()
        self.detail.show_record(selected[0] if selected else None)

    def selected(self) -> list[AlarmRecord]:
        """The alarms under the cursor, topmost first."""
        indices: list[QModelIndex] = self.table.selectionModel().selectedRows()
        records = [index.data(RECORD) for index in sorted(indices, key=lambda i: i.row())]
        return [record for record in records if isinstance(record, AlarmRecord)]

    @property
    def keys_in_view(self) -> list[str]:
        """What Shift+F2 acknowledges: what the filter shows and nobody has acknowledged."""
        return [
            r.rule.key for r in self.model.records if r.alarm.state in (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED)
        ]

    def focus_filter(self) -> None:
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()
