"""A PLC of the demo plant: a real Modbus TCP server over a register image."""

from typing import TYPE_CHECKING, Any

from hmi.core.clock import Clock
from hmi.demo.image import Answer, Image, Table
from hmi.demo.served import ServedLog

if TYPE_CHECKING:
    from pymodbus.server import ModbusTcpServer

_TABLE_OF_FUNCTION = {
    1: Table.COIL, 2: Table.DISCRETE, 3: Table.HOLDING, 4: Table.INPUT, 5: Table.COIL, 6: Table.HOLDING, 15: Table.COIL,
    16: Table.HOLDING, 22: Table.HOLDING, 23: Table.HOLDING,
}  # fmt: skip
_SEQUENCE_WIDTH = 2


class Plc:
    """One PLC. The counter at holding register 0 rises by one each step, whether or not anybody is connected."""

    def __init__(self, name: str, clock: Clock, unit: int = 1) -> None:
        self.name = name
        self.unit = unit
        self.port = 0
        self.served = ServedLog()
        self.sequence = 0
        self.cycle_ms = 0.0
        self._clock = clock
        self._began_us = clock.monotonic_us()
        self._image: Image | None = None
        self._server: ModbusTcpServer | None = None

    def uptime_s(self) -> float:
        """Seconds since the PLC was switched on."""
        return (self._clock.monotonic_us() - self._began_us) / 1e6

    def load(self, image: Image) -> None:
        """Take its program."""
        self._image = image

    def step(self) -> None:
        """One cycle: count up and take the process over."""
        if self._image is None:
            raise RuntimeError(f"{self.name} has no program")
        began = self._clock.monotonic_us()
        self.sequence = (self.sequence + 1) & 0xFFFFFFFF
        self._image.refresh()
        self.cycle_ms = (self._clock.monotonic_us() - began) / 1000.0

    @property
    def listening(self) -> bool:
        return self._server is not None

    async def start(self) -> None:
        """Listen on loopback: at a free port the first time, at the same port later."""
        from pymodbus.server import ModbusTcpServer
        from pymodbus.simulator import DataType, SimData, SimDevice

        if self._server is not None:
            return
        nothing = SimDevice(0, [SimData(0, values=0, datatype=DataType.REGISTERS)])
        server = ModbusTcpServer(nothing, address=("127.0.0.1", self.port))
        # The server asks its context for every request; this one has our tables, holes and refusals.
        asked: Any = self
        server.context = asked
        await server.serve_forever(background=True)
        transport: Any = server.transport
        self.port = int(transport.sockets[0].getsockname()[1])
        self._server = server

    async def stop(self) -> None:
        """Stop listening and drop all connections, as a pulled cable does."""
        if self._server is not None:
            server: Any = self._server
            self._server = None
            await server.shutdown()

    # --- asked by the server
    def device_ids(self) -> list[int]:
        return [self.unit]

    async def async_getValues(self, device_id: int, func_code: int, address: int, count: int = 1) -> Any:
        """Registers or bits, or an exception code."""
        from pymodbus.constants import ExcCodes

        table = _TABLE_OF_FUNCTION.get(func_code)
        if table is None:
            return ExcCodes.ILLEGAL_FUNCTION
        self.served.requests += 1
        image = self._checked(device_id)
        found = image.read(table, address, count)
        if isinstance(found, Answer):
            return ExcCodes.ILLEGAL_ADDRESS
        if table is Table.HOLDING and address == 0 and count >= _SEQUENCE_WIDTH:
            self.served.note(self.sequence)
        return [bool(bit) for bit in found] if table.of_bits else found

    async def async_setValues(
        self, device_id: int, func_code: int, address: int, values: list[int] | list[bool]
    ) -> Any:
        """None when done, or an exception code."""
        from pymodbus.constants import ExcCodes

        table = _TABLE_OF_FUNCTION.get(func_code)
        if table is None:
            return ExcCodes.ILLEGAL_FUNCTION
        self.served.requests += 1
        answer = self._checked(device_id).write(table, address, [int(v) for v in values])
        return {Answer.DONE: None, Answer.BAD_VALUE: ExcCodes.ILLEGAL_VALUE}.get(answer, ExcCodes.ILLEGAL_ADDRESS)

    def _checked(self, device_id: int) -> Image:
        from pymodbus.exceptions import NoSuchIdException

        if device_id != self.unit or self._image is None:
            raise NoSuchIdException
        return self._image
