"""Real devices in this process, and a wire between them and a driver that can be cut, silenced or chopped."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

from asyncua import Server, ua
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from hmi.core.batch import Batch

T = TypeVar("T")
LIMIT_S = 40.0


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """Run a scenario on a loop of its own, for a limited time."""

    async def limited() -> T:
        async with asyncio.timeout(LIMIT_S):
            return await scenario

    return asyncio.run(limited())


async def eventually(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    """Wait for what announces itself by no event."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Collected:
    """What a driver has published. `until` waits for a condition over it."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self._more = asyncio.Event()
        self._ended: asyncio.Task[None] | None = None

    def ended(self, task: "asyncio.Task[None]") -> None:
        """The driver stopped: nothing more will come."""
        self._ended = task
        self._more.set()

    def __call__(self, batch: Batch) -> None:
        self.batches.append(batch)
        self._more.set()

    async def until(self, condition: Callable[[], bool], within_s: float = 10.0) -> None:
        async with asyncio.timeout(within_s):
            while not condition():
                if self._ended is not None:
                    self._ended.result()
                self._more.clear()
                await self._more.wait()

    def of(self, tag: int) -> list[tuple[int, float, int]]:
        """Time, value and status of a tag's samples."""
        return [
            (int(b.time_us[i]), float(b.value[i]), int(b.status[i]))
            for b in self.batches
            for i in range(len(b))
            if b.tag[i] == tag
        ]

    def last(self, tag: int) -> tuple[float, int] | None:
        samples = self.of(tag)
        return samples[-1][1:] if samples else None

    def clear(self) -> None:
        self.batches.clear()


@asynccontextmanager
async def running(driver: Any, publish: Callable[[Batch], None]) -> AsyncIterator["asyncio.Task[None]"]:
    """A driver that runs until the end of the block, then is cancelled and closed."""
    task = asyncio.create_task(driver.run(publish))
    if isinstance(publish, Collected):
        task.add_done_callback(publish.ended)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await driver.close()


@dataclass
class Plc:
    """A Modbus TCP device. Registers that are not named do not exist: reading them is an illegal address."""

    holding: dict[int, int] = field(default_factory=dict)
    input: dict[int, int] = field(default_factory=dict)
    bits: int = 64
    unit: int = 1
    refuse: dict[int, ExcCodes] = field(default_factory=dict)
    """Exceptions by function code."""
    requests: list[tuple[int, int, int]] = field(default_factory=list)
    """Function code, address and count of each request."""

    async def __aenter__(self) -> Self:
        device = SimDevice(
            self.unit,
            simdata=(
                [SimData(0, values=[False] * self.bits, datatype=DataType.BITS)],
                [SimData(0, values=[False] * self.bits, datatype=DataType.BITS)],
                self._block(self.holding),
                self._block(self.input),
            ),
            action=self._action,
        )
        self._server = ModbusTcpServer(device, address=("127.0.0.1", 0))
        await self._server.serve_forever(background=True)
        self.port = int(self._server.transport.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.shutdown()

    @staticmethod
    def _block(registers: dict[int, int]) -> list[SimData]:
        found = [SimData(a, values=[v], datatype=DataType.REGISTERS) for a, v in sorted(registers.items())]
        return found or [SimData(65000, values=[0], datatype=DataType.REGISTERS)]

    async def _action(
        self, function: int, start: int, address: int, count: int, registers: list[int], written: Any
    ) -> ExcCodes | None:
        self.requests.append((function, address, count))
        return self.refuse.get(function)

    def set_register(self, address: int, *values: int, area: str = "h") -> None:
        start, _, registers, _ = self._server.context.devices[self.unit].block[area]
        registers[address - start : address - start + len(values)] = values

    def register(self, address: int) -> int:
        start, _, registers, _ = self._server.context.devices[self.unit].block["h"]
        return int(registers[address - start])


class Wire:
    """A proxy in front of a server on the same computer."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.silent = False
        """Swallow everything, as a network that lost its way does."""
        self.chopped = False
        """Hand on one byte at a time."""
        self.cut_after: int | None = None
        """End the connection after so many bytes from the server."""
        self.spoil: dict[int, int] = {}
        """Bytes from the server to change, by position: what they are combined with by exclusive or."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def cut(self) -> None:
        """End all connections and take no more."""
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, other_writer}
        for source, target in ((reader, other_writer), (other_reader, writer)):
            task = asyncio.create_task(self._pump(source, target, target is writer))
            self._tasks.add(task)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, answers: bool) -> None:
        done = 0
        try:
            while data := await source.read(65536):
                if self.silent:
                    continue
                if answers:
                    data = bytes(b ^ self.spoil.get(done + i, 0) for i, b in enumerate(data))
                    if self.cut_after is not None and done + len(data) >= self.cut_after:
                        target.write(data[: self.cut_after - done])
                        target.close()
                        return
                done += len(data)
                pieces = [data[i : i + 1] for i in range(len(data))] if self.chopped else [data]
                for piece in pieces:
                    target.write(piece)
                    await target.drain()
                    if self.chopped:
                        # Let the other side see the piece alone.
                        await asyncio.sleep(0)
        except OSError:
            pass
        finally:
            if not target.is_closing():
                target.transport.abort()
            self._writers.discard(target)


class UaPlant:
    """An OPC UA server on a thread of its own, since it takes two seconds to start."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="OPC UA server", daemon=True)
        self._nodes: dict[str, Any] = {}

    def start(self) -> None:
        self._thread.start()
        self.do(self._start(), within_s=50)

    def stop(self) -> None:
        self.do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _stop(self) -> None:
        await self._server.stop()
        # The server leaves the tasks of sessions behind whose clients went without a goodbye.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def do(self, work: Coroutine[Any, Any, T], within_s: float = 15) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(within_s)

    async def _start(self) -> None:
        self._server = Server()
        await self._server.init()
        self._server.set_endpoint("opc.tcp://127.0.0.1:0/plant")
        self._server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        self.namespace = await self._server.register_namespace("urn:test:plant")
        await self._server.start()
        self.port = int(self._server.bserver._server.sockets[0].getsockname()[1])

    def add(self, name: str, value: Any, variant: ua.VariantType, writable: bool = False) -> str:
        """A variable; its node id as a tag's address. Adding it again sets its value."""

        async def work() -> None:
            if name in self._nodes:
                await self._nodes[name].write_value(value, variant)
                return
            node_id = ua.NodeId.from_string(f"ns={self.namespace};s={name}")
            node = await self._server.nodes.objects.add_variable(node_id, name, value, variant)
            if writable:
                await node.set_writable()
            self._nodes[name] = node

        self.do(work())
        return f"ns={self.namespace};s={name}"

    def set(self, name: str, value: ua.DataValue) -> None:
        self.do(self._server.write_attribute_value(self._nodes[name].nodeid, value))

    def value(self, name: str) -> Any:
        return self.do(self._nodes[name].read_value())
