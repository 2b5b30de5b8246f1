"""The end of a command that goes on until it is told to end."""

import signal
import sys

import pytest
from PySide6.QtCore import QEventLoop, QTimer

from hmi.cli.ending import ended_alike, held_back

if sys.platform == "win32":
    pytest.skip("a Windows program gets no SIGHUP, and cannot send itself SIGTERM", allow_module_level=True)

ALIKE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.mark.parametrize("number", ALIKE)
def test_that_a_closed_terminal_and_a_kill_end_a_command_as_ctrl_c_does(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), ended_alike():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_that_nohup_is_respected() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_alike():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", ALIKE)
@pytest.mark.usefixtures("qapp")
def test_that_no_exception_meets_qt_while_a_picture_is_made(number: signal.Signals) -> None:
    beats: list[int] = []

    def beat() -> None:
        beats.append(len(beats))
        signal.raise_signal(number)
        if len(beats) == 3:
            loop.quit()

    loop, timer = QEventLoop(), QTimer()
    timer.setInterval(1)
    timer.timeout.connect(beat)
    with ended_alike(), held_back() as interrupted:
        assert not interrupted()
        timer.start()
        loop.exec()
        timer.stop()
        assert interrupted()
    assert beats == [0, 1, 2]
