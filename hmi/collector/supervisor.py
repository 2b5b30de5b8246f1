"""Keeps one device connected: opens its driver, runs it, and when it is lost says so and tries again."""

import asyncio
import logging
import random
from collections.abc import Sequence
from typing import Protocol

from hmi.core.batch import Batch
from hmi.core.clock import SECOND, Clock
from hmi.core.device import Device, DeviceError, DeviceHealth, DeviceState, Driver, DriverKind
from hmi.core.tag import Tag
from hmi.drivers.cancelled import stop_if_cancelled

log = logging.getLogger(__name__)

SHORTEST_WAIT_US = SECOND // 2
LONGEST_WAIT_US = 10 * SECOND
STEADY_US = 10 * SECOND
"""A lost device is tried again at once, but not more often than this."""
CLOSE_TIMEOUT_S = 5.0
GRACE_US = 5 * SECOND
"""A device that was never there is lost only after this, counted from the end of its first attempt."""
LONGEST_WAIT_IN_GRACE_US = SECOND


class Listener(Protocol):
    """Who is told. All calls on the collector's event loop, each returns at once."""

    def device_back(self, device: Device) -> None: ...
    def device_lost(self, device: Device, why: str) -> None: ...
    def received(self, device: Device, batch: Batch) -> None: ...
    def health_changed(self, health: DeviceHealth) -> None: ...


class Supervisor:
    """One device. `run` lasts until it is cancelled; `driver` is the connected driver, or None.

    `importing` is shared by all devices of a kind: a library that two threads import at once may come up broken.
    """

    def __init__(
        self,
        device: Device,
        tags: Sequence[Tag],
        kind: DriverKind,
        clock: Clock,
        listener: Listener,
        importing: asyncio.Lock,
    ) -> None:
        self._device = device
        self._tags = tags
        self._kind = kind
        self._clock = clock
        self._listener = listener
        self._importing = importing
        self._random = random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._state = DeviceState.CONNECTING
        self._since_us = clock.now_us()
        self._why = ""
        self._samples = 0
        self._requests_before = 0
        self._attempts = 0
        self._up: Driver | None = None
        self._making: Driver | None = None
        self._at_once_us: int | None = None
        self._was_there = False
        self._grace_until_us: int | None = None
        self._running: asyncio.Task[None] | None = None
        self._ended_why = ""

    @property
    def device(self) -> Device:
        return self._device

    @property
    def driver(self) -> Driver | None:
        """The driver while the device answers."""
        return self._up

    @property
    def heard_us(self) -> int | None:
        """When the device was last heard, also while its loss is told; None without a connection."""
        return self._making.alive_us if self._making is not None else None

    @property
    def health(self) -> DeviceHealth:
        driver = self._making
        return DeviceHealth(
            self._device.name,
            self._state,
            self._since_us,
            self._why,
            self._requests_before + (driver.requests if driver is not None else 0),
            self._samples,
            self._attempts,
            float(getattr(driver, "cycle_ms", 0.0)) if driver is not None else 0.0,
        )

    def end_connection(self, why: str) -> None:
        """Lose the device for `why`, and connect anew. Nothing where it is not connected."""
        if self._running is not None:
            self._ended_why = why
            self._running.cancel()

    async def run(self) -> None:
        """Connect, stay connected, come back. Ends only by cancellation, with the driver closed."""
        wait_us = 0
        imported = False
        try:
            while True:
                await self._clock.sleep_us(round(wait_us * self._random.uniform(0.8, 1.2)))
                driver = await self._make(in_thread=not imported)
                imported = imported or driver is not None
                opened = driver is not None and await self._one_connection(driver)
                wait_us = 0 if opened and self._may_try_at_once() else self._longer(wait_us)
        finally:
            self._set(DeviceState.STOPPED, "the collector stopped")

    async def _make(self, in_thread: bool) -> Driver | None:
        """A driver, or None where it cannot be made, which is said as a loss."""
        try:
            if not in_thread:
                return self._kind.make(self._device, self._tags, self._clock)
            # The first of its kind imports its library, which takes a second that the other devices must not wait for.
            async with self._importing:
                return await asyncio.to_thread(self._kind.make, self._device, self._tags, self._clock)
        except DeviceError as error:
            self._not_reached(str(error))
        except Exception as error:
            log.exception("device %s: the driver cannot be made", self._device.name)
            self._lost(f"internal error: {error!r}")
        return None

    async def _one_connection(self, driver: Driver) -> bool:
        """Open, run until the device is lost, close. Returns whether it had been opened."""
        self._making = driver
        self._attempts += 1
        opened = False
        try:
            await driver.open()
            opened = True
            self._up = driver
            self._was_there = True
            self._attempts = 0
            self._set(DeviceState.OK, "")
            self._listener.device_back(self._device)
            await self._run_until_ended(driver)
            self._lost("the driver ended without saying why")
        except DeviceError as error:
            # A driver whose end was asked for may call that a loss.
            stop_if_cancelled()
            # Said before the driver is closed: closing a dead connection may take its time.
            self._lost(str(error)) if opened else self._not_reached(str(error))
        except Exception as error:
            # A mistake in one driver must not end the collection of the others.
            log.exception("device %s: the driver failed", self._device.name)
            stop_if_cancelled()
            self._lost(f"internal error: {error!r}")
        finally:
            self._up = None
            try:
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await driver.close()
            except TimeoutError:
                log.warning("device %s: the driver did not close within %g s", self._device.name, CLOSE_TIMEOUT_S)
            self._requests_before += driver.requests
            self._making = None
        return opened

    async def _run_until_ended(self, driver: Driver) -> None:
        self._ended_why = ""
        self._running = asyncio.get_running_loop().create_task(driver.run(self._received))
        try:
            await self._running
        except asyncio.CancelledError:
            stop_if_cancelled()
            raise DeviceError(self._ended_why) from None
        finally:
            self._running = None

    def _may_try_at_once(self) -> bool:
        """After a loss once without waiting, unless that was tried a moment ago."""
        now_us = self._clock.monotonic_us()
        if self._at_once_us is not None and now_us - self._at_once_us < STEADY_US:
            return False
        self._at_once_us = now_us
        return True

    def _longer(self, wait_us: int) -> int:
        longest_us = LONGEST_WAIT_IN_GRACE_US if self._state is DeviceState.CONNECTING else LONGEST_WAIT_US
        return min(max(wait_us * 2, SHORTEST_WAIT_US), longest_us)

    def _received(self, batch: Batch) -> None:
        if self._up is None or not len(batch):
            return
        self._samples += len(batch)
        self._listener.received(self._device, batch)

    def _not_reached(self, why: str) -> None:
        """A device that was never there may still be starting: it has some time before it counts as lost."""
        now_us = self._clock.monotonic_us()
        if self._grace_until_us is None:
            self._grace_until_us = now_us + GRACE_US
        if self._was_there or now_us >= self._grace_until_us:
            self._lost(why)
        elif why != self._why:
            self._why = why
            self._listener.health_changed(self.health)

    def _lost(self, why: str) -> None:
        self._up = None
        if self._state is not DeviceState.LOST:
            self._set(DeviceState.LOST, why)
            self._listener.device_lost(self._device, why)
        elif why != self._why:
            self._why = why
            self._listener.health_changed(self.health)

    def _set(self, state: DeviceState, why: str) -> None:
        self._state = state
        self._since_us = self._clock.now_us()
        self._why = why
        self._listener.health_changed(self.health)
