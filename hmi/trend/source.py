"""What a trend asks of the session: history once a span, coverage and events with it, and live samples every frame."""

from concurrent.futures import Future

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from hmi.core.clock import MINUTE, SECOND
from hmi.core.event import COLLECTOR, Coverage, Event, EventKind
from hmi.core.series import Series
from hmi.core.session import Mode, Session
from hmi.trend.gaps import gaps_of, outside
from hmi.trend.handover import Handover
from hmi.trend.pens import Pen, free_number
from hmi.trend.timeline import Timeline

AGAIN_MS = 3000
"""How long the historian is left alone after it did not answer."""
SETTLE_MS = 120
"""How long a span must stand still before history is asked for again."""


class TrendSource(QObject):
    """Owns the pens of one trend and keeps their data fresh. At most one question to the historian is under way."""

    arrived = Signal()
    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.pens: list[Pen] = []
        self.events: list[Event] = []
        self._handover = Handover(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)
        self._version = 0
        self._now_us = session.now_us()
        self._wanted: tuple[Timeline, int] | None = None
        self._loaded: tuple[int, int, int] | None = None
        self._busy = False
        self._silent = False
        self._round = 0

    @property
    def busy(self) -> bool:
        """Whether the historian has been asked and has not answered yet."""
        return self._busy

    @property
    def silent(self) -> bool:
        """Whether the historian did not answer; it is asked again in a few seconds."""
        return self._silent

    def knows(self, start_us: int) -> bool:
        """Whether history from this time on has been read; before that, nothing may be said about it."""
        return self._loaded is not None and not self._silent and start_us >= self._loaded[0] - 1

    @property
    def loaded_from_us(self) -> int:
        """Where what has been read begins, 0 before anything has been."""
        return self._loaded[0] if self._loaded is not None else 0

    def set_session(self, session: Session) -> None:
        """Another plant time: pens stay, their data is asked for anew."""
        plant = session.plant
        self.session = session
        self.pens = [Pen(plant.tag(pen.tag.name), pen.number) for pen in self.pens if pen.tag.name in plant.tag_index]
        self.events = []
        self._version = 0
        self._now_us = session.now_us()
        self.forget()

    def forget(self) -> None:
        """What was loaded no longer holds; an answer under way is dropped."""
        self._loaded = None
        self._busy = False
        self._silent = False
        self._round += 1

    def add(self, tag: str) -> Pen | None:
        """A pen for a tag, or None where there are eight already or there is no such tag."""
        number = free_number(self.pens)
        if number is None or tag not in self.session.plant.tag_index:
            return None
        pen = Pen(self.session.plant.tag(tag), number)
        self.pens.append(pen)
        self.pens.sort(key=lambda p: p.number)
        self._take_latest(pen)
        self.forget()
        return pen

    def remove(self, tag: str) -> None:
        self.pens = [pen for pen in self.pens if pen.tag.name != tag]

    def frame(self) -> bool:
        """Take what the table has that is new. True if a curve grew."""
        now = self.session.now_us()
        jumped = now < self._now_us - SECOND or (self.session.mode is Mode.REPLAY and now > self._now_us + MINUTE)
        self._now_us = now
        if jumped:
            for pen in self.pens:
                pen.tail = type(pen.tail)()
            self.forget()
        self._version, changed = self.session.table.changed_since(self._version)
        if not len(changed) or not self.pens:
            return jumped
        grew = jumped
        for pen in self.pens:
            i = pen.tag.index
            at = int(np.searchsorted(changed, i))
            if at < len(changed) and changed[at] == i:
                grew |= self._grow(pen)
        return grew

    def _take_latest(self, pen: Pen) -> None:
        if self.session.table.touched[pen.tag.index]:
            self._grow(pen)

    def _grow(self, pen: Pen) -> bool:
        table, i = self.session.table, pen.tag.index
        time_us = int(table.time_us[i])
        if self.session.mode is Mode.REPLAY and time_us < pen.tail.newest_us:
            # Until the historian has answered, a replay holds "not recorded" at the time asked for, which is later
            # than the sample that then comes: kept, it would stand there as the newest.
            pen.tail = type(pen.tail)()
        return pen.tail.append(time_us, float(table.value[i]), int(table.status[i]))

    def want(self, timeline: Timeline, width: int) -> None:
        """Say which span is shown; asks where what is loaded does not serve, at once or after a rest."""
        self._wanted = (timeline, max(width, 2))
        if self._silent or self._busy or self._serves(timeline, width):
            return
        if self._loaded is None:
            self._ask()
        elif not self._timer.isActive():
            self._timer.start(SETTLE_MS)

    def _serves(self, timeline: Timeline, width: int) -> bool:
        if self._loaded is None:
            return False
        start, end, bucket = self._loaded
        if timeline.start_us < start - 1 or not 0.3 < bucket / max(timeline.span_us / width, 1) < 1.6:
            return False
        if self.session.mode is Mode.REPLAY:
            # A fast replay outruns the table's one sample a frame.
            return timeline.end_us <= end + max(timeline.span_us // 200, SECOND)
        late = timeline.end_us - end
        return late <= 0 or (timeline.following and late < max(timeline.span_us // 8, MINUTE))

    def _ask(self) -> None:
        self._silent = False
        if self._wanted is None or self._busy or not self.pens:
            return
        timeline, width = self._wanted
        now = self.session.now_us()
        # A margin on the left, so that a small pan shows curves at once.
        start = timeline.start_us - timeline.span_us // 4
        end = min(timeline.end_us + (0 if timeline.following else timeline.span_us // 4), now)
        if end <= start:
            return
        buckets = max(round(width * (end - start) / timeline.span_us), 2)
        tags = [pen.tag.name for pen in self.pens]
        self._busy = True
        self._round += 1
        number = self._round
        loaded = (start, end, max((end - start) // buckets, 1))
        future: Future[list[Series]] = self.session.history(tags, start, end, buckets)
        self._handover.take(
            future,
            lambda series: self._on_history(number, loaded, tags, series),
            lambda error: self._on_error(number, error),
        )
        self._handover.take(
            self.session.coverage(start, end),
            lambda rows: self._on_coverage(number, rows, start, end),
            lambda error: self._on_error(number, error),
        )
        self._handover.take(
            self.session.events(start, end),
            lambda events: self._on_events(number, events),
            lambda error: self._on_error(number, error),
        )

    def _on_history(self, number: int, loaded: tuple[int, int, int], tags: list[str], series: list[Series]) -> None:
        if number != self._round:
            return
        self._busy = False
        self._loaded = loaded
        found = dict(zip(tags, series, strict=True))
        for pen in self.pens:
            pen.history = found.get(pen.tag.name, pen.history)
        if any(pen.tag.name not in found for pen in self.pens):
            self._loaded = None
        self.arrived.emit()

    def _on_coverage(self, number: int, rows: list[Coverage], start_us: int, end_us: int) -> None:
        if number != self._round:
            return
        now = self.session.now_us()
        collector = gaps_of(COLLECTOR, rows, start_us, end_us, now)
        recorded = {row.source for row in rows}
        for pen in self.pens:
            device = pen.tag.device
            own = gaps_of(device, rows, start_us, end_us, now) if device and device in recorded else []
            pen.gaps = (*collector, *outside(own, collector))
        self.arrived.emit()

    def _on_events(self, number: int, events: list[Event]) -> None:
        if number != self._round:
            return
        self.events = [event for event in events if event.kind is EventKind.ALARM_RAISED]
        self.arrived.emit()

    def _on_error(self, number: int, error: BaseException) -> None:
        if number != self._round:
            return
        self._busy = False
        self._silent = True
        self._round += 1
        self._timer.start(AGAIN_MS)
        self.failed.emit(str(error))
