"""A small Modbus TCP device on a real socket, which counts what it has served and writes it down.

Holding register 0 and 1: a counter (uint32, big word first), one higher for every time that it is read. The first
request of a connection does not count: with it a driver asks whether anybody is there, and may not keep the answer.
Registers 10 to 29 keep what is written, 50 to 59 accept a write and stay as they are, 90 to 99 refuse every value.
"""

import asyncio
import struct
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from hmi.core.clock import SystemClock

REGISTERS = 200
STUBBORN = range(50, 60)
REFUSING = range(90, 100)


class BenchPlc:
    """Runs on a thread of its own, so that it goes on whatever happens to the collector."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self.port = 0
        self.served: list[tuple[int, int]] = []
        """Every counter value that left the device, with the wall time in microseconds."""
        self.registers = [0] * REGISTERS
        self.connections = 0
        self._counter = 0
        self._black_hole = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bench PLC")
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self.plug()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def cut(self) -> None:
        """Stop listening and drop all connections."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(5)

    def plug(self) -> None:
        """Listen again, on the same port."""
        asyncio.run_coroutine_threadsafe(self._plug(), self._loop).result(5)

    def fall_silent(self, silent: bool) -> None:
        """Keep connections, answer nothing."""
        self._black_hole = silent

    async def _plug(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None
        while self._writers:  # noqa: ASYNC110 - they end by themselves, now that their connections are gone
            await asyncio.sleep(0.005)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.connections += 1
        counts = False
        try:
            while True:
                transaction, _, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
                request = await reader.readexactly(length - 1)
                if self._black_hole:
                    continue
                answer = self._answer(request, counts)
                counts = True
                writer.write(struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            with suppress(ConnectionError):
                writer.close()

    def _answer(self, request: bytes, counts: bool) -> bytes:
        function, start, count = struct.unpack(">BHH", request[:5])
        if function == 3:
            if start + count > REGISTERS:
                return bytes([function | 0x80, 2])
            if counts and start == 0 and count >= 2:
                self._counter += 1
                self.registers[0:2] = [self._counter >> 16, self._counter & 0xFFFF]
                self.served.append((self._counter, self._clock.now_us()))
            words = self.registers[start : start + count]
            return struct.pack(f">BB{count}H", function, 2 * count, *words)
        if function == 6:
            return self._write(request, start, [count]) or request
        if function == 16:
            words = list(struct.unpack(f">{count}H", request[6 : 6 + 2 * count]))
            return self._write(request, start, words) or request[:5]
        return bytes([function | 0x80, 1])

    def _write(self, request: bytes, start: int, words: list[int]) -> bytes:
        if start in REFUSING:
            return bytes([request[0] | 0x80, 3])
        if start not in STUBBORN:
            self.registers[start : start + len(words)] = words
        return b""
