"""`hmi render`: a picture of a screen, live or as it was."""

import argparse
import os
import sys
import threading
from pathlib import Path

from hmi.cli.ending import held_back
from hmi.cli.opening import history_of, load, plant_or_reasons
from hmi.collector.process import CollectorStartError, holder_of, start_detached, stop
from hmi.core.clock import SECOND, SystemClock
from hmi.core.duration import parse_duration
from hmi.core.home import home_of
from hmi.core.moment import FORMS, parse_moment
from hmi.core.problem import did_you_mean
from hmi.core.session import HistoryUnavailableError, Session
from hmi.link.endpoint import EndpointError

HELP = f"""Make a picture of the window with one screen, without opening it.

--live-for collects for so long first (it joins the running collector, or starts one for that time). --at shows the
plant as it was: {FORMS}."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plant", type=Path, help="the plant's folder")
    parser.add_argument("screen", help="the screen's name, such as overview, or trend or alarms")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.png")
    parser.add_argument("--size", default="1920x1080", metavar="WxH")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--live-for", default="3s", metavar="DURATION")
    when.add_argument("--at", metavar="TIME")


def run(args: argparse.Namespace) -> int:
    plant = plant_or_reasons(args.plant)
    if plant is None:
        return 1
    known = [*plant.screens, "trend", "alarms"]
    if args.screen not in known:
        hint = did_you_mean(args.screen, known) or f"there are: {', '.join(sorted(known))}"
        print(f"hmi render: {plant.name} has no screen '{args.screen}' ({hint})", file=sys.stderr)
        return 1
    clock = SystemClock()
    try:
        width, height = (int(n) for n in args.size.lower().split("x"))
        live_us = parse_duration(args.live_for)
        at_us = parse_moment(args.at, plant.zone, clock.now_us()) if args.at else None
    except ValueError as error:
        print(f"hmi render: {error} (a size is written 1920x1080)", file=sys.stderr)
        return 2
    if at_us is not None and at_us > clock.now_us():
        print(f"hmi render: {args.at} lies in the future", file=sys.stderr)
        return 2
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if at_us is None:
        return _live(args, live_us, width, height)
    from hmi.session.replay import ReplaySession

    try:
        with history_of(plant, home_of(args.plant), "render") as reader:
            session = ReplaySession(plant, reader, clock, at_us)
            try:
                return _paint(args, session, width, height)
            finally:
                session.close()
    except HistoryUnavailableError as error:
        print(f"hmi render: {error}", file=sys.stderr)
        return 1


def _live(args: argparse.Namespace, live_us: int, width: int, height: int) -> int:
    from hmi.session.live import LiveSession

    home = home_of(args.plant)
    try:
        started = holder_of(home) is None
        start_detached(args.plant, home, os.environ)
    except (CollectorStartError, EndpointError) as error:
        print(f"hmi render: {error}", file=sys.stderr)
        return 1
    session = LiveSession(home, load, SystemClock())
    try:
        if not session.wait_for_plant(20):
            print(f"hmi render: the collector does not answer; its log is {home.log}", file=sys.stderr)
            return 1
        threading.Event().wait(live_us / SECOND)
        return _paint(args, session, width, height)
    finally:
        session.close()
        if started:
            stop(home)


def _paint(args: argparse.Namespace, session: Session, width: int, height: int) -> int:
    from hmi.desktop.picture import save_picture

    with held_back() as interrupted:
        saved = save_picture(session, args.screen, width, height, args.theme, args.output)
    if interrupted():
        raise KeyboardInterrupt
    if not saved:
        print(f"hmi render: {args.output} cannot be written", file=sys.stderr)
        return 1
    print(f"{args.output}: {width} x {height}, {args.theme}")
    return 0
