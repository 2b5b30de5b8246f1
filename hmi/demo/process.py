"""Starts the demo devices as a process of their own and talks to it."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

START_TIMEOUT_S = 120.0
"""The very first start builds the nodes of the OPC UA server, which takes some ten seconds on a quiet computer."""
STOP_TIMEOUT_S = 8.0
"""More than the devices give themselves (`hmi.demo.serve.END_WITHIN_S`)."""


class DemoFailed(Exception):
    """The demo devices did not start, went away or refused a command. The message says which."""


class DevicesProcess:
    """The running devices. It ends with `stop`, at the end of a `with` block, and when this process ends."""

    def __init__(self, process: "subprocess.Popen[str]", environment: Mapping[str, str], log: Path) -> None:
        self._process = process
        self._lock = threading.Lock()
        self.environment = dict(environment)
        self.log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    def command(self, name: str, *arguments: str | float) -> dict[str, Any]:
        """Send one command: `cut`, `restore` with a device; `trip` with a pump; `clog` with a filter or SC-101; `leak`
        with a zone and L/s; `served` for the account of each device; `shown` for the process. Raises `DemoFailed`.
        """
        with self._lock:
            reply = _ask(self._process, {"command": name, "arguments": list(arguments)}, self.log)
        if not reply.get("ok"):
            raise DemoFailed(str(reply.get("why", "refused")))
        return reply

    def stop(self) -> None:
        """End the devices. Safe to call twice."""
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
        except OSError:
            # A line was still on its way to a process that has gone already.
            pass
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_TIMEOUT_S)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Spawned(NamedTuple):
    """Devices on their way."""

    process: "subprocess.Popen[str]"
    log: Path


def start_devices(folder_for_log: Path) -> DevicesProcess:
    """Start the devices and wait until they serve. Raises `DemoFailed` with the end of the log."""
    return wait_for_devices(spawn_devices(folder_for_log))


def spawn_devices(folder_for_log: Path) -> Spawned:
    """The first half of `start_devices`: returns at once. `wait_for_devices` is the other. Raises `DemoFailed`."""
    log = folder_for_log / "devices.log"
    try:
        folder_for_log.mkdir(parents=True, exist_ok=True)
        log.touch()
    except OSError as error:
        raise DemoFailed(f"{log} cannot be written: {error.strerror}; HMI_HOME in the environment moves it") from error
    source = str(Path(__file__).resolve().parents[2])
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "hmi.demo"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
    return Spawned(process, log)


def wait_for_devices(spawned: Spawned) -> DevicesProcess:
    """Wait until spawned devices serve. Raises `DemoFailed` with the end of the log; they have ended then."""
    process, log = spawned
    # A watch on the clock: a child that neither answers nor ends must not hold up its parent for ever.
    watch = threading.Timer(START_TIMEOUT_S, process.kill)
    watch.start()
    try:
        hello = _read(process, log)
    except DemoFailed:
        process.kill()
        process.wait(STOP_TIMEOUT_S)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        raise
    finally:
        watch.cancel()
        watch.join()
    return DevicesProcess(process, hello["environment"], log)


def _ask(process: "subprocess.Popen[str]", request: dict[str, Any], log: Path) -> dict[str, Any]:
    if process.stdin is None:
        raise DemoFailed("the demo devices have no input")
    try:
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
    except (OSError, ValueError) as error:
        raise DemoFailed(f"the demo devices have ended: {_tail(log)}") from error
    return _read(process, log)


def _read(process: "subprocess.Popen[str]", log: Path) -> dict[str, Any]:
    line = process.stdout.readline() if process.stdout is not None else ""
    if not line:
        raise DemoFailed(f"the demo devices have ended: {_tail(log)}")
    reply: dict[str, Any] = json.loads(line)
    return reply


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:] if log.exists() else []
    return " / ".join(lines) or "without a word"
