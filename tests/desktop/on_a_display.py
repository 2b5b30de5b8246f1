"""The window on the small waterworks as a program of its own, for a real display; prints what it shows."""

import sys

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from hmi.core.clock import SystemClock
from hmi.core.session import Mode
from hmi.desktop.application import make_application
from hmi.desktop.window import MainWindow
from tests.desktop.recorded_plant import start


def main() -> int:
    app: QApplication = make_application()
    live, replay, clock = start()
    window = MainWindow(live, replay, "dark", SystemClock())
    said = ""

    def report() -> None:
        nonlocal said
        clock.advance_us(50_000)
        faceplate = window.panes.faceplate
        now = " ".join(
            (
                f"mode={'live' if window.session.mode is Mode.LIVE else 'replay'}",
                f"view={window.trail.here.view.value}",
                f"active={window.isActiveWindow()}",
                f"palette={window.search.isVisible()}",
                f"faceplate={faceplate.title if faceplate is not None else ''}",
                f"acknowledged={','.join(live.acknowledged)}",
            )
        )
        if now != said:
            said = now
            print(now, flush=True)

    timer = QTimer()
    timer.timeout.connect(report)
    timer.start(50)
    window.setGeometry(0, 0, 1920, 1080)
    window.show()
    window.pump.start()
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())
