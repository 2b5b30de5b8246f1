"""A real PostgreSQL for the tests of history, with a fresh database for each test."""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psycopg
import pytest

from hmi.core.batch import Batch, make_batch
from hmi.core.clock import DAY, SystemClock
from hmi.core.plant import HistorianSettings
from hmi.core.tag import DataType, Tag
from hmi.history.embedded import EmbeddedPostgres
from hmi.history.historian import Historian
from hmi.history.reader import Reader
from hmi.history.spool import Spool


def until(condition: Callable[[], object], timeout_s: float = 15.0, what: str = "") -> None:
    """Wait for a condition, and fail when it does not come."""
    end = time.monotonic() + timeout_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"did not happen within {timeout_s} s: {what or condition}")
        pause.wait(0.02)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter: pytest's own are closed to the user that PostgreSQL runs as for root."""
    folder = Path(tempfile.mkdtemp(prefix="hmi-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def made_cluster() -> Iterator[Path]:
    """The data of a new server, made once because that takes a second or two."""
    folder = Path(tempfile.mkdtemp(prefix="hmi-"))
    folder.chmod(0o755)
    with EmbeddedPostgres(folder).lease("making"):
        pass
    yield folder / "data"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server_folder(open_folder: Path, made_cluster: Path) -> Path:
    """The folder of a server of one's own, not started."""
    subprocess.run(["cp", "-a", str(made_cluster), str(open_folder / "data")], check=True)
    return open_folder


@pytest.fixture(scope="session")
def postgres(made_cluster: Path) -> Iterator[EmbeddedPostgres]:
    """One server for all tests that do not harm it."""
    folder = Path(tempfile.mkdtemp(prefix="hmi-"))
    folder.chmod(0o755)
    subprocess.run(["cp", "-a", str(made_cluster), str(folder / "data")], check=True)
    server = EmbeddedPostgres(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def dsn(postgres: EmbeddedPostgres) -> str:
    """An empty database, without connections of an earlier test."""
    server = postgres.start()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("SET client_min_messages = warning")
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return server


TAGS = (
    Tag("tank.level", 0, unit="m", description="Level of the tank", device="plc"),
    Tag("pump.count", 1, data_type=DataType.INT64, device="plc"),
    Tag("pump.run", 2, data_type=DataType.BOOL, device="plc"),
    Tag("batch.name", 3, data_type=DataType.TEXT, device="plc"),
    Tag("tank.temp", 4, unit="°C"),
)


def levels(start_us: int, n: int, step_us: int = 1_000_000, tag: int = 0, first: float = 0.0) -> Batch:
    """`n` samples of one tag that count up."""
    return make_batch(np.full(n, tag), start_us + np.arange(n) * step_us, first + np.arange(n))


@dataclass
class Way:
    """Spool, historian and reader of one plant on one database; all are closed after the test."""

    dsn: Callable[[], str]
    folder: Path
    tags: tuple[Tag, ...] = TAGS
    settings: HistorianSettings = field(default_factory=HistorianSettings)
    clock: SystemClock = field(default_factory=SystemClock)
    plant: str = "test plant"

    def __post_init__(self) -> None:
        self.reader = Reader(self.dsn)
        self.open()

    def open(self) -> None:
        self.spool = Spool(self.folder, self.tags, self.clock, keep_sent_us=2 * DAY)
        self.historian = Historian(self.dsn, self.spool, self.plant, self.tags, self.settings, self.clock)

    def close(self) -> None:
        self.historian.stop(0.0)
        self.spool.close()

    def shipped(self, timeout_s: float = 15.0) -> None:
        """Wait until the database has all that was recorded."""
        self.spool.flush(10)
        self.historian.start()
        until(lambda: self.spool.sent_seq >= self.spool.last_seq, timeout_s, "everything recorded is in the database")


@pytest.fixture
def way(dsn: str, tmp_path: Path) -> Iterator[Way]:
    made = Way(lambda: dsn, tmp_path / "spool")
    yield made
    made.close()
    made.reader.close()


def sql(dsn: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


AS_ROOT = os.name == "posix" and os.geteuid() == 0
