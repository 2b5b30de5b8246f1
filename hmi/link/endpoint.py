"""Where the link listens: a Unix socket that only the same user can open; on Windows a loopback port behind a token.

On Windows the file at `path` holds `port token`; whoever may read the file (the same user) may connect.
"""

import asyncio
import getpass
import os
import secrets
import socket
import stat
import struct
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

_QUEUE_PAUSE_S = 0.02
UNIX = hasattr(socket, "AF_UNIX") and os.name == "posix"

Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter, str], Awaitable[None]]
"""Called with the streams and the login name of the one who connected."""


class EndpointError(Exception):
    """The endpoint cannot be opened or reached. The message says why, for a person."""


async def listen(path: Path, accept: Accept, unix: bool = UNIX) -> asyncio.Server:
    """Listen at `path`. A socket file left by a dead collector is replaced; the caller holds the collector's lock."""
    _private_folder(path.parent)
    path.unlink(missing_ok=True)
    if unix:

        async def greet_peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            uid = _peer_uid(writer)
            if uid is not None and uid not in (os.getuid(), 0):
                writer.close()
                return
            await accept(reader, writer, _login_of(uid))

        server = await asyncio.start_unix_server(greet_peer, path)
        path.chmod(0o600)
        return server

    token = secrets.token_hex(32)

    async def greet_token(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readexactly(len(token)), 5)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            line = b""
        if not secrets.compare_digest(line, token.encode()):
            writer.close()
            return
        await accept(reader, writer, getpass.getuser())

    server = await asyncio.start_server(greet_token, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    path.touch(mode=0o600)
    path.write_text(f"{port} {token}", encoding="ascii")
    return server


def connect(path: Path, timeout_s: float, unix: bool = UNIX) -> socket.socket:
    """A connected, blocking socket. Raises `EndpointError` where no collector listens."""
    try:
        if unix:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.settimeout(timeout_s)
                _connect_unix(connection, str(path), timeout_s)
            except OSError:
                connection.close()
                raise
        else:
            port, token = path.read_text(encoding="ascii").split()
            connection = socket.create_connection(("127.0.0.1", int(port)), timeout_s)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(token.encode())
    except (OSError, ValueError) as error:
        raise EndpointError(f"no collector answers at {path}: {error}") from error
    return connection


def _connect_unix(connection: socket.socket, path: str, timeout_s: float) -> None:
    """A full queue of a Unix socket refuses at once, timeout or not: it is asked again until the time is over."""
    pause = threading.Event()
    for _ in range(max(1, int(timeout_s / _QUEUE_PAUSE_S))):
        try:
            connection.connect(path)
            return
        except BlockingIOError:
            pause.wait(_QUEUE_PAUSE_S)
    connection.connect(path)


def _private_folder(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
    if UNIX:
        found = folder.stat()
        if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
            raise EndpointError(f"{folder} belongs to somebody else: a link there could be read by others")


def _peer_uid(writer: asyncio.StreamWriter) -> int | None:
    peer = writer.get_extra_info("socket")
    if peer is None or not hasattr(socket, "SO_PEERCRED"):
        return None
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    uid: int = struct.unpack("3i", credentials)[1]
    return uid


def _login_of(uid: int | None) -> str:
    if uid is None:
        return getpass.getuser()
    import pwd  # only where there are Unix users

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
