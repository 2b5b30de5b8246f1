"""`hmi run`: start or join the collector of a plant, and open the window."""

import argparse
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

from hmi.cli.ending import ended_alike, held_back
from hmi.cli.opening import Reading, load, plant_of, read_plant
from hmi.cli.status import is_well, status_lines, status_of
from hmi.collector.process import CollectorStartError, holder_of, launch, make_folder, stop, wait_for_answer
from hmi.core.clock import SECOND, SystemClock
from hmi.core.duration import parse_duration
from hmi.core.home import home_of
from hmi.link.endpoint import EndpointError

HELP = """Run a plant: start its collector, or join the one that is running, and open the window.

Closing the window leaves the collector collecting; hmi stop ends it. With --headless there is no window: the collector
runs until Ctrl-C or for as long as --for says, and then ends."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plant", type=Path, help="the plant's folder")
    parser.add_argument("--headless", action="store_true", help="without a window")
    parser.add_argument("--for", dest="duration", metavar="DURATION", help="end after this time, such as 60s")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    parser.add_argument("--screen", help="the screen to begin with")


def run(args: argparse.Namespace) -> int:
    try:
        duration_us = parse_duration(args.duration) if args.duration else None
    except ValueError as error:
        print(f"hmi run: {error}", file=sys.stderr)
        return 2
    reading = read_plant(args.plant)
    if plant_of(reading, to_run=True) is None:
        return 1
    if not args.headless:
        return _run(args, duration_us, reading)
    with ended_alike():
        return _run(args, duration_us, reading)


def _run(args: argparse.Namespace, duration_us: int | None, reading: Reading | None) -> int:
    home = home_of(args.plant)
    try:
        make_folder(home)
        # One that is just starting is joined as well: `wait_for_answer` waits for that one too.
        joined = holder_of(home) is not None
        launched = launch(args.plant, home, os.environ)
        if not args.headless:
            import_window()
        try:
            wait_for_answer(launched)
        except KeyboardInterrupt:
            if args.headless and not joined:
                with held_back():
                    wait_for_answer(launched)
                    stop(home)
            raise
    except (CollectorStartError, EndpointError) as error:
        print(f"hmi run: {error}", file=sys.stderr)
        return 1
    print(f"{args.plant}: {'joined the running collector' if joined else 'collector started'}, log in {home.log}")
    if args.headless:
        return _watch(args.plant, duration_us, end=not joined)
    return open_window(args.plant, args.theme, args.screen, duration_us, reading=reading)


def _watch(folder: Path, duration_us: int | None, end: bool) -> int:
    """Wait without a window; end the collector afterwards if it was started here."""
    home = home_of(folder)
    # Nothing to undo: what follows is the end for every reason.
    with suppress(KeyboardInterrupt):
        threading.Event().wait(None if duration_us is None else duration_us / SECOND)
    with held_back():
        try:
            found = status_of(home)
            if end:
                stop(home)
        except EndpointError as error:
            print(f"hmi run: {error}", file=sys.stderr)
            return 1
    # After the end: the terminal may be closed, and writing to it fail.
    if found is not None:
        print("\n".join(status_lines(found)))
    if end:
        print("the collector has stopped")
    return 0 if found is not None and is_well(found) else 1


def import_window() -> None:
    """Import what a window needs. It takes about as long as a collector needs to start, so it is done in that time.

    A Ctrl-C counts when all is imported: while Qt's classes are made, Qt would swallow it.
    """
    with held_back() as interrupted:
        import hmi.desktop.application
        import hmi.session.live
        import hmi.session.replay  # noqa: F401
    if interrupted():
        raise KeyboardInterrupt


def open_window(
    folder: Path,
    theme: str,
    screen: str | None,
    duration_us: int | None = None,
    stays: bool = True,
    reading: Reading | None = None,
) -> int:
    """The window on a running collector. Returns when it is closed; `stays` says whether the collector goes on then.

    `reading` is used as far as the collector's files are the same, which spares reading them once more.
    """
    from hmi.desktop.application import run_desktop
    from hmi.session.live import LiveSession
    from hmi.session.replay import ReplaySession

    clock = SystemClock()
    session = LiveSession(home_of(folder), load if reading is None else reading.loader(), clock)
    try:
        if not session.wait_for_plant(20):
            print(f"{folder}: the collector does not answer; its log is {home_of(folder).log}", file=sys.stderr)
            return 1
        code = run_desktop(
            session,
            lambda time_us: ReplaySession(session.plant, session.reader, clock, time_us, session.who),
            theme=theme,
            start_screen=screen,
            clock=clock,
            close_after_us=duration_us,
        )
    finally:
        session.close()
    if stays:
        print(f"The window is closed; the collector goes on collecting. hmi stop {folder} ends it.")
    return code
