"""Puts chunks of the spool into the database: once, in one transaction with the spool's position."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from hmi.core.batch import Batch, Tags, join
from hmi.core.clock import to_datetime
from hmi.core.event import COLLECTOR, Coverage, Event, EventKind
from hmi.core.tag import Tag
from hmi.history.chunk import Chunk, json_safe
from hmi.history.database import Database
from hmi.history.dialect import Dialect
from hmi.history.pack import COPY_SAMPLES, lane_number, pack_rows, storable
from hmi.history.spoolfile import SpoolTag


class FencedError(Exception):
    """The position in the database is not where we left it: somebody else has moved it, or writes now."""


# The server is away, is stopping, or its disk is full: the same rows may succeed later.
AWAY = (psycopg.OperationalError, psycopg.InterfaceError)
# Our own statements or rights are wrong, or a place for the rows is missing: no fault of the rows.
NOT_THE_ROWS = (*AWAY, psycopg.ProgrammingError, psycopg.errors.CheckViolation)


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of the chunks: samples stored, and samples or events put into quarantine."""

    samples: int
    quarantined: int


class Shipment:
    """Ships for one spool into one database over one connection. One thread."""

    def __init__(
        self,
        database: Database,
        dialect: Dialect,
        plant: str,
        spool: uuid.UUID,
        dictionary: Mapping[int, SpoolTag],
        tags: Sequence[Tag],
        now_us: Callable[[], int],
    ) -> None:
        self._database = database
        self._dialect = dialect
        self._plant = plant
        self.spool = spool
        self._dictionary = dictionary
        self._now_us = now_us
        self._renamed = {tag.was: tag.name for tag in tags if tag.was}
        self._ids: Tags = np.zeros(0, np.int32)
        self._lanes: NDArray[np.int8] = np.zeros(0, np.int8)

    def ship(self, chunks: Sequence[Chunk], position: int) -> Stored:
        """Store the chunks and move the position from `position` to the last of them, all or nothing.

        Rows that the database refuses go into quarantine. Raises `FencedError`, `psycopg.Error`.
        """
        database = self._database
        samples = join(chunk.samples for chunk in chunks)
        events = [event for chunk in chunks for event in chunk.events]
        events += [_unreadable(chunk, self._now_us()) for chunk in chunks if chunk.damaged]
        coverage = [row for chunk in chunks for row in chunk.coverage]
        if len(samples) and int(samples.tag.max()) >= len(self._ids):
            self._learn_ids()
        with database.transaction():
            self._move(position, chunks[-1].seq)
            refused: list[tuple[Batch, str]] = []
            sane = storable(samples)
            if not sane.all():
                strange = samples.take(~sane)
                refused += [(strange.take(slice(i, i + 1)), "its time is none") for i in range(len(strange))]
                samples = samples.take(sane)
            if len(samples):
                self._dialect.make_room(database, samples.time_us)
                self._copy(samples, refused)
                self._dialect.stored(database, samples.time_us)
            for row, why in refused:
                events.append(self._quarantine_sample(row, why))
            bad_events = self._store_events(events)
            self._store_coverage(coverage)
        return Stored(len(samples) - len(refused) + int((~sane).sum()), len(refused) + bad_events)

    def _move(self, old: int, new: int) -> None:
        """Both rows are ours only while nobody else has taken over."""
        self.beat()
        moved = self._database.execute(
            "UPDATE spool_position SET seq = %s, changed = now() WHERE spool = %s AND seq = %s", (new, self.spool, old)
        )
        if moved.rowcount != 1:
            raise FencedError("the position of this spool was moved by somebody else")

    def beat(self) -> None:
        """Say that we still write. Raises `FencedError` where somebody else does, `psycopg.Error`."""
        beat = self._database.execute(
            "UPDATE plant SET beat = now() WHERE name = %s AND writer = %s", (self._plant, self.spool)
        )
        if beat.rowcount != 1:
            raise FencedError("another collector stores the history of this plant now")

    def leave(self) -> None:
        """We write no more: whoever comes next need not wait. Raises `psycopg.Error`."""
        self._database.execute(
            "UPDATE plant SET writer = NULL WHERE name = %s AND writer = %s", (self._plant, self.spool)
        )

    def _copy(self, samples: Batch, refused: list[tuple[Batch, str]]) -> None:
        """COPY; what the database refuses is halved until only the refused rows are left out."""
        try:
            with self._database.transaction(), self._database.cursor() as cursor, cursor.copy(COPY_SAMPLES) as copy:
                for piece in pack_rows(samples, self._ids[samples.tag], self._lanes[samples.tag]):
                    copy.write(piece)
        except NOT_THE_ROWS:
            raise
        except psycopg.Error as error:
            if len(samples) == 1:
                refused.append((samples, _short(error)))
                return
            middle = len(samples) // 2
            self._copy(samples.take(slice(0, middle)), refused)
            self._copy(samples.take(slice(middle, None)), refused)

    def _quarantine_sample(self, row: Batch, why: str) -> Event:
        tag = self._dictionary[int(row.tag[0])].name
        content = {
            "time_us": int(row.time_us[0]),
            "value": json_safe(float(row.value[0])),
            "whole": None if row.whole is None else int(row.whole[0]),
            "text": None if row.text is None else row.text[0],
            "status": int(row.status[0]),
        }
        self._quarantine(tag, why, content)
        return Event(
            self._now_us(),
            EventKind.QUARANTINE,
            tag,
            f"A sample of {tag} could not be stored and was put into quarantine: {why}",
            detail={"why": why},
        )

    def _quarantine(self, tag: str, why: str, content: object) -> None:
        self._database.execute(
            "INSERT INTO quarantine (spool, tag, why, content) VALUES (%s, %s, %s, %s)",
            (self.spool, _clean(tag), _clean(why), Jsonb(_clean_all(json_safe(content)))),
        )

    def _store_events(self, events: Sequence[Event]) -> int:
        """Store events; returns how many went into quarantine."""
        if not events:
            return 0
        try:
            with self._database.transaction():
                self._insert_events(events)
            return 0
        except NOT_THE_ROWS:
            raise
        except (psycopg.Error, ValueError, OverflowError) as error:
            if len(events) > 1:
                return sum(self._store_events([event]) for event in events)
            event, why = events[0], _short(error)
            content = [event.time_us, str(event.kind), event.source, event.text, event.detail]
            self._quarantine("", why, json_safe(content))
            text = f"An event of {event.source} could not be stored and was put into quarantine: {why}"
            said = Event(self._now_us(), EventKind.QUARANTINE, COLLECTOR, _clean(text), detail={"why": _clean(why)})
            self._insert_events([said])
            return 1

    def _insert_events(self, events: Sequence[Event]) -> None:
        with self._database.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO event (time, kind, source, text, key, priority, who, detail)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                [_event_row(event) for event in events],
            )

    def _store_coverage(self, rows: Sequence[Coverage]) -> None:
        newest: dict[tuple[str, int], Coverage] = {}
        for row in rows:
            before = newest.get((row.source, row.start_us))
            until = row.end_us if before is None else max(before.end_us, row.end_us)
            newest[row.source, row.start_us] = Coverage(row.source, row.start_us, until, row.why)
        if not newest:
            return
        with self._database.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO coverage (source, start, until, why) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT (source, start) DO UPDATE SET until = greatest(coverage.until, excluded.until),"
                " why = excluded.why",
                [
                    (_clean(c.source), to_datetime(c.start_us), to_datetime(c.end_us), _clean(c.why))
                    for c in newest.values()
                ],
            )

    def _learn_ids(self) -> None:
        """The database's numbers of all tags in the spool's dictionary; a tag that is unknown there is entered."""
        known = _tag_ids(self._database)
        missing = [tag for tag in self._dictionary.values() if self._name(tag, known) not in known]
        for tag in missing:
            self._database.execute(
                "INSERT INTO tag (name, data_type, lane) VALUES (%s, %s, %s) ON CONFLICT (name) DO NOTHING",
                (tag.name, str(tag.lane), str(tag.lane)),
            )
        if missing:
            known = _tag_ids(self._database)
        size = max(self._dictionary, default=0) + 1
        self._ids = np.zeros(size, np.int32)
        self._lanes = np.zeros(size, np.int8)
        for number, tag in list(self._dictionary.items()):
            self._ids[number] = known[self._name(tag, known)]
            self._lanes[number] = lane_number(tag.lane)

    def _name(self, tag: SpoolTag, known: Mapping[str, int]) -> str:
        """The name in the database: samples taken before a tag was renamed belong to its new name."""
        renamed = self._renamed.get(tag.name)
        return renamed if renamed is not None and tag.name not in known else tag.name


def enter_tags(database: Database, tags: Sequence[Tag]) -> None:
    """Bring table `tag` to what the plant says. A tag that was renamed keeps its row, and with it its history."""
    with database.transaction():
        for tag in tags:
            if tag.was:
                database.execute(
                    "UPDATE tag SET name = %s, changed = now() WHERE name = %s"
                    " AND NOT EXISTS (SELECT FROM tag WHERE name = %s)",
                    (tag.name, tag.was, tag.name),
                )
        rows = [
            (
                tag.name,
                tag.description,
                tag.unit,
                str(tag.data_type),
                str(tag.lane),
                tag.area,
                tag.device or "",
                tag.address,
                tag.low,
                tag.high,
                tag.heartbeat_us / 1e6,
            )
            for tag in tags
        ]
        database.execute(
            "CREATE TEMP TABLE tag_now (name text, description text, unit text, data_type text, lane text, area text,"
            " device text, address text, low float8, high float8, heartbeat_s float8) ON COMMIT DROP"
        )
        with database.cursor() as cursor, cursor.copy("COPY tag_now FROM STDIN") as copy:
            for row in rows:
                copy.write_row([_clean(field) if isinstance(field, str) else field for field in row])
        columns = "description, unit, data_type, lane, area, device, address, low, high"
        database.execute(
            f"INSERT INTO tag (name, {columns}, heartbeat) SELECT name, {columns}, heartbeat_s * interval '1 second'"
            " FROM tag_now n WHERE NOT EXISTS (SELECT FROM tag t WHERE t.name = n.name)"
        )
        named = ", ".join(f"{c} = n.{c}" for c in columns.split(", "))
        old, new = (", ".join(f"{t}.{c}" for c in columns.split(", ")) for t in ("t", "n"))
        database.execute(
            f"UPDATE tag t SET {named}, heartbeat = n.heartbeat_s * interval '1 second', changed = now() FROM tag_now n"
            f" WHERE t.name = n.name AND ({old}, t.heartbeat)"
            f" IS DISTINCT FROM ({new}, n.heartbeat_s * interval '1 second')"
        )


def _tag_ids(database: Database) -> dict[str, int]:
    return dict(database.execute("SELECT name, tag_id FROM tag").fetchall())


def _unreadable(chunk: Chunk, now_us: int) -> Event:
    text = f"{chunk.n:,} samples in the spool could not be read back and are missing from history ({chunk.damaged})."
    detail = {"from_us": chunk.made_us, "until_us": chunk.made_us, "lost": chunk.n, "why": chunk.damaged}
    return Event(now_us, EventKind.HISTORY_GAP, COLLECTOR, text, detail=detail)


def _event_row(event: Event) -> tuple[object, ...]:
    moment, detail = to_datetime(event.time_us), Jsonb(json_safe(event.detail))
    return (moment, str(event.kind), event.source, event.text, event.key, event.priority, event.who, detail)


def _short(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]


def _clean(text: str) -> str:
    """Text that every database takes: what it would refuse is written as an escape."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def _clean_all(value: Any) -> Any:
    """What JSON holds, with every text in it cleaned."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, list):
        return [_clean_all(v) for v in value]
    if isinstance(value, dict):
        return {_clean(k): _clean_all(v) for k, v in value.items()}
    return value
