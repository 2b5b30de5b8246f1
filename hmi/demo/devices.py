"""The demo plant as devices: the process, its two PLCs and its OPC UA server, on loopback at free ports."""

import asyncio
from typing import Any

from hmi.core.clock import Clock, SystemClock
from hmi.demo.image import Image
from hmi.demo.opcua_server import UaServer, zone_points
from hmi.demo.plc import Plc
from hmi.demo.registers import clear_water_points, raw_water_points
from hmi.demo.trainer import trainer_points
from hmi.demo.waterworks import STEP_S, Waterworks

STEP_US = int(STEP_S * 1_000_000)
MOST_STEPS_TO_CATCH_UP = 10


class UnknownDevice(KeyError):
    """There is no such device in the demo plant."""


class DemoDevices:
    """PLC-1 (big word order), PLC-2 (little word order) and UA-1, with the process behind them."""

    def __init__(self, seed: int = 1, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self.works = Waterworks(seed)
        self.plc1 = Plc("PLC-1", self._clock)
        self.plc2 = Plc("PLC-2", self._clock)
        self.ua1 = UaServer("UA-1", self._clock)
        for plc, points, big in ((self.plc1, raw_water_points, True), (self.plc2, clear_water_points, False)):
            made = points(self.works, _counter(plc), plc.uptime_s, _cycle(plc))
            plc.load(Image(made, word_order_big=big))
        nodes = zone_points(self.works, lambda: float(self.ua1.sequence), self.ua1.uptime_s)
        nodes += trainer_points(self.works, lambda name: not self._device(name).listening, self._unplug)
        self.ua1.load(nodes)
        self._task: asyncio.Task[None] | None = None
        self._cables: set[asyncio.Task[None]] = set()

    @property
    def devices(self) -> dict[str, Plc | UaServer]:
        """All devices by name."""
        return {device.name: device for device in (self.plc1, self.plc2, self.ua1)}

    @property
    def environment(self) -> dict[str, str]:
        """What turns the plant's `plant.yaml` to these devices. Known after `start`."""
        return {
            "HMI_DEVICE_PLC_1_HOST": "127.0.0.1",
            "HMI_DEVICE_PLC_1_PORT": str(self.plc1.port),
            "HMI_DEVICE_PLC_2_HOST": "127.0.0.1",
            "HMI_DEVICE_PLC_2_PORT": str(self.plc2.port),
            "HMI_DEVICE_UA_1_URL": f"opc.tcp://127.0.0.1:{self.ua1.port}/",
        }

    @property
    def process(self) -> asyncio.Task[None]:
        """The running process, from `listen` on. Raises `RuntimeError` before."""
        if self._task is None:
            raise RuntimeError("the demo plant has not been started")
        return self._task

    async def listen(self) -> None:
        """Take connections: the PLCs answer from here on, UA-1 lets its clients wait until `start` is done."""
        await self.plc1.start()
        await self.plc2.start()
        self.ua1.listen()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="demo process")

    async def start(self) -> None:
        """Start the devices and the process; return when all of them answer."""
        await self.listen()
        await self.ua1.start()

    async def stop(self) -> None:
        """Stop all. Raises what ended the process early, if anything did."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                if not task.cancelled():
                    raise
        await asyncio.gather(*self._cables)
        await self.plc1.stop()
        await self.plc2.stop()
        await self.ua1.end()

    async def step(self) -> None:
        """One step of 100 ms of the process and of all devices."""
        self.works.step()
        self.plc1.step()
        self.plc2.step()
        await self.ua1.step()

    async def _run(self) -> None:
        due_us = self._clock.monotonic_us() + STEP_US
        while True:
            await self._clock.sleep_us(due_us - self._clock.monotonic_us())
            behind = self._clock.monotonic_us() - due_us
            if behind > MOST_STEPS_TO_CATCH_UP * STEP_US:
                # After a suspended computer the plant goes on from here, it does not race.
                due_us += behind
            await self.step()
            due_us += STEP_US

    # --- what the audience may do
    def _device(self, name: str) -> Plc | UaServer:
        device = self.devices.get(name)
        if device is None:
            raise UnknownDevice(name)
        return device

    async def cut(self, device: str) -> None:
        """Pull the cable: nothing listens, connections drop; the device itself goes on. Raises `UnknownDevice`."""
        await self._device(device).stop()

    async def restore(self, device: str) -> None:
        """Plug the cable in again, at the same port. Raises `UnknownDevice`."""
        await self._device(device).start()

    def _unplug(self, device: str, out: bool) -> bool:
        task = asyncio.create_task(self.cut(device) if out else self.restore(device), name=f"cable of {device}")
        self._cables.add(task)
        task.add_done_callback(self._cables.discard)
        return True

    def trip(self, pump: str) -> None:
        """See `Waterworks.trip`."""
        self.works.trip(pump)

    def clog(self, name: str) -> None:
        """See `Waterworks.clog`."""
        self.works.clog(name)

    def leak(self, zone: str, flow: float = 90.0) -> None:
        """See `Waterworks.leak`."""
        self.works.leak(zone, flow)

    def served(self) -> dict[str, Any]:
        """What each device has given away, for tests to count against."""
        return {name: device.served.report(device.sequence) for name, device in self.devices.items()}


def _counter(plc: Plc) -> Any:
    return lambda: float(plc.sequence)


def _cycle(plc: Plc) -> Any:
    return lambda: plc.cycle_ms
