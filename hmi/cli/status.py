"""`hmi status`: what the collector of a plant is doing."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from hmi.collector.process import holder_of, status, unusable
from hmi.core.clock import SystemClock
from hmi.core.home import Home, home_of
from hmi.core.moment import span_words
from hmi.link.endpoint import EndpointError

HELP = """Say what the collector of a plant is doing: devices, samples, historian, alarms.

Exit code 0: it runs and everything is well. 1: it does not run, or something is lost or behind."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plant", type=Path, help="the plant's folder")
    parser.add_argument("--json", action="store_true", help="one JSON object, for programs")


def run(args: argparse.Namespace) -> int:
    home = home_of(args.plant)
    if (why := unusable(home)) is not None:
        print(f"hmi status: {why}", file=sys.stderr)
        return 1
    try:
        found = status_of(home)
    except EndpointError as error:
        print(f"{args.plant}: the collector runs but does not answer: {error}", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(found if found is not None else {"running": False}))
    elif found is None:
        print(f"{args.plant}: no collector is running (hmi run {args.plant} starts one)")
    else:
        print("\n".join(status_lines(found)))
    return 0 if found is not None and is_well(found) else 1


def status_of(home: Home) -> dict[str, Any] | None:
    """What the collector says of itself, with its process; None where none runs. Raises `EndpointError`."""
    found = status(home)
    holder = holder_of(home)
    if found is None or holder is None:
        return None
    return {**found, "running": True, "pid": holder.pid}


def is_well(found: dict[str, Any]) -> bool:
    """Whether all devices answer, the historian keeps up and nothing was lost."""
    devices_ok = all(device["state"] == "ok" for device in found["devices"].values())
    return devices_ok and found["historian_state"] in ("ok", "starting") and not found["samples_lost"]


def status_lines(found: dict[str, Any]) -> list[str]:
    """The status as a person reads it."""
    since = span_words(SystemClock().now_us() - found["started_us"])
    taken, stored, lost = (found[f"samples_{k}"] for k in ("taken", "stored", "lost"))
    why = f" ({found['historian_why']})" if found["historian_why"] else ""
    lines = [
        f"{found['plant']}: collecting for {since} (process {found['pid']})",
        f"  {found['tags']} tags, {taken} samples taken, {stored} in the database, {lost} lost",
        f"  historian: {found['historian'] or 'not known yet'}, {found['historian_state']}{why}",
    ]
    for name, device in found["devices"].items():
        reason = f": {device['why']}" if device["why"] else ""
        counts = f"{device['values_read']} values read in {device['requests']} requests"
        lines.append(f"  {name}: {device['state']}{reason}, {counts}")
    lines.append(f"  {found['alarms']} alarms are not normal")
    return lines
