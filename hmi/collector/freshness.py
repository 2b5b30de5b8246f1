"""Finds tags that are no longer read although their device answers: stale, which is neither good nor lost."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hmi.core.batch import Ints, Tags
from hmi.core.clock import SECOND
from hmi.core.tag import Tag

SHORTEST_US = 5 * SECOND
"""No tag counts as stale before this, however short its period is."""
PERIODS = 3
SILENT_PERIODS = 2
SHORTEST_SILENCE_US = SECOND // 2
"""A polled device that was not heard for longer than both is silent, though its timeout is not over."""


def silent_after_us(tags: Sequence[Tag]) -> int:
    """How long a polled device with these tags may say nothing before its values are no longer good."""
    fastest_us = min((tag.period_us for tag in tags), default=SHORTEST_US)
    return max(SILENT_PERIODS * fastest_us, SHORTEST_SILENCE_US)


class Freshness:
    """When each tag was last read, by a clock that never jumps."""

    def __init__(self, tags: Sequence[Tag], now_us: int) -> None:
        self._patience_us: Ints = np.array([max(PERIODS * tag.period_us, SHORTEST_US) for tag in tags], np.int64)
        self._read_us: Ints = np.full(len(tags), now_us, np.int64)
        self._stale: NDArray[np.bool_] = np.zeros(len(tags), np.bool_)

    def read(self, tags: Tags, now_us: int) -> None:
        """These tags were read just now, whether or not anything was new."""
        self._read_us[tags] = now_us
        self._stale[tags] = False

    def newly_stale(self, tags: Tags, now_us: int) -> Tags:
        """Those of `tags` that have become stale since the last call."""
        found: Tags = tags[~self._stale[tags] & (now_us - self._read_us[tags] > self._patience_us[tags])]
        self._stale[found] = True
        return found
