"""Remembers on disk which writes were begun and not ended, so that a crash leaves none without an end."""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hmi.core.command import Write, WriteState


class OpenWrites:
    """One small file, replaced as a whole. `add` returns when it is on disk; any thread."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._open: dict[str, Mapping[str, Any]] = {}
        self._left_over = self._read()

    def left_over(self) -> list[Write]:
        """The writes that the last collector left open. Each stays in the file until it is removed."""
        return list(self._left_over)

    def add(self, write: Write) -> None:
        """Raises `OSError` when the disk does not take it."""
        with self._lock:
            self._open[write.id] = asdict(write)
            self._save()

    def holds(self, write_id: str) -> bool:
        with self._lock:
            return write_id in self._open

    def remove(self, write_id: str) -> None:
        """Forget a write that has ended; writes that were never added are no matter."""
        with self._lock:
            if self._open.pop(write_id, None) is not None:
                self._save()

    def _read(self) -> list[Write]:
        try:
            rows = json.loads(self._file.read_text(encoding="utf-8"))
            writes = [Write(**{**row, "state": WriteState(row["state"])}) for row in rows]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError, KeyError):
            # A disk that lost its power may hold anything; what was in here stands as a request in the journal.
            return []
        self._open = {write.id: asdict(write) for write in writes}
        return writes

    def _save(self) -> None:
        fresh = self._file.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as out:
            json.dump(list(self._open.values()), out)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self._file)
