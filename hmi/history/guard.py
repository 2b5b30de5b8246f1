"""Starts PostgreSQL, and ends it when its last owner is gone, however that owner died.

Runs as a process of its own, from this file and without the rest of the program, so that it costs little:
`python -I -S guard.py FOLDER` with the order as JSON on standard input. Only the standard library here.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

LOOK_S = 0.25
HAND_OVER_S = 15
END_S = 60


def main(arguments: list[str]) -> int:
    """Guard the database of a folder until nobody owns it. Returns the exit code."""
    folder = Path(arguments[0])
    order = json.loads(sys.stdin.readline())
    pause = threading.Event()
    # The guard of a server that has just died may not have noticed yet.
    own = None
    for _ in range(int(HAND_OVER_S / LOOK_S)):
        own = _take(folder / "guard.lock")
        if own is not None:
            break
        pause.wait(LOOK_S)
    if own is None:
        return 0
    postmaster = _Postmaster(order)
    while postmaster.alive():
        pause.wait(LOOK_S)
        if _owned(folder):
            continue
        gate = _take(folder / "start.lock")
        if gate is None:
            continue
        # Nobody can become an owner while the gate is ours.
        if not _owned(folder):
            postmaster.end(pause)
        os.close(gate)
    return 0


class _Postmaster:
    """The server: our child, or one whose guard died and whom we adopt."""

    def __init__(self, order: dict[str, object]) -> None:
        self._order = order
        adopt = order.get("adopt")
        self._child: subprocess.Popen[bytes] | None = None
        if isinstance(adopt, int):
            self._pid = adopt
            return
        rights: dict[str, object] = {}
        if order.get("uid") is not None:
            rights = {"user": order["uid"], "group": order["gid"], "extra_groups": []}
        self._child = subprocess.Popen(  # type: ignore[call-overload]
            order["command"], stdin=subprocess.DEVNULL, cwd=order["cwd"], env=order["environment"], **rights
        )
        self._pid = self._child.pid

    def alive(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        if os.name == "nt":
            return Path(str(self._order["pid_file"])).exists()
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return False
        return True

    def end(self, pause: threading.Event) -> None:
        """Stop in order: connections are cut, what is committed is on disk."""
        if os.name == "nt":
            subprocess.run([*self._order["stop"]], timeout=END_S, check=False)  # type: ignore[misc]
            return
        os.kill(self._pid, signal.SIGINT)
        for _ in range(int(END_S / LOOK_S)):
            if not self.alive():
                return
            pause.wait(LOOK_S)


def _take(path: Path) -> int | None:
    """An exclusive lock on a file, or None where somebody else holds it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _owned(folder: Path) -> bool:
    """Whether any lease is held: its holder, if it lives, has its file locked."""
    try:
        names = os.listdir(folder / "leases")
    except OSError:
        return False
    for name in names:
        if not name.endswith(".lease"):
            continue
        descriptor = _take(folder / "leases" / name)
        if descriptor is None:
            return True
        os.close(descriptor)
    return False


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(main(sys.argv[1:]))
