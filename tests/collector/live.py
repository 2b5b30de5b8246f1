"""A collector that runs in this process, and short words for asking it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hmi.collector.collector import Collector
from hmi.core.alarm import AlarmState
from hmi.core.clock import Clock, SystemClock
from hmi.core.home import Home, home_of
from hmi.drivers import DRIVERS
from hmi.link.client import request
from tests.collector.waiting import until


class Running:
    """A collector that runs, and short words for asking it."""

    def __init__(self, collector: Collector, home: Home) -> None:
        self.collector = collector
        self.home = home

    def tag(self, name: str) -> int:
        return self.collection.plant.tag_index[name]

    @property
    def collection(self) -> Any:
        return self.collector._now

    def value(self, name: str) -> float:
        return float(self.collection.table.value[self.tag(name)])

    def status(self, name: str) -> int:
        return int(self.collection.table.status[self.tag(name)])

    def title(self, screen: str) -> str:
        return str(self.collection.plant.screens[screen].title.source)

    @property
    def alarms(self) -> dict[str, AlarmState]:
        return {alarm.key: alarm.state for alarm in self.collector.welcome().alarms}

    async def ask(self, kind: str, **arguments: Any) -> dict[str, Any]:
        """A request over the link, as a desktop makes it."""
        return await asyncio.to_thread(request, self.home.socket, kind, arguments)

    async def write(self, tag: str, value: float) -> dict[str, Any]:
        found: dict[str, Any] = (await self.ask("write", tag=tag, value=value, confirmed=False))["write"]
        return found


@asynccontextmanager
async def running(folder: Path, tmp_path: Path, clock: Clock | None = None) -> AsyncIterator[Running]:
    home = home_of(folder, {"HMI_HOME": str(tmp_path / "home")})
    stop = asyncio.Event()
    collector = Collector(folder, home, clock or SystemClock(), {}, DRIVERS)
    task = asyncio.create_task(collector.run(stop))
    await until(lambda: task.done() or home.socket.exists(), "the collector answers")
    try:
        if task.done():
            task.result()
        yield Running(collector, home)
    finally:
        stop.set()
        await asyncio.wait_for(task, 15)
