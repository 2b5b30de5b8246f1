"""How a command that goes on until it is told to end is told: by Ctrl-C, SIGTERM or SIGHUP, all with the same effect.

Signals reach the main thread only; these functions are called there.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ALIKE = ("SIGTERM", "SIGHUP")


@contextmanager
def ended_alike() -> Iterator[None]:
    """For the length of a block SIGTERM and SIGHUP (a closed terminal) do what Ctrl-C does at that moment.

    A signal that was ignored at the start stays so: nohup means it.
    """
    usual = {}
    for name in _ALIKE:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            usual[number] = signal.signal(number, _as_interrupt)
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


@contextmanager
def held_back() -> Iterator[Callable[[], bool]]:
    """For the length of a block Ctrl-C is only noted; the function given says whether it was.

    For work that an exception from nowhere would break in two: Qt, which must never see one, and the ending itself.
    """
    noted: list[int] = []
    usual = signal.signal(signal.SIGINT, lambda number, _: noted.append(number))
    try:
        yield lambda: bool(noted)
    finally:
        signal.signal(signal.SIGINT, usual)


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):
        handler(signal.SIGINT, frame)
    else:
        # Ctrl-C is ignored, as for a job in the background; this signal was not.
        raise KeyboardInterrupt
