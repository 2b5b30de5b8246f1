"""`hmi stop`: end the collector of a plant, in order."""

import argparse
import sys
from pathlib import Path

from hmi.collector.process import stop, unusable
from hmi.core.home import home_of
from hmi.link.endpoint import EndpointError

HELP = """Stop the collector of a plant: what is in memory goes to the spool, what is in the spool to the historian as
far as it can be reached, and history says from when to when nobody collected."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plant", type=Path, help="the plant's folder")


def run(args: argparse.Namespace) -> int:
    home = home_of(args.plant)
    if (why := unusable(home)) is not None:
        print(f"hmi stop: {why}", file=sys.stderr)
        return 1
    try:
        stopped = stop(home)
    except EndpointError as error:
        print(f"{args.plant}: {error}", file=sys.stderr)
        return 1
    if stopped:
        print(f"{args.plant}: the collector has stopped")
        return 0
    print(f"{args.plant}: no collector was running")
    return 1
