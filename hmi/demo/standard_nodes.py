"""The OPC UA library's server, made fit for a quick start.

The library builds the 6,000 nodes of the standard from code, which takes seconds. Here they come from the user's
cache. The server also listens before it is ready: who connects early waits, and is not refused. Run as a program, this
fills the cache.
"""

import asyncio
import gc
import logging
import os
import pickle
import socket
from pathlib import Path
from typing import Any

from asyncua.server.address_space import AddressSpace
from asyncua.server.binary_server_asyncio import BinaryServer
from asyncua.server.internal_server import InternalServer
from asyncua.server.server import Server

from hmi.demo.node_cache import cache_file, prepare, trusted

_log = logging.getLogger(__name__)
PIECE = 50
"""Nodes read at a stretch."""
_UNREADABLE = (
    OSError,
    EOFError,
    pickle.UnpicklingError,
    AttributeError,
    ImportError,
    IndexError,
    TypeError,
    ValueError,
)


class QuickInternalServer(InternalServer):  # type: ignore[misc, unused-ignore]
    """Takes the standard nodes from the cache, which a process of its own fills the first time.

    Nothing here may hold up this process for long: the PLCs live in it, and their clients wait for a second only.
    """

    async def load_standard_address_space(self, shelf_file: Path | None = None) -> None:
        file = cache_file()
        await prepare()
        if trusted(file):
            try:
                await asyncio.to_thread(_load, self.aspace, file)
            except _UNREADABLE as error:
                self.aspace.clear()
                file.unlink(missing_ok=True)
                _log.info("the kept OPC UA nodes cannot be read and are made anew: %s", error)
            else:
                return
        await super().load_standard_address_space(shelf_file)


def _load(nodes: AddressSpace, file: Path) -> None:
    """Read the nodes in small pieces, between which other threads run."""
    # Looking for garbage again and again among a growing heap of nodes takes twice as long as reading them.
    was_on = gc.isenabled()
    gc.disable()
    try:
        with file.open("rb") as source:
            for _ in range(pickle.load(source)):  # noqa: S301 - `trusted` has looked at who wrote it
                for node_id, node in pickle.load(source):  # noqa: S301
                    nodes[node_id] = node
    finally:
        if was_on:
            gc.enable()


def _keep(nodes: AddressSpace, file: Path) -> None:
    part = file.with_suffix(f".{os.getpid()}.part")
    every = [(node_id, nodes[node_id]) for node_id in list(nodes.keys())]
    pieces = [every[i : i + PIECE] for i in range(0, len(every), PIECE)]
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with part.open("wb") as target:
        part.chmod(0o600)
        pickle.dump(len(pieces), target)
        for piece in pieces:
            pickle.dump(piece, target, pickle.HIGHEST_PROTOCOL)
    part.replace(file)


async def _make() -> None:
    """Build the standard nodes from the library's code and keep them."""
    server = InternalServer()
    await server.load_standard_address_space()
    try:
        _keep(server.aspace, cache_file())
    except OSError as error:
        _log.warning("the OPC UA nodes cannot be kept for the next start: %s", error)


class _SocketServer(BinaryServer):  # type: ignore[misc, unused-ignore]
    """Serves on a socket that listens already."""

    listener: socket.socket

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._make_protocol, sock=self.listener)
        self.cleanup_task = asyncio.create_task(self._close_task_loop())


class SocketUaServer(Server):  # type: ignore[misc, unused-ignore]
    """A server that is given its listening socket and can be cut from the network without losing its nodes."""

    def __init__(self) -> None:
        super().__init__(QuickInternalServer())
        self._inside_runs = False

    async def serve(self, listener: socket.socket) -> None:
        """Serve on this socket; the first time also start all that is behind it."""
        host, port = listener.getsockname()[:2]
        if not self._inside_runs:
            await self._setup_server_nodes()
            await self.iserver.start()
            self._inside_runs = True
        front: Any = _SocketServer(self.iserver, host, port, self.limits)
        front.listener = listener
        front.set_policies(self._policies)
        self.bserver = front
        await front.start()

    async def cut(self) -> None:
        """Stop listening and drop the connections."""
        front, self.bserver = self.bserver, None
        if front is not None:
            await front.stop()


if __name__ == "__main__":
    asyncio.run(_make())
