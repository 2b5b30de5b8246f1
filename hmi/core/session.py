"""All that a view sees of a plant, live or in replay."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hmi.core.alarm import Alarm
from hmi.core.command import Write
from hmi.core.device import DeviceHealth
from hmi.core.event import Coverage, Event
from hmi.core.plant import Plant
from hmi.core.problem import Problem
from hmi.core.series import Series
from hmi.core.table import Table


class Mode(StrEnum):
    LIVE = "live"
    REPLAY = "replay"


class LinkState(StrEnum):
    """Whether the collector is heard."""

    CONNECTING = "connecting"
    OK = "ok"
    SILENT = "silent"
    LOST = "lost"


class HistorianState(StrEnum):
    STARTING = "starting"
    OK = "ok"
    BEHIND = "behind"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class HistorianHealth:
    """`kind` is `postgresql` or `timescaledb`; `lag_us` is the age of the oldest sample not yet in the database."""

    state: HistorianState = HistorianState.STARTING
    kind: str = ""
    why: str = ""
    lag_us: int = 0
    waiting: int = 0
    stored: int = 0
    spool_bytes: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Health:
    """The state of everything between the process and the screen, at one time."""

    link: LinkState = LinkState.CONNECTING
    heard_us: int = 0
    historian: HistorianHealth = HistorianHealth()
    devices: tuple[DeviceHealth, ...] = ()
    who: str = ""


class Session(Protocol):
    """One plant at one time: now (live) or then (replay).

    Everything here may be called on the Qt thread and returns at once; what takes time returns a `Future`, which is
    completed on another thread (use `add_done_callback` only to hand over to Qt). Counters named `…_version` rise by
    one with every change, so that a view asks only for what is new.
    """

    mode: Mode
    table: Table

    @property
    def plant(self) -> Plant: ...
    @property
    def plant_version(self) -> int:
        """Rises when the collector has accepted new files."""
        ...

    @property
    def problems(self) -> Sequence[Problem]:
        """What is wrong with the plant's files as they are on disk now."""
        ...

    def tick(self) -> None:
        """Once a frame, on the thread of the views: only here do `plant` and `table` become others."""
        ...

    def now_us(self) -> int:
        """The time that this session shows."""
        ...

    @property
    def health(self) -> Health: ...
    @property
    def alarms(self) -> Sequence[Alarm]:
        """All alarms that are not normal, in no order."""
        ...

    @property
    def alarms_version(self) -> int: ...
    @property
    def writes(self) -> Sequence[Write]:
        """Writes that are pending, or ended within the last minutes and concern a view; newest last."""
        ...

    @property
    def writes_version(self) -> int: ...

    def history(self, tags: Sequence[str], start_us: int, end_us: int, buckets: int) -> "Future[list[Series]]":
        """One series a tag: raw samples, or an envelope where there are more samples than buckets."""
        ...

    def coverage(self, start_us: int, end_us: int) -> "Future[list[Coverage]]": ...
    def events(self, start_us: int, end_us: int, limit: int = 10_000) -> "Future[list[Event]]": ...

    def write(self, tag: str, value: float | int | bool | str, confirmed: bool = False) -> "Future[Write]":
        """Ask the gate. Completes when the write has ended; while it lasts it stands in `writes`."""
        ...

    def acknowledge(self, keys: Sequence[str]) -> "Future[int]":
        """Acknowledge alarms by key; completes with how many changed."""
        ...

    def close(self) -> None: ...


def alarms_known(session: Session) -> bool:
    """False in replay where no collector was at work: which alarms stood then, nobody recorded."""
    return session.mode is Mode.LIVE or session.health.link is not LinkState.LOST


def known_alarms(session: Session) -> Sequence[Alarm]:
    """The alarms that may be shown: none at a time of which nobody knows any."""
    return session.alarms if alarms_known(session) else ()


class HistoryUnavailableError(Exception):
    """History cannot be read now. The message says why, for a person."""


class NoHistoryYetError(HistoryUnavailableError):
    """The database answers, and no collector has stored anything in it so far."""
