"""What is known of the plant right now, as elements need it: values, qualities, worst alarms, writes. No Qt.

A `Situation` is refreshed once a frame. It says which tags and sources changed, and answers `condition(bound)`: the
quality, alarm and write that one element has to show.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hmi.core.alarm import AlarmState, list_order
from hmi.core.clock import DAY, HOUR, MINUTE, SECOND
from hmi.core.command import Write, WriteState
from hmi.core.device import DeviceState
from hmi.core.plant import Plant
from hmi.core.session import LinkState, Mode, Session, known_alarms
from hmi.core.status import BAD_WAITING_FOR_INITIAL_DATA, GOOD, Quality, quality_of, reason_of
from hmi.core.tag import DataType


class AlarmMark(NamedTuple):
    """The worst alarm of an element."""

    priority: int
    state: AlarmState


class WriteMark(NamedTuple):
    """The newest write that concerns an element. `new` is the value asked for, `note` what stands beside it."""

    state: WriteState
    new: str
    note: str
    id: str


class Condition(NamedTuple):
    """How sure we are of an element, and what somebody must do about it.

    `word` says why there is no value (`no comm`), or how old it is (`4 min`); empty when good.
    """

    quality: Quality = Quality.GOOD
    word: str = ""
    alarm: AlarmMark | None = None
    write: WriteMark | None = None
    locked: bool = False

    @property
    def plain(self) -> bool:
        """Nothing is drawn outside the body."""
        return self.quality is Quality.GOOD and self.alarm is None and self.write is None and not self.locked


PLAIN = Condition()


@dataclass(frozen=True, slots=True)
class Bound:
    """What one element depends on.

    `tags` are indices into `Plant.tags`; `sources` are tags and devices whose alarms it carries; `writes` are tags
    whose writes it shows; with `write_value` only writes of that value. `control` is set for what can be operated.
    """

    tags: tuple[int, ...] = ()
    sources: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    write_value: float | None = None
    control: bool = False
    writable: bool = True


@dataclass(slots=True)
class Changed:
    """What changed since the last frame. `everything` means that nothing may be kept."""

    everything: bool = False
    tags: list[int] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)


def age_words(age_us: int) -> str:
    """An age in one unit: `40 s`, `4 min`, `3 h`, `2 d`."""
    for unit, word in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if age_us >= unit:
            return f"{age_us // unit} {word}"
    return f"{max(age_us, 0) // SECOND} s"


class Situation:
    """The plant at the session's time, as plain lists by tag index. Used on the Qt thread only."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.plant: Plant = session.plant
        self.replay = session.mode is Mode.REPLAY
        n = max(len(session.table), len(self.plant.tags))
        self.value: list[float] = [float("nan")] * n
        self.status: list[int] = [BAD_WAITING_FOR_INITIAL_DATA] * n
        self.time_us: list[int] = [0] * n
        self.text: list[str | None] = [None] * n
        self._has_text = any(tag.data_type is DataType.TEXT for tag in self.plant.tags)
        self.now_us = session.now_us()
        self.silent = False
        self.looked_at: set[str] = set()
        self._table = session.table
        self._wanted: NDArray[np.bool_] | None = None
        self._version = 0
        self._alarms_version = (-1, False)
        self._writes_version = -1
        self._alarm_of: dict[str, AlarmMark] = {}
        self._write_of: dict[str, Write] = {}
        self._lost: frozenset[str] = frozenset()

    def want(self, tags: Iterable[int]) -> None:
        """Take over only these tags, as a screen shows a small part of a large plant. Call before the first refresh."""
        self._wanted = np.zeros(len(self.status), bool)
        self._wanted[list(tags)] = True

    def refresh(self) -> Changed:
        """Take over what is new. Call once a frame.

        Nothing is taken from another plant's table, in which the same index may be another tag: see `outdated`.
        """
        session, changed, table = self.session, Changed(), self.session.table
        if table is not self._table:
            self._table, self._version, changed.everything = table, 0, True
            n = len(self.status)
            self.value, self.status = [float("nan")] * n, [BAD_WAITING_FOR_INITIAL_DATA] * n
            self.time_us, self.text = [0] * n, [None] * n
        self.now_us = session.now_us()
        health = session.health
        silent = not self.replay and health.link in (LinkState.SILENT, LinkState.LOST)
        lost = frozenset(d.name for d in health.devices if d.state is DeviceState.LOST)
        if silent != self.silent or lost != self._lost:
            self.silent, self._lost, changed.everything = silent, lost, True
        version, index = table.changed_since(self._version)
        if self.outdated:
            return changed
        self._version = version
        if self._wanted is not None:
            index = index[self._wanted[index]]
        if len(index):
            batch = table.read(index)
            changed.tags = batch.tag.tolist()
            columns = zip(
                changed.tags, batch.time_us.tolist(), batch.value.tolist(), batch.status.tolist(), strict=True
            )
            for i, time_us, value, status in columns:
                self.time_us[i] = time_us
                self.value[i] = value
                self.status[i] = status
            if self._has_text and batch.text is not None:
                for i, text in zip(changed.tags, batch.text.tolist(), strict=True):
                    self.text[i] = text
        alarms_version = (session.alarms_version, self.replay and health.link is LinkState.LOST)
        if alarms_version != self._alarms_version:
            self._alarms_version = alarms_version
            before, self._alarm_of = self._alarm_of, self._worst_alarms()
            changed.sources = {s for s in {*before, *self._alarm_of} if before.get(s) != self._alarm_of.get(s)}
        if session.writes_version != self._writes_version:
            self._writes_version = session.writes_version
            old, self._write_of = self._write_of, self._newest_writes()
            changed.writes = {t for t in {*old, *self._write_of} if old.get(t) != self._write_of.get(t)}
        return changed

    @property
    def outdated(self) -> bool:
        """Whether the session shows another plant than the one that this was made for."""
        return self.session.plant is not self.plant

    def _worst_alarms(self) -> dict[str, AlarmMark]:
        worst: dict[str, tuple[tuple[int, int, int], AlarmMark]] = {}
        rules = self.plant.rule
        for alarm in known_alarms(self.session):
            rule = rules.get(alarm.key)
            if rule is None or alarm.state is AlarmState.NORMAL:
                continue
            order = list_order(rule, alarm)
            if rule.source not in worst or order < worst[rule.source][0]:
                worst[rule.source] = (order, AlarmMark(int(rule.priority), alarm.state))
        return {source: mark for source, (_, mark) in worst.items()}

    def _newest_writes(self) -> dict[str, Write]:
        newest: dict[str, Write] = {}
        for write in self.session.writes:
            newest[write.tag] = write
            index = self.plant.tag_index.get(write.tag)
            rule = self.plant.tags[index].write if index is not None else None
            if rule is not None and rule.readback is not None:
                newest[rule.readback] = write
        return newest

    def quality(self, tags: Iterable[int]) -> tuple[Quality, int]:
        """The worst quality of some tags, and the tag that has it (-1 if there are none)."""
        worst, at = Quality.GOOD, -1
        for i in tags:
            status = self.status[i]
            found = Quality.GOOD if status == GOOD else quality_of(status)
            if self.silent and found < Quality.STALE:
                found = Quality.STALE
            if at < 0 or found > worst:
                worst, at = found, i
        return worst, at

    def word(self, quality: Quality, index: int) -> str:
        """Why there is no value, or its age."""
        if quality is Quality.STALE:
            return age_words(self.now_us - self.time_us[index])
        if quality is Quality.NEVER_READ:
            return "never read"
        if quality is Quality.NOT_RECORDED:
            return "not rec."
        return reason_of(self.status[index]) if quality is Quality.BAD else ""

    def lost_device(self, index: int) -> str:
        """The name of the tag's device while that is lost; else empty."""
        device = self.plant.tags[index].device
        return device if device is not None and device in self._lost else ""

    def alarm(self, sources: Iterable[str]) -> AlarmMark | None:
        """The worst alarm of some tags and devices."""
        worst: AlarmMark | None = None
        for source in sources:
            mark = self._alarm_of.get(source)
            if mark is not None and (worst is None or _order(mark) < _order(worst)):
                worst = mark
        return worst

    def write(self, tags: Iterable[str], value: float | None = None) -> WriteMark | None:
        """The newest write of some tags that still has something to say."""
        for tag in tags:
            write = self._write_of.get(tag)
            if write is None or write.state is WriteState.CONFIRMED or write.id in self.looked_at:
                continue
            if value is not None and write.value != value:
                continue
            return WriteMark(write.state, self._shown(write), self._note(write), write.id)
        return None

    def _shown(self, write: Write) -> str:
        if isinstance(write.value, str):
            return write.value
        return self.plant.tag(write.tag).format(float(write.value))

    def _note(self, write: Write) -> str:
        if write.state is WriteState.PENDING:
            passed = max(self.now_us - write.requested_us, 0) // SECOND
            return f"{passed} s of {write.timeout_us // SECOND} s" if write.timeout_us else f"{passed} s"
        if write.state is WriteState.UNKNOWN:
            return write.why or "not confirmed by the device"
        return f"{write.state.value}: {write.why}" if write.why else write.state.value

    def condition(self, bound: Bound) -> Condition:
        """What the element has to show."""
        quality, word = Quality.GOOD, ""
        status = self.status
        if self.silent or any(status[i] for i in bound.tags):
            quality, at = self.quality(bound.tags)
            word = self.word(quality, at) if quality is not Quality.GOOD else ""
        alarm = self.alarm(bound.sources) if self._alarm_of else None
        write = self.write(bound.writes, bound.write_value) if self._write_of and bound.writes else None
        locked = bound.control and (self.replay or self.silent or not bound.writable)
        if quality is Quality.GOOD and alarm is None and write is None and not locked:
            return PLAIN
        return Condition(quality, word, alarm, write, locked)


_STATE_ORDER = {AlarmState.UNACKNOWLEDGED: 0, AlarmState.ACKNOWLEDGED: 1, AlarmState.RETURNED: 2, AlarmState.NORMAL: 3}


def _order(mark: AlarmMark) -> tuple[int, int]:
    return _STATE_ORDER[mark.state], mark.priority
