"""The demo devices as a program of their own, commanded by lines of JSON.

Each line in is `{"command": name, "arguments": [...]}`, each line out an answer `{"ok": true, ...}` or
`{"ok": false, "why": text}`. The first line out tells the environment. The end of the input ends the program, so that
it never outlives who started it.
"""

import asyncio
import json
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from hmi.demo.devices import DemoDevices, UnknownDevice
from hmi.demo.node_cache import prepare
from hmi.demo.waterworks import UnknownEquipment

BOOT_AFTER_S = 1.5
END_WITHIN_S = 5.0
"""A client that will not be sent away must not keep the program alive."""


async def serve(commands: asyncio.StreamReader, answer: Callable[[dict[str, Any]], None], seed: int = 1) -> None:
    """Run the devices until the input ends or says `stop`."""
    devices = DemoDevices(seed)
    boot: asyncio.Task[None] | None = None
    # Only the very first start takes long here: better than devices that seem lost while they boot.
    await prepare()
    try:
        await devices.listen()
        # Told at once, so that who waits for it can start while UA-1 still boots.
        answer({"ok": True, "environment": devices.environment})
        boot = asyncio.create_task(_boot(devices), name="boot")
        while line := await _next(commands, boot, devices.process):
            reply, go_on = await _obey(devices, line)
            answer(reply)
            if not go_on:
                return
    finally:
        if boot is not None:
            boot.cancel()
            await asyncio.gather(boot, return_exceptions=True)
        await devices.stop()


async def _boot(devices: DemoDevices) -> None:
    """Boot UA-1, which keeps a processor busy for more than a second, when the collector and the window are up."""
    await asyncio.sleep(BOOT_AFTER_S)
    await devices.start()


async def _next(commands: asyncio.StreamReader, *tasks: "asyncio.Task[None]") -> bytes:
    """The next line. Raises what kept a device from starting, or ended the process: dead devices must not serve on."""
    line = asyncio.create_task(commands.readline())
    while not line.done():
        await asyncio.wait({line, *(t for t in tasks if not t.done())}, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done() and task.exception() is not None:
                line.cancel()
                task.result()
    return await line


async def _obey(devices: DemoDevices, line: bytes) -> tuple[dict[str, Any], bool]:
    async def trip(pump: str) -> None:
        devices.trip(pump)

    async def clog(name: str) -> None:
        devices.clog(name)

    async def leak(zone: str, flow: float = 90.0) -> None:
        devices.leak(zone, float(flow))

    known: dict[str, Callable[..., Awaitable[None]]] = {
        "trip": trip,
        "clog": clog,
        "leak": leak,
        "cut": devices.cut,
        "restore": devices.restore,
    }
    try:
        request = json.loads(line)
        name, arguments = str(request["command"]), list(request.get("arguments", ()))
    except (ValueError, KeyError, TypeError):
        return {"ok": False, "why": "this is not a command"}, True
    if name == "stop":
        return {"ok": True}, False
    if name == "served":
        return {"ok": True, "served": devices.served()}, True
    if name == "shown":
        return {"ok": True, "shown": dict(devices.works.shown)}, True
    if name not in known:
        return {"ok": False, "why": f"there is no command {name}"}, True
    try:
        await known[name](*arguments)
    except (UnknownEquipment, UnknownDevice) as error:
        return {"ok": False, "why": f"there is no {error.args[0]}"}, True
    except (TypeError, ValueError, OSError) as error:
        return {"ok": False, "why": str(error)}, True
    return {"ok": True}, True


async def serve_standard_streams(seed: int = 1, end_within_s: float = END_WITHIN_S) -> None:
    """`serve` on standard input and output. Nothing else may write to standard output.

    `end_within_s` after the end of the input the process ends, whatever the devices still do.
    """
    reader = asyncio.StreamReader()

    def answer(reply: dict[str, Any]) -> None:
        try:
            sys.stdout.write(json.dumps(reply) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            reader.feed_eof()

    # A thread of its own, since not every event loop can wait for a pipe; it ends with the input or with the program.
    loop = asyncio.get_running_loop()
    threading.Thread(
        target=_pump, args=(sys.stdin.fileno(), reader, loop, end_within_s), name="commands", daemon=True
    ).start()
    await serve(reader, answer, seed)


def _pump(source: int, reader: asyncio.StreamReader, loop: asyncio.AbstractEventLoop, end_within_s: float) -> None:
    try:
        while data := os.read(source, 65536):
            loop.call_soon_threadsafe(reader.feed_data, data)
        loop.call_soon_threadsafe(reader.feed_eof)
    except RuntimeError:
        # The loop has ended: nobody listens any more, and the end may hang all the same.
        pass
    # This thread ends with the process; only where that hangs does it come to the exit.
    threading.Event().wait(end_within_s)
    os.write(2, b"the devices did not end in time and were broken off\n")
    os._exit(1)
