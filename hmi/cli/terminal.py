"""A plant in the terminal, where there is no display: a live table, and pictures of the screens."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from hmi.cli.ending import held_back
from hmi.cli.opening import load
from hmi.core.clock import SECOND, SystemClock, to_datetime
from hmi.core.home import Home
from hmi.core.plant import Plant
from hmi.core.screen import Horizon, Screen
from hmi.core.status import quality_of, reason_of
from hmi.core.tag import Tag
from hmi.session.live import LiveSession

_REDRAW_US = SECOND
_LINE_US = 5 * SECOND
_PICTURES_AFTER_US = 3 * SECOND
"""The values are there by then, and the first curves."""


def live_table(home: Home, duration_us: int | None, out: TextIO | None, pictures: Path | None) -> None:
    """Show a running plant until Ctrl-C or for `duration_us`. `out` None: show nothing, make no pictures.

    In a terminal the table is redrawn every second; into a file or pipe goes one line every five seconds. The pictures
    are made one by one between the redraws, the rest of them after `duration_us`.
    """
    clock = SystemClock()
    session = LiveSession(home, load, clock)
    try:
        if not session.wait_for_plant(20):
            return
        tags = _worth_showing(session.plant)
        began_us = clock.monotonic_us()
        end_us = None if duration_us is None else began_us + duration_us
        pause = threading.Event()
        due_us = began_us + _REDRAW_US
        making = leave_pictures(session, pictures) if pictures is not None and out is not None else None
        made = 0
        while True:
            now_us = clock.monotonic_us()
            picturing = making is not None and now_us - began_us >= _PICTURES_AFTER_US
            if end_us is not None and now_us >= end_us and not picturing:
                return
            session.tick()
            if now_us >= due_us:
                due_us = now_us + _show(session, tags, out)
            if picturing and making is not None:
                if _one_more(making):
                    made += 1
                else:
                    making = None
                    print(f"{made} pictures of the screens are in {pictures}", file=out, flush=True)
            else:
                until_us = min(due_us, now_us + _REDRAW_US, due_us if end_us is None else end_us)
                pause.wait(max(until_us - clock.monotonic_us(), 0) / SECOND)
    except KeyboardInterrupt:
        return
    finally:
        session.close()


def leave_pictures(session: LiveSession, folder: Path) -> Iterator[Path]:
    """Every screen that needs no parameters, in both themes, 1920 x 1080, as PNG files: one with each step.

    Take a step only while signals are `held_back`: Qt must not see their exceptions.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from hmi.desktop.picture import save_picture

    folder.mkdir(parents=True, exist_ok=True)
    for name, head in session.plant.screens.items():
        if any(parameter.default is None for parameter in head.params.values()) or name.startswith("parts/"):
            continue
        for theme in ("dark", "light"):
            path = folder / f"{name.replace('/', '-')}-{theme}.png"
            if save_picture(session, name, 1920, 1080, theme, path):
                yield path


def _one_more(making: Iterator[Path]) -> bool:
    """Make the next picture; False when there is none. Raises `KeyboardInterrupt` afterwards if it was asked for."""
    with held_back() as interrupted:
        made = next(making, None)
    if interrupted():
        raise KeyboardInterrupt
    return made is not None


def _show(session: LiveSession, tags: list[Tag], out: TextIO | None) -> int:
    """Write the values; returns after how many microseconds they are due again."""
    if out is not None and out.isatty():
        print("\x1b[H\x1b[2J" + "\n".join(_table(session, tags)), file=out, flush=True)
    elif out is not None:
        print(_line(session, tags), file=out, flush=True)
        return _LINE_US
    return _REDRAW_US


def _worth_showing(plant: Plant) -> list[Tag]:
    """The measurements of the start screen's horizon; the first tags where there is none."""
    screen, _ = plant.open_screen(plant.start_screen)
    names = _horizon_of(screen)
    return [plant.tag(n) for n in names] if names else list(plant.tags[:20])


def _horizon_of(screen: Screen) -> list[str]:
    for element in screen.elements:
        if isinstance(element, Horizon):
            return [tag for group in element.columns for tag in group]
    return []


def _shown(session: LiveSession, tag: Tag) -> str:
    table, i = session.table, tag.index
    status = int(table.status[i])
    if not quality_of(status).has_value:
        return reason_of(status)
    text = table.text[i]
    return f"{tag.format(float(table.value[i]), text)} {tag.unit}".strip()


def _table(session: LiveSession, tags: list[Tag]) -> list[str]:
    now = to_datetime(session.now_us(), session.plant.zone)
    health = session.health
    lines = [f"{session.plant.name}   {now:%H:%M:%S}   {len(session.alarms)} alarms   {health.historian.state}", ""]
    lines += [f"  {tag.name:<12} {_shown(session, tag):>14}   {tag.description}" for tag in tags]
    lines.append("")
    lines += [f"  {d.name}: {d.state}{f' ({d.why})' if d.why else ''}" for d in health.devices]
    return [*lines, "", "Ctrl-C ends it."]


def _line(session: LiveSession, tags: list[Tag]) -> str:
    now = to_datetime(session.now_us(), session.plant.zone)
    values = "  ".join(f"{tag.name} {_shown(session, tag)}" for tag in tags[::3])
    return f"{now:%H:%M:%S}  {len(session.alarms)} alarms  {values}"
