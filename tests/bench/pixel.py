"""Bench `pixel`: from a register that changes in a device to the pixel that changes in the window.

Device and collector are processes of their own, the device is polled every 100 ms, and the window shows 200 values that
all change at every poll. The pixels are read back from what the window has given to the (offscreen) screen. All clocks
are the one of this computer. A change comes at any phase of the poll, so half a poll of every figure is waiting for it.
"""

import itertools
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEventLoop, QObject, QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QImage

from hmi.cli.opening import load
from hmi.collector.process import start_detached, stop
from hmi.core.clock import SystemClock
from hmi.core.home import home_of
from hmi.core.session import Session
from hmi.desktop.application import make_application
from hmi.desktop.window import MainWindow
from hmi.session.live import LiveSession
from tests.bench.e2e import open_folder
from tests.bench.fast_device import DeviceProcess
from tests.bench.figure import Figure

BENCH = "pixel"
VALUES = 200
CHANGES = 120
TIMEOUT_S = 5.0
STAGES = ("poll_wait", "collector_and_link", "frame")


@dataclass(frozen=True, slots=True)
class Change:
    """One change on its way, monotonic nanoseconds: set and first served in the device, in our table, on the screen."""

    set_ns: int
    served_ns: int
    table_ns: int
    pixel_ns: int

    @property
    def stages_ms(self) -> tuple[float, ...]:
        moments = (self.set_ns, self.served_ns, self.table_ns, self.pixel_ns)
        return tuple((b - a) / 1e6 for a, b in itertools.pairwise(moments))

    @property
    def ms(self) -> float:
        return (self.pixel_ns - self.set_ns) / 1e6


def write_plant(folder: Path, port: int) -> Path:
    """The value that is watched, large, above 200 others."""
    rows = ["name,device,address,type,unit,period,low,high,decimals"]
    rows += [f"T{n},PLC,holding:{2 * n},float32,m,100ms,0,1000,0" for n in range(VALUES)]
    elements = ["  - {type: value, at: [40, 20], size: [280, 48], value: T0, style: key}\n"]
    for n in range(1, VALUES):
        at = f"[{40 + (n - 1) % 20 * 92}, {100 + (n - 1) // 20 * 70}]"
        elements.append(f"  - {{type: value, at: {at}, size: [84, 28], value: T{n}}}\n")
    files = {
        "plant.yaml": "version: 1\nname: Pixel\nstart: overview\ndevices:\n"
        f"  PLC: {{driver: modbus-tcp, host: 127.0.0.1, port: {port}, timeout: 5s}}\n",
        "tags/tags.csv": "\n".join(rows) + "\n",
        "screens/overview.yaml": "version: 1\nscreen: {title: Pixel, size: [1920, 888]}\nelements:\n"
        + "".join(elements),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


class Eye(QObject):
    """Looks every millisecond whether a value has reached the table, and whether its pixels have changed."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__()
        self._window = window
        self._table = window.session.table
        self._tag = window.session.plant.tag_index["T0"]
        mimic = window.mimic
        assert mimic is not None
        drawable = mimic.board.drawables[0]
        area = mimic.board.to_device(drawable.rect).toAlignedRect()
        self._area = QRect(mimic.mapTo(window, QPoint(0, 0)) + area.topLeft(), area.size())

    def pixels(self) -> bytes:
        screen = QGuiApplication.primaryScreen()
        a = self._area
        image = screen.grabWindow(self._window.winId(), a.x(), a.y(), a.width(), a.height()).toImage()
        return bytes(image.convertToFormat(QImage.Format.Format_RGB32).constBits())

    def wait(self, value: float, before: bytes) -> tuple[int, int]:
        """When the value was in the table, and when it was on the screen; monotonic nanoseconds."""
        table_ns = pixel_ns = 0

        def look() -> None:
            nonlocal table_ns, pixel_ns
            if not table_ns and self._table.value[self._tag] == value:
                table_ns = time.monotonic_ns()
            if table_ns and self.pixels() != before:
                pixel_ns = time.monotonic_ns()
                loop.quit()

        loop = QEventLoop()
        _every_millisecond(look, loop)
        QTimer.singleShot(int(TIMEOUT_S * 1000), loop, loop.quit)
        loop.exec()
        if not pixel_ns:
            raise SystemExit(f"the change to {value:g} did not reach the screen within {TIMEOUT_S:g} s")
        return table_ns, pixel_ns


def _every_millisecond(call: Callable[[], None], parent: QObject) -> None:
    timer = QTimer(parent)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(call)
    timer.start(1)


def _let_it_run(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec()


def watch(window: MainWindow, device: DeviceProcess) -> list[Change]:
    eye = Eye(window)
    chance = random.Random(1)
    changes = []
    for n in range(1, CHANGES + 1):
        _let_it_run(0.05 + 0.2 * chance.random())
        before = eye.pixels()
        value = float(100 + n)
        device.ask(f"set 0 0 {value}")
        table_ns, pixel_ns = eye.wait(value, before)
        when = device.ask("when")
        changes.append(Change(when["set_ns"], when["served_ns"], table_ns, pixel_ns))
    return changes


def figures() -> Iterator[Figure]:
    with open_folder() as folder, DeviceProcess(1, still=1) as device:
        plant = write_plant(folder / "plant", device.ports[0])
        environment = {**os.environ, "HMI_HOME": str(folder / "home")}
        home = home_of(plant, environment)
        start_detached(plant, home, environment)
        clock = SystemClock()
        session = LiveSession(home, load, clock)
        try:
            if not session.wait_for_plant(20):
                raise SystemExit("the collector of the bench does not answer")
            make_application()

            def no_replay(time_us: int) -> Session:
                raise NotImplementedError

            window = MainWindow(session, no_replay, "dark", clock)
            window.resize(1920, 1080)
            window.show()
            window.pump.start()
            _let_it_run(3.0)
            changes = watch(window, device)
            worst, slow = window.pump.worst_ms, window.pump.slow
            window.close()
        finally:
            session.close()
            stop(home)
    whole = np.array([change.ms for change in changes])
    yield Figure(BENCH, "pixel_p50_ms", float(np.percentile(whole, 50)), "ms")
    yield Figure(BENCH, "pixel_p99_ms", float(np.percentile(whole, 99)), "ms")
    for k, name in enumerate(STAGES):
        stage = np.array([change.stages_ms[k] for change in changes])
        yield Figure(BENCH, f"pixel_{name}_p50_ms", float(np.percentile(stage, 50)), "ms")
        yield Figure(BENCH, f"pixel_{name}_p99_ms", float(np.percentile(stage, 99)), "ms")
    yield Figure(BENCH, "pixel_worst_frame_ms", worst, "ms")
    yield Figure(BENCH, "pixel_frames_above_50_ms", slow, "frames")


if __name__ == "__main__":
    for figure in figures():
        print(figure.as_text(), flush=True)
