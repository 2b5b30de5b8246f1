"""How much room the spool has on its disk, and what is said and recorded when it runs out."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from hmi.core.clock import to_datetime
from hmi.core.event import COLLECTOR, Coverage, Event, EventKind

_MIB = 1024 * 1024
_KEEP_FREE = 256 * _MIB
_WARN_FREE = 2048 * _MIB
_TIGHT = 0.7
_WARN_AGAIN_BELOW = 0.6


class Room:
    """Judges the room by a limit on the spool's own size, by the free space of its disk, or by both.

    `fill` is 0 with plenty and 1 when nothing more may be written; from 0.7 on it is `tight`.
    """

    def __init__(self, folder: Path, max_bytes: int | None) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._said = False
        self.fill = 0.0
        self.free = 0

    def look(self, used: int) -> None:
        """Measure, `used` being the bytes of the spool. Raises `OSError`."""
        disk = shutil.disk_usage(self._folder)
        self.free = disk.free
        keep = min(_KEEP_FREE, disk.total // 20)
        warn = min(_WARN_FREE, disk.total // 5)
        # Linear from 0.7, where the warning begins, to 1, where the last reserve begins.
        by_disk = 1 - (1 - _TIGHT) * (disk.free - keep) / max(warn - keep, 1)
        by_limit = 0.0 if self._max_bytes is None else used / self._max_bytes
        self.fill = min(max(by_disk, by_limit, 0.0), 1.0)

    @property
    def tight(self) -> bool:
        return self.fill >= _TIGHT

    @property
    def full(self) -> bool:
        return self.fill >= 1.0

    def news(self, now_us: int) -> list[Event]:
        """An event when the room has become tight; until `told` was called, and again after it was ample."""
        if self.fill < _WARN_AGAIN_BELOW:
            self._said = False
        if not self.tight or self._said:
            return []
        text = (
            f"The room for history on the collector's disk is {self.fill * 100:.0f} % used. "
            f"{self.free // _MIB:,} MiB of the disk are free."
        )
        return [Event(now_us, EventKind.DISK_FILLING, COLLECTOR, text, detail={"fill": self.fill, "free": self.free})]

    def told(self) -> None:
        """The news are on disk."""
        self._said = self.tight


def text_of(room: Room) -> str:
    """Why nothing more is kept, for a person."""
    return f"The room for history on the collector's disk is used up ({room.free // _MIB:,} MiB of the disk are free)."


class Gap:
    """A time in which samples were lost: what is recorded about it, and coverage that must not span it."""

    def __init__(self) -> None:
        self._from_us = 0
        self._until_us = 0
        self._lost = 0
        self._why = ""
        self._last: dict[str, Coverage] = {}
        self._begun_anew: dict[str, tuple[int, int]] = {}

    @property
    def open(self) -> bool:
        return self._lost > 0

    def widen(self, n: int, time_us: int, why: str) -> None:
        """`n` samples, the oldest at `time_us`, were lost."""
        if not self._lost:
            self._from_us = time_us
            self._why = why
        self._from_us = min(self._from_us, time_us)
        self._lost += n

    def ending(self, now_us: int) -> tuple[list[Event], list[Coverage]]:
        """What to record when samples can be kept again: the event, and rows that end coverage where the gap began."""
        start_us = self._from_us
        rows = [
            Coverage(source, row.start_us, max(row.start_us, min(row.end_us, start_us - 1)), self._why)
            for source, row in self._last.items()
        ]
        begin = f"{to_datetime(start_us):%Y-%m-%d %H:%M:%S} UTC"
        text = f"History has a gap from {begin} on: {self._lost:,} samples were lost. {self._why}"
        detail = {"from_us": start_us, "until_us": now_us, "lost": self._lost, "why": self._why}
        return [Event(now_us, EventKind.HISTORY_GAP, COLLECTOR, text, detail=detail)], rows

    def end(self, now_us: int) -> None:
        """What `ending` gave is on disk: coverage begins anew at `now_us`."""
        for source in self._last:
            self._begun_anew[source] = (self._from_us, now_us)
        self._last = {}
        self._lost = 0

    def cut(self, rows: Sequence[Coverage], ends_us: int | None = None) -> list[Coverage]:
        """The rows without the times of gaps; `ends_us` is when the open gap is about to end."""
        kept = []
        for row in rows:
            start_us, until_us = self._begun_anew.get(row.source, (0, 0))
            if self.open:
                start_us, until_us = self._from_us, row.end_us + 1 if ends_us is None else ends_us
            if row.start_us >= until_us or row.end_us < start_us:
                kept.append(row)
            elif row.end_us >= until_us:
                kept.append(Coverage(row.source, until_us, row.end_us, row.why))
        return kept

    def covered(self, rows: Sequence[Coverage]) -> None:
        """These rows are on disk."""
        for row in rows:
            self._last[row.source] = row
