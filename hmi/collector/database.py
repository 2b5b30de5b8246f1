"""Where the historian's database is: the embedded one, started when it is needed, or one named in the environment."""

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from hmi.core.plant import HistorianSettings
from hmi.history.binaries import DatabaseUnavailableError
from hmi.history.embedded import EmbeddedPostgres

log = logging.getLogger(__name__)


class Database:
    """Gives the historian its DSN, as often as it has to connect. Any thread; blocks while PostgreSQL starts.

    `known` is called on that thread with every DSN that is new.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], known: Callable[[str], None]) -> None:
        self._environment = environment
        self._known = known
        self._embedded = EmbeddedPostgres(folder, log.info)
        self._lock = threading.Lock()
        self._dsn = ""

    @property
    def dsn(self) -> str:
        """The DSN given last, empty while there is none."""
        return self._dsn

    def connect(self, settings: HistorianSettings) -> str:
        """The DSN to connect to now. A database of our own that died is started again.

        Raises `DatabaseUnavailableError`.
        """
        with self._lock:
            dsn = self._outside(settings.dsn_env) if settings.dsn_env is not None else self._embedded.start()
            fresh = dsn != self._dsn
            self._dsn = dsn
        if fresh:
            self._known(dsn)
        return dsn

    def close(self) -> None:
        """Give the lease back; the last one to leave stops the database."""
        with self._lock:
            self._embedded.stop()

    def _outside(self, variable: str) -> str:
        dsn = self._environment.get(variable, "")
        if not dsn:
            raise DatabaseUnavailableError(f"the environment variable {variable}, which names the database, is not set")
        return dsn
