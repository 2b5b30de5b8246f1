"""The recent samples of all tags in memory: what a trend shows before history answers."""

from collections import deque
from collections.abc import Sequence

import numpy as np

from hmi.core.batch import EMPTY, Batch, join
from hmi.core.clock import MINUTE

SPAN_US = 15 * MINUTE
MOST_SAMPLES = 1_000_000
SEGMENT = 4096


class Ring:
    """Accepted samples of the last minutes, in the order of arrival, bounded in time and number."""

    def __init__(self, tags: int, span_us: int = SPAN_US, most: int = MOST_SAMPLES) -> None:
        self._tags = tags
        self._span_us = span_us
        self._most = most
        self._segments: deque[tuple[int, Batch]] = deque()
        self._open: list[Batch] = []
        self._open_samples = 0
        self._samples = 0

    def __len__(self) -> int:
        return self._samples

    def add(self, batch: Batch) -> None:
        """Keep the samples of a batch."""
        if not len(batch):
            return
        self._open.append(batch)
        self._open_samples += len(batch)
        self._samples += len(batch)
        if self._open_samples >= SEGMENT:
            self._close_segment()

    def forget(self, now_us: int) -> None:
        """Let go of what is older than the span, or too much."""
        while self._segments and (
            self._segments[0][0] < now_us - self._span_us or self._samples - len(self._segments[0][1]) >= self._most
        ):
            self._samples -= len(self._segments.popleft()[1])

    def since(self, tags: Sequence[int], time_us: int) -> Batch:
        """The kept samples of `tags` at and after `time_us`; rising in time for each tag."""
        wanted = np.zeros(self._tags, np.bool_)
        known = [tag for tag in tags if 0 <= tag < self._tags]
        wanted[known] = True
        parts = [batch for newest_us, batch in self._segments if newest_us >= time_us] + self._open
        found = [batch.take(wanted[batch.tag] & (batch.time_us >= time_us)) for batch in parts]
        return join(found) if found else EMPTY

    def _close_segment(self) -> None:
        batch = join(self._open)
        self._segments.append((int(batch.time_us.max()), batch))
        self._open = []
        self._open_samples = 0
