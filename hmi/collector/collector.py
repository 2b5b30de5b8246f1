"""The collector as a whole: follows the plant's files, collects, and answers those who are connected."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hmi.collector.collection import Collection
from hmi.collector.database import Database
from hmi.collector.process import leave_last_word
from hmi.collector.recorder import Recorder
from hmi.collector.watch import Fingerprint, fingerprint
from hmi.config import PlantFolderMissing, load_plant, read_files
from hmi.core.batch import Batch
from hmi.core.clock import SECOND, Clock
from hmi.core.command import Write
from hmi.core.device import DriverKind
from hmi.core.home import Home
from hmi.core.plant import Plant
from hmi.core.problem import Place, Problem
from hmi.drivers import DRIVERS
from hmi.link.server import LinkServer, Welcome

log = logging.getLogger(__name__)

LOOK_US = 3 * SECOND // 10
"""How often the files are looked at."""
TOLD_TO_DESKTOP = "HMI_DEVICE_"
"""Only these settings of the environment concern the plant's files; the rest may hold secrets."""


class PlantRefusedError(Exception):
    """The plant's files have errors; `problems` are all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class CollectionFailedError(Exception):
    """A part of the collection that must never end has ended by a mistake of ours."""


class Collector:
    """One plant's collector. `run` on an event loop; implements what the link asks for."""

    def __init__(
        self,
        folder: Path,
        home: Home,
        clock: Clock,
        environment: Mapping[str, str],
        kinds: Mapping[str, DriverKind] = DRIVERS,
    ) -> None:
        self._folder = folder
        self._home = home
        self._clock = clock
        self._environment = environment
        self._kinds = kinds
        self._link = LinkServer(home.socket, self)
        self._problems: Sequence[Problem] = ()
        self._collection: Collection | None = None
        self._steady = asyncio.Lock()
        self._stop_asked = asyncio.Event()
        self._stopped_by = ""
        self._started_us = clock.now_us()
        self._accepted_before = 0
        self._stored_before = 0
        self._lost_before = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Collect until `stop` is set or somebody connected asks for the end.

        Raises `PlantRefusedError` when devices, tags or alarms have errors (a broken screen keeps nobody from
        collecting); `OSError`, `SpoolError` and `EndpointError` where the home cannot be used.
        """
        seen = await asyncio.to_thread(fingerprint, self._folder)
        plant, problems = await asyncio.to_thread(self._load)
        if plant is None:
            raise PlantRefusedError(problems)
        self._problems = problems
        self._home.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        leave_last_word(self._home, None)
        loop = asyncio.get_running_loop()

        def known(dsn: str) -> None:
            loop.call_soon_threadsafe(self._link.send_dsn, dsn)

        self._database = Database(self._home.database, self._environment, known)
        self._recorder = await self._record(plant)
        self._collection = await self._begin(plant, "Collector started")
        try:
            await self._link.start()
            await self._follow_files(stop, seen)
        finally:
            async with self._steady:
                devices = self.status()["devices"]
                await self._collection.stop(self._why_stopped())
                await self._recorder.close()
            ended = {**self.status(), "devices": devices, "ended_us": self._clock.now_us()}
            leave_last_word(self._home, ended)
            await self._link.stop()
            await asyncio.to_thread(self._database.close)

    def _load(self) -> tuple[Plant | None, list[Problem]]:
        return load_plant(read_files(self._folder), self._kinds, self._environment)

    async def _record(self, plant: Plant) -> Recorder:
        dsn = partial(self._database.connect, plant.historian)
        recorder = await asyncio.to_thread(Recorder, plant, self._home, self._clock, dsn)
        recorder.start()
        return recorder

    async def _begin(self, plant: Plant, started_by: str) -> Collection:
        collection = Collection(plant, self._kinds, self._home, self._clock, self._link, self._recorder)
        await collection.start(started_by)
        return collection

    async def _follow_files(self, stop: asyncio.Event, seen: Fingerprint) -> None:
        while not stop.is_set() and not self._stop_asked.is_set():
            await self._look_pause(stop)
            failed = self._now.failed
            if failed is not None:
                raise CollectionFailedError("the collection failed") from failed
            found = await asyncio.to_thread(fingerprint, self._folder)
            if found != seen:
                seen = found
                await self._take_files()

    async def _look_pause(self, stop: asyncio.Event) -> None:
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(event.wait()) for event in (stop, self._stop_asked)]
        waits.append(asyncio.ensure_future(self._clock.sleep_us(LOOK_US)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _take_files(self) -> None:
        """Accept the files as a whole, or keep the last good form and say what is wrong."""
        try:
            plant, problems = await asyncio.to_thread(self._load)
        except (OSError, PlantFolderMissing) as error:
            plant, problems = None, [_unreadable(str(error))]
        except Exception as error:
            # A mistake of ours in reading files must not end the collection of a plant that was fine.
            log.exception("reading the plant's files failed")
            plant, problems = None, [_unreadable(f"internal error: {error!r}")]
        self._problems = problems
        current = self._now
        if plant is None:
            log.warning("the changed files have errors; the last good form stays: %s", problems[0] if problems else "")
        elif not _reads_the_same(current.plant, plant):
            await self._change_to(plant)
        elif current.plant.alarms != plant.alarms:
            current.use_alarms(plant)
        else:
            current.use_screens(plant)
        self._send_plant()

    async def _change_to(self, plant: Plant) -> None:
        """Devices or tags changed: end what was collected in the old form, begin in the new one."""
        log.info("devices or tags changed: collection begins anew")
        async with self._steady:
            old = self._now
            await old.stop("stopped for a new configuration")
            self._accepted_before += old.accepted
            if self._recorder.fits(plant):
                await self._recorder.use_tags(plant)
            else:
                await self._recorder.close(drain_s=0.5)
                self._stored_before += self._recorder.health.stored
                self._lost_before += self._recorder.health.lost
                self._recorder = await self._record(plant)
            self._collection = await self._begin(plant, "Collector started with a new configuration")

    def _send_plant(self) -> None:
        w = self.welcome()
        self._link.send_plant(w.files, w.environment, w.revision, w.problems, w.snapshot)
        self._link.send_alarms(w.alarms)
        self._link.send_health(w.health)

    def _why_stopped(self) -> str:
        if self._now.failed is not None:
            return "stopped by an internal error"
        return f"stopped by {self._stopped_by}" if self._stopped_by else "stopped by a signal"

    @property
    def _now(self) -> Collection:
        if self._collection is None:
            raise RuntimeError("the collector has not begun")
        return self._collection

    # What the link asks for.

    def welcome(self) -> Welcome:
        now = self._now
        plant = now.plant
        settings = {name: v for name, v in self._environment.items() if name.startswith(TOLD_TO_DESKTOP)}
        return Welcome(
            plant.files,
            settings,
            plant.revision,
            self._problems,
            now.table.snapshot(),
            now.alarms,
            now.gate.writes,
            now.health,
            self._database.dsn,
        )

    async def write(self, tag: str, value: float | int | bool | str, confirmed: bool, who: str) -> Write:
        async with self._steady:
            gate = self._now.gate
        return await gate.write(tag, value, confirmed, who)

    async def acknowledge(self, keys: Sequence[str], who: str) -> int:
        async with self._steady:
            return self._now.acknowledge(keys, who)

    async def since(self, tags: Sequence[int], time_us: int) -> Batch:
        return self._now.ring.since(tags, time_us)

    def status(self) -> dict[str, Any]:
        """What the collector is doing, as JSON can hold it.

        `samples_taken` counts what intake accepted, `samples_stored` what the database has confirmed, both since the
        start of this process; `samples_lost` what could not be kept.
        """
        now = self._now
        historian = now.historian
        return {
            "plant": now.plant.name,
            "folder": str(self._folder),
            "revision": now.plant.revision,
            "problems": len(self._problems),
            "started_us": self._started_us,
            "tags": len(now.plant.tags),
            "samples_taken": self._accepted_before + now.accepted,
            "samples_stored": self._stored_before + historian.stored,
            "samples_waiting": historian.waiting,
            "samples_lost": self._lost_before + historian.lost,
            "devices": {
                d.name: {
                    "state": d.state.value,
                    "why": d.why,
                    "values_read": d.samples,
                    "requests": d.requests,
                }
                for d in now.devices
            },
            "historian": historian.kind,
            "historian_state": historian.state.value,
            "historian_why": historian.why,
            "alarms": len(now.alarms),
            "writes": len(now.gate.writes),
            "desktops": self._link.connected,
        }

    def stop(self, who: str) -> None:
        self._stopped_by = who
        self._stop_asked.set()


def _unreadable(why: str) -> Problem:
    hint = "the collector goes on with the last good form"
    return Problem(Place("plant.yaml"), "file-not-read", f"the plant's files cannot be read: {why}", hint)


def _reads_the_same(old: Plant, new: Plant) -> bool:
    """Whether devices, tags and historian are as they were, so that collection need not begin anew."""
    return (old.name, old.devices, old.tags, old.historian) == (new.name, new.devices, new.tags, new.historian)
