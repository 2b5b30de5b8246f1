"""The collector's end of the link. Runs on the collector's event loop and never waits for a slow reader."""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hmi.core.alarm import Alarm
from hmi.core.batch import Batch
from hmi.core.command import Write
from hmi.core.problem import Problem
from hmi.core.session import Health
from hmi.link import message
from hmi.link.endpoint import UNIX, listen
from hmi.link.frame import LENGTH, MOST_BYTES, Frame, FrameError, batch_frame, decode, encode

log = logging.getLogger(__name__)

_WAITING_BYTES = 16 * 1024 * 1024
"""Above this a reader is too slow: what waits for it is dropped, and it is welcomed anew with a fresh snapshot."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """All that a desktop needs to begin. `dsn` is empty while the historian is not known yet."""

    files: Mapping[str, str]
    environment: Mapping[str, str]
    revision: str
    problems: Sequence[Problem]
    snapshot: Batch
    alarms: Sequence[Alarm]
    writes: Sequence[Write]
    health: Health
    dsn: str


class LinkHandler(Protocol):
    """What the collector does for those who are connected. All on its event loop."""

    def welcome(self) -> Welcome: ...
    async def write(self, tag: str, value: float | int | bool | str, confirmed: bool, who: str) -> Write:
        """Returns when the write has ended."""
        ...

    async def acknowledge(self, keys: Sequence[str], who: str) -> int: ...
    async def since(self, tags: Sequence[int], time_us: int) -> Batch: ...
    def status(self) -> dict[str, Any]: ...
    def stop(self, who: str) -> None:
        """Ask the collector to end in order; returns at once."""
        ...


class LinkServer:
    """Welcomes desktops, sends them what changes, and hands their requests to the collector."""

    def __init__(self, path: Path, handler: LinkHandler, unix: bool = UNIX) -> None:
        self._path = path
        self._handler = handler
        self._unix = unix
        self._server: asyncio.Server | None = None
        self._connected: set[_Peer] = set()
        self._peers: set[_Peer] = set()  # those of the connected who watch
        self._tasks: set[asyncio.Task[None]] = set()
        self._answers: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Raises `EndpointError` where the socket's folder is not ours."""
        self._server = await listen(self._path, self._accept, self._unix)

    async def stop(self) -> None:
        """Closes all connections; what was already queued for a reader is given a moment to leave."""
        if self._server is not None:
            self._server.close()
        for peer in list(self._peers):
            await peer.drain(1.0)
        for answer in list(self._answers):
            answer.cancel()
        # A connection ends by its end of file: asyncio logs an error when its task is cancelled instead.
        for peer in list(self._connected):
            peer.hang_up()
        await asyncio.gather(*self._tasks, *self._answers, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None
            self._path.unlink(missing_ok=True)

    @property
    def connected(self) -> int:
        return len(self._peers)

    def send_batch(self, batch: Batch) -> None:
        if self._peers and len(batch):
            self._broadcast(batch_frame("batch", batch))

    def send_alarms(self, changed: Sequence[Alarm]) -> None:
        """Those that changed; a normal one disappears from the lists."""
        if self._peers and changed:
            self._broadcast(Frame("alarms", {"alarms": [message.alarm_to(a) for a in changed]}))

    def send_writes(self, changed: Sequence[Write]) -> None:
        if self._peers and changed:
            self._broadcast(Frame("writes", {"writes": [message.write_to(w) for w in changed]}))

    def send_health(self, health: Health) -> None:
        """About once a second: it is also the sign of life."""
        if self._peers:
            self._broadcast(Frame("health", message.health_to(health)))

    def send_plant(
        self,
        files: Mapping[str, str],
        environment: Mapping[str, str],
        revision: str,
        problems: Sequence[Problem],
        snapshot: Batch,
    ) -> None:
        """New files were accepted, or the files on disk have other problems than before."""
        if self._peers:
            self._broadcast(batch_frame("plant", snapshot, _plant_body(files, environment, revision, problems)))

    def send_dsn(self, dsn: str) -> None:
        if self._peers:
            self._broadcast(Frame("dsn", {"dsn": dsn}))

    def _broadcast(self, frame: Frame) -> None:
        data = encode(frame)
        for peer in self._peers:
            peer.send(data)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, who: str) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        peer = _Peer(writer, who, self._welcome_bytes)
        self._connected.add(peer)
        sender = asyncio.create_task(peer.run())
        try:
            while True:
                (size,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
                if size > MOST_BYTES:
                    raise FrameError(f"a frame of {size} bytes")
                frame = decode(await reader.readexactly(size))
                if frame.kind == "watch":
                    peer.welcome_again()
                    self._peers.add(peer)
                else:
                    answer = asyncio.create_task(self._answer(peer, frame))
                    self._answers.add(answer)
                    answer.add_done_callback(self._answers.discard)
        except (asyncio.IncompleteReadError, ConnectionError):
            log.debug("%s went", who)
        except FrameError as error:
            log.warning("link: %s sent %s; disconnected", who, error)
        finally:
            self._peers.discard(peer)
            self._connected.discard(peer)
            sender.cancel()
            with suppress(asyncio.CancelledError):
                await sender
            writer.close()

    def _welcome_bytes(self, who: str) -> bytes:
        w = self._handler.welcome()
        body = _plant_body(w.files, w.environment, w.revision, w.problems)
        body |= {
            "alarms": [message.alarm_to(a) for a in w.alarms],
            "writes": [message.write_to(x) for x in w.writes],
            "health": message.health_to(w.health),
            "dsn": w.dsn,
            "who": who,
        }
        return encode(batch_frame("welcome", w.snapshot, body))

    async def _answer(self, peer: "_Peer", frame: Frame) -> None:
        """One request, one reply with the same id. A mistake of ours is logged and told, never swallowed."""
        asked = frame.body
        number = asked.get("id") if isinstance(asked.get("id"), int) else None
        try:
            reply = await self._do(frame.kind, asked, peer.who)
            data = encode(Frame("reply", {**reply.body, "id": number}, reply.columns))
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            log.exception("link: request '%s' of %s failed", printable(frame.kind), peer.who)
            why = f"the collector could not do '{frame.kind}': {error!r}"
            data = encode(Frame("reply", {"error": printable(why), "id": number}))
        peer.send(data, reply=True)

    async def _do(self, kind: str, asked: Mapping[str, Any], who: str) -> Frame:
        handler = self._handler
        if kind == "write":
            tag, value = writable(asked["tag"], asked["value"])
            done = await handler.write(tag, value, bool(asked["confirmed"]), who)
            return Frame("reply", {"write": message.write_to(done)})
        if kind == "acknowledge":
            return Frame("reply", {"changed": await handler.acknowledge(asked["keys"], who)})
        if kind == "since":
            return batch_frame("reply", await handler.since(asked["tags"], asked["time_us"]))
        if kind == "status":
            return Frame("reply", {"status": handler.status()})
        if kind == "stop":
            handler.stop(who)
            return Frame("reply", {})
        return Frame("reply", {"error": printable(f"the collector knows no request '{kind}'")})


def writable(tag: Any, value: Any) -> tuple[str, float | int | bool | str]:
    """A write as the gate takes it. Raises `ValueError` for what no frame could carry on to the desktops.

    A write stands in every welcome of the next minutes: one that cannot be sent would keep all desktops out.
    """
    if not isinstance(tag, str) or not isinstance(value, float | int | str):
        raise ValueError("a write needs a tag and a value")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("this is not a number")
    if isinstance(value, int) and abs(value) >= 2**64:
        raise ValueError("no tag holds a number as large as that")
    if any(printable(text) != text for text in (tag, value) if isinstance(text, str)):
        raise ValueError("this text cannot be encoded")
    return tag, value


def printable(text: str) -> str:
    """Text that UTF-8 can hold: half characters become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _plant_body(
    files: Mapping[str, str], environment: Mapping[str, str], revision: str, problems: Sequence[Problem]
) -> dict[str, Any]:
    return {
        "files": dict(files),
        "environment": dict(environment),
        "revision": revision,
        "problems": [message.problem_to(p) for p in problems],
    }


class _Peer:
    """One connection: what waits to be sent, and the task that sends it."""

    def __init__(self, writer: asyncio.StreamWriter, who: str, welcome: Any) -> None:
        self.who = who
        self._writer = writer
        self._welcome = welcome
        self._waiting: deque[tuple[bytes, bool]] = deque()
        self._bytes = 0
        self._welcome_due = False
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def send(self, data: bytes, reply: bool = False) -> None:
        if self._bytes + len(data) > _WAITING_BYTES and not self._welcome_due:
            log.warning("link: %s reads too slowly, sending a fresh snapshot instead", self.who)
            self._welcome_due = True
            self._keep_replies()
        if self._welcome_due and not reply:
            return  # the snapshot that is due will hold it
        self._waiting.append((data, reply))
        self._bytes += len(data)
        self._idle.clear()
        self._wake.set()

    def _keep_replies(self) -> None:
        """Drop what a snapshot contains anyway. Sent after it, older batches would turn values back."""
        self._waiting = deque(item for item in self._waiting if item[1])
        self._bytes = sum(len(data) for data, _ in self._waiting)

    def welcome_again(self) -> None:
        self._welcome_due = True
        self._idle.clear()
        self._wake.set()

    def hang_up(self) -> None:
        self._writer.close()

    async def drain(self, timeout_s: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), timeout_s)

    async def run(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._welcome_due or self._waiting:
                    if self._welcome_due:
                        self._keep_replies()
                        self._welcome_due = False
                        self._writer.write(self._welcome(self.who))
                    else:
                        data, _ = self._waiting.popleft()
                        self._bytes -= len(data)
                        self._writer.write(data)
                    await self._writer.drain()
                self._idle.set()
        except ConnectionError:
            self._idle.set()
        except Exception:
            # A desktop that waits for a welcome which cannot be made must see the connection end.
            log.exception("link: nothing can be sent to %s; disconnected", self.who)
            self._idle.set()
            self._writer.close()
