"""Where the marks of a time axis and of a value axis lie, and what they say. No Qt."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from hmi.core.clock import DAY, HOUR, MINUTE, SECOND, from_datetime, to_datetime

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_STEPS = (
    SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
    MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
    HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
    DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY, 364 * DAY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the time axis. `day` is the date, at the first mark of a day only."""

    time_us: int
    label: str
    day: str = ""


def date_text(moment: datetime) -> str:
    """`Fri 20 Nov`."""
    return f"{WEEKDAYS[moment.weekday()]} {moment.day} {MONTHS[moment.month - 1]}"


def time_ticks(start_us: int, end_us: int, zone: tzinfo, most: int) -> list[Tick]:
    """At most about `most` marks on round local times within the span, also where summer time begins or ends."""
    span = max(end_us - start_us, 1)
    step = next((s for s in _STEPS if span // s <= most), _STEPS[-1])
    first = to_datetime(start_us, zone)
    ticks: list[Tick] = []
    if step < DAY:
        # Whole steps of the clock on the wall, asked anew for every day: a day of 23 or 25 hours keeps its round times.
        midnight = first.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        last = -1
        while from_datetime(midnight) <= end_us:
            for since_midnight in range(_first_step(midnight, start_us, step), DAY, step):
                at = from_datetime(midnight + timedelta(microseconds=since_midnight))
                if at > end_us:
                    break
                if at >= start_us and at > last:
                    last = at
                    moment = to_datetime(at, zone)
                    label = f"{moment:%H:%M:%S}" if step < MINUTE else f"{moment:%H:%M}"
                    ticks.append(Tick(at, label, date_text(moment) if since_midnight == 0 else ""))
            midnight = _next_day(midnight)
        return ticks
    days = step // DAY
    moment = first.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if days % 7 == 0:
        moment -= timedelta(days=moment.weekday())
    while (at := from_datetime(moment)) <= end_us:
        if at >= start_us:
            label = f"{moment.day} {MONTHS[moment.month - 1]}"
            ticks.append(Tick(at, label, str(moment.year) if moment.month == 1 and moment.day <= days else ""))
        for _ in range(days):
            moment = _next_day(moment)
    return ticks


def _first_step(midnight: datetime, start_us: int, step: int) -> int:
    """A step at or before the start, two hours early for days that change their clock."""
    return max((start_us - from_datetime(midnight) - 2 * HOUR) // step * step, 0)


def _next_day(midnight: datetime) -> datetime:
    return (midnight + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


def nice_range(low: float, high: float, divisions: int = 4) -> tuple[float, float]:
    """A range that holds both ends and divides into round steps; something sensible for equal or missing ends."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return 0.0, float(divisions)
    if high <= low:
        pad = abs(low) * 0.05 or 1.0
        low, high = low - pad, high + pad
    raw = (high - low) / divisions
    size = 10.0 ** math.floor(math.log10(raw))
    for factor in (1.0, 2.0, 2.5, 5.0, 10.0, 20.0):
        step = factor * size
        bottom = math.floor(low / step + 1e-9) * step
        if bottom + divisions * step >= high - step * 1e-9:
            return bottom, bottom + divisions * step
    return low, high


def value_labels(low: float, high: float, divisions: int = 4) -> list[tuple[float, str]]:
    """Value and text of each line of the grid, from the bottom, all with the same decimals."""
    step = (high - low) / divisions
    if step < 1e-5:
        return [(low + k * step, f"{low + k * step:.4g}") for k in range(divisions + 1)]
    decimals = 0
    while decimals < 6 and abs(round(step, decimals) - step) > abs(step) * 1e-6:
        decimals += 1
    return [(low + k * step, f"{low + k * step:.{decimals}f}") for k in range(divisions + 1)]
