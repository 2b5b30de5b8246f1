"""The spool's file: one SQLite database, its tag dictionary and its chunks. Used under one lock, by any thread."""

import logging
import shutil
import sqlite3
import threading
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hmi.core.alarm import Alarm
from hmi.core.batch import EMPTY, Batch, Tags
from hmi.core.event import Coverage, Event
from hmi.core.tag import Lane, Tag
from hmi.history.chunk import (
    Chunk,
    DamagedChunkError,
    pack_alarm,
    pack_coverage,
    pack_events,
    pack_samples,
    unpack_alarm,
    unpack_coverage,
    unpack_events,
    unpack_samples,
)

log = logging.getLogger(__name__)
FILE = "spool.sqlite"
_FORMAT = 1
_CHECK_BELOW = 64 * 1024 * 1024
_PAGE = 8192
_SCHEMA = """
CREATE TABLE about (one INTEGER PRIMARY KEY CHECK (one = 1), format INTEGER NOT NULL, uuid TEXT NOT NULL,
                    sent INTEGER NOT NULL);
CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT NOT NULL, lane TEXT NOT NULL, UNIQUE (name, lane));
CREATE TABLE chunk (seq INTEGER PRIMARY KEY, made_us INTEGER NOT NULL, first_us INTEGER NOT NULL, n INTEGER NOT NULL,
                    total INTEGER NOT NULL, crc INTEGER NOT NULL, samples BLOB, events TEXT, coverage TEXT);
CREATE TABLE alarm (key TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class SpoolTag:
    """A tag as the spool knows it: by the name and lane that it had when the sample was taken."""

    name: str
    lane: Lane


class SpoolFile:
    """One open spool file. Raises `sqlite3.Error` from everything that touches the disk.

    Writing and reading go over two connections, so that shipping old chunks never delays a commit.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._write = self._connect()
        try:
            if self._write.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                self._make()
            elif self.path.stat().st_size < _CHECK_BELOW:
                found = self._write.execute("PRAGMA quick_check(1)").fetchone()[0]
                if found != "ok":
                    raise sqlite3.DatabaseError(found)
            form, name, sent = self._write.execute("SELECT format, uuid, sent FROM about").fetchone()
            self.sent = int(sent)
            if form != _FORMAT:
                raise sqlite3.DatabaseError(f"format {form} is not known")
            self.uuid = uuid.UUID(name)
            self.tags: dict[int, SpoolTag] = {
                number: SpoolTag(tag, Lane(lane))
                for number, tag, lane in self._write.execute("SELECT id, name, lane FROM tag")
            }
            newest = self._write.execute("SELECT coalesce(max(seq), 0) FROM chunk").fetchone()[0]
            self.last_seq: int = max(int(newest), self.sent)
            self.opened_seq = self.last_seq
            newest = self._write.execute("SELECT total FROM chunk ORDER BY seq DESC LIMIT 1").fetchone()
            self._total = 0 if newest is None else int(newest[0])
            self._read = self._connect()
        except (sqlite3.Error, TypeError, ValueError) as error:
            self._write.close()
            raise sqlite3.DatabaseError(f"{self.path}: {error}") from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None, timeout=10)
        connection.execute(f"PRAGMA page_size={_PAGE}")
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA journal_size_limit=16777216")
        connection.execute("PRAGMA fullfsync=ON")
        return connection

    def _make(self) -> None:
        with self._write as db:
            for statement in _SCHEMA.split(";"):
                if statement.strip():
                    db.execute(statement)
            db.execute("INSERT INTO about VALUES (1, ?, ?, 0)", (_FORMAT, str(uuid.uuid4())))

    def close(self) -> None:
        with self._writing, self._reading:
            self._read.close()
            self._write.close()

    # ------------------------------------------------------------------ writing

    def numbers_of(self, tags: Sequence[Tag]) -> Tags:
        """The dictionary numbers of the tags by index; tags not seen before are entered."""
        with self._writing:
            known = {(tag.name, tag.lane): number for number, tag in self.tags.items()}
            new = [tag for tag in tags if (tag.name, tag.lane) not in known]
            if new:
                self._write.execute("BEGIN IMMEDIATE")
                try:
                    for tag in new:
                        number = self._write.execute(
                            "INSERT INTO tag (name, lane) VALUES (?, ?)", (tag.name, str(tag.lane))
                        ).lastrowid
                        known[tag.name, tag.lane] = number or 0
                    self._write.execute("COMMIT")
                except BaseException:
                    self._rollback()
                    raise
                for tag in new:
                    self.tags[known[tag.name, tag.lane]] = SpoolTag(tag.name, tag.lane)
            size = max((tag.index for tag in tags), default=-1) + 1
            numbers = np.zeros(size, np.int32)
            for tag in tags:
                numbers[tag.index] = known[tag.name, tag.lane]
            return numbers

    def commit(
        self,
        made_us: int,
        parts: Sequence[Batch],
        events: Sequence[Event],
        coverage: Sequence[Coverage],
        alarms: Sequence[Alarm],
        sent: int,
    ) -> None:
        """Put a chunk for each part on disk, events and coverage with the first; returns when all of it is there.

        All or nothing. `tag` of the parts holds dictionary numbers.
        """
        rows = [_row(made_us, part, () if i else events, () if i else coverage) for i, part in enumerate(parts)]
        if not rows and (events or coverage):
            rows = [_row(made_us, EMPTY, events, coverage)]
        with self._writing:
            self._write.execute("BEGIN IMMEDIATE")
            try:
                total = self._total
                for step, row in enumerate(rows, 1):
                    total += row[2]
                    self._write.execute(
                        "INSERT INTO chunk (seq, total, made_us, first_us, n, crc, samples, events, coverage)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        (self.last_seq + step, total, *row),
                    )
                if alarms:
                    self._write.executemany(
                        "INSERT OR REPLACE INTO alarm VALUES (?, ?)", [(a.key, pack_alarm(a)) for a in alarms]
                    )
                if sent != self.sent:
                    self._write.execute("UPDATE about SET sent = ?", (sent,))
                self._write.execute("COMMIT")
            except BaseException:
                self._rollback()
                raise
            self.sent = sent
            self.last_seq += len(rows)
            self._total = total

    def keep_sent(self, sent: int) -> None:
        """Write down what the database has; only a hint, the database's own position counts."""
        if sent != self.sent:
            with self._writing:
                self._write.execute("UPDATE about SET sent = ?", (sent,))
                self.sent = sent

    def _rollback(self) -> None:
        if self._write.in_transaction:
            self._write.execute("ROLLBACK")

    def forget(self, sent: int, before_us: int, limit: int = 500) -> int:
        """Delete chunks that the database has and that are older than `before_us`; returns how many."""
        with self._writing:
            gone = self._write.execute(
                "DELETE FROM chunk WHERE seq IN"
                " (SELECT seq FROM chunk WHERE seq <= ? AND made_us < ? ORDER BY seq LIMIT ?)",
                (sent, before_us, limit),
            ).rowcount
            if gone:
                self._write.execute("PRAGMA incremental_vacuum(256)").fetchall()
            return gone

    def renumber(self, to_seq: int) -> None:
        """Move what was committed since the file was opened behind `to_seq`, which the database already has.

        So it is with a spool file restored from a backup: the database is further than the file.
        """
        with self._writing:
            self._write.execute("BEGIN IMMEDIATE")
            try:
                step = to_seq - self.opened_seq
                rows = self._write.execute(
                    "SELECT seq FROM chunk WHERE seq > ? ORDER BY seq DESC", (self.opened_seq,)
                ).fetchall()
                for (seq,) in rows:
                    self._write.execute("UPDATE chunk SET seq = ? WHERE seq = ?", (seq + step, seq))
                self._write.execute("UPDATE about SET sent = ?", (to_seq,))
                self._write.execute("COMMIT")
            except BaseException:
                self._rollback()
                raise
            self.last_seq = to_seq + len(rows)
            self.opened_seq = self.sent = to_seq

    def bytes_used(self) -> int:
        """Pages in use, without those that wait to be used again."""
        with self._writing:
            pages = self._write.execute("PRAGMA page_count").fetchone()[0]
            free = self._write.execute("PRAGMA freelist_count").fetchone()[0]
        return int(pages - free) * _PAGE

    # ------------------------------------------------------------------ reading

    def alarms(self) -> list[Alarm]:
        with self._reading:
            rows = self._read.execute("SELECT key, state FROM alarm ORDER BY key").fetchall()
        return [unpack_alarm(key, state) for key, state in rows]

    def waiting(self, sent: int) -> int:
        """Samples in chunks after `sent`; told from running totals, however many chunks there are."""
        with self._reading:
            first = self._read.execute(
                "SELECT total - n FROM chunk WHERE seq > ? ORDER BY seq LIMIT 1", (sent,)
            ).fetchone()
            last = self._read.execute("SELECT total FROM chunk ORDER BY seq DESC LIMIT 1").fetchone()
        return 0 if first is None or last is None else int(last[0] - first[0])

    def oldest(self, after: int) -> tuple[int, int] | None:
        """Sequence number and first time of the oldest chunk after `after`."""
        with self._reading:
            row = self._read.execute(
                "SELECT seq, first_us FROM chunk WHERE seq > ? ORDER BY seq LIMIT 1", (after,)
            ).fetchone()
        return None if row is None else (int(row[0]), int(row[1]))

    def chunks(self, after: int, samples: int) -> list[Chunk]:
        """The next chunks in order, until they hold `samples` samples or 2,000 chunks."""
        found: list[Chunk] = []
        held = 0
        with self._reading:
            rows = self._read.execute(
                "SELECT seq, made_us, n, crc, samples, events, coverage"
                " FROM chunk WHERE seq > ? ORDER BY seq LIMIT 2000",
                (after,),
            )
            for row in rows:
                found.append(_chunk(*row))
                held += found[-1].n
                if held >= samples:
                    break
            rows.close()
        return found


def _row(
    made_us: int, samples: Batch, events: Sequence[Event], coverage: Sequence[Coverage]
) -> tuple[int, int, int, int, bytes | None, str | None, str | None]:
    blob = pack_samples(samples) if len(samples) else None
    first = int(samples.time_us.min()) if len(samples) else made_us
    packed_events, packed_coverage = pack_events(events), pack_coverage(coverage)
    checked = _checksum(blob, packed_events, packed_coverage)
    return (made_us, first, len(samples), checked, blob, packed_events, packed_coverage)


def _checksum(blob: bytes | None, events: str | None, coverage: str | None) -> int:
    checked = zlib.crc32(blob or b"")
    for text in (events, coverage):
        checked = zlib.crc32((text or "").encode(), checked)
    return checked


def _chunk(
    seq: int, made_us: int, n: int, crc: int, blob: bytes | None, events: str | None, coverage: str | None
) -> Chunk:
    if _checksum(blob, events, coverage) != crc:
        return Chunk(seq, made_us, n, EMPTY, damaged="its checksum is wrong")
    try:
        samples = EMPTY if blob is None else unpack_samples(blob)
        return Chunk(seq, made_us, n, samples, unpack_events(events), unpack_coverage(coverage))
    except (DamagedChunkError, ValueError, TypeError) as error:
        return Chunk(seq, made_us, n, EMPTY, damaged=str(error))


def move_aside(folder: Path, mark: str) -> Path:
    """Put a spool file that cannot be read out of the way, with all that belongs to it; returns where it is now."""
    aside = folder / f"unreadable-{mark}"
    aside.mkdir(parents=True, exist_ok=True)
    for name in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
        if (folder / name).exists():
            shutil.move(folder / name, aside / name)
    log.error("the spool file could not be read and was moved to %s; a new one was begun", aside)
    return aside
