"""Samples that say why there is no value."""

import numpy as np

from hmi.core.batch import Batch, Tags


def no_values(tags: Tags, status: int, time_us: int) -> Batch:
    """A sample of that status for each tag index, without a value."""
    n = len(tags)
    return Batch(
        tags, np.full(n, time_us, np.int64), np.full(n, np.nan), np.full(n, status, np.uint32), np.zeros(n, np.int64)
    )
