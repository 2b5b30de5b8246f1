"""What outlives a changed plant: the spool, and the historian that ships it into the database."""

import asyncio
import logging
from collections.abc import Callable

from hmi.core.clock import Clock
from hmi.core.home import Home
from hmi.core.plant import Plant
from hmi.core.session import HistorianHealth, HistorianState
from hmi.history.historian import Historian
from hmi.history.spool import Spool, SpoolError

log = logging.getLogger(__name__)

COMMIT_TIMEOUT_S = 5.0
DRAIN_S = 20.0


class Recorder:
    """Spool and historian of one plant. Made on a thread, since it opens files; used on the collector's event loop.

    Raises `SpoolError` where the spool cannot be opened, `OSError` where its folder cannot be made.
    """

    def __init__(self, plant: Plant, home: Home, clock: Clock, dsn: Callable[[], str]) -> None:
        home.folder.mkdir(parents=True, exist_ok=True)
        self._plant = plant
        self.spool = Spool(home.spool, plant.tags, clock, keep_sent_us=plant.historian.keep_sent_us)
        self._historian = Historian(dsn, self.spool, plant.name, plant.tags, plant.historian, clock)
        self._health = HistorianHealth()
        self._closed = False

    def start(self) -> None:
        """Begin to ship. Returns at once; the database may be away."""
        self._historian.start()

    @property
    def health(self) -> HistorianHealth:
        """How history does, as `ask` found it the last time."""
        return self._health

    async def ask(self) -> None:
        """Find out how history does. On a thread: it looks into the spool's file, and a disk may let one wait."""
        self._health = await asyncio.to_thread(lambda: self._historian.health)

    def fits(self, plant: Plant) -> bool:
        """Whether a changed plant is recorded in the same place."""
        return (self._plant.name, self._plant.historian) == (plant.name, plant.historian)

    async def use_tags(self, plant: Plant) -> None:
        """From now on record the tags of `plant`."""
        self._plant = plant
        await asyncio.to_thread(self.spool.use_tags, plant.tags)
        self._historian.use_tags(plant.tags)

    async def committed(self) -> None:
        """Returns when all that was recorded so far is on disk. Raises `TimeoutError` when that takes too long."""
        try:
            await asyncio.to_thread(self.spool.flush, COMMIT_TIMEOUT_S)
        except SpoolError as error:
            raise TimeoutError(str(error)) from error

    async def close(self, drain_s: float = DRAIN_S) -> None:
        """Ship what waits, for at most `drain_s`. What is left stays in the spool for the next collector."""
        if self._closed:
            return
        self._closed = True
        await self.ask()
        down = self._health.state is HistorianState.DOWN
        await asyncio.to_thread(self._historian.stop, 0.0 if down else drain_s)
        await self.ask()
        await asyncio.to_thread(self.spool.close)
