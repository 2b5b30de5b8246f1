"""The same window on a real X display, with a window manager, a real mouse and real keys."""

import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

WAIT_S = 20.0


class Shown:
    """What the program says that it shows; a test waits for a line with given words."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._lines: queue.Queue[str] = queue.Queue()
        self.last = ""
        self._process = process
        self.reader = threading.Thread(target=self._read, name="shown", daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.strip())

    def until(self, *words: str) -> None:
        while not all(word in self.last.split() for word in words):
            try:
                self.last = self._lines.get(timeout=WAIT_S)
            except queue.Empty:
                pytest.fail(f"the window never showed {words}; last: {self.last}")


class Hands:
    """Mouse and keyboard of the display."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment

    def do(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], env=self._environment, check=True, timeout=10)


@pytest.fixture
def display(xvfb: "object", checkout: Path) -> Iterator[tuple[Shown, Hands]]:
    environment: dict[str, str] = xvfb.environment  # type: ignore[attr-defined]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.desktop.on_a_display"],
        cwd=checkout,
        env={**environment, "PYTHONPATH": str(checkout)},
        stdout=subprocess.PIPE,
        text=True,
    )
    shown = Shown(process)
    try:
        yield shown, Hands(environment)
    finally:
        process.terminate()
        process.wait(10)
        shown.reader.join(5)
        assert process.stdout is not None
        process.stdout.close()


def test_that_real_keys_and_a_real_mouse_operate_the_window(display: tuple[Shown, Hands]) -> None:
    shown, hands = display
    shown.until("mode=live", "view=screen")
    hands.do("search", "--sync", "--onlyvisible", "--name", "Hindsight", "windowfocus", "--sync")
    # The server has given the focus; keys count from when the program knows of it.
    shown.until("active=True")
    hands.do("key", "F2")
    shown.until("acknowledged=LT-250/high")
    hands.do("key", "ctrl+k")
    shown.until("palette=True")
    hands.do("type", "outgoing")
    hands.do("key", "Return")
    shown.until("palette=False", "faceplate=FT-310")
    hands.do("key", "Escape")
    shown.until("faceplate=")
    hands.do("key", "F6")
    shown.until("view=trend")
    hands.do("key", "F7")
    shown.until("view=alarms")
    # A drag on the time bar takes the plant back, Escape brings it to now again.
    hands.do("mousemove", "900", "1034", "mousedown", "1", "mousemove", "800", "1034", "mouseup", "1")
    shown.until("mode=replay")
    hands.do("key", "Escape")
    shown.until("mode=live")
