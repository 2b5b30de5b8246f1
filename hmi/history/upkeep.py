"""Keeps the database in shape beside the shipping: places made ahead, rollups, retention, the share of the disk."""

import logging
import shutil
import threading
from pathlib import Path

import psycopg

from hmi.core.clock import DAY, Clock, to_datetime
from hmi.core.event import COLLECTOR, Event, EventKind
from hmi.core.plant import HistorianSettings
from hmi.history.database import Database, connect
from hmi.history.dialect import Dialect
from hmi.history.spool import Spool

log = logging.getLogger(__name__)
_EVERY_S = 60.0
_AT_LEAST_FREE = 0.05
_KEEP_EVENTS_US = 3 * 365 * DAY


class Upkeep:
    """A thread with a connection of its own, so that shipping never waits for it. Ends when the connection breaks."""

    def __init__(self, dsn: str, dialect: Dialect, settings: HistorianSettings, clock: Clock, spool: Spool) -> None:
        self._dsn = dsn
        self._dialect = dialect
        self._settings = settings
        self._clock = clock
        self._spool = spool
        self._stopping = threading.Event()
        self._database: Database | None = None
        self._thread = threading.Thread(target=self._run, name="historian upkeep", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Interrupt what runs and end."""
        self._stopping.set()
        database = self._database
        if database is not None and not database.closed:
            try:
                database.cancel_safe(timeout=5)
            except psycopg.Error as error:
                log.debug("the upkeep could not be interrupted: %s", error)
        self._thread.join(30)

    def _run(self) -> None:
        try:
            with connect(self._dsn, "upkeep") as database:
                self._database = database
                while not self._stopping.is_set():
                    self._round(database)
                    self._stopping.wait(_EVERY_S)
        except psycopg.OperationalError as error:
            # The shipping thread meets the same trouble, says so, and starts a new upkeep when it is over.
            log.debug("upkeep ended: %s", error)

    def _round(self, database: Database) -> None:
        try:
            keep_up(database, self._dialect, self._settings, self._clock.now_us())
            for event in keep_to_share(database, self._dialect, self._settings, self._clock.now_us()):
                self._spool.record_events([event])
        except psycopg.errors.QueryCanceled:
            return
        except psycopg.errors.LockNotAvailable:
            log.info("old history is in use and is deleted later")
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            log.warning("upkeep of the database failed: %s", str(error).strip())
        except Exception:
            log.exception("upkeep of the database failed because of an error in Hindsight itself")


def keep_up(database: Database, dialect: Dialect, settings: HistorianSettings, now_us: int) -> None:
    """One round of what falls due with time. Raises `psycopg.Error`."""
    dialect.keep_up(database, now_us, settings)
    samples_from = to_datetime(max(0, now_us - settings.keep_raw_us))
    database.execute("DELETE FROM coverage WHERE until < %s", (samples_from,))
    database.execute("DELETE FROM quarantine WHERE at < %s", (samples_from,))
    events_from = to_datetime(max(0, now_us - max(settings.keep_raw_us, _KEEP_EVENTS_US)))
    database.execute("DELETE FROM event WHERE time < %s", (events_from,))


def keep_to_share(
    database: Database, dialect: Dialect, settings: HistorianSettings, now_us: int, disk: tuple[int, int] | None = None
) -> list[Event]:
    """Delete oldest samples until the database keeps to its share of the disk, and the disk has a reserve.

    Only where the database's disk is one that we can see (`disk` is its total and free bytes); elsewhere that is the
    business of whoever runs the server. Returns what to tell people.
    """
    found: list[Event] = []
    measured = disk or _disk_of(database)
    while measured is not None:
        total, free = measured
        row = database.execute("SELECT pg_database_size(current_database())").fetchone()
        used = int(row[0]) if row else 0
        if used <= total * settings.share_of_disk and free >= total * _AT_LEAST_FREE:
            break
        until_us = dialect.drop_oldest(database, now_us)
        if until_us is None:
            break
        text = (
            f"History before {to_datetime(until_us):%Y-%m-%d %H:%M} UTC was deleted to keep to "
            f"{settings.share_of_disk * 100:.0f} % of the disk."
        )
        log.warning("%s", text)
        found.append(Event(now_us, EventKind.HISTORY_GAP, COLLECTOR, text, detail={"until_us": until_us, "used": used}))
        measured = disk or _disk_of(database)
    return found


def _disk_of(database: Database) -> tuple[int, int] | None:
    """Total and free bytes of the disk that the data lie on, if that is a disk of this computer."""
    host = database.info.host
    if not host.startswith("/") and host not in ("127.0.0.1", "localhost", "::1"):
        return None
    try:
        row = database.execute("SELECT current_setting('data_directory', true)").fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return None
    if row is None or not row[0] or not Path(row[0]).exists():
        return None
    disk = shutil.disk_usage(row[0])
    return disk.total, disk.free
