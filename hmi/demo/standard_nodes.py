"""The OPC UA library's server, made fit for a quick start.

The library builds the 6,000 nodes of the standard from code, which takes seconds. Here they are kept in the user's
cache after the first time. The server also listens before it is ready: who connects early waits, and is not refused.
"""

import asyncio
import gc
import importlib.metadata
import logging
import os
import pickle
import socket
import sys
from pathlib import Path
from typing import Any

from asyncua.server.address_space import AddressSpace
from asyncua.server.binary_server_asyncio import BinaryServer
from asyncua.server.internal_server import InternalServer
from asyncua.server.server import Server

_log = logging.getLogger(__name__)
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


def cache_file() -> Path:
    """Where the standard nodes are kept: one file for each version of the library and of Python."""
    if os.name == "nt":
        root = Path(os.environ.get("LOCALAPPDATA", str(Path.home())))
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    version = f"{importlib.metadata.version('asyncua')}-{sys.version_info.major}{sys.version_info.minor}"
    return root / "hindsight" / f"opcua-nodes-{version}.pickle"


class QuickInternalServer(InternalServer):  # type: ignore[misc, unused-ignore]
    """Takes the standard nodes from the cache when they are there."""

    async def load_standard_address_space(self, shelf_file: Path | None = None) -> None:
        file = cache_file()
        if _ours(file):
            try:
                await asyncio.to_thread(_load, self.aspace, file)
            except _UNREADABLE as error:
                _log.info("the kept OPC UA nodes cannot be read and are made anew: %s", error)
            else:
                return
        await super().load_standard_address_space(shelf_file)
        await asyncio.to_thread(_keep, self.aspace, file)


def _ours(file: Path) -> bool:
    """A pickle is a program: only one that nobody else can have written is loaded."""
    try:
        found = file.stat()
    except OSError:
        return False
    return os.name == "nt" or (found.st_uid == os.getuid() and not found.st_mode & 0o022)


def _load(nodes: AddressSpace, file: Path) -> None:
    # Looking for garbage again and again among a growing heap of nodes takes twice as long as reading them.
    was_on = gc.isenabled()
    gc.disable()
    try:
        nodes.load(file)
    finally:
        if was_on:
            gc.enable()


def _keep(nodes: AddressSpace, file: Path) -> None:
    part = file.with_suffix(f".{os.getpid()}.part")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        nodes.dump(part)
        part.chmod(0o600)
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        _log.info("the OPC UA nodes cannot be kept for the next start: %s", error)


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
