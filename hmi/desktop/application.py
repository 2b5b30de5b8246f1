"""Starts the desktop: Qt, fonts, the window, and what happens with our own mistakes."""

import faulthandler
import logging
import signal
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import cast

from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtWidgets import QApplication

from hmi.core.clock import Clock
from hmi.core.session import Session
from hmi.desktop.furniture import font
from hmi.desktop.window import MainWindow
from hmi.mimic.theme import ThemeName, load_fonts

log = logging.getLogger(__name__)


def make_application() -> QApplication:
    """The one QApplication, with our style and font; the one that is there already if there is one."""
    app = QApplication.instance()
    if app is None:
        app = QApplication([sys.argv[0] if sys.argv else "hmi"])
        load_fonts()
    app = cast("QApplication", app)
    app.setApplicationName("Hindsight")
    app.setStyle("Fusion")
    app.setFont(font(14))
    return app


class Mistakes:
    """Where every exception ends that nobody caught: it is logged, and the operator is told. The window stays."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.count = 0

    def install(self) -> None:
        """For slots on this thread, and for all other threads."""
        sys.excepthook = self.on_exception
        threading.excepthook = self.on_thread

    def on_exception(self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QCoreApplication.quit()
            return
        self.count += 1
        log.critical("a mistake of the program: %s", error, exc_info=(kind, error, traceback))
        self._tell(f"The program made a mistake and went on: {kind.__name__}: {error}. It is in the log.")

    def on_thread(self, args: threading.ExceptHookArgs) -> None:
        self.count += 1
        name = args.thread.name if args.thread is not None else "a thread"
        value = args.exc_value if args.exc_value is not None else args.exc_type()
        log.critical("a mistake in %s: %s", name, value, exc_info=(args.exc_type, value, args.exc_traceback))


def run_desktop(
    session: Session,
    replay: Callable[[int], Session],
    *,
    theme: str = "dark",
    start_screen: str | None = None,
    clock: Clock,
    close_after_us: int | None = None,
) -> int:
    """Show the plant until the window is closed, Ctrl+C is pressed or `close_after_us` is over; returns the exit code.

    The session stays open: it belongs to the caller, and so does what is said about the collector going on.
    Raises `ValueError` for a theme that is not there.
    """
    if theme not in ("light", "dark"):
        raise ValueError(f"there is no theme '{theme}': light or dark")
    if sys.__stderr__ is not None:
        faulthandler.enable(sys.__stderr__)
    app = make_application()
    window = MainWindow(session, replay, cast("ThemeName", theme), clock)
    hooks = (sys.excepthook, threading.excepthook)
    Mistakes(window.stage.notice.tell).install()
    # Ctrl+C in the terminal: Python runs its handler when the pump's timer next comes by.
    interrupted = signal.signal(signal.SIGINT, lambda *_: app.quit())
    try:
        if start_screen is not None:
            window.go_to_screen(start_screen)
        screen = app.primaryScreen().availableSize()
        if screen.width() < window.width() or screen.height() < window.height():
            window.showMaximized()
        else:
            window.show()
        window.pump.start()
        if close_after_us is not None:
            QTimer.singleShot(close_after_us // 1000, window.close)
        app.setQuitOnLastWindowClosed(True)
        return app.exec()
    finally:
        window.close()
        signal.signal(signal.SIGINT, interrupted)
        sys.excepthook, threading.excepthook = hooks
