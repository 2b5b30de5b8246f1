"""The whole window as a picture, without a display: for `hmi render` and for the pages of the manual."""

from pathlib import Path
from typing import cast

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QSize, QTimer
from PySide6.QtGui import QImage

from hmi.core.clock import SystemClock
from hmi.core.session import Mode, Session
from hmi.desktop.application import make_application
from hmi.desktop.window import MainWindow
from hmi.mimic.theme import ThemeName

SETTLE_MS = 5000
_FRAME_MS = 30
_VIEWS = ("trend", "alarms")
_PENS = 6


class StillClock(SystemClock):
    """Everything that blinks is on: a picture shows marks whole."""

    def monotonic_us(self) -> int:
        return 0


class NoReplay(Exception):
    """A picture has no way back from one time to another."""


def render_window(session: Session, screen: str, size: QSize, theme: str, replay_at: int | None = None) -> QImage:
    """The window with one screen, or with `trend` or `alarms`. For the past give a replay session, and perhaps a time.

    Waits five seconds at most for curves and marks of the time bar to come from the historian.
    Raises `KeyError` for a screen that is not there.
    """
    if screen not in session.plant.screens and screen not in _VIEWS:
        raise KeyError(screen)
    make_application()

    def no_replay(time_us: int) -> Session:
        raise NoReplay(f"no replay to {time_us} in a picture")

    window = MainWindow(session, no_replay, cast("ThemeName", theme), StillClock())
    try:
        if replay_at is not None and session.mode is Mode.REPLAY:
            window.go_to_time(replay_at)
        window.resize(size)
        window.show()
        if screen == "alarms":
            window.show_alarms()
        elif screen == "trend":
            _draw_trend(window)
        else:
            window.go_to_screen(screen)
        _settle(window)
        return window.grab().toImage()
    finally:
        window.close()
        window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def save_picture(session: Session, screen: str, width: int, height: int, theme: str, path: Path) -> bool:
    """`render_window` into a PNG file, for callers that know no Qt; whether it could be written."""
    return bool(render_window(session, screen, QSize(width, height), theme).save(str(path), "PNG"))  # type: ignore[call-overload]


def _draw_trend(window: MainWindow) -> None:
    """The trend with the first measurements that have a normal band: what a plant is mostly run by."""
    window.show_trend()
    for tag in [t for t in window.session.plant.tags if t.normal is not None][:_PENS]:
        window.show_trend(tag.name)


def _is_settled(window: MainWindow) -> bool:
    """Whether nothing that is visible waits for the historian."""
    replay, trend = window.replay, window.trend
    if window.time_bar.asking or (replay is not None and replay.loading):
        return False
    if window.mimic is not None and window.stage.view is window.mimic and window.mimic.waiting:
        return False
    return trend is None or window.stage.view is not trend or not trend.source.busy


def _settle(window: MainWindow) -> None:
    """Frames until nothing is asked for any more."""
    loop = QEventLoop()
    frames = 0

    def beat() -> None:
        nonlocal frames
        frames += 1
        window.frame()
        if frames > 8 and _is_settled(window):
            loop.quit()

    timer = QTimer()
    timer.setInterval(_FRAME_MS)
    timer.timeout.connect(beat)
    timer.start()
    QTimer.singleShot(SETTLE_MS, loop.quit)
    loop.exec()
    timer.stop()
    window.frame()
