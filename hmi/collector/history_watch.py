"""Decides when the state of history is an alarm of the collector itself."""

from collections.abc import Mapping

from hmi.core.alarm import HISTORY_LATE, HISTORY_LOST, HISTORY_ROOM
from hmi.core.clock import MINUTE
from hmi.core.session import HistorianHealth, HistorianState

LATE_US = MINUTE
"""Samples that have waited longer than this for the database are late."""
TIGHT, AMPLE = 0.7, 0.6
"""How much of the spool's room is used when the alarm comes, and when it goes."""
SINCE_LOSS_US = MINUTE
"""The alarm of lost samples stays for this long after the last loss."""


class HistoryWatch:
    """Remembers what was lost, and when."""

    def __init__(self) -> None:
        self._lost = 0
        self._lost_us: int | None = None
        self._tight = False

    def conditions(self, health: HistorianHealth, fill: float, now_us: int) -> Mapping[str, bool]:
        """For each of the collector's own alarms, by key, whether it holds. `fill` is 0 to 1."""
        if health.lost > self._lost:
            self._lost, self._lost_us = health.lost, now_us
        self._tight = fill >= (AMPLE if self._tight else TIGHT)
        down = health.state is HistorianState.DOWN and health.waiting > 0
        return {
            HISTORY_LATE.key: down or health.lag_us > LATE_US,
            HISTORY_ROOM.key: self._tight,
            HISTORY_LOST.key: self._lost_us is not None and now_us - self._lost_us < SINCE_LOSS_US,
        }
