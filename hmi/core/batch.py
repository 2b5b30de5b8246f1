"""The only currency between parts: samples as columns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmi.core.status import GOOD

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Tags = NDArray[np.int32]
Statuses = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples as columns, all of length n, in the order in which they were taken.

    - `tag` int32: index into `Plant.tags`.
    - `time_us` int64: the key of the sample, microseconds UTC (the source's time where its clock can be trusted).
    - `value` float64: the value of float, integer and bool tags (NaN where there is none).
    - `status` uint32: OPC UA status code.
    - `delay_us` int64: time of receipt minus time at the source.
    - `whole` int64 or None: exact value of tags on the INT lane (float64 ends at 2^53); None if there is no such tag.
    - `text` object or None: `str` of tags on the TEXT lane (None elsewhere); None if the batch has no such tag.
    """

    tag: Tags
    time_us: Ints
    value: Floats
    status: Statuses
    delay_us: Ints
    whole: Ints | None = None
    text: NDArray[np.object_] | None = None

    def __len__(self) -> int:
        return len(self.tag)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_] | slice) -> "Batch":
        """The samples at `index` (positions, mask or slice)."""
        return Batch(
            self.tag[index],
            self.time_us[index],
            self.value[index],
            self.status[index],
            self.delay_us[index],
            None if self.whole is None else self.whole[index],
            None if self.text is None else self.text[index],
        )


def make_batch(
    tag: Sequence[int] | Tags,
    time_us: Sequence[int] | Ints | int,
    value: Sequence[float] | Floats,
    status: Sequence[int] | Statuses | int = GOOD,
    delay_us: Sequence[int] | Ints | int = 0,
    whole: Sequence[int] | Ints | None = None,
    text: Sequence[str | None] | NDArray[np.object_] | None = None,
) -> Batch:
    """A batch from anything array-like; scalars for time, status and delay are repeated."""
    tags = np.asarray(tag, dtype=np.int32)
    n = len(tags)
    texts: NDArray[np.object_] | None = None
    if text is not None:
        texts = np.empty(n, dtype=object)
        texts[:] = text
    return Batch(
        tags,
        np.full(n, time_us, np.int64) if np.isscalar(time_us) else np.asarray(time_us, np.int64),
        np.asarray(value, np.float64),
        np.full(n, status, np.uint32) if np.isscalar(status) else np.asarray(status, np.uint32),
        np.full(n, delay_us, np.int64) if np.isscalar(delay_us) else np.asarray(delay_us, np.int64),
        None if whole is None else np.asarray(whole, np.int64),
        texts,
    )


EMPTY = make_batch([], 0, [])


def join(batches: Iterable[Batch]) -> Batch:
    """One batch out of many, in order."""
    parts = [b for b in batches if len(b)]
    if not parts:
        return EMPTY
    if len(parts) == 1:
        return parts[0]
    whole = text = None
    if any(b.whole is not None for b in parts):
        whole = np.concatenate([b.whole if b.whole is not None else np.zeros(len(b), np.int64) for b in parts])
    if any(b.text is not None for b in parts):
        text = np.concatenate([b.text if b.text is not None else np.full(len(b), None, object) for b in parts])
    return Batch(
        np.concatenate([b.tag for b in parts]),
        np.concatenate([b.time_us for b in parts]),
        np.concatenate([b.value for b in parts]),
        np.concatenate([b.status for b in parts]),
        np.concatenate([b.delay_us for b in parts]),
        whole,
        text,
    )
