"""A plant in the terminal, where there is no display: a live table, and pictures of the screens."""

import os
import threading
from pathlib import Path
from typing import TextIO

from hmi.cli.opening import load
from hmi.core.clock import SECOND, SystemClock, to_datetime
from hmi.core.home import Home
from hmi.core.plant import Plant
from hmi.core.screen import Horizon, Screen
from hmi.core.status import quality_of, reason_of
from hmi.core.tag import Tag
from hmi.session.live import LiveSession

_REDRAW_S = 1.0
_LINE_EVERY = 5


def live_table(home: Home, duration_us: int | None, out: TextIO | None, pictures: Path | None) -> None:
    """Show a running plant until Ctrl-C or for `duration_us`. `out` None: show nothing. Pictures are made near the end.

    In a terminal the table is redrawn every second; into a file or pipe goes one line every five seconds.
    """
    clock = SystemClock()
    session = LiveSession(home, load, clock)
    try:
        if not session.wait_for_plant(20):
            return
        tags = _worth_showing(session.plant)
        end_us = None if duration_us is None else clock.monotonic_us() + duration_us
        pause = threading.Event()
        rounds = 0
        pictures_due = pictures is not None and out is not None
        while end_us is None or clock.monotonic_us() < end_us:
            left_s = _REDRAW_S if end_us is None else min(_REDRAW_S, (end_us - clock.monotonic_us()) / SECOND)
            pause.wait(max(left_s, 0.0))
            rounds += 1
            session.tick()
            if out is not None and out.isatty():
                print("\x1b[H\x1b[2J" + "\n".join(_table(session, tags)), file=out, flush=True)
            elif out is not None and rounds % _LINE_EVERY == 1:
                print(_line(session, tags), file=out, flush=True)
            if pictures_due and rounds >= 4:
                pictures_due = False
                made = leave_pictures(session, pictures) if pictures is not None else []
                print(f"{len(made)} pictures of the screens are in {pictures}", file=out, flush=True)
    except KeyboardInterrupt:
        return
    finally:
        session.close()


def leave_pictures(session: LiveSession, folder: Path) -> list[Path]:
    """Every screen that needs no parameters, in both themes, 1920 x 1080, as PNG files."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from hmi.desktop.picture import save_picture

    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, head in session.plant.screens.items():
        if any(parameter.default is None for parameter in head.params.values()) or name.startswith("parts/"):
            continue
        for theme in ("dark", "light"):
            path = folder / f"{name.replace('/', '-')}-{theme}.png"
            if save_picture(session, name, 1920, 1080, theme, path):
                made.append(path)
    return made


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
