"""Splits a batch into layers in which every tag stands once, so that each layer is one numpy pass."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hmi.core.batch import Tags

Positions = NDArray[np.int64]


def layers(tag: Tags) -> Iterator[Positions]:
    """Positions of the first sample of every tag, then of the second, and so on; positions rise within a layer.

    A polled device sends each tag once: one layer, found without sorting.
    """
    n = len(tag)
    if not n:
        return
    everything: Positions = np.arange(n, dtype=np.int64)
    ordered = np.argsort(tag, kind="stable")
    same = tag[ordered][1:] == tag[ordered][:-1]
    if not same.any():
        yield everything
        return
    run_start = np.r_[0, np.flatnonzero(~same) + 1]
    length = np.diff(np.r_[run_start, n])
    nth = np.empty(n, np.int64)
    nth[ordered] = everything - np.repeat(run_start, length)
    for number in range(int(length.max())):
        yield np.flatnonzero(nth == number)
