"""`hmi demo` with a watch at its window, which closes with its first value: for bench `start`.

Lines of JSON on stdout: each stage with the monotonic time, in nanoseconds, at which it was reached.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def reached(stage: str) -> None:
    print(json.dumps({"stage": stage, "ns": time.monotonic_ns()}), flush=True)


def watched(at_most: str) -> int:
    """Run the demo with its real parts; the only addition is that stages are told."""
    reached("python")
    import hmi.cli.demo as demo

    started = {"devices": "wait_for_devices", "collector": "wait_for_answer"}
    for stage, name in started.items():
        setattr(demo, name, _telling(getattr(demo, name), stage))
    prepare = demo._prepare_window

    def prepare_window() -> None:
        # Not before the demo itself imports it: the devices would start later than they do for a user.
        import hmi.cli.run as run

        run.open_window = watching(run.open_window)
        prepare()

    demo._prepare_window = prepare_window
    from hmi.cli import main

    return main(["demo", "--for", at_most])


def watching(opened: Callable[..., int]) -> Callable[..., int]:
    """`open_window`, which tells the window's stages and closes it with its first value."""

    def open_window(*args: Any, **kwargs: Any) -> int:
        from PySide6.QtCore import QTimer

        from hmi.core.status import quality_of
        from hmi.desktop.window import MainWindow

        reached("qt imported")
        make, frame = MainWindow.__init__, MainWindow.frame

        def made(window: MainWindow, *args: object) -> None:
            make(window, *args)  # type: ignore[arg-type]
            reached("window made")

        def first_frames(window: MainWindow) -> None:
            frame(window)
            if not window.isVisible():
                return
            status = window.session.table.status
            drawables = window.mimic.board.drawables if window.mimic is not None else []
            if any(quality_of(int(status[i])).has_value for drawable in drawables for i in drawable.indices):
                # What the frame has changed is given to the screen now.
                window.repaint()
                reached("first value")
                MainWindow.frame = frame  # type: ignore[method-assign]
                QTimer.singleShot(0, window.close)

        MainWindow.__init__ = made  # type: ignore[method-assign,assignment]
        MainWindow.frame = first_frames  # type: ignore[method-assign]
        return opened(*args, **kwargs)

    return open_window


def _telling(call, stage):  # type: ignore[no-untyped-def]
    left = [stage]

    def told(*args, **kwargs):  # type: ignore[no-untyped-def]
        result = call(*args, **kwargs)
        # Only the first time: at its end the demo makes sure once more that the collector answers.
        if left:
            reached(left.pop())
        return result

    return told


if __name__ == "__main__":
    sys.exit(watched(sys.argv[1]))
