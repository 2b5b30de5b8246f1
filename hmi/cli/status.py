"""`hmi status`: what the collector of a plant is doing."""

import argparse
import json
from pathlib import Path
from typing import Any

from hmi.collector.process import ask_status
from hmi.core.home import home_of
from hmi.core.moment import span_words

HELP = """Say what the collector of a plant is doing: devices, samples, historian, alarms.

Exit code 0: it runs and everything is well. 1: it does not run, or something is lost or behind."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plant", type=Path, help="the plant's folder")
    parser.add_argument("--json", action="store_true", help="one JSON object, for programs")


def run(args: argparse.Namespace) -> int:
    found = ask_status(home_of(args.plant))
    if args.json:
        print(json.dumps(found if found is not None else {"running": False}))
    elif found is None:
        print(f"{args.plant}: no collector is running (hmi run {args.plant} starts one)")
    else:
        print("\n".join(status_lines(found)))
    return 0 if found is not None and is_well(found) else 1


def is_well(status: dict[str, Any]) -> bool:
    """Whether all devices answer, the historian keeps up and nothing was lost."""
    devices_ok = all(device["state"] == "ok" for device in status["devices"].values())
    return devices_ok and status["historian_state"] == "ok" and not status["samples_lost"]


def status_lines(status: dict[str, Any]) -> list[str]:
    """The status as a person reads it."""
    lines = [
        f"{status['plant']}: collecting for {span_words(status['uptime_us'])} (process {status['pid']})",
        f"  {status['tags']} tags, {status['samples_taken']} samples taken, {status['samples_stored']} in the database, "
        f"{status['samples_lost']} lost",
        f"  historian: {status['historian'] or 'not known yet'}, {status['historian_state']}"
        + (f" ({status['historian_why']})" if status["historian_why"] else ""),
    ]
    for name, device in status["devices"].items():
        why = f": {device['why']}" if device.get("why") else ""
        lines.append(f"  {name}: {device['state']}{why}, {device['samples']} samples in {device['requests']} requests")
    lines.append(f"  {status['alarms']} alarms are not normal")
    return lines
