"""One accepted plant being collected: its devices, tags, alarms and writes, from the drivers to the spool."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from hmi.collector.coverage import CoverageLog, Pause
from hmi.collector.derived import DerivedTags
from hmi.collector.freshness import Freshness, silent_after_us
from hmi.collector.gate import Gate
from hmi.collector.history_watch import HistoryWatch
from hmi.collector.intake import Intake
from hmi.collector.judge import Judge, Verdict
from hmi.collector.open_writes import OpenWrites
from hmi.collector.recorder import Recorder
from hmi.collector.ring import Ring
from hmi.collector.supervisor import Supervisor
from hmi.core.alarm import Alarm
from hmi.core.batch import Batch, Tags, join
from hmi.core.clock import SECOND, Clock
from hmi.core.command import Write
from hmi.core.device import Device, DeviceHealth, Driver, DriverKind
from hmi.core.event import COLLECTOR, Event, EventKind
from hmi.core.home import Home
from hmi.core.plant import Plant
from hmi.core.session import Health, HistorianHealth, LinkState
from hmi.core.status import BAD_NO_COMMUNICATION, UNCERTAIN_LAST_USABLE_VALUE, is_bad
from hmi.core.table import Table

log = logging.getLogger(__name__)

TICKS_A_SECOND = 10
TICK_US = SECOND // TICKS_A_SECOND
LATE_TICKS = 3
"""A tick that comes later than so many says nothing about the silence of devices."""
ALIVE_US = 5 * SECOND
"""A device that sends only what changes must have been heard within this for its tags to count as read."""


class Audience(Protocol):
    """Who is told what changed: the link's server. Each call returns at once."""

    def send_batch(self, batch: Batch) -> None: ...
    def send_alarms(self, changed: Sequence[Alarm]) -> None: ...
    def send_writes(self, changed: Sequence[Write]) -> None: ...
    def send_health(self, health: Health) -> None: ...


class Collection:
    """Everything that lives as long as one form of the plant does. All methods on the collector's event loop.

    `start` returns when collection runs; it never waits for the database. `stop` ends in order: writes, devices,
    intervals. The recorder is the caller's.
    """

    def __init__(
        self,
        plant: Plant,
        kinds: Mapping[str, DriverKind],
        home: Home,
        clock: Clock,
        audience: Audience,
        recorder: Recorder,
    ) -> None:
        self.plant = plant
        self._kinds = kinds
        self._home = home
        self._clock = clock
        self._audience = audience
        self._recorder = recorder
        self._spool = recorder.spool
        tags = plant.tags
        trusting = {device.name for device in plant.devices if device.trust_clock}
        # A derived tag has the time of its youngest input, which is a key already.
        trusted = np.array([tag.device in trusting or tag.expression is not None for tag in tags], np.bool_)
        self.table = Table(len(tags))
        self.ring = Ring(len(tags))
        self._intake = Intake(tags, trusted)
        self._derived = DerivedTags(tags)
        self._freshness = Freshness(tags, clock.monotonic_us())
        self._tags_of: dict[str, Tags] = {
            device.name: np.array([tag.index for tag in plant.tags_of(device.name)], np.int32)
            for device in plant.devices
        }
        importing = {device.driver: asyncio.Lock() for device in plant.devices}
        self._supervisors = {
            device.name: Supervisor(
                device, plant.tags_of(device.name), kinds[device.driver], clock, self, importing[device.driver]
            )
            for device in plant.devices
        }
        self._silent_after_us = {
            device.name: silent_after_us(plant.tags_of(device.name))
            for device in plant.devices
            if not kinds[device.driver].sends_changes_only
        }
        # An answer counts until the next is due, where that takes long and nothing is heard in between.
        self._answer_holds_us = {
            name: fastest_us
            for name in self._silent_after_us
            if (fastest_us := min((tag.period_us for tag in plant.tags_of(name)), default=0)) > SECOND
        }
        self._measured: Tags = np.array([tag.index for tag in tags if tag.expression is None], np.int32)
        self._lost: set[str] = set()
        self._maybe_old: set[str] = set()
        self._ticked_us = clock.monotonic_us()
        self._history_watch = HistoryWatch()
        self._ticks = 0
        self._stopped = False
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, started_by: str) -> None:
        """Take up what the last collector left, and start the devices. `started_by` is for the journal."""
        plant, clock = self.plant, self._clock
        before = await asyncio.to_thread(self._spool.alarms)
        self._judge = Judge(plant.alarms, len(plant.tags), before)
        self._coverage = CoverageLog(clock, self._spool.record_coverage)
        open_writes = await asyncio.to_thread(OpenWrites, self._home.folder / "open-writes.json")
        self.gate = Gate(plant, self.table, clock, self, open_writes)
        self._coverage.open(COLLECTOR)
        detail = {"revision": plant.revision}
        self.record([Event(clock.now_us(), EventKind.COLLECTOR_STARTED, COLLECTOR, started_by, detail=detail)])
        self._carry(self._judge.retire(clock.now_us()))
        self.gate.end_those_left_open()
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(s.run(), name=f"device {name}") for name, s in self._supervisors.items()]
        self._tasks.append(loop.create_task(self._tick_for_ever(), name="collection tick"))

    async def stop(self, why: str) -> None:
        """End in order, with all on disk; `why` begins with `stopped`."""
        if self._stopped:
            return
        self._stopped = True
        await self.gate.close()
        now_us = self._clock.now_us()
        # What still answers is collected to the end: drivers hand over what they have read when they are stopped.
        silent = {name: heard_us for name, heard_us in self._heard_us().items() if now_us - heard_us > SECOND}
        for task in self._tasks:
            task.cancel()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, Exception):
                log.error("stopping: a part of the collection had failed", exc_info=result)
        self._coverage.close_all(why, silent)
        self.record([Event(self._clock.now_us(), EventKind.COLLECTOR_STOPPED, COLLECTOR, f"Collector {why}")])
        try:
            await self.committed()
        except TimeoutError as error:
            log.error("stopping: the spool did not take the last samples: %s", error)

    @property
    def failed(self) -> BaseException | None:
        """What ended a part of the collection that must never end; None while all is well."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                return error
        return None

    @property
    def accepted(self) -> int:
        """Samples that intake accepted."""
        return self._intake.accepted

    @property
    def alarms(self) -> list[Alarm]:
        return self._judge.standing

    @property
    def devices(self) -> tuple[DeviceHealth, ...]:
        return tuple(supervisor.health for supervisor in self._supervisors.values())

    @property
    def historian(self) -> HistorianHealth:
        return self._recorder.health

    @property
    def health(self) -> Health:
        return Health(LinkState.OK, self._clock.now_us(), self.historian, self.devices)

    def acknowledge(self, keys: Sequence[str], who: str) -> int:
        """Acknowledge alarms; returns how many changed."""
        verdict = self._judge.acknowledge(keys, self._clock.now_us(), who)
        self._carry(verdict)
        return len(verdict.alarms)

    def use_screens(self, plant: Plant) -> None:
        """Go on with `plant`, which has the same devices, tags and alarms."""
        self.plant = plant
        what = {"revision": plant.revision}
        self.record(
            [Event(self._clock.now_us(), EventKind.CONFIGURATION, COLLECTOR, "Changed files accepted", detail=what)]
        )

    def use_alarms(self, plant: Plant) -> None:
        """Judge by the alarms of `plant`, which has the same devices and tags; what stands and is known stays so."""
        now_us = self._clock.now_us()
        self.plant = plant
        self._judge = Judge(plant.alarms, len(plant.tags), self._judge.standing)
        self.record(
            [Event(now_us, EventKind.CONFIGURATION, COLLECTOR, "New alarms", detail={"revision": plant.revision})]
        )
        self._carry(self._judge.retire(now_us))
        for name in self._supervisors:
            self._carry(self._judge.device(name, name in self._lost, now_us))
        snapshot = self.table.snapshot()
        # What is true now is true from now on: the values may be older than the limit that judges them.
        self._carry(self._judge.judge(replace(snapshot, time_us=np.full(len(snapshot), now_us, np.int64))))

    # What the supervisors tell.

    def device_back(self, device: Device) -> None:
        now_us = self._coverage.open(device.name)
        self._maybe_old.discard(device.name)
        tags = self._tags_of[device.name]
        self._intake.begin(tags, now_us)
        self._freshness.read(tags, self._clock.monotonic_us())
        if device.name in self._lost:
            self._lost.discard(device.name)
            self.record([Event(now_us, EventKind.DEVICE_BACK, device.name, f"{device.name} answers again")])
        self._carry(self._judge.device(device.name, False, now_us))

    def device_lost(self, device: Device, why: str) -> None:
        now_us = self._clock.now_us()
        log.warning("device %s lost: %s", device.name, why)
        self._lost.add(device.name)
        self._coverage.close(device.name, why, self._heard_us().get(device.name))
        detail = {"why": why}
        self.record([Event(now_us, EventKind.DEVICE_LOST, device.name, f"{device.name} lost: {why}", detail=detail)])
        self._take_over(self._intake.mark(self._tags_of[device.name], BAD_NO_COMMUNICATION, now_us, keep_value=False))
        self._carry(self._judge.device(device.name, True, now_us))

    def received(self, device: Device, batch: Batch) -> None:
        self._look_for_pause()
        if device.name in self._maybe_old:
            self._maybe_old.discard(device.name)
            return
        self._take(batch)

    def health_changed(self, health: DeviceHealth) -> None:
        self._audience.send_health(self.health)

    # What the gate needs.

    def driver_of(self, device: str) -> Driver | None:
        supervisor = self._supervisors.get(device)
        return supervisor.driver if supervisor is not None else None

    def record(self, events: Sequence[Event]) -> None:
        self._spool.record_events(events)

    async def committed(self) -> None:
        await self._recorder.committed()

    def writes_changed(self, writes: Sequence[Write]) -> None:
        self._audience.send_writes(writes)

    def received_back(self, device: str, batch: Batch) -> None:
        if self.driver_of(device) is not None:
            self._look_for_pause()
            self._take(batch)

    # The road of a sample.

    def _take(self, batch: Batch) -> None:
        self._freshness.read(batch.tag, self._clock.monotonic_us())
        self._take_over(self._intake.accept(batch))

    def _take_over(self, batch: Batch) -> None:
        """Accepted samples: to the table, to what is derived from them, then to all who keep or show or judge them."""
        if not len(batch):
            return
        self.table.apply(batch)
        derived = self._derived.evaluate(batch.tag, self.table)
        if len(derived):
            self._freshness.read(derived.tag, self._clock.monotonic_us())
            derived = self._intake.accept(derived)
            self.table.apply(derived)
            batch = join((batch, derived))
        self._spool.record(batch)
        self.ring.add(batch)
        self._audience.send_batch(batch)
        self._carry(self._judge.judge(batch))

    def _carry(self, verdict: Verdict) -> None:
        if verdict:
            self._spool.record_events(verdict.events, verdict.alarms)
            self._audience.send_alarms(verdict.alarms)

    async def _tick_for_ever(self) -> None:
        while True:
            await self._clock.sleep_us(TICK_US)
            if self._ticks % TICKS_A_SECOND == 0:
                await self._recorder.ask()
            self.tick()

    def tick(self) -> None:
        """What time alone brings: silence, alarm delays, and once a second intervals, staleness, heartbeats, health."""
        self._look_for_pause()
        self._look_for_silence()
        self._carry(self._judge.due(self._clock.now_us()))
        self._ticks += 1
        if self._ticks % TICKS_A_SECOND:
            return
        self._coverage.tick(self._heard_us())
        now_us = self._clock.now_us()
        self.ring.forget(now_us)
        for name, supervisor in self._supervisors.items():
            driver = supervisor.driver
            if driver is not None:
                self._look_after(supervisor.device, driver, self._tags_of[name], now_us)
        self._judge_history(now_us)
        self._audience.send_health(self.health)

    def _look_after(self, device: Device, driver: Driver, tags: Tags, now_us: int) -> None:
        monotonic_us = self._clock.monotonic_us()
        if self._kinds[device.driver].sends_changes_only and now_us - driver.alive_us <= ALIVE_US:
            self._freshness.read(tags, monotonic_us)
            self._take_over(self._intake.heartbeat(tags, now_us))
        self._mark_old(self._freshness.newly_stale(tags, monotonic_us), now_us)

    def _look_for_silence(self) -> None:
        """A device that says nothing is lost when its timeout is over; its values are no longer good before that."""
        monotonic_us = self._clock.monotonic_us()
        late = monotonic_us - self._ticked_us > LATE_TICKS * TICK_US
        self._ticked_us = monotonic_us
        if late:
            # It was the collector that did not listen: what it has not taken yet may lie ready.
            return
        now_us = self._clock.now_us()
        for name, patience_us in self._silent_after_us.items():
            driver = self._supervisors[name].driver
            if driver is not None and driver.alive_us and now_us - driver.alive_us > patience_us:
                self._mark_old(self._tags_of[name], now_us)

    def _mark_old(self, tags: Tags, now_us: int) -> None:
        # What is bad or was never read stays so: that says more than that it is old.
        tags = tags[~is_bad(self.table.status[tags])]
        if len(tags):
            self._take_over(self._intake.mark(tags, UNCERTAIN_LAST_USABLE_VALUE, now_us, keep_value=True))

    def _heard_us(self) -> dict[str, int]:
        """Until when each connected device counts as collected."""
        return {
            name: heard_us + self._answer_holds_us.get(name, 0)
            for name, supervisor in self._supervisors.items()
            if (heard_us := supervisor.heard_us) is not None
        }

    def _look_for_pause(self) -> None:
        if (pause := self._coverage.pause()) is not None:
            self._after(pause)

    def _after(self, pause: Pause) -> None:
        """Intervals began anew, so every value has to be told anew; and what was good before is not good now unread."""
        now_us = self._clock.now_us()
        log.warning("%s: a gap is recorded", pause.why)
        up = [name for name, supervisor in self._supervisors.items() if supervisor.driver is not None]
        if pause.set_back_us:
            self._intake.set_back(now_us)
            self._judge.set_back(pause.set_back_us)
            self.ring = Ring(len(self.plant.tags))
            text = f"T{pause.why[1:]}: what follows has times that were recorded before"
            detail = {"why": pause.why, "set_back_us": pause.set_back_us}
            self.record([Event(now_us, EventKind.HISTORY_GAP, COLLECTOR, text, detail=detail)])
        else:
            told = np.concatenate([self._tags_of[name] for name in up] + [self._derived_told()])
            self._intake.begin(told, now_us)
            # An answer that was on its way during the halt would be taken for one of now.
            self._maybe_old = set(up)
        self._take_over(self._intake.age(self._measured, now_us))
        for name in up:
            if self._kinds[self._supervisors[name].device.driver].sends_changes_only:
                self._supervisors[name].end_connection(pause.why)

    def _derived_told(self) -> Tags:
        tags = np.setdiff1d(np.arange(len(self.plant.tags), dtype=np.int32), self._measured)
        return tags[self.table.time_us[tags] > 0]

    def _judge_history(self, now_us: int) -> None:
        for key, holds in self._history_watch.conditions(self.historian, self._spool.fill, now_us).items():
            self._carry(self._judge.collector(key, holds, now_us))
