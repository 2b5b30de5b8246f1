"""Where a plant's collector keeps its own things: lock, socket, spool, embedded database, log."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """Folders of one plant on this computer. `HMI_HOME` in the environment moves them (tests, demo)."""

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

    The socket lies in a short path of its own, because a Unix socket's path may have 107 bytes only.
    """
    env = os.environ if environment is None else environment
    real = plant_folder.resolve()
    short = hashlib.sha256(str(real).encode()).hexdigest()[:12]
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", real.name).strip("-") or "plant"
    uid = os.getuid() if hasattr(os, "getuid") else 0
    if env.get("HMI_HOME"):
        root = Path(env["HMI_HOME"])
    elif uid == 0 and os.name == "posix":
        root = Path("/var/lib/hindsight")
    elif os.name == "nt":
        root = Path(env.get("LOCALAPPDATA", str(Path.home()))) / "Hindsight"
    else:
        root = Path(env.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "hindsight"
    run = Path(env.get("XDG_RUNTIME_DIR") or f"/tmp/hindsight-{uid}")  # noqa: S108 - made with mode 0700 and its owner is checked
    if env.get("HMI_HOME"):
        short += hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:8]
    return Home(root / f"{slug}-{short[:12]}", run / f"hindsight-{short}.sock")
