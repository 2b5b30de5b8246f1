"""The spool: what was accepted, on the collector's own disk, until the database has it and for some time after."""

import logging
import sqlite3
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hmi.core.alarm import Alarm
from hmi.core.batch import Batch, Tags, join
from hmi.core.clock import SECOND, Clock
from hmi.core.event import COLLECTOR, Coverage, Event, EventKind
from hmi.core.tag import Tag
from hmi.history.chunk import Chunk
from hmi.history.lock import FileLock, LockHeldError
from hmi.history.room import Gap, Room, text_of
from hmi.history.spoolfile import SpoolFile, SpoolTag, move_aside

log = logging.getLogger(__name__)
_GROUP_S = 0.025
_RETRY_S = 0.5
_TIDY_S = 5.0
_HELD_LIMIT = 2_000_000
_ONE_COMMIT = 200_000


class SpoolError(Exception):
    """The spool cannot be opened or did not take what it was given in time. The message is for a person."""


@dataclass(slots=True)
class _Pending:
    """What has been recorded and is not on disk yet."""

    samples: list[tuple[Batch, Tags]] = field(default_factory=list)
    n: int = 0
    events: list[Event] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    ticket: int = 0

    def __bool__(self) -> bool:
        return bool(self.samples or self.events or self.coverage or self.alarms)


class Spool:
    """Takes samples, events, coverage and alarm states from any thread, and has them on disk within 50 ms.

    One thread inside commits in groups. `record…` never blocks and never raises for trouble with the disk: what cannot
    be kept is counted in `lost`, and a gap is recorded as soon as the disk takes something again. Chunks that the
    database has stay for `keep_sent_us`, less when the disk fills. Raises `SpoolError` when it cannot be opened.
    """

    def __init__(
        self, folder: Path, tags: Sequence[Tag], clock: Clock, *, keep_sent_us: int, max_bytes: int | None = None
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._keep_sent_us = keep_sent_us
        self._room = Room(folder, max_bytes)
        folder.mkdir(parents=True, exist_ok=True)
        self._own = FileLock(folder / "spool.lock")
        try:
            self._own.wait(1)
        except LockHeldError as error:
            raise SpoolError(f"the spool in {folder} is in use by another process") from error
        self._changed = threading.Condition()
        self._arrived = threading.Event()
        self._pending = _Pending()
        self._done = 0
        self._hurry = False
        self._closing = False
        self._gap = Gap()
        self.committed = 0
        self.lost = 0
        self.bytes = 0
        self.trouble = ""
        self._sent = 0
        self._waiting = 0
        self._tags = tuple(tags)
        try:
            self._open()
        except (sqlite3.Error, OSError) as error:
            self._own.release()
            raise SpoolError(f"the spool in {folder} cannot be opened: {error}") from error
        self._writer = threading.Thread(target=self._write_groups, name="spool", daemon=True)
        self._writer.start()

    # ------------------------------------------------------------------ what the collector does

    def record(self, batch: Batch) -> None:
        """Take samples, `tag` being an index into the tags of this spool. Never blocks; any thread."""
        if not len(batch):
            return
        with self._changed:
            if self._closing or self._pending.n >= _HELD_LIMIT:
                self._lose(len(batch), int(batch.time_us.min()))
                return
            self._pending.samples.append((batch, self._numbers))
            self._pending.n += len(batch)
            self._told()

    def record_events(self, events: Sequence[Event], alarms: Sequence[Alarm] = ()) -> None:
        """Take events and the alarm states that they led to; both reach the disk in one commit."""
        if not events and not alarms:
            return
        with self._changed:
            self._pending.events += events
            for alarm in alarms:
                self._pending.alarms[alarm.key] = alarm
                self._alarms[alarm.key] = alarm
            self._told()

    def record_coverage(self, rows: Sequence[Coverage]) -> None:
        """Take times of collecting; a row with a start that was recorded before moves its end."""
        if not rows:
            return
        with self._changed:
            self._pending.coverage += rows
            self._told()

    def alarms(self) -> list[Alarm]:
        """The alarm states as last recorded; after a restart, as they were when the process ended."""
        with self._changed:
            return list(self._alarms.values())

    def use_tags(self, tags: Sequence[Tag]) -> None:
        """From the next `record` on, `tag` is an index into these tags (a changed plant)."""
        numbers = self._file.numbers_of(tags)
        with self._changed:
            self._tags = tuple(tags)
            self._numbers = numbers

    def flush(self, timeout_s: float = 5.0) -> None:
        """Return when all that was recorded so far is on disk. Raises `SpoolError` after `timeout_s`."""
        with self._changed:
            ticket = self._pending.ticket
            self._hurry = True
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._done >= ticket, timeout_s):
                raise SpoolError(f"the disk did not take the samples within {timeout_s:.1f} s. {self.trouble}".strip())

    def close(self) -> None:
        """Commit what is left and end the thread. What the disk does not take within seconds is lost, and logged."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        self._writer.join(15)
        try:
            self._file.keep_sent(self._sent)
        except sqlite3.Error as error:
            log.warning("the spool could not be closed in order: %s", error)
        self._file.close()
        self._own.release()

    # ------------------------------------------------------------------ what is known about it

    @property
    def waiting(self) -> int:
        """Samples on disk that the database does not have."""
        with self._changed:
            return self._waiting

    @property
    def oldest_us(self) -> int:
        """Time of the oldest sample that the database does not have; 0 where it has all."""
        if not self.waiting:
            return 0
        found = self._file.oldest(self._sent)
        return 0 if found is None else found[1]

    @property
    def uuid(self) -> uuid.UUID:
        """Identity of the file, under which the database keeps its position."""
        return self._file.uuid

    @property
    def fill(self) -> float:
        """How much of the room for the spool is used, 0 to 1."""
        return self._room.fill

    # ------------------------------------------------------------------ what the historian does

    @property
    def last_seq(self) -> int:
        """The newest chunk on disk."""
        return self._file.last_seq

    @property
    def opened_seq(self) -> int:
        """The last chunk that was there when the file was opened."""
        return self._file.opened_seq

    @property
    def sent_seq(self) -> int:
        """The last chunk that the database is known to have."""
        return self._sent

    @property
    def dictionary(self) -> dict[int, SpoolTag]:
        """The spool's own numbers of tags."""
        return self._file.tags

    def wait_for_more(self, after: int, timeout_s: float) -> bool:
        """Wait until there is a chunk after `after`, or `interrupt` was called."""
        if self._file.last_seq > after:
            return True
        self._arrived.wait(timeout_s)
        self._arrived.clear()
        return self._file.last_seq > after

    def interrupt(self) -> None:
        """Wake whoever waits for more."""
        self._arrived.set()

    def chunks(self, after: int, samples: int) -> list[Chunk]:
        """The next chunks after sequence number `after`. Raises `sqlite3.Error`."""
        file = self._file
        try:
            return file.chunks(after, samples)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            self._begin_anew(file, str(error))
            return []

    def oldest_kept(self) -> tuple[int, int] | None:
        """Sequence number and first sample time of the oldest chunk in the file."""
        return self._file.oldest(0)

    def mark_sent(self, seq: int, n: int | None = None) -> None:
        """The database has everything up to `seq`, which are `n` samples more than before.

        Without `n` all that waits is counted anew: `seq` may have gone back because the database was restored.
        """
        with self._changed:
            self._sent = seq
            self._waiting = self._file.waiting(seq) if n is None else max(0, self._waiting - n)

    def renumber(self, to_seq: int) -> None:
        """See `SpoolFile.renumber`."""
        self._file.renumber(to_seq)
        self.mark_sent(to_seq)

    # ------------------------------------------------------------------ inside

    def _open(self) -> None:
        aside = None
        try:
            self._file = SpoolFile(self._folder)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            log.warning("the spool cannot be read: %s", error)
            aside = move_aside(self._folder, str(self._clock.now_us()))
            self._file = SpoolFile(self._folder)
        self._numbers = self._file.numbers_of(self._tags)
        self._sent = self._file.sent
        self._waiting = self._file.waiting(self._sent)
        self._alarms = {alarm.key: alarm for alarm in self._file.alarms()}
        self.bytes = self._file.bytes_used()
        if aside is not None:
            self._say_unreadable(aside)

    def _begin_anew(self, broken: SpoolFile, why: str) -> None:
        """The file broke while in use: put it aside and go on with a new one."""
        with self._changed:
            if broken is not self._file:
                return
            log.warning("the spool cannot be read any more: %s", why)
            broken.close()
            aside = move_aside(self._folder, str(self._clock.now_us()))
            self._file = SpoolFile(self._folder)
            self._numbers = self._file.numbers_of(self._tags)
            self._sent = self._waiting = 0
            self._pending.alarms = dict(self._alarms)
            self._say_unreadable(aside)

    def _say_unreadable(self, aside: Path) -> None:
        now = self._clock.now_us()
        text = "The spool could not be read. What it held and the database did not have yet is missing from history."
        self._pending.events.append(Event(now, EventKind.HISTORY_GAP, COLLECTOR, text, detail={"moved_to": str(aside)}))
        self._pending.ticket += 1

    def _told(self) -> None:
        self._pending.ticket += 1
        self._changed.notify_all()

    def _lose(self, n: int, time_us: int) -> None:
        self.lost += n
        self._gap.widen(n, time_us, self.trouble or "the spool did not keep up")

    def _write_groups(self) -> None:
        tidied_us = self._clock.monotonic_us()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._pending) or self._closing, 1.0)
                if self._pending and not self._closing:
                    self._changed.wait_for(lambda: self._hurry or self._closing, _GROUP_S)
                self._hurry = False
                group, self._pending = self._pending, _Pending(ticket=self._pending.ticket)
                closing = self._closing
            if group and not self._commit_whole(group) and closing:
                log.error("%d samples could not be kept: %s", group.n, self.trouble)
                return
            if closing and not self._pending:
                return
            if self._clock.monotonic_us() - tidied_us > _TIDY_S * SECOND or self._room.tight:
                tidied_us = self._clock.monotonic_us()
                self._tidy()

    def _commit_whole(self, group: _Pending) -> bool:
        """Put a group on disk; piece by piece where one of them is not what it should be, so that only that is lost."""
        try:
            return self._commit(group)
        except Exception:
            log.exception("something that was recorded cannot be written; the rest of the group is kept")
        pieces = [_Pending(samples=[pair], n=len(pair[0])) for pair in group.samples]
        pieces += [_Pending(events=[event]) for event in group.events]
        pieces += [_Pending(coverage=[row]) for row in group.coverage]
        pieces += [_Pending(alarms={key: alarm}) for key, alarm in group.alarms.items()]
        for piece in pieces:
            try:
                self._commit(piece)
            except Exception as error:
                log.exception("this cannot be written and is lost: %s", piece)
                with self._changed:
                    self.trouble = f"Something that was recorded could not be written: {error}"
                    if piece.n:
                        self._lose(piece.n, self._clock.now_us())
        with self._changed:
            self._done = max(self._done, group.ticket)
            self._changed.notify_all()
        return True

    def _commit(self, group: _Pending) -> bool:
        """Put a group on disk. On failure it goes back to the front, and a pause is made."""
        now_us = self._clock.now_us()
        file = self._file
        try:
            self._room.look(self.bytes)
            if self._room.full and group.n:
                self._give_up(group)
            with self._changed:
                ends = self._gap.open and not self._room.full
                kept = self._gap.cut(group.coverage, now_us if ends else None)
                gap_events, gap_rows = self._gap.ending(now_us) if ends else ([], [])
            events = [*group.events, *gap_events, *self._room.news(now_us)]
            samples = join(
                Batch(numbers[b.tag], b.time_us, b.value, b.status, b.delay_us, b.whole, b.text)
                for b, numbers in group.samples
            )
            file.commit(now_us, _parts(samples), events, [*gap_rows, *kept], list(group.alarms.values()), self._sent)
        except (sqlite3.Error, OSError) as error:
            self._failed(group, file, error)
            return False
        with self._changed:
            if ends:
                self._gap.end(now_us)
            self._gap.covered(kept)
            self._room.told()
            if not self._room.full:
                self.trouble = ""
            self.committed += len(samples)
            self._waiting += len(samples)
            self._done = max(self._done, group.ticket)
            self._changed.notify_all()
        self._arrived.set()
        self._measure(file)
        return True

    def _measure(self, file: SpoolFile) -> None:
        """How large the spool is now. What was committed stays so, whatever comes of the measuring."""
        try:
            self.bytes = file.bytes_used()
        except sqlite3.Error as error:
            log.warning("the spool could not be measured: %s", error)

    def _give_up(self, group: _Pending) -> None:
        """There is no room: the oldest is kept, these samples are lost."""
        with self._changed:
            self.trouble = text_of(self._room)
            self._lose(group.n, min(int(b.time_us.min()) for b, _ in group.samples))
        group.samples, group.n = [], 0

    def _failed(self, group: _Pending, file: SpoolFile, error: Exception) -> None:
        broken = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        if broken:
            self._begin_anew(file, str(error))
        else:
            if not self.trouble:
                log.error("the spool cannot write to the disk: %s", error)
            self.trouble = f"The spool cannot write to the disk: {error}"
        with self._changed:
            later = self._pending
            if file is not self._file:
                # The new file has a dictionary of its own; what was recorded under older tags cannot be told any more.
                fit = [(b, self._numbers) for b, old in group.samples + later.samples if len(old) == len(self._numbers)]
                gone = group.n + later.n - sum(len(b) for b, _ in fit)
                if gone:
                    self._lose(gone, self._clock.now_us())
                later.samples, later.n = fit, sum(len(b) for b, _ in fit)
            else:
                later.samples = group.samples + later.samples
                later.n += group.n
            later.events = group.events + later.events
            later.coverage = group.coverage + later.coverage
            later.alarms = {**group.alarms, **later.alarms}
            if not broken:
                self._changed.wait_for(lambda: self._closing, _RETRY_S)

    def _tidy(self) -> None:
        """Delete what the database has had for long enough; everything that it has when the room gets tight."""
        try:
            self._file.keep_sent(self._sent)
            before_us = self._clock.now_us() - self._keep_sent_us
            if self._room.tight:
                before_us = self._clock.now_us() + 1
            pressed = self._room.tight
            while self._file.forget(self._sent, before_us):
                self.bytes = self._file.bytes_used()
                self._room.look(self.bytes)
                if pressed and not self._room.tight:
                    return
                with self._changed:
                    if self._pending or self._closing:
                        return
        except sqlite3.Error as error:
            log.warning("the spool could not be tidied: %s", error)


def _parts(samples: Batch) -> list[Batch]:
    """A long batch in pieces that fit a transaction of the database each."""
    return [samples.take(slice(at, at + _ONE_COMMIT)) for at in range(0, len(samples), _ONE_COMMIT)]
