"""Runs the collector of one plant in this process until it is told to end."""

import asyncio
import faulthandler
import logging
import os
import signal
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

from hmi.collector.collector import CollectionFailedError, Collector, PlantRefusedError
from hmi.collector.process import AlreadyRunningError, CollectorLock
from hmi.config import PlantFolderMissing
from hmi.core.clock import SystemClock
from hmi.core.home import Home, home_of
from hmi.history.spool import SpoolError
from hmi.link.endpoint import EndpointError

log = logging.getLogger("hmi.collector")

LOG_BYTES = 5_000_000
LOG_FILES = 3
GOOD, PROBLEMS = 0, 1


def collect(folder: Path) -> int:
    """Collect until SIGTERM, SIGINT or a request over the link. Returns the exit code; 1 when it could not begin."""
    home = home_of(folder)
    lock = CollectorLock(home)
    try:
        lock.take()
    except AlreadyRunningError as error:
        return _say(str(error))
    except OSError as error:
        return _say(f"the folder of the collector cannot be used: {error}")
    with (home.folder / "crash.log").open("a", encoding="utf-8") as crash:
        faulthandler.enable(crash)
        if hasattr(signal, "SIGUSR1"):
            # Where all threads stand, for a collector that seems to hang.
            faulthandler.register(signal.SIGUSR1, crash)
        handler = _log_to(home)
        try:
            return _run(folder, home, crash)
        finally:
            logging.getLogger().removeHandler(handler)
            handler.close()
            faulthandler.disable()
            lock.release()


def _run(folder: Path, home: Home, crash: IO[str]) -> int:
    try:
        # psycopg refuses the loop that Windows has by default.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(_until_told(folder, home))
    except PlantRefusedError as refused:
        for problem in refused.problems:
            print(problem, file=sys.stderr)
        return _say(f"{folder}: this plant has errors and is not collected")
    except PlantFolderMissing as error:
        return _say(str(error))
    except (OSError, EndpointError, SpoolError) as error:
        log.exception("the collector cannot go on")
        return _say(f"the collector cannot go on: {error}")
    except CollectionFailedError:
        log.exception("the collector ends because of an internal error")
        return _say(f"the collector ended because of an internal error; see {home.log}")
    return GOOD


async def _until_told(folder: Path, home: Home) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_unhandled)
    if os.name == "nt":
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    else:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
    log.info("collector of %s begins, process %d", folder, os.getpid())
    await Collector(folder, home, SystemClock(), os.environ).run(stop)
    log.info("collector of %s ended", folder)


def _unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    error = context.get("exception")
    log.error("internal error: %s", context.get("message"), exc_info=error if isinstance(error, Exception) else None)


def _log_to(home: Home) -> RotatingFileHandler:
    handler = RotatingFileHandler(home.log, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    # These tell of every lost connection with a traceback; our supervisor says it in one line.
    for library in ("asyncua", "pymodbus"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    return handler


def _say(text: str) -> int:
    print(text, file=sys.stderr)
    return PROBLEMS
