"""Brings the result of a `Future` from the thread that completed it to the Qt thread."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal

T = TypeVar("T")


class Handover(QObject):
    """Belongs to the view that asks: when the view is gone, answers are dropped.

    An answer is delivered from the event loop, never from within `take`, even where the future was complete already.
    """

    _arrived = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._arrived.connect(self._on_arrived, Qt.ConnectionType.QueuedConnection)

    def take(
        self,
        future: "Future[T]",
        then: Callable[[T], None],
        failed: Callable[[BaseException], None] | None = None,
    ) -> None:
        """Call `then` with the result or `failed` with the error, on the Qt thread; without `failed` it is raised."""
        future.add_done_callback(partial(self._done, then, failed))

    def _done(
        self, then: Callable[[Any], None], failed: Callable[[BaseException], None] | None, future: "Future[Any]"
    ) -> None:
        if future.cancelled():
            return
        try:
            self._arrived.emit((then, failed, future))
        except RuntimeError:
            # The view was closed while the answer was under way; nobody waits for it any more.
            return

    def _on_arrived(
        self, arrival: tuple[Callable[[Any], None], Callable[[BaseException], None] | None, "Future[Any]"]
    ) -> None:
        then, failed, future = arrival
        error = future.exception()
        if error is None:
            then(future.result())
        elif failed is not None:
            failed(error)
        else:
            raise error
