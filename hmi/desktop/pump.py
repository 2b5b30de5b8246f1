"""The one timer of the window: once a frame everything visible is brought up to date."""

import logging
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer

from hmi.core.clock import Clock

log = logging.getLogger(__name__)

FRAME_MS = 50
SLOW_MS = 50.0


class FramePump(QObject):
    """Calls `frame` 20 times a second and keeps how long it took, in milliseconds of wall time."""

    def __init__(self, frame: Callable[[], None], clock: Clock, parent: QObject) -> None:
        super().__init__(parent)
        self._frame = frame
        self._clock = clock
        self._took = np.zeros(200)
        self.frames = 0
        self.slow = 0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self.beat)

    def start(self) -> None:
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    @property
    def median_ms(self) -> float:
        """Of the last ten seconds."""
        return float(np.median(self._took[: min(self.frames, len(self._took))])) if self.frames else 0.0

    @property
    def worst_ms(self) -> float:
        """Of the last ten seconds."""
        return float(self._took.max())

    @property
    def words(self) -> str:
        """For the status pane."""
        return f"{self.median_ms:.1f} ms, worst of 10 s {self.worst_ms:.0f} ms, {self.slow} above {SLOW_MS:.0f} ms"

    def beat(self) -> None:
        """One frame now."""
        before = self._clock.monotonic_us()
        self._frame()
        took = (self._clock.monotonic_us() - before) / 1000
        self._took[self.frames % len(self._took)] = took
        self.frames += 1
        if took > SLOW_MS:
            self.slow += 1
            log.info("a frame took %.0f ms", took)
