"""A real window on a real X server, with a real mouse and real keys, on a plant that somebody has just made."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from hmi.core.clock import SECOND, SystemClock, to_datetime
from hmi.mimic.theme import Theme
from tests.collector.waiting import wait_until
from tests.system.program import Program

if TYPE_CHECKING:
    from tests.conftest import RealDisplay

ZONE = ZoneInfo("Europe/Berlin")
PUMP = (860, 104 + 420)
"""Where the starter plant's pump lies in a window of 1920 by 1080, whose screen begins under banner and navigation."""
STAGE = (slice(110, 900), slice(16, 1900))
RIGHT = (slice(150, 900), slice(1400, 1900))
FRAME_OF_REPLAY = (slice(400, 500), slice(3, 6))

Pixels = NDArray[np.uint8]


class Desk:
    """The window, as somebody sits before it: eyes, a mouse and a keyboard."""

    def __init__(self, display: "RealDisplay", folder: Path, title: str) -> None:
        self._environment = display.environment
        self._picture = folder / "screenshot.png"
        self._eyes = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("screenshot.py"))],
            env=display.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.window = self.xdotool("search", "--sync", "--onlyvisible", "--name", title).split()[0]
        self.xdotool("windowactivate", "--sync", self.window)

    def xdotool(self, *words: str) -> str:
        done = subprocess.run(
            ["xdotool", *words], env=self._environment, capture_output=True, text=True, timeout=40, check=True
        )
        return done.stdout

    def click(self, x: int, y: int) -> None:
        self.xdotool("mousemove", "--sync", "--window", self.window, str(x), str(y), "click", "1")

    def press(self, *keys: str) -> None:
        self.xdotool("key", "--window", "0", *keys)

    def type(self, text: str) -> None:
        self.xdotool("type", "--delay", "20", text)

    def see(self) -> Pixels:
        """The window as it is on the screen: rows, columns, red green blue."""
        assert self._eyes.stdin is not None
        assert self._eyes.stdout is not None
        self._eyes.stdin.write(f"{self._picture}\n")
        self._eyes.stdin.flush()
        assert self._eyes.stdout.readline() == "ok\n"
        image = QImage(str(self._picture)).convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        pixels = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
        place = re.search(r"Position: (-?\d+),(-?\d+)", self.xdotool("getwindowgeometry", self.window))
        assert place is not None
        x, y = max(0, int(place[1])), max(0, int(place[2]))
        return pixels[y:, x:].copy()

    def close(self) -> None:
        assert self._eyes.stdin is not None
        assert self._eyes.stdout is not None
        self._eyes.stdin.close()
        self._eyes.wait(10)
        self._eyes.stdout.close()


def changed(before: Pixels, after: Pixels, part: tuple[slice, slice]) -> float:
    """The share of pixels of a part that look different."""
    a, b = before[part].astype(int), after[part].astype(int)
    height, width = min(a.shape[0], b.shape[0]), min(a.shape[1], b.shape[1])
    return float((np.abs(a[:height, :width] - b[:height, :width]).max(axis=2) > 12).mean())


@pytest.fixture
def plant(program: Program) -> Path:
    folder = program.folder / "well"
    program.good("new", folder)
    return folder


@pytest.fixture
def desk(program: Program, plant: Path, xvfb: "RealDisplay") -> Iterator[Desk]:
    program.home(plant)
    shown = {name: xvfb.environment[name] for name in ("DISPLAY", "QT_QPA_PLATFORM", "XDG_CONFIG_HOME")}
    process = program.start("run", plant, environment={**program.environment, **shown})
    own = Desk(xvfb, program.folder, "well - Hindsight")
    yield own
    own.close()
    assert process.poll() is not None, "the window was not closed"


@pytest.mark.timeout(170)
def test_that_an_operator_can_open_go_back_in_time_and_return(program: Program, plant: Path, desk: Desk) -> None:
    first = desk.see()
    wait_until(lambda: changed(first, desk.see(), STAGE) > 0, "values that move", 20)
    program.wait_for_history(plant, 20)

    before = desk.see()
    desk.click(*PUMP)
    wait_until(lambda: changed(before, desk.see(), RIGHT) > 0.05, "the pump's faceplate", 10)
    opened = desk.see()
    desk.press("Escape")
    wait_until(lambda: changed(opened, desk.see(), RIGHT) > 0.05, "no faceplate any more", 10)
    wait_until(lambda: changed(before, desk.see(), RIGHT) < 0.05, "the screen as before", 10)

    desk.press("F6")
    wait_until(lambda: changed(before, desk.see(), STAGE) > 0.05, "the trend", 10)
    trend = desk.see()
    desk.press("F7")
    wait_until(lambda: changed(trend, desk.see(), STAGE) > 0.02, "the alarm list", 10)
    alarms = desk.see()
    desk.press("ctrl+k")
    wait_until(lambda: changed(alarms, desk.see(), STAGE) > 0.02, "the palette", 10)
    desk.type("overview")
    desk.press("Return")
    wait_until(lambda: changed(before, desk.see(), STAGE) < 0.05, "the overview again", 10)

    _go_back_and_return(desk)
    desk.press("alt+F4")
    wait_until(lambda: program.status(plant)["desktops"] == 0, "the window closed", 15)
    taken = program.status(plant)["samples_taken"]
    wait_until(lambda: program.status(plant)["samples_taken"] > taken, "collecting goes on without a window", 15)
    assert "the collector has stopped" in program.good("stop", plant).out


def _go_back_and_return(desk: Desk) -> None:
    blue = Theme.load("dark", True).replay_blue
    wanted = np.array([blue.red(), blue.green(), blue.blue()])

    def framed() -> bool:
        edge = desk.see()[FRAME_OF_REPLAY].astype(int)
        return bool((np.abs(edge - wanted).max(axis=2) < 8).all())

    assert not framed()
    then = to_datetime(SystemClock().now_us() - 5 * SECOND, ZONE)
    desk.press("ctrl+g")
    desk.type(f"{then:%H:%M:%S}")
    desk.press("Return")
    wait_until(framed, "the frame of replay", 15)
    stands = desk.see()
    desk.press("Escape")
    wait_until(lambda: not framed(), "no frame, since the plant is live", 10)
    assert changed(stands, desk.see(), (slice(64, 104), slice(16, 1900))) > 0.2, "the navigation was blue as well"
