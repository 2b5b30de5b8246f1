"""A window on the small waterworks, shown offscreen, without its own timer: a test beats the frames."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication

from hmi.core.clock import MINUTE, SECOND, HandClock
from hmi.desktop.window import MainWindow
from tests.desktop.recorded_plant import LiveOnRecords, ReplayOnRecords, start


@dataclass
class Desk:
    """The window and what a test may do around it."""

    window: MainWindow
    live: LiveOnRecords
    clock: HandClock
    replays: list[ReplayOnRecords]

    def beat(self, frames: int = 3, step_us: int = 0) -> None:
        """Frames with their answers delivered."""
        for _ in range(frames):
            self.clock.advance_us(step_us)
            self.window.frame()
            QCoreApplication.processEvents()

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Beat frames until something holds; a minute of plant time at most."""
        for _ in range(MINUTE // SECOND):
            if condition():
                return
            self.beat(1, SECOND)
        pytest.fail(f"not within a minute: {what}")


@pytest.fixture
def make_desk(qapp: QApplication) -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def make(width: int = 1920, height: int = 1080, theme: str = "dark") -> Desk:
        live, replay, clock = start()
        made: list[ReplayOnRecords] = []

        def recorded(time_us: int) -> ReplayOnRecords:
            made.append(replay(time_us))
            return made[-1]

        window = MainWindow(live, recorded, theme, clock)  # type: ignore[arg-type]
        window.resize(width, height)
        window.show()
        desk = Desk(window, live, clock, made)
        desks.append(desk)
        desk.beat()
        return desk

    yield make
    for desk in desks:
        desk.window.close()


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()
