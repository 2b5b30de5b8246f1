"""Ships the spool into the database for as long as it runs, whatever becomes of the database meanwhile."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import psycopg

from hmi.core.clock import SECOND, Clock, to_datetime
from hmi.core.event import COLLECTOR, Event, EventKind
from hmi.core.plant import HistorianSettings
from hmi.core.session import HistorianHealth, HistorianState
from hmi.core.tag import Tag
from hmi.history.binaries import DatabaseUnavailableError
from hmi.history.database import Database, WrongDatabaseError, connect, migrate
from hmi.history.dialect import Dialect, dialect_of
from hmi.history.shipment import FencedError, Shipment, enter_tags
from hmi.history.spool import Spool
from hmi.history.upkeep import Upkeep

log = logging.getLogger(__name__)
_ONE_SHIPMENT = 50_000
_PAUSE_S = 0.2
_LOOK_S = 1.0
_BEHIND_US = 15 * SECOND
_RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_TAKE_OVER_AFTER_S = 20
_TROUBLE = (psycopg.Error, WrongDatabaseError, DatabaseUnavailableError, FencedError, sqlite3.Error, OSError)


@dataclass(slots=True)
class _Connected:
    """What there is while the database answers."""

    database: Database
    dialect: Dialect
    shipment: Shipment
    position: int


class Historian:
    """Owns the thread that ships, and the thread that keeps the database in shape. Needs no database to begin with.

    `dsn` is called before every connection, on our thread; it may take its time (it starts the embedded database).
    """

    def __init__(
        self,
        dsn: Callable[[], str],
        spool: Spool,
        plant_name: str,
        tags: Sequence[Tag],
        settings: HistorianSettings,
        clock: Clock,
    ) -> None:
        self._dsn = dsn
        self._spool = spool
        self._plant = plant_name
        self._tags = tuple(tags)
        self._settings = settings
        self._clock = clock
        self._stopping = threading.Event()
        self._drained = threading.Event()
        self._drain = False
        self._renew = False
        self._failures = 0
        self._met: set[object] = set()
        self._health = HistorianHealth()
        self._thread: threading.Thread | None = None
        self._upkeep: Upkeep | None = None

    def start(self) -> None:
        """Begin to ship. Returns at once; the database may be away."""
        if self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, name="historian", daemon=True)
        self._thread.start()

    def stop(self, drain_s: float = 3.0) -> None:
        """Ship what is waiting, for at most `drain_s`, and end. What is left is shipped after the next start."""
        if self._thread is None:
            return
        self._drain = True
        self._spool.interrupt()
        self._drained.wait(drain_s)
        self._stopping.set()
        self._spool.interrupt()
        self._thread.join(30)
        self._thread = None

    def use_tags(self, tags: Sequence[Tag]) -> None:
        """The plant has changed: tags are entered in the database before the next shipment."""
        self._tags = tuple(tags)
        self._renew = True
        self._spool.interrupt()

    @property
    def health(self) -> HistorianHealth:
        """How it goes, now. Any thread."""
        known = self._health
        waiting = self._spool.waiting
        oldest_us = self._spool.oldest_us if waiting else 0
        lag_us = max(0, self._clock.now_us() - oldest_us) if oldest_us else 0
        state = known.state
        if state is HistorianState.OK and lag_us > _BEHIND_US:
            state = HistorianState.BEHIND
        return replace(
            known,
            state=state,
            why=known.why or self._spool.trouble,
            lag_us=lag_us,
            waiting=waiting,
            spool_bytes=self._spool.bytes,
            lost=self._spool.lost,
        )

    # ------------------------------------------------------------------ the thread

    def _run(self) -> None:
        while not self._stopping.is_set():
            connected: _Connected | None = None
            try:
                connected = self._connect()
                self._ship_until_stopped(connected)
            except _TROUBLE as error:
                self._down(error)
            except Exception as error:
                log.exception("history is not stored because of an error in Hindsight itself")
                self._down(error)
            finally:
                self._disconnect(connected)
            if self._drain and not self._stopping.is_set() and self._spool.waiting == 0:
                break
            pause = _RETRY_S[min(self._failures, len(_RETRY_S) - 1)]
            self._failures += 1
            self._stopping.wait(pause)
        self._drained.set()

    def _down(self, error: Exception) -> None:
        why = str(error).strip().split("\n", 1)[0] or type(error).__name__
        if self._health.why != why and not self._stopping.is_set():
            log.warning("history is not stored for now, it waits in the spool: %s", why)
        self._health = replace(self._health, state=HistorianState.DOWN, why=why)

    def _well(self, stored: int) -> None:
        """The database has taken what we had."""
        self._failures = 0
        if self._health.state is not HistorianState.OK:
            log.info("history is stored")
        self._health = replace(self._health, state=HistorianState.OK, why="", stored=self._health.stored + stored)

    def _disconnect(self, connected: _Connected | None) -> None:
        if self._upkeep is not None:
            self._upkeep.stop()
            self._upkeep = None
        if connected is not None:
            if self._stopping.is_set() and not connected.database.broken:
                try:
                    connected.shipment.leave()
                except psycopg.Error as error:
                    log.debug("the database went while leaving it: %s", error)
            connected.database.close()

    def _connect(self) -> _Connected:
        dsn = self._dsn()
        database = connect(dsn, "collector")
        try:
            kind = migrate(database, self._plant)
            self._take_over(database)
            dialect = dialect_of(kind)
            dialect.begin(database, self._settings)
            position = self._find_position(database)
            shipment = self._new_shipment(database, dialect)
        except BaseException:
            database.close()
            raise
        self._upkeep = Upkeep(dsn, dialect_of(kind), self._settings, self._clock, self._spool)
        self._upkeep.start()
        self._health = replace(self._health, kind=kind.shown)
        return _Connected(database, dialect, shipment, position)

    def _new_shipment(self, database: Database, dialect: Dialect) -> Shipment:
        enter_tags(database, self._tags)
        spool = self._spool
        return Shipment(database, dialect, self._plant, spool.uuid, spool.dictionary, self._tags, self._clock.now_us)

    def _take_over(self, database: Database) -> None:
        """Become the writer of this plant. Another one that wrote within the last minute keeps the right.

        A new start of the same plant is told from a second collector by the spool: the same spool is the same writer.
        """
        spool = self._spool.uuid
        with database.transaction():
            row = database.execute(
                "SELECT writer, extract(epoch FROM now() - beat)::float8 FROM plant WHERE name = %s FOR UPDATE",
                (self._plant,),
            ).fetchone()
            if row is None:
                raise WrongDatabaseError("the database's table 'plant' is empty")
            writer, age_s = row
            if writer not in (None, spool) and writer not in self._met and age_s < _TAKE_OVER_AFTER_S:
                raise WrongDatabaseError(
                    f"another collector stored history of '{self._plant}' here {age_s:.0f} s ago; "
                    f"this one takes over when the other has been silent for {_TAKE_OVER_AFTER_S} s"
                )
            database.execute("UPDATE plant SET writer = %s, beat = now() WHERE name = %s", (spool, self._plant))

    def _find_position(self, database: Database) -> int:
        """Where to go on in the spool, after a crash, a restored database, a restored or a new spool."""
        spool = self._spool
        row = database.execute("SELECT seq FROM spool_position WHERE spool = %s", (spool.uuid,)).fetchone()
        known = spool.uuid in self._met
        self._met.add(spool.uuid)
        if row is not None and row[0] > spool.opened_seq and not known:
            log.warning("the spool is older than the database; what was recorded since the start is numbered anew")
            spool.renumber(int(row[0]))
        position = -1 if row is None else int(row[0])
        oldest = spool.oldest_kept()
        first = spool.last_seq + 1 if oldest is None else oldest[0]
        if position + 1 < first:
            if row is not None or first > 1:
                self._say_missing(oldest, None if row is None else position)
            database.execute(
                "INSERT INTO spool_position (spool, seq, plant) VALUES (%s, %s, %s)"
                " ON CONFLICT (spool) DO UPDATE SET seq = excluded.seq, changed = now()",
                (spool.uuid, first - 1, self._plant),
            )
            position = first - 1
        elif position < spool.sent_seq:
            log.warning("the database is older than the spool; what the spool has kept is sent again")
        spool.mark_sent(position)
        return position

    def _say_missing(self, oldest: tuple[int, int] | None, position: int | None) -> None:
        """The database lacks what the spool has no longer: that cannot be known, so it is recorded as a gap."""
        until_us = self._clock.now_us() if oldest is None else oldest[1]
        why = "it is new" if position is None else "it was restored from a backup"
        begin = f"{to_datetime(until_us):%Y-%m-%d %H:%M:%S} UTC"
        text = f"The database may lack history from before {begin}: {why}, and the spool keeps older samples no longer."
        event = Event(self._clock.now_us(), EventKind.HISTORY_GAP, COLLECTOR, text, detail={"until_us": until_us})
        self._spool.record_events([event])

    def _ship_until_stopped(self, connected: _Connected) -> None:
        spool = self._spool
        if spool.last_seq <= connected.position:
            self._well(0)
        while not self._stopping.is_set():
            if connected.shipment.spool != spool.uuid:
                return
            if self._renew:
                self._renew = False
                connected.shipment = self._new_shipment(connected.database, connected.dialect)
            if not spool.wait_for_more(connected.position, _LOOK_S):
                if self._drain and spool.last_seq <= connected.position:
                    self._drained.set()
                # Also a database that nothing is sent to must be seen to have gone.
                connected.shipment.beat()
                self._well(0)
                continue
            chunks = spool.chunks(connected.position, _ONE_SHIPMENT)
            if not chunks:
                continue
            try:
                stored = connected.shipment.ship(chunks, connected.position)
            except psycopg.errors.CheckViolation:
                # A partition that was there has been dropped meanwhile.
                connected.dialect.forget_rooms()
                stored = connected.shipment.ship(chunks, connected.position)
            except psycopg.Error:
                connected.dialect.forget_rooms()
                raise
            connected.position = chunks[-1].seq
            spool.mark_sent(connected.position, sum(chunk.n for chunk in chunks))
            self._well(stored.samples)
            if sum(chunk.n for chunk in chunks) < _ONE_SHIPMENT and not self._drain:
                # Few large transactions rather than many small ones.
                self._stopping.wait(_PAUSE_S)
