"""The collector as a process of its own: one for each plant, started detached, asked and ended over its socket.

psutil and the link (which brings numpy) are imported where they are used: a program that starts a collector does not
wait for them before it has started it.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hmi
from hmi.core.clock import SECOND, SystemClock
from hmi.core.home import Home
from hmi.history.lock import FileLock

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 45.0
_LOOK_S = 0.03


class AlreadyRunningError(Exception):
    """Another collector of the same plant runs; `pid` is its process, 0 if it has not said yet."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"the collector of this plant is already running (process {pid})")
        self.pid = pid


class CollectorStartError(Exception):
    """The collector did not come up. The message is what it said."""


class HomeUnusableError(CollectorStartError):
    """The folder where a plant's collector keeps its things cannot be made or written. The message says why."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a plant's lock. Its start tells it from a later process of the same number."""

    pid: int
    started: float


class CollectorLock:
    """Held by the one collector of a plant, and let go by the operating system when that ends in whatever way."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._file: FileLock | None = None

    def take(self) -> None:
        """Raises `AlreadyRunningError`."""
        self._home.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = FileLock(self._home.lock)
        if not file.take():
            holder = holder_of(self._home)
            raise AlreadyRunningError(holder.pid if holder is not None else 0)
        import psutil

        me = psutil.Process()
        # Beside the lock, not in it: Windows lets nobody read a locked file.
        _who(self._home).write_text(json.dumps({"pid": me.pid, "started": me.create_time()}), encoding="ascii")
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            _who(self._home).unlink(missing_ok=True)
            self._file.release()
            self._file = None


def make_folder(home: Home) -> None:
    """Make the home of a plant. Raises `HomeUnusableError` where nothing can be written there."""
    try:
        home.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Whether files can be made in it is known only by making one.
        _said(home).open("ab").close()
    except OSError as error:
        raise HomeUnusableError(_unusable(home, error)) from error


def unusable(home: Home) -> str | None:
    """Why nothing can be read in the home of a plant, so that nobody can say what runs; None where it can be."""
    try:
        with os.scandir(home.folder):
            return None
    except FileNotFoundError:
        return None
    except OSError as error:
        return _unusable(home, error)


def _unusable(home: Home, error: OSError) -> str:
    return f"the folder {home.folder} cannot be used: {error.strerror}; HMI_HOME in the environment moves it"


def holder_of(home: Home) -> Holder | None:
    """The living process that holds the plant's lock; None where there is none."""
    try:
        found = json.loads(_who(home).read_text(encoding="ascii"))
        holder = Holder(int(found["pid"]), float(found["started"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    import psutil

    try:
        process = psutil.Process(holder.pid)
        if abs(process.create_time() - holder.started) > 1.0 or process.status() == psutil.STATUS_ZOMBIE:
            return None
    except (OSError, ValueError, psutil.Error):
        return None
    return holder


@dataclass(frozen=True, slots=True)
class Launch:
    """A collector on its way: `process` was started by us, None where one was running already."""

    home: Home
    process: "subprocess.Popen[bytes] | None"
    began_us: int


def start_detached(folder: Path, home: Home, environment: Mapping[str, str] | None = None) -> int:
    """Start the collector of a plant, so that it outlives us, and wait until it answers. Returns its process number.

    A collector that is running already is left as it is. Blocks, for 30 s at most. Raises `CollectorStartError`.
    """
    return wait_for_answer(launch(folder, home, environment))


def launch(folder: Path, home: Home, environment: Mapping[str, str] | None = None) -> Launch:
    """The first half of `start_detached`: start the collector and return at once. `wait_for_answer` is the other.

    Raises `HomeUnusableError`.
    """
    began_us = SystemClock().monotonic_us()
    if holder_of(home) is not None and _answers(home):
        return Launch(home, None, began_us)
    make_folder(home)
    with _said(home).open("wb") as out:
        # Its own session and files: neither Ctrl-C in our terminal nor a closed pipe of ours can reach it.
        process = subprocess.Popen(
            _command(folder),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=home.folder,
            env=_environment(environment if environment is not None else os.environ),
            close_fds=True,
            **_detached(),
        )
    # Somebody must take note of its end, or it stays in the table of processes as long as we live.
    threading.Thread(target=process.wait, name="end of the collector", daemon=True).start()
    return Launch(home, process, began_us)


def wait_for_answer(launched: Launch) -> int:
    """Wait until a launched collector answers. Returns the number of the process that does.

    Blocks, until 30 s after the launch at most; later it looks once. Raises `CollectorStartError`.
    """
    home, process = launched.home, launched.process
    clock = SystemClock()
    until_us = launched.began_us + int(START_TIMEOUT_S * SECOND)
    pause = threading.Event()
    while True:
        if _answers(home):
            holder = holder_of(home)
            if holder is not None:
                return holder.pid
            if process is not None:
                return process.pid
        # When somebody else was faster, ours ends and theirs will answer.
        if (process is None or process.poll() is not None) and holder_of(home) is None:
            said = _said(home).read_text(encoding="utf-8", errors="replace").strip() if process is not None else ""
            raise CollectorStartError(said or "no reason given")
        if clock.monotonic_us() >= until_us:
            raise CollectorStartError(f"the collector did not answer within {START_TIMEOUT_S:g} s; see {home.log}")
        pause.wait(_LOOK_S)


def status(home: Home) -> dict[str, Any] | None:
    """What a plant's collector is doing, None where none runs. Raises `EndpointError` if it does not answer."""
    if holder_of(home) is None:
        return None
    from hmi.link.client import request

    return dict(request(home.socket, "status")["status"])


def stop(home: Home) -> bool:
    """Ask the collector to end in order, and wait until it has. False where none runs. Raises `EndpointError`."""
    holder = holder_of(home)
    if holder is None:
        return False
    import psutil

    from hmi.link.client import request
    from hmi.link.endpoint import EndpointError

    request(home.socket, "stop")
    try:
        psutil.Process(holder.pid).wait(STOP_TIMEOUT_S)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        raise EndpointError(f"the collector (process {holder.pid}) has not ended within {STOP_TIMEOUT_S:g} s") from None
    return True


def _who(home: Home) -> Path:
    return home.folder / "collector.json"


def last_run(home: Home) -> dict[str, Any]:
    """What the last collector said of itself when it ended in order: its status, and `ended_us`.

    Raises `EndpointError` where it left no word, as after a kill.
    """
    try:
        found = json.loads(_last_word(home).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        from hmi.link.endpoint import EndpointError

        raise EndpointError(f"the collector did not end in order; see {home.log}") from error
    return dict(found)


def leave_last_word(home: Home, status: Mapping[str, Any] | None) -> None:
    """Keep what `last_run` gives; None takes the word of an earlier run away. Raises `OSError`."""
    word = _last_word(home)
    if status is None:
        word.unlink(missing_ok=True)
        return
    fresh = word.with_suffix(".new")
    fresh.write_text(json.dumps(status), encoding="utf-8")
    fresh.replace(word)


def _last_word(home: Home) -> Path:
    return home.folder / "last-run.json"


def _said(home: Home) -> Path:
    """What a collector says that cannot begin: its standard output."""
    return home.folder / "start.log"


def _answers(home: Home) -> bool:
    from hmi.link.client import request
    from hmi.link.endpoint import EndpointError

    try:
        request(home.socket, "status", timeout_s=1.0)
    except EndpointError:
        return False
    return True


def _command(folder: Path) -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, "collect", str(folder.resolve())]
    return [sys.executable, "-m", "hmi.collector", str(folder.resolve())]


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """What the collector inherits. It starts in another folder, so nothing in it may be relative."""
    environment = dict(given)
    if environment.get("HMI_HOME"):
        environment["HMI_HOME"] = str(Path(environment["HMI_HOME"]).absolute())
    if not getattr(sys, "frozen", False):
        paths = [str(Path(hmi.__file__).resolve().parent.parent)]
        paths += [str(Path(p).absolute()) for p in environment.get("PYTHONPATH", "").split(os.pathsep) if p]
        environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    return environment


def _detached() -> dict[str, Any]:
    if os.name == "nt":
        flags: int = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        return {"creationflags": flags}
    return {"start_new_session": True}
