"""One connection to a Modbus TCP device: requests, answers and exceptions, with loss reported at once.

The only module that knows pymodbus, whose interface changes between minor versions.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

import numpy as np
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ModbusPDU

from hmi.core.clock import SECOND, Clock
from hmi.core.device import DeviceError
from hmi.drivers.cancelled import stop_if_cancelled
from hmi.drivers.modbus_address import Area
from hmi.drivers.modbus_codec import Bits, Registers

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE, ACKNOWLEDGE, PARITY = 1, 2, 3, 4, 5, 8
GATEWAY_PATH, GATEWAY_TARGET = 10, 11

WRITE_COIL, WRITE_REGISTER, WRITE_REGISTERS, WRITE_MASK = 5, 6, 16, 22
_READ: dict[Area, int] = {Area.COIL: 1, Area.DISCRETE: 2, Area.HOLDING: 3, Area.INPUT: 4}

EXCEPTIONS: dict[int, str] = {
    1: "illegal function: the device does not know this kind of request",
    2: "illegal address: the device does not have it",
    3: "illegal value: the device does not take it",
    4: "device failure",
    5: "acknowledge: the device has not finished yet",
    6: "device busy",
    7: "negative acknowledge",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "the device behind the gateway does not answer",
}
"""Modbus exception codes in words."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: registers or bits, or the code of an exception (0 for none)."""

    values: Registers | Bits
    exception: int = 0

    @property
    def words(self) -> str:
        """The exception for a person."""
        return EXCEPTIONS.get(self.exception, f"exception {self.exception}")


_NOTHING = np.empty(0, np.uint16)


class _RawAnswer(ModbusPDU):
    """What a read brings, left as bytes: the library would make an object of every register and of every bit."""

    rtu_byte_count_pos = 2
    raw = b""

    def encode(self) -> bytes:
        return bytes([len(self.raw)]) + self.raw

    def decode(self, data: bytes) -> None:
        # Nothing where the answer is not as long as it says; an exception here would be lost in the library.
        self.raw = bytes(data[1:]) if data and data[0] == len(data) - 1 else b""

    def __str__(self) -> str:
        return f"{len(self.raw)} bytes"


class _Coils(_RawAnswer):
    function_code = 1


class _Discrete(_RawAnswer):
    function_code = 2


class _Holding(_RawAnswer):
    function_code = 3


class _Input(_RawAnswer):
    function_code = 4


class Connection:
    """Requests go out one at a time, in the order of the calls. Every method raises `DeviceError` on loss."""

    def __init__(self, name: str, host: str, port: int, unit: int, timeout_us: int, clock: Clock) -> None:
        self._where = f"{name} at {host}:{port}"
        self._unit = unit
        self._timeout_us = timeout_us
        self._clock = clock
        self._closed = False
        self.requests = 0
        self.alive_us = 0
        self._client = AsyncModbusTcpClient(
            host,
            port=port,
            name=name,
            timeout=timeout_us / SECOND,
            retries=0,
            reconnect_delay=0,
            reconnect_delay_max=0,
            trace_connect=self._connection_changed,
        )
        for answer in (_Coils, _Discrete, _Holding, _Input):
            self._client.register(answer)

    async def open(self) -> None:
        try:
            connected = await self._client.connect()
        except (OSError, ModbusException) as error:
            raise DeviceError(f"{self._where} cannot be reached: {error}") from error
        if not connected:
            raise DeviceError(f"{self._where} cannot be reached")

    def close(self) -> None:
        self._closed = True
        self._client.close()

    async def read(self, area: Area, start: int, count: int) -> Answer:
        """Registers, or bits for coils and discrete inputs."""
        self.check()
        read = {
            Area.HOLDING: self._client.read_holding_registers,
            Area.INPUT: self._client.read_input_registers,
            Area.COIL: self._client.read_coils,
            Area.DISCRETE: self._client.read_discrete_inputs,
        }[area]
        response = await self._exchange(_READ[area], read(start, count=count, device_id=self._unit))
        if response.isError():
            return self._refusal(response)
        raw = response.raw if isinstance(response, _RawAnswer) else b""
        if len(raw) != ((count + 7) // 8 if area.of_bits else 2 * count):
            raise DeviceError(f"{self._where} answers with {len(raw)} bytes where {count} values were asked for")
        if area.of_bits:
            return Answer(np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")[:count])
        return Answer(np.frombuffer(raw, ">u2"))

    async def write_coil(self, start: int, value: bool) -> Answer:
        self.check()
        request = self._client.write_coil(start, value, device_id=self._unit)
        return self._written(await self._exchange(WRITE_COIL, request))

    async def write_registers(self, start: int, words: Sequence[int]) -> Answer:
        """One register by function 6, several by function 16: some devices know only one of the two."""
        self.check()
        if len(words) == 1:
            request = self._client.write_register(start, words[0], device_id=self._unit)
            return self._written(await self._exchange(WRITE_REGISTER, request))
        request = self._client.write_registers(start, list(words), device_id=self._unit)
        return self._written(await self._exchange(WRITE_REGISTERS, request))

    async def write_bit(self, start: int, bit: int, value: bool) -> Answer:
        """One bit of a register in one request, so that no other bit can change in between (function 22)."""
        self.check()
        mask = 1 << bit
        request = self._client.mask_write_register(
            address=start, and_mask=0xFFFF & ~mask, or_mask=mask if value else 0, device_id=self._unit
        )
        return self._written(await self._exchange(WRITE_MASK, request))

    def check(self) -> None:
        """Raises `DeviceError` if the connection is closed."""
        # Asked while it is not connected, the library would connect on its own.
        if self._closed or not self._client.connected:
            raise DeviceError(f"{self._where}: the connection is closed")

    async def _exchange(self, function: int, request: Awaitable[ModbusPDU]) -> ModbusPDU:
        self.requests += 1
        try:
            response = await request
        except ConnectionException as error:
            raise DeviceError(f"{self._where} closed the connection") from error
        except ModbusException as error:
            raise DeviceError(f"{self._where} does not answer within {self._timeout_us // 1000} ms") from error
        except OSError as error:
            raise DeviceError(f"{self._where}: {error}") from error
        stop_if_cancelled()
        if response.function_code & 0x7F != function:
            raise DeviceError(f"{self._where} answers function {function} with function {response.function_code}")
        self.alive_us = self._clock.now_us()
        return response

    def _written(self, response: ModbusPDU) -> Answer:
        return self._refusal(response) if response.isError() else Answer(_NOTHING)

    def _refusal(self, response: ModbusPDU) -> Answer:
        answer = Answer(_NOTHING, getattr(response, "exception_code", ILLEGAL_FUNCTION) or ILLEGAL_FUNCTION)
        if answer.exception in (GATEWAY_PATH, GATEWAY_TARGET):
            raise DeviceError(f"{self._where}, unit {self._unit}: {answer.words}")
        return answer

    def _connection_changed(self, connected: bool) -> None:
        if connected or self._closed:
            return
        # The library would let its caller wait for the whole timeout.
        waiting = self._client.ctx.response_future
        if not waiting.done():
            waiting.set_exception(ConnectionException("closed by the device"))
