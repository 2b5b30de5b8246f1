"""Where every part of the program asks for the time, so that a test can move it.

All times inside the program are `int` microseconds since 1970-01-01 UTC: exactly what a `timestamptz` can hold.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Wall time for what is recorded, monotonic time for what is measured."""

    def now_us(self) -> int:
        """Wall time, microseconds UTC."""
        ...

    def monotonic_us(self) -> int:
        """A time that never jumps, microseconds from an unknown origin."""
        ...

    async def sleep_us(self, duration_us: int) -> None:
        """Wait on the running event loop."""
        ...


class SystemClock:
    """The clock of the computer."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_us(self) -> int:
        return time.monotonic_ns() // 1000

    async def sleep_us(self, duration_us: int) -> None:
        await asyncio.sleep(max(duration_us, 0) / SECOND)


class HandClock:
    """A clock that stands still until `advance_us` moves it; sleepers wake in the order of their time."""

    def __init__(self, now_us: int = 1_700_000_000 * SECOND) -> None:
        self._now_us = now_us
        self._origin_us = now_us
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []

    def now_us(self) -> int:
        return self._now_us

    def monotonic_us(self) -> int:
        return self._now_us - self._origin_us

    async def sleep_us(self, duration_us: int) -> None:
        if duration_us <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now_us + duration_us, future))
        await future

    def advance_us(self, duration_us: int) -> None:
        """Move the time forward and wake all whose time has come."""
        self._now_us += duration_us
        due = sorted((s for s in self._sleepers if s[0] <= self._now_us), key=lambda s: s[0])
        self._sleepers = [s for s in self._sleepers if s[0] > self._now_us]
        for _, future in due:
            if not future.done():
                future.set_result(None)


NowUs = Callable[[], int]


def to_datetime(time_us: int, zone: tzinfo = UTC) -> datetime:
    """An aware datetime, exact to the microsecond."""
    return (_EPOCH + timedelta(microseconds=time_us)).astimezone(zone)


def from_datetime(moment: datetime) -> int:
    """Microseconds UTC of an aware datetime. Raises `ValueError` for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone is no time")
    return (moment - _EPOCH) // timedelta(microseconds=1)
