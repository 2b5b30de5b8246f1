"""Splits a batch into layers in which every tag stands once, so that each layer is one numpy pass."""

import numpy as np
from numpy.typing import NDArray

from hmi.core.batch import Tags

Positions = NDArray[np.int64]


class Layers:
    """Splits batches of one plant. Keeps a column of scratch, so it is used on one thread."""

    def __init__(self, tags: int) -> None:
        self._last: Positions = np.zeros(tags, np.int64)

    def of(self, tag: Tags) -> list[Positions] | None:
        """Positions of the first sample of every tag, then of the second, and so on; they rise within a layer.

        None where every tag stands once, as a polled device sends them: that is found out without sorting.
        """
        n = len(tag)
        everything: Positions = np.arange(n, dtype=np.int64)
        self._last[tag] = everything
        if n < 2 or bool((self._last[tag] == everything).all()):
            return None
        ordered = np.argsort(tag, kind="stable")
        same = tag[ordered][1:] == tag[ordered][:-1]
        run_start = np.r_[0, np.flatnonzero(~same) + 1]
        length = np.diff(np.r_[run_start, n])
        nth = np.empty(n, np.int64)
        nth[ordered] = everything - np.repeat(run_start, length)
        return [np.flatnonzero(nth == number) for number in range(int(length.max()))]
