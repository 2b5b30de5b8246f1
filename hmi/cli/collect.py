"""`hmi collect`: the collector in the foreground. `hmi run` starts it so, detached and with its own log."""

import argparse
from pathlib import Path

from hmi.cli.opening import plant_or_reasons

HELP = """Run the collector of a plant in the foreground, until Ctrl-C or hmi stop.

It polls the devices, judges alarms, keeps every sample in a spool on disk and ships it to the historian. It needs no
screen. There is one collector a plant; a second one says so and ends."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plant", type=Path, help="the plant's folder")


def run(args: argparse.Namespace) -> int:
    if plant_or_reasons(args.plant, to_run=True) is None:
        return 1
    from hmi.collector.main import collect

    return collect(args.plant)
