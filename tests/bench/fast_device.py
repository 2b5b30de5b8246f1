"""A Modbus TCP device that costs next to nothing, as a program of its own: it can load a collector, not hold it up.

Holding registers hold float32 values, high word first, value n at registers 2n and 2n+1. Each value is one higher
every time that it is read, but for the first `--still` ones, which stay until they are set. It listens on `--ports`
ports, each with an image of its own, and tells them in its first line. Then each line in is a command, each line out
its answer:

- `served`: `{"values": how many were served, "requests": how many reads}`
- `set PORT_INDEX N VALUE`: sets a value; `{"set_ns": monotonic time}`
- `when`: `{"set_ns": of the last set, "served_ns": when it was first served, or null}`
- anything else, and the end of the input, end the program.
"""

import argparse
import json
import selectors
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

REGISTERS = 65_536
HEAD = struct.Struct(">HHHBBHH")
READ_HOLDING = 3
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS = 1, 2


class FastDevice:
    """One image a port; the values of a block change in one numpy pass when it is read."""

    def __init__(self, still: int) -> None:
        self.still = still
        self.values = self.requests = 0
        self.set_ns = 0
        self.set_at: tuple[int, int] | None = None
        self.served_ns: int | None = None
        self.images: list[NDArray[np.float32]] = []
        self.sockets: list[socket.socket] = []

    def listen(self) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        self.images.append(np.zeros(REGISTERS // 2, ">f4"))
        self.sockets.append(server)
        return int(server.getsockname()[1])

    def answer(self, image: int, request: bytes) -> bytes:
        transaction, _, _, unit, function, start, count = HEAD.unpack(request)
        if function != READ_HOLDING or start + count > REGISTERS:
            why = ILLEGAL_ADDRESS if function == READ_HOLDING else ILLEGAL_FUNCTION
            return struct.pack(">HHHBBB", transaction, 0, 3, unit, function | 0x80, why)
        values = self.images[image]
        first, last = (start + 1) // 2, (start + count) // 2
        values[max(first, self.still) : last] += 1
        body = values.view(">u2")[start : start + count].tobytes()
        self.requests += 1
        # The collector looks at one register to see whether somebody is there; that serves no value.
        self.values += last - first
        at = self.set_at
        if at is not None and self.served_ns is None and at[0] == image and first <= at[1] < last:
            self.served_ns = time.monotonic_ns()
        return struct.pack(">HHHBBB", transaction, 0, 3 + 2 * count, unit, function, 2 * count) + body

    def obey(self, words: list[str]) -> dict[str, Any] | None:
        if words[:1] == ["served"]:
            return {"values": self.values, "requests": self.requests}
        if words[:1] == ["set"] and len(words) == 4:
            image, n = int(words[1]), int(words[2])
            self.images[image][n] = float(words[3])
            self.set_at, self.set_ns, self.served_ns = (image, n), time.monotonic_ns(), None
            return {"set_ns": self.set_ns}
        if words[:1] == ["when"]:
            return {"set_ns": self.set_ns, "served_ns": self.served_ns}
        return None


class DeviceProcess:
    """The device as a child process, for the length of a `with` block."""

    def __init__(self, ports: int, still: int = 0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.fast_device", "--ports", str(ports), "--still", str(still)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
        )
        self.ports: list[int] = self._read()["ports"]
        self.pid = self._process.pid

    def ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the device of the bench has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ports", type=int, default=1)
    parser.add_argument("--still", type=int, default=0)
    given = parser.parse_args()
    device = FastDevice(given.still)
    print(json.dumps({"ports": [device.listen() for _ in range(given.ports)]}), flush=True)
    selector = selectors.DefaultSelector()
    for image, server in enumerate(device.sockets):
        selector.register(server, selectors.EVENT_READ, ("listen", image, bytearray()))
    selector.register(sys.stdin, selectors.EVENT_READ, ("command", 0, bytearray()))
    while True:
        for key, _ in selector.select():
            what, image, waiting = key.data
            if what == "listen":
                peer, _ = key.fileobj.accept()  # type: ignore[union-attr]
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(peer, selectors.EVENT_READ, ("read", image, bytearray()))
            elif what == "command":
                said = device.obey(sys.stdin.readline().split())
                if said is None:
                    return
                print(json.dumps(said), flush=True)
            else:
                peer = key.fileobj  # type: ignore[assignment]
                try:
                    got = peer.recv(4096)
                    waiting += got
                    while len(waiting) >= HEAD.size:
                        request = bytes(waiting[: HEAD.size])
                        del waiting[: HEAD.size]
                        peer.sendall(device.answer(image, request))
                except ConnectionError:
                    got = b""
                if not got:
                    selector.unregister(peer)
                    peer.close()


if __name__ == "__main__":
    main()
