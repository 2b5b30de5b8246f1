"""Bounded waiting for a condition."""

import asyncio
import threading
import time
from collections.abc import Callable


async def until(condition: Callable[[], object], what: str, timeout_s: float = 10.0) -> None:
    """Return as soon as the condition holds; fail with `what` when it does not within the time."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"waited {timeout_s:g} s in vain: {what}"
        await asyncio.sleep(0.005)


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = 10.0) -> None:
    """The same where there is no event loop."""
    end = time.monotonic() + timeout_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, f"waited {timeout_s:g} s in vain: {what}"
        pause.wait(0.02)
