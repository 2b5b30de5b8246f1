"""The alarm list and the journal as table models: no widget a row."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from hmi.core.alarm import Alarm, AlarmRule, AlarmState, list_order
from hmi.core.event import Event, EventKind
from hmi.core.moment import span_words
from hmi.core.session import Session, known_alarms
from hmi.core.status import Quality, quality_of
from hmi.desktop.words import STATE_WORDS, limit_text, near_time, shown_value, text_beside_source
from hmi.trend.statistics import QUALITY_WORDS

Index = QModelIndex | QPersistentModelIndex
RECORD = Qt.ItemDataRole.UserRole
"""Role that gives the row's `AlarmRecord` or `Event`."""


class Column(IntEnum):
    MARK = 0
    PRIORITY = 1
    SINCE = 2
    LASTING = 3
    TAG = 4
    TEXT = 5
    VALUE = 6
    LIMIT = 7
    AREA = 8
    STATE = 9


TITLES = ("Priority", "", "Since", "For", "Tag", "Alarm", "Value", "Limit", "Unit", "State")
_RIGHT = (Column.LASTING, Column.VALUE)


@dataclass(frozen=True, slots=True)
class AlarmRecord:
    """One line of the list."""

    rule: AlarmRule
    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the list is shown. No priorities means all."""

    unacknowledged: bool = False
    priorities: frozenset[int] = frozenset()
    text: str = ""

    def takes(self, record: AlarmRecord) -> bool:
        rule, alarm = record.rule, record.alarm
        if self.unacknowledged and alarm.state not in (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED):
            return False
        if self.priorities and int(rule.priority) not in self.priorities:
            return False
        words = self.text.lower().split()
        line = f"{rule.source} {rule.text} {rule.area} {rule.priority.word}".lower()
        return all(word in line for word in words)


def records_of(session: Session, chosen: Filter) -> list[AlarmRecord]:
    """Alarms that are not normal and pass the filter, in the order of alarm lists."""
    rules = session.plant.rule
    found = [AlarmRecord(rules[alarm.key], alarm) for alarm in known_alarms(session) if alarm.key in rules]
    return sorted((r for r in found if chosen.takes(r)), key=lambda r: (*list_order(r.rule, r.alarm), r.rule.key))


def keys_waiting(session: Session, sources: Collection[str]) -> list[str]:
    """Alarms of these tags and devices that nobody has acknowledged."""
    rules = session.plant.rule
    waiting = (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED)
    return [a.key for a in session.alarms if a.state in waiting and a.key in rules and rules[a.key].source in sources]


class AlarmModel(QAbstractTableModel):
    """Rows are replaced only when they differ; ages and values are said to have changed once a second."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._filter = Filter()
        self.records: list[AlarmRecord] = []

    @property
    def filter(self) -> Filter:
        return self._filter

    def set_session(self, session: Session) -> None:
        self._session = session
        self.refresh()

    def set_filter(self, chosen: Filter) -> None:
        self._filter = chosen
        self.refresh()

    def refresh(self) -> None:
        """Take over what the session has. Rows with the same alarms in the same order stay selected."""
        records = records_of(self._session, self._filter)
        if [r.rule.key for r in records] == [r.rule.key for r in self.records]:
            self.records = records
            self.tick()
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        keys = [self.records[index.row()].rule.key if index.row() < len(self.records) else "" for index in before]
        self.records = records
        places = {record.rule.key: row for row, record in enumerate(records)}
        after = [
            self.createIndex(places[key], index.column()) if key in places else QModelIndex()
            for key, index in zip(keys, before, strict=True)
        ]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def tick(self) -> None:
        if self.records:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.records) - 1, len(TITLES) - 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.records)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return len(TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return TITLES[section]
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in _RIGHT else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.records):
            return None
        record = self.records[index.row()]
        if role == RECORD:
            return record
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if index.column() in _RIGHT else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.text(record, Column(index.column()))
        return None

    def text(self, record: AlarmRecord, column: Column) -> str:
        rule, alarm, session = record.rule, record.alarm, self._session
        now = session.now_us()
        if column is Column.PRIORITY:
            return rule.priority.word
        if column is Column.SINCE:
            return near_time(alarm.raised_us, now, session.plant.zone)
        if column is Column.LASTING:
            if alarm.state is AlarmState.RETURNED:
                return f"lasted {span_words(alarm.returned_us - alarm.raised_us)}"
            return span_words(now - alarm.raised_us)
        if column is Column.TAG:
            return rule.source
        if column is Column.TEXT:
            return text_beside_source(rule)
        if column is Column.VALUE:
            return self._value(rule)
        if column is Column.LIMIT:
            return limit_text(rule, session.plant)
        if column is Column.AREA:
            return rule.area
        if column is Column.STATE:
            return STATE_WORDS[alarm.state]
        return ""

    def _value(self, rule: AlarmRule) -> str:
        """What the tag shows now; a value that is not good says so instead of a number that may be old."""
        session = self._session
        if rule.tag < 0:
            health = next((d for d in session.health.devices if d.name == rule.source), None)
            return health.state.value if health is not None else ""
        quality = quality_of(int(session.table.status[rule.tag]))
        shown = shown_value(session.plant.tags[rule.tag], session.table)
        if quality is Quality.GOOD:
            return shown
        return f"{shown} {QUALITY_WORDS[quality]}" if quality.has_value else QUALITY_WORDS[quality]


JOURNAL_TITLES = ("", "Time", "What", "Source", "Text", "Who")
_KIND_WORDS = {
    EventKind.ALARM_RAISED: "Alarm", EventKind.ALARM_ACKNOWLEDGED: "Acknowledged", EventKind.ALARM_RETURNED: "Returned",
    EventKind.WRITE_REQUESTED: "Write", EventKind.WRITE_CONFIRMED: "Write confirmed",
    EventKind.WRITE_REFUSED: "Write refused", EventKind.WRITE_FAILED: "Write failed",
    EventKind.WRITE_UNKNOWN: "Write not confirmed", EventKind.COLLECTOR_STARTED: "Collector started",
    EventKind.COLLECTOR_STOPPED: "Collector stopped", EventKind.DEVICE_LOST: "Device lost",
    EventKind.DEVICE_BACK: "Device back", EventKind.CONFIGURATION: "Configuration", EventKind.HISTORY_GAP: "Gap",
    EventKind.QUARANTINE: "Quarantine",
}  # fmt: skip


class JournalModel(QAbstractTableModel):
    """Everything that happened, newest first."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._all: list[Event] = []
        self._filter = Filter()
        self.events: list[Event] = []

    def set_session(self, session: Session) -> None:
        self._session = session
        self.set_events([])

    def set_filter(self, chosen: Filter) -> None:
        self._filter = chosen
        self._choose()

    def set_events(self, events: Sequence[Event]) -> None:
        if list(events) != self._all:
            self._all = list(events)
            self._choose()

    def _choose(self) -> None:
        chosen, words = self._filter, self._filter.text.lower().split()
        now = self._session.now_us()
        self.beginResetModel()
        self.events = sorted(
            (
                e
                for e in self._all
                if e.time_us <= now
                and (not chosen.priorities or e.priority in chosen.priorities)
                and all(w in f"{e.source} {e.text} {e.who} {_KIND_WORDS[e.kind]}".lower() for w in words)
            ),
            key=lambda e: -e.time_us,
        )
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.events)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return len(JOURNAL_TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return JOURNAL_TITLES[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.events):
            return None
        event = self.events[index.row()]
        if role == RECORD:
            return event
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            session = self._session
            when = near_time(event.time_us, session.now_us(), session.plant.zone)
            return ("", when, _KIND_WORDS[event.kind], event.source, event.text, event.who)[index.column()]
        return None
