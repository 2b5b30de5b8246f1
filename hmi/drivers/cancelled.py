"""Whether the supervisor has asked a driver to stop, for loops that wait through a library."""

import asyncio


def stop_if_cancelled() -> None:
    """Raise `CancelledError` if the running task was cancelled.

    `asyncio.wait_for` of Python 3.11 swallows a cancellation that arrives together with the answer it waits for; a
    driver that polls through it would never end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
