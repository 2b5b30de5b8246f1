"""The latest value of every tag, as columns, with a version by which a reader sees what changed."""

import threading

import numpy as np
from numpy.typing import NDArray

from hmi.core.batch import Batch, Floats, Ints, Statuses, make_batch
from hmi.core.status import BAD_WAITING_FOR_INITIAL_DATA


class Table:
    """Latest time, value and status of `n` tags, by tag index.

    `apply` may run on one thread while others read: the lock is held for the copy of a few columns. Within a batch the
    last sample of a tag wins. `version[i]` is the number of the change that last touched tag i; `changed_since` gives
    the tags touched after a version.
    """

    def __init__(self, n: int) -> None:
        self._lock = threading.Lock()
        self._version = 0
        self.time_us: Ints = np.zeros(n, np.int64)
        self.value: Floats = np.full(n, np.nan)
        self.status: Statuses = np.full(n, BAD_WAITING_FOR_INITIAL_DATA, np.uint32)
        self.delay_us: Ints = np.zeros(n, np.int64)
        self.whole: Ints = np.zeros(n, np.int64)
        self.text: NDArray[np.object_] = np.full(n, None, object)
        self.touched: Ints = np.zeros(n, np.int64)

    def __len__(self) -> int:
        return len(self.time_us)

    @property
    def version(self) -> int:
        return self._version

    def apply(self, batch: Batch) -> None:
        """Take over the samples of a batch."""
        if not len(batch):
            return
        with self._lock:
            self._version += 1
            index = batch.tag
            # numpy's fancy assignment keeps the last of repeated indices: the newest sample wins.
            self.time_us[index] = batch.time_us
            self.value[index] = batch.value
            self.status[index] = batch.status
            self.delay_us[index] = batch.delay_us
            if batch.whole is not None:
                self.whole[index] = batch.whole
            if batch.text is not None:
                self.text[index] = batch.text
            self.touched[index] = self._version

    def changed_since(self, version: int) -> tuple[int, NDArray[np.int64]]:
        """The present version, and the indices of the tags touched after `version`."""
        with self._lock:
            if version == self._version:
                return version, np.empty(0, np.int64)
            return self._version, np.flatnonzero(self.touched > version)

    def read(self, index: NDArray[np.int64]) -> Batch:
        """A batch with the latest samples of some tags. Value, time and status belong together."""
        with self._lock:
            return make_batch(
                index.astype(np.int32),
                self.time_us[index],
                self.value[index],
                self.status[index],
                self.delay_us[index],
                self.whole[index],
                self.text[index],
            )

    def snapshot(self) -> Batch:
        """A batch with the latest sample of every tag."""
        with self._lock:
            return make_batch(
                np.arange(len(self), dtype=np.int32),
                self.time_us.copy(),
                self.value.copy(),
                self.status.copy(),
                self.delay_us.copy(),
                self.whole.copy(),
                self.text.copy(),
            )
