"""The pens of a trend and the axes they are drawn on. No Qt."""

from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

import numpy as np

from hmi.core.series import Series
from hmi.core.tag import Tag
from hmi.trend.axes import nice_range
from hmi.trend.curve import LiveTail, Strokes, joined, strokes
from hmi.trend.gaps import Gap

MOST_PENS = 8


class Side(StrEnum):
    """Where a pen's axis stands. From the third unit on, a pen has its own scale, told in the table."""

    LEFT = "left"
    RIGHT = "right"
    OWN = "own"


@dataclass(slots=True)
class Pen:
    """One curve. `number` counts from 1 and stays as long as the pen does."""

    tag: Tag
    number: int
    history: Series | None = None
    tail: LiveTail = field(default_factory=LiveTail)
    gaps: tuple[Gap, ...] = ()
    side: Side = Side.LEFT
    range: tuple[float, float] = (0.0, 1.0)
    drawn: Strokes | None = None
    live: Series | None = None

    def prepare(self, start_us: int, end_us: int, width: float, until_us: int) -> None:
        """Join history and live samples and reduce them to strokes."""
        self.live = joined(self.history, self.tail, start_us, end_us)
        self.drawn = None if self.live is None else strokes(self.live, start_us, end_us, width, until_us)


@dataclass(frozen=True, slots=True)
class Axis:
    unit: str
    low: float
    high: float


def free_number(pens: list[Pen]) -> int | None:
    """The lowest number that no pen has; None with eight pens."""
    taken = {pen.number for pen in pens}
    return next((n for n in range(1, MOST_PENS + 1) if n not in taken), None)


def assign_axes(pens: list[Pen], selected: Pen | None) -> tuple[Axis | None, Axis | None]:
    """Give every pen its side and range; the first unit is at the left, the second at the right.

    The range holds what is drawn, and the normal band of the selected pen.
    """
    units: list[str] = []
    for pen in sorted(pens, key=lambda p: p.number):
        if pen.tag.unit not in units:
            units.append(pen.tag.unit)
    axes: list[Axis | None] = []
    for unit in units[:2]:
        shared = [pen for pen in pens if pen.tag.unit == unit]
        low, high = _extent(shared, selected)
        axes.append(Axis(unit, low, high))
        for pen in shared:
            pen.side = Side.LEFT if unit == units[0] else Side.RIGHT
            pen.range = (low, high)
    for pen in pens:
        if pen.tag.unit not in units[:2]:
            pen.side = Side.OWN
            pen.range = _extent([pen], selected)
    axes += [None, None]
    return axes[0], axes[1]


def _extent(pens: list[Pen], selected: Pen | None) -> tuple[float, float]:
    low, high = inf, -inf
    for pen in pens:
        if pen.drawn is not None and len(pen.drawn.y):
            low = min(low, float(np.min(pen.drawn.y)))
            high = max(high, float(np.max(pen.drawn.y)))
        if pen is selected and pen.tag.normal is not None:
            low, high = min(low, pen.tag.normal[0]), max(high, pen.tag.normal[1])
    if low > high:
        first = pens[0].tag
        return (first.low, first.high) if first.low is not None and first.high is not None else (0.0, 1.0)
    ranges = [(p.tag.low, p.tag.high) for p in pens if p.tag.low is not None and p.tag.high is not None]
    least = max(((top - bottom) / 20 for bottom, top in ranges), default=0.0)
    if high - low < least:
        # Noise of the last digit is not drawn as if it were a storm.
        middle = (high + low) / 2
        low, high = middle - least / 2, middle + least / 2
    # A curve never runs along the edge, where a limit or a neighbour could hide it; but the axis goes beyond the
    # instrument's range only if a value did.
    pad = (high - low) * 0.08
    floor = min((bottom for bottom, _ in ranges), default=-inf)
    ceiling = max((top for _, top in ranges), default=inf)
    bottom = max(low - pad, floor) if low >= floor else low - pad
    top = min(high + pad, ceiling) if high <= ceiling else high + pad
    return nice_range(bottom, top)
