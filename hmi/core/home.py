"""Where a plant's collector keeps its own things: lock, socket, spool, embedded database, log."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_LONGEST_SOCKET = 100


@dataclass(frozen=True, slots=True)
class Home:
    """Folders of one plant on this computer. `HMI_HOME` in the environment moves them (tests, demo).

    `socket` is where its collector is reached; on Windows a file that says how.
    """

    folder: Path
    socket: Path

    @property
    def lock(self) -> Path:
        return self.folder / "collector.lock"

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    @property
    def database(self) -> Path:
        return self.folder / "postgresql"

    @property
    def log(self) -> Path:
        return self.folder / "collector.log"


def home_of(plant_folder: Path, environment: Mapping[str, str] | None = None) -> Home:
    """The home of a plant: by its folder, so that two plants never share one.

    The same for every login of a user, at the desk, over ssh or from cron: nothing of it depends on a session, which
    the collector outlives. A Unix socket's path may have 107 bytes only; where the home's is too long for it, the
    socket lies in a folder of the user's own below /tmp.
    """
    env = os.environ if environment is None else environment
    real = plant_folder.resolve()
    short = hashlib.sha256(str(real).encode()).hexdigest()[:12]
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", real.name).strip("-") or "plant"
    uid = os.getuid() if hasattr(os, "getuid") else 0
    if env.get("HMI_HOME"):
        root = Path(env["HMI_HOME"]).absolute()
    elif uid == 0 and os.name == "posix":
        root = Path("/var/lib/hindsight")
    elif os.name == "nt":
        root = Path(env.get("LOCALAPPDATA", str(Path.home()))) / "Hindsight"
    else:
        root = Path(env.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "hindsight"
    folder = root / f"{slug}-{short}"
    place = Path(os.path.realpath(folder)) / "collector.sock"
    if os.name != "nt" and len(os.fsencode(place)) > _LONGEST_SOCKET:
        key = hashlib.sha256(os.fsencode(place)).hexdigest()[:20]
        place = Path(f"/tmp/hindsight-{uid}") / f"{key}.sock"  # noqa: S108 - made with mode 0700 and its owner is checked
    return Home(folder, place)
