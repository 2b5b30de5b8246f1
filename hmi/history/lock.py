"""Locks between processes that vanish with their holder, whatever it died of."""

import os
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from hmi.core.clock import SECOND, Clock, SystemClock

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_RETRY_S = 0.02


class LockHeldError(Exception):
    """Somebody else holds the lock, and went on holding it for the whole time that we waited."""


class FileLock:
    """An exclusive lock on a file, for one holder at a time over all processes and threads.

    The operating system lets go of it when the holder's process ends. The file itself stays. Not re-entrant.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Take the lock if it is free. Raises `OSError` where the file cannot be made."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOINHERIT", 0), 0o600)
        try:
            if sys.platform == "win32":
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def wait(self, timeout_s: float, clock: Clock | None = None) -> None:
        """Take the lock as soon as it is free. Raises `LockHeldError` after `timeout_s`."""
        measure = clock or SystemClock()
        end_us = measure.monotonic_us() + int(timeout_s * SECOND)
        pause = threading.Event()
        while not self.take():
            if measure.monotonic_us() > end_us:
                raise LockHeldError(f"{self.path} has been held by another process for {timeout_s:.0f} s")
            pause.wait(_RETRY_S)

    def release(self) -> None:
        """Let go; nothing happens where it is not held."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def write(self, text: str) -> None:
        """Leave a word in the file about who holds it. Only while held."""
        if self._descriptor is None:
            raise RuntimeError("the lock is not held")
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.truncate(self._descriptor, 0)
        os.write(self._descriptor, text.encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()
