"""The libraries that hmi.sh installs are enough for a window on a real X server, with a real mouse."""

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import RealDisplay

PROGRAM = """
from PySide6.QtWidgets import QApplication, QPushButton
app = QApplication([])
button = QPushButton("Start")
button.setWindowTitle("one button")
button.clicked.connect(lambda: (print("clicked", app.platformName(), flush=True), app.quit()))
button.resize(300, 200)
button.show()
app.exec()
"""


def test_that_a_real_click_reaches_a_window_on_a_real_display(xvfb: "RealDisplay") -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=xvfb.environment, stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            found = subprocess.run(
                ["xdotool", "search", "--sync", "--onlyvisible", "--name", "one button"],
                env=xvfb.environment,
                capture_output=True,
                text=True,
                timeout=20,
                check=True,
            )
            window = found.stdout.split()[0]
            subprocess.run(
                ["xdotool", "mousemove", "--sync", "--window", window, "150", "100", "click", "1"],
                env=xvfb.environment,
                timeout=10,
                check=True,
            )
            assert program.communicate(timeout=20)[0] == "clicked xcb\n"
        finally:
            program.kill()
