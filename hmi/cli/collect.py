"""`hmi collect`: the collector in the foreground. `hmi run` starts it so, detached and with its own log."""

import argparse
import sys
from pathlib import Path

from hmi.cli.opening import plant_or_reasons
from hmi.collector.process import HomeUnusableError, make_folder
from hmi.core.home import home_of

HELP = """Run the collector of a plant in the foreground, until Ctrl-C or hmi stop.

It polls the devices, judges alarms, keeps every sample in a spool on disk and ships it to the historian. It needs no
screen. There is one collector a plant; a second one says so and ends."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plant", type=Path, help="the plant's folder")


def run(args: argparse.Namespace) -> int:
    if plant_or_reasons(args.plant, to_run=True) is None:
        return 1
    try:
        make_folder(home_of(args.plant))
    except HomeUnusableError as error:
        print(f"hmi collect: {error}", file=sys.stderr)
        return 1
    from hmi.collector.main import collect

    return collect(args.plant)
