"""Where the 6,000 nodes of the OPC UA standard are kept, which the library takes seconds to build from code.

Knows nothing of the library, so that asking costs nothing.
"""

import asyncio
import importlib.metadata
import logging
import os
import sys
from pathlib import Path

_log = logging.getLogger(__name__)


def cache_file() -> Path:
    """One file for each version of the library and of Python."""
    if os.name == "nt":
        root = Path(os.environ.get("LOCALAPPDATA", str(Path.home())))
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    version = f"{importlib.metadata.version('asyncua')}-{sys.version_info.major}{sys.version_info.minor}"
    return root / "hindsight" / f"opcua-standard-nodes-{version}.pickle"


def trusted(file: Path) -> bool:
    """Whether it is there and nobody else can have written it: a pickle is a program."""
    try:
        found = file.stat()
    except OSError:
        return False
    return os.name == "nt" or (found.st_uid == os.getuid() and not found.st_mode & 0o022)


async def prepare() -> None:
    """Fill the cache if it is empty: some ten seconds in another process, since this one has clients to answer.

    Where that fails the nodes are built at every start instead.
    """
    if trusted(cache_file()):
        return
    nothing = asyncio.subprocess.DEVNULL
    arguments = ("-m", "hmi.demo.standard_nodes")
    try:
        child = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=nothing, stdout=nothing)
        await child.wait()
    except OSError as error:
        _log.info("no process can be started for the OPC UA nodes: %s", error)
