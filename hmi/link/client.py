"""The other end of the link: blocking, for a thread of its own."""

import socket
import struct
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hmi.link.endpoint import UNIX, EndpointError, connect
from hmi.link.frame import LENGTH, MOST_BYTES, Frame, FrameError, decode, encode


class LinkConnection:
    """One connection to a collector. `receive` blocks; `send` and `close` may be called from other threads."""

    def __init__(self, path: Path, timeout_s: float = 5.0, unix: bool = UNIX) -> None:
        """Raises `EndpointError` where no collector listens."""
        self._socket = connect(path, timeout_s, unix)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, frame: Frame) -> None:
        """Raises `EndpointError` when the collector is gone."""
        try:
            self._socket.sendall(encode(frame))
        except OSError as error:
            raise EndpointError(f"the collector is gone: {error}") from error

    def receive(self, timeout_s: float | None = None) -> Frame:
        """The next frame. Raises `TimeoutError` when none begins in time, `EndpointError` at the end."""
        try:
            self._socket.settimeout(timeout_s)
            head = self._exactly(LENGTH.size)
            # Once a frame has begun, the rest is on its way: a pause in the middle is a dead peer, not an idle one.
            self._socket.settimeout(10.0)
            (size,) = LENGTH.unpack(head)
            if size > MOST_BYTES:
                raise EndpointError(f"a frame of {size} bytes: this is not a collector")
            try:
                return decode(self._exactly(size))
            except TimeoutError:
                raise EndpointError("the collector stopped in the middle of a frame") from None
        except TimeoutError:
            raise
        except (OSError, struct.error, FrameError) as error:
            raise EndpointError(f"the collector is gone: {error}") from error

    def close(self) -> None:
        """Wakes a blocked `receive`."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _exactly(self, size: int) -> bytes:
        buffer = bytearray(size)
        view = memoryview(buffer)
        while view:
            got = self._socket.recv_into(view)
            if not got:
                raise EndpointError("the collector closed the connection")
            view = view[got:]
        return bytes(buffer)


def request(path: Path, kind: str, arguments: dict[str, Any] | None = None, timeout_s: float = 5.0) -> dict[str, Any]:
    """Ask a collector one thing, as `hmi status` and `hmi stop` do. Raises `EndpointError`, also when it says no."""
    with LinkConnection(path, timeout_s) as connection:
        connection.send(Frame(kind, {**(arguments or {}), "id": 1}))
        try:
            reply = connection.receive(timeout_s)
        except TimeoutError:
            raise EndpointError(f"the collector at {path} did not answer within {timeout_s:g} s") from None
    if "error" in reply.body:
        raise EndpointError(str(reply.body["error"]))
    return dict(reply.body)
