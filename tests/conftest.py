"""What holds for every test: no screen is needed, one font, and nothing unexpected is logged or left behind."""

import logging
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["QT_SCALE_FACTOR"] = "1"
os.environ["QT_ENABLE_HIGHDPI_SCALING"] = "0"

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QApplication

from hmi.core.resources import Shipped, shipped

# A busy machine is no bug: the timeout of each test is limit enough.
settings.register_profile("hindsight", deadline=None)
settings.load_profile("hindsight")

# Libraries that log what the driver above them reports as the quality of its tags.
DEVICE_LIBRARIES = ("asyncua", "pymodbus")
LEAVE_TIME_S = 3.0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also the tests that do not fit a quick run")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        items[:] = [item for item in items if not item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)


@pytest.fixture(scope="session")
def qapp(qapp: QApplication) -> QApplication:
    """The application as the desktop sets it up: Fusion and the bundled font, so that pictures never differ."""
    for file in sorted((shipped(Shipped.RESOURCES) / "fonts").glob("*.otf")):
        assert QFontDatabase.addApplicationFont(str(file)) >= 0, f"Qt cannot read {file}"
    qapp.setStyle("Fusion")
    qapp.setFont(QFont("B612", 10))
    qapp.setQuitOnLastWindowClosed(False)
    return qapp


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture(autouse=True)
def nothing_unexpected_is_logged(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail on a log record of level WARNING or above that no `@pytest.mark.logs("pattern")` expects."""
    expected = [re.compile(pattern) for marker in request.node.iter_markers("logs") for pattern in marker.args]
    handler = _Warnings()
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
    unexpected = [
        f"{record.levelname} {record.name}: {record.getMessage()}"
        for record in handler.records
        if record.name.partition(".")[0] not in DEVICE_LIBRARIES
        and not any(pattern.search(record.getMessage()) for pattern in expected)
    ]
    assert not unexpected, "logged, and not expected by a 'logs' marker:\n" + "\n".join(unexpected)


@pytest.fixture(autouse=True)
def nothing_is_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Close windows, deliver Qt's pending deletions, and fail on a thread that outlives its test.

    A leftover asyncio task shows as well: its loop logs "Task was destroyed but it is pending".
    """
    before = set(threading.enumerate())
    # Windows of fixtures that serve several tests stay.
    shared = QApplication.topLevelWidgets() if QApplication.instance() is not None else []
    yield
    if QApplication.instance() is not None:
        for widget in QApplication.topLevelWidgets():
            if widget not in shared:
                widget.close()
                widget.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        QCoreApplication.processEvents()
    if request.node.get_closest_marker("leaves_threads"):
        return
    deadline = time.monotonic() + LEAVE_TIME_S
    for thread in set(threading.enumerate()) - before:
        thread.join(max(0.0, deadline - time.monotonic()))
    left = [thread for thread in set(threading.enumerate()) - before if thread.is_alive()]
    assert not left, f"these threads outlived the test: {sorted(thread.name for thread in left)}"


@dataclass(frozen=True, slots=True)
class RealDisplay:
    """An X display with a window manager; a program that gets `environment` opens real windows on it."""

    name: str
    environment: dict[str, str]


@pytest.fixture(scope="session")
def xvfb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealDisplay]:
    """A real X server of 1920 by 1080 with openbox.

    The test process itself stays offscreen: start the program under test as a process of its own with `environment`.
    """
    for program in ("Xvfb", "openbox", "xdotool"):
        if shutil.which(program) is None:
            pytest.fail(f"{program} is needed for a real window; './hmi.sh test' installs it")
    folder = tmp_path_factory.mktemp("xvfb")
    reading, writing = os.pipe()
    with (folder / "xvfb.log").open("wb") as log:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1920x1080x24", "-nolisten", "tcp"],
            pass_fds=[writing],
            stdout=log,
            stderr=log,
        )
        os.close(writing)
        with os.fdopen(reading) as answer:
            # Xvfb writes its number when it is ready, and end of file comes if it dies before.
            number = answer.readline().strip()
        if not number:
            server.wait(10)
            pytest.fail(f"Xvfb did not start: {(folder / 'xvfb.log').read_text()}")
        environment = {**os.environ, "DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb", "XDG_CONFIG_HOME": str(folder)}
        for name in ("WAYLAND_DISPLAY", "XAUTHORITY"):
            environment.pop(name, None)
        manager = subprocess.Popen(["openbox", "--sm-disable"], env=environment, stdout=log, stderr=log)
        try:
            _wait_for_window_manager(environment)
            yield RealDisplay(environment["DISPLAY"], environment)
        finally:
            for process in (manager, server):
                process.terminate()
                process.wait(10)


def _wait_for_window_manager(environment: dict[str, str]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = subprocess.run(
            ["xprop", "-root", "_NET_SUPPORTING_WM_CHECK"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        if "window id" in found.stdout:
            return
    pytest.fail("the window manager openbox did not come up within 30 s")


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the source tree."""
    return Path(__file__).resolve().parent.parent
