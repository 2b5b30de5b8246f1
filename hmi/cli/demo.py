"""`hmi demo`: the waterworks, with devices, collector, historian and window, all on this computer.

The devices boot first, then the collector, both on processors of their own. What this process needs for itself is
imported meanwhile, so nothing that brings numpy or pydantic stands at the head of this file.
"""

import argparse
import json
import os
import shlex
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hmi.cli.ending import ended_alike, held_back
from hmi.collector.process import (
    CollectorStartError,
    Launch,
    holder_of,
    last_run,
    launch,
    make_folder,
    stop,
    wait_for_answer,
)
from hmi.core.home import Home, home_of
from hmi.core.resources import Shipped, shipped
from hmi.demo.process import DemoFailed, DevicesProcess, Spawned, spawn_devices, wait_for_devices
from hmi.history.lock import FileLock

if TYPE_CHECKING:
    from hmi.core.plant import Plant

HELP = """Run a waterworks: two Modbus TCP PLCs and an OPC UA server, served on loopback by a simulated process; a
collector that knows nothing of it being a simulation; a historian; and the window. All of it ends with the window,
what was recorded stays for the next time.

Without a display, or with --headless, there is a live table in the terminal, and pictures of the screens are left.
Where HMI_DSN names a PostgreSQL or TimescaleDB, history goes there instead of to the embedded PostgreSQL."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--headless", action="store_true", help="without a window")
    parser.add_argument("--for", dest="duration", metavar="DURATION", help="end after this time, such as 20s")
    parser.add_argument("--json", action="store_true", help="with --headless: only the summary, as one JSON object")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")


def run(args: argparse.Namespace) -> int:
    try:
        duration_us = _duration(args.duration) if args.duration else None
    except ValueError as error:
        print(f"hmi demo: {error}", file=sys.stderr)
        return 2
    say = (lambda text: None) if args.json else print
    folder, home = _place()
    headless = args.headless or not _has_display(os.environ)
    if headless and not args.headless:
        say("There is no display here: showing a live table instead, and leaving pictures of the screens.")
    try:
        with ended_alike(), _only_demo(folder, home, say):
            _copy_plant(folder)
            if headless:
                return _without_window(args, folder, home, duration_us, say)
            with _running(folder, home, say, _prepare_window) as launched:
                from hmi.cli.opening import read_plant
                from hmi.cli.run import open_window

                reading = read_plant(folder)
                _wait_for_own(launched)
                return open_window(folder, args.theme, None, duration_us, stays=False, reading=reading)
    except _expected_errors() as error:
        print(f"hmi demo: {error}", file=sys.stderr)
        return 1


def _duration(text: str) -> int:
    from hmi.core.duration import parse_duration

    return parse_duration(text)


@contextmanager
def _only_demo(folder: Path, home: Home, say: Callable[[str], None]) -> Iterator[None]:
    """The right to be the demo on this computer, which the operating system takes back from one that was killed.

    A collector that such a one has left is stopped. Raises `DemoFailed` where somebody still uses the collector.
    """
    make_folder(home)
    lock = FileLock(home.folder / "demo.lock")
    running = DemoFailed(f"a demo is running already; hmi stop {shlex.quote(str(folder))} ends its collector")
    if not lock.take():
        raise running
    with lock:
        found = _found_running(home)
        if found is not None:
            if found["desktops"] or not (_is_of_a_demo(home) or _has_lost_all(found)):
                raise running
            with held_back() as interrupted:
                stop(home)
            say("The collector of an earlier demo, which had not ended in order, was still running. It has stopped.")
            if interrupted():
                raise KeyboardInterrupt
        yield


def _found_running(home: Home) -> dict[str, Any] | None:
    """What the demo plant's collector says. Raises `EndpointError` where it runs and does not answer."""
    if holder_of(home) is None:
        return None
    from hmi.cli.status import status_of

    return status_of(home)


def _has_lost_all(found: dict[str, Any]) -> bool:
    return all(device["state"] == "lost" for device in found["devices"].values())


def _is_of_a_demo(home: Home) -> bool:
    """Whether the running collector was started by a demo, and not by somebody with devices of his own."""
    try:
        started = json.loads(_own_collector(home).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return False
    holder = holder_of(home)
    return holder is not None and started == [holder.pid, holder.started]


def _own_collector(home: Home) -> Path:
    return home.folder / "demo.json"


def _expected_errors() -> tuple[type[Exception], ...]:
    from hmi.core.session import HistoryUnavailableError
    from hmi.link.endpoint import EndpointError

    return DemoFailed, CollectorStartError, EndpointError, HistoryUnavailableError


def _without_window(
    args: argparse.Namespace, folder: Path, home: Home, duration_us: int | None, say: Callable[[str], None]
) -> int:
    from hmi.cli.opening import plant_or_reasons
    from hmi.cli.terminal import live_table

    plant = plant_or_reasons(folder, to_run=True)
    if plant is None:
        return 1
    before = _stored(plant, home)
    with _running(folder, home, say) as launched:
        _wait_for_own(launched)
        say(f"Collecting from {len(plant.devices)} devices, {len(plant.tags)} tags; log in {home.log}")
        live_table(home, duration_us, None if args.json else sys.stdout, home.folder / "pictures")
    summary = _summary(plant, last_run(home), _stored(plant, home) - before)
    if args.json or duration_us is not None:
        print(json.dumps(summary))
    return 0 if summary["samples_lost"] == 0 else 1


def _place() -> tuple[Path, Home]:
    """The plant's folder, and its home. With HMI_DSN it is a copy, which `_copy_plant` makes."""
    folder = shipped(Shipped.SCREENS) / "waterworks"
    if os.environ.get("HMI_DSN"):
        folder = home_of(folder).folder / "plant"
    return folder, home_of(folder)


def _copy_plant(folder: Path) -> None:
    """With HMI_DSN: the plant as it is shipped, but for the database that it names. Raises `DemoFailed`."""
    if not os.environ.get("HMI_DSN"):
        return
    try:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(shipped(Shipped.SCREENS) / "waterworks", folder)
        description = folder / "plant.yaml"
        text = description.read_text(encoding="utf-8")
        description.write_text(text.replace("historian: {}", "historian: {dsn_env: HMI_DSN}"), encoding="utf-8")
    except (OSError, shutil.Error) as error:
        raise DemoFailed(f"the plant cannot be copied to {folder}: {error}") from error


def _prepare_window() -> None:
    """What a window needs and does not depend on the plant. There is a display: Qt ends the process where none is."""
    from hmi.cli.run import import_window

    import_window()
    from hmi.desktop.application import make_application

    make_application()


@contextmanager
def _running(
    folder: Path, home: Home, say: Callable[[str], None], meanwhile: Callable[[], None] = lambda: None
) -> Iterator[Launch]:
    """Devices and collector, for the length of a block; both end with it. `meanwhile` is called while they start.

    When the block begins the devices serve and the collector is on its way: `_wait_for_own`.
    """
    say("Starting the devices of the waterworks ...")
    with ExitStack() as at_the_end, ThreadPoolExecutor(1, "start") as starter:
        with held_back() as interrupted:
            # Spawned before `meanwhile` begins: what it imports would hold up the other thread.
            starting = starter.submit(_start, folder, home, spawn_devices(home.folder))
            at_the_end.callback(_end, starting, home, say)
        if interrupted():
            raise KeyboardInterrupt
        meanwhile()
        devices, launched = starting.result()
        os.environ.update(devices.environment)
        yield launched


def _wait_for_own(launched: Launch) -> None:
    """`wait_for_answer`, and leave a note for a demo that comes after this one was killed: `_is_of_a_demo`."""
    wait_for_answer(launched)
    holder = holder_of(launched.home)
    if holder is not None:
        _own_collector(launched.home).write_text(json.dumps([holder.pid, holder.started]), encoding="ascii")


def _start(folder: Path, home: Home, spawned: Spawned) -> tuple[DevicesProcess, Launch]:
    devices = wait_for_devices(spawned)
    try:
        return devices, launch(folder, home, {**os.environ, **devices.environment})
    except BaseException:
        devices.stop()
        raise


def _end(starting: "Future[tuple[DevicesProcess, Launch]]", home: Home, say: Callable[[str], None]) -> None:
    """End what was started, also where the start was interrupted. Whoever is in a hurry cannot break this off."""
    with held_back():
        if starting.exception() is not None:
            return
        devices, launched = starting.result()
        with devices:
            try:
                # One that is still on its way can be asked to end only when it answers.
                wait_for_answer(launched)
            except CollectorStartError:
                if holder_of(home) is None:
                    return
            stopped = stop(home)
        if stopped:
            say("The collector has stopped.")


def _stored(plant: "Plant", home: Home) -> int:
    """Samples in the database, counted there."""
    if plant.historian.dsn_env is None and not home.database.exists():
        return 0
    from hmi.cli.opening import history_of
    from hmi.core.session import NoHistoryYetError

    with history_of(plant, home, "demo") as reader:
        try:
            return reader.count()
        except NoHistoryYetError:
            return 0


def _summary(plant: "Plant", last: dict[str, Any], stored: int) -> dict[str, Any]:
    """What happened, counted where it can be counted: stored samples in the database, not in the collector."""
    taken = int(last["samples_taken"])
    return {
        "plant": plant.name,
        "tags": len(plant.tags),
        "samples_taken": taken,
        "samples_stored": stored,
        "samples_lost": max(taken - stored, 0) + int(last["samples_lost"]),
        "devices": last["devices"],
        "historian": last["historian"],
        "alarms": last["alarms"],
        "writes": last["writes"],
        "seconds": round((last["ended_us"] - last["started_us"]) / 1_000_000, 1),
    }


def _has_display(environment: Mapping[str, str]) -> bool:
    """Whether a window can be opened. Qt ends the process where it cannot, so this is asked before."""
    if os.name == "nt" or sys.platform == "darwin" or environment.get("WAYLAND_DISPLAY"):
        return True
    if environment.get("QT_QPA_PLATFORM"):
        return True
    display = environment.get("DISPLAY", "")
    host, _, number = display.partition(":")
    screen = number.split(".")[0]
    if not screen.isdigit():
        return False
    try:
        if host in ("", "unix"):
            path = f"/tmp/.X11-unix/X{screen}"  # noqa: S108 - where X servers listen
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                probe.settimeout(2)
                try:
                    probe.connect(path)
                except OSError:
                    probe.connect("\0" + path)
        else:
            socket.create_connection((host, 6000 + int(screen)), 2).close()
    except OSError:
        return False
    return True
