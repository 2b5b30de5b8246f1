"""What the window needs of a session that shows the past, beyond what every session has."""

from collections.abc import Callable
from concurrent.futures import Future
from datetime import tzinfo
from typing import Protocol

from hmi.core.moment import FORMS, parse_moment
from hmi.core.session import Session
from hmi.desktop.words import full_time


class Replay(Session, Protocol):
    """A session whose time is moved. All calls on the Qt thread."""

    playing: bool
    speed: float

    @property
    def loading(self) -> bool:
        """Whether what is shown is not yet what was asked for."""
        ...

    def go_to(self, time_us: int) -> "Future[int]": ...
    def play(self, speed: float) -> None: ...
    def pause(self) -> None: ...
    def tick(self) -> None:
        """Once a frame: take over what was found, and move on."""
        ...


MakeReplay = Callable[[int], Session]
"""Makes a session of the past at a time, in microseconds UTC; it is a `Replay`."""

SPEEDS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 300.0, 1000.0)
"""What + and - step through."""


def speed_text(speed: float) -> str:
    """`10×`, `0.1×`, backwards `-10×`."""
    return f"{speed:g}×"


def next_speed(speed: float, faster: bool) -> float:
    """The neighbouring speed, in the same direction of time."""
    sign = -1.0 if speed < 0 else 1.0
    size = abs(speed)
    if faster:
        return sign * next((s for s in SPEEDS if s > size), SPEEDS[-1])
    return sign * next((s for s in reversed(SPEEDS) if s < size), SPEEDS[0])


def past_time(text: str, now_us: int, zone: tzinfo) -> int | None:
    """A typed time, or None where it is none, or lies ahead."""
    try:
        time_us = parse_moment(text, zone, now_us)
    except ValueError:
        return None
    return time_us if time_us <= now_us else None


def why_no_past_time(text: str, now_us: int, zone: tzinfo) -> str:
    """What is wrong with a typed time that `past_time` refused."""
    try:
        time_us = parse_moment(text, zone, now_us)
    except ValueError:
        return f"'{text.strip()}' is not a time. There are: {FORMS}"
    return f"{full_time(time_us, zone)} lies in the future"
