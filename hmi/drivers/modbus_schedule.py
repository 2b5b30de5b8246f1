"""What is to be read next when blocks have different periods. Pure: the caller brings the time."""

import heapq
from collections.abc import Sequence


class Schedule:
    """Blocks by their number, each due once a period, all for the first time at `start_us` (monotonic).

    Of those that are due, the one goes first whose next turn comes soonest, so that many slow blocks do not hold up a
    fast one; within a period they go in order. Turns that were missed are left out, and the rhythm is kept.
    """

    def __init__(self, periods_us: Sequence[int], start_us: int) -> None:
        self._periods_us = tuple(periods_us)
        self._waiting = [(start_us, block) for block in range(len(self._periods_us))]
        self._due: list[tuple[int, int, int]] = []

    @property
    def next_due_us(self) -> int:
        """When the next block is due; only where none is due now."""
        return self._waiting[0][0]

    def next_block(self, now_us: int) -> int | None:
        """The block to read now, or None if none is due. Must be given back to `finished`."""
        while self._waiting and self._waiting[0][0] <= now_us:
            due_us, block = heapq.heappop(self._waiting)
            heapq.heappush(self._due, (due_us + self._periods_us[block], block, due_us))
        if not self._due:
            return None
        return self._due[0][1]

    def finished(self, block: int, now_us: int) -> None:
        """The block that `next_block` gave last has been read."""
        _, _, due_us = heapq.heappop(self._due)
        period_us = self._periods_us[block]
        missed = max(0, now_us - due_us) // period_us
        heapq.heappush(self._waiting, (due_us + period_us * (1 + missed), block))
