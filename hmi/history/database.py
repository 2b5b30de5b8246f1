"""Connects to the historian's database, and brings its tables to the form that this version works with."""

import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

from hmi.core.status import NAMES

Database = Connection[TupleRow]
Dsn = Callable[[], str]

_SCHEMA = Path(__file__).with_name("schema")
_SCRIPT = re.compile(r"(\d{3})_([a-z_]+?)(?:\.([a-z]+))?\.sql")
_MIGRATION_LOCK = 0x48696E64_01
_CONNECT_S = 10
_OLDEST_SERVER = 140_000


class Kind(StrEnum):
    """How samples are kept. Decided when the database is made, and kept for its life."""

    POSTGRESQL = "postgresql"
    HYPERTABLE = "hypertable"
    TIMESCALEDB = "timescaledb"

    @property
    def shown(self) -> str:
        """What a person is told: `postgresql` or `timescaledb`."""
        return "postgresql" if self is Kind.POSTGRESQL else "timescaledb"


class WrongDatabaseError(Exception):
    """The database answers, but this plant must not write into it. The message says why, for a person."""


def connect(dsn: str, who: str) -> Database:
    """A connection in autocommit mode and UTC that notices within half a minute when the server is gone.

    Raises `psycopg.Error`.
    """
    given = conninfo_to_dict(dsn)
    wanted: dict[str, str | int] = {
        "application_name": f"hindsight {who}",
        "connect_timeout": _CONNECT_S,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }
    info = make_conninfo(dsn, **{name: value for name, value in wanted.items() if name not in given})
    connection = psycopg.connect(info, autocommit=True)
    connection.execute("SET timezone TO 'UTC'")
    # Each statement is planned with its own times: only then are partitions left out that cannot matter.
    connection.prepare_threshold = None
    return connection


def migrate(database: Database, plant: str, wanted: Kind | None = None) -> Kind:
    """Make or update the tables, and see that they belong to this plant. Returns how samples are kept.

    A new database is made in the `wanted` kind, or the best that the server can do. Safe from several processes at
    once. Raises `WrongDatabaseError`, `psycopg.Error`.
    """
    if database.info.server_version < _OLDEST_SERVER:
        raise WrongDatabaseError("the database server is too old; PostgreSQL 14 or newer is needed")
    offered = wanted or _offered(database)
    with database.transaction():
        database.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
        database.execute(
            "CREATE TABLE IF NOT EXISTS schema_version "
            "(number int4 PRIMARY KEY, name text NOT NULL, applied timestamptz NOT NULL DEFAULT now())"
        )
        database.execute("COMMENT ON TABLE schema_version IS 'Which changes of the tables have been made.'")
        done = {row[0] for row in database.execute("SELECT number FROM schema_version").fetchall()}
        kind = _kind_of(database) if done else offered
        known = 0
        for number, name, script in scripts(kind):
            known = max(known, number)
            if number not in done:
                # The files are ours, and hold no value from outside.
                database.execute(script.read_text(encoding="utf-8").encode())
                database.execute("INSERT INTO schema_version (number, name) VALUES (%s, %s)", (number, name))
        if done and max(done) > known:
            raise WrongDatabaseError("the database was made by a newer version of Hindsight; install that version")
        _own(database, plant, kind)
        database.cursor().executemany(
            "INSERT INTO status_code (code, name) VALUES (%s, %s) ON CONFLICT (code) DO NOTHING", list(NAMES.items())
        )
    return kind


def scripts(kind: Kind) -> list[tuple[int, str, Path]]:
    """The numbered SQL files for a kind of server, in order."""
    found = []
    for path in sorted(_SCHEMA.glob("*.sql")):
        match = _SCRIPT.fullmatch(path.name)
        if match is None:
            raise RuntimeError(f"{path.name} is not named like NNN_name.sql")
        if match.group(3) in (None, str(kind)):
            found.append((int(match.group(1)), match.group(2), path))
    return found


def kind_of(database: Database) -> Kind | None:
    """How samples are kept in a database, or None where Hindsight has made no tables yet."""
    there = database.execute("SELECT to_regclass('plant') IS NOT NULL").fetchone()
    return _kind_of(database) if there and there[0] else None


def _kind_of(database: Database) -> Kind:
    row = database.execute("SELECT kind FROM plant").fetchone()
    if row is None:
        raise WrongDatabaseError("the database's table 'plant' is empty")
    return Kind(row[0])


def _offered(database: Database) -> Kind:
    """The best that this server can do for a new database."""
    row = database.execute(
        "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb'),"
        " EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')"
    ).fetchone()
    made, available = row or (False, False)
    if not made and available:
        try:
            database.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
            made = True
        except psycopg.Error:
            # Not preloaded, or not ours to make: plain PostgreSQL serves as well.
            made = False
    if not made:
        return Kind.POSTGRESQL
    row = database.execute("SELECT current_setting('timescaledb.license', true)").fetchone()
    return Kind.TIMESCALEDB if row and row[0] == "timescale" else Kind.HYPERTABLE


def _own(database: Database, plant: str, kind: Kind) -> None:
    row = database.execute("SELECT name FROM plant").fetchone()
    if row is None:
        database.execute("INSERT INTO plant (name, kind) VALUES (%s, %s)", (plant, str(kind)))
    elif row[0] != plant:
        raise WrongDatabaseError(
            f"the database holds the history of the plant '{row[0]}', and this is '{plant}'; use a database of its own"
        )
