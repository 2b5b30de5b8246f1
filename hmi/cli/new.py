"""`hmi new`: a small plant that runs without hardware and explains itself."""

import argparse
import json
import re
import sys
from pathlib import Path

from hmi.config import load_plant, read_files
from hmi.config.schema import FOLDER, schemas
from hmi.core.resources import Shipped, shipped
from hmi.drivers import DRIVERS

NAME = "new"
HELP = """Make a small plant in a new folder: ten tags of a simulated device, a screen, a faceplate and two alarms.

It runs at once, without hardware, and its comments explain every line. Change it into your own."""

STARTER = "starter"
"""The folder among the shipped plants that is copied."""

_NAME_LINE = re.compile(r"^name: .*?(?=\s+#)", re.MULTILINE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="where to make it; the folder must be new or empty")


def run(args: argparse.Namespace) -> int:
    folder: Path = args.folder
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            print(f"hmi new: '{folder}' exists and is not empty; nothing was changed", file=sys.stderr)
            return 2
        make_plant(folder)
    except OSError as error:
        print(f"hmi new: {error}", file=sys.stderr)
        return 2
    print(f"Made a plant in {folder}. Now:\n")
    print(f"  hmi run {folder}      runs it")
    print(f"  hmi check {folder}    finds what is wrong after you have changed it")
    print("\nBegin with plant.yaml; its comments lead on.")
    return 0


def make_plant(folder: Path) -> None:
    """Copy the starter plant under the name of its folder, with schemas for the editor. Raises `OSError`."""
    name = json.dumps(folder.resolve().name, ensure_ascii=False)
    for file, text in read_files(shipped(Shipped.SCREENS) / STARTER).items():
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        if file == "plant.yaml":
            text = _NAME_LINE.sub(lambda _: f"name: {name}", text, count=1)
        target.write_text(text, encoding="utf-8", newline="\n")
    (folder / FOLDER).mkdir(exist_ok=True)
    plant, _ = load_plant(read_files(folder), DRIVERS, {})
    for file, schema in schemas(plant, DRIVERS).items():
        target = folder / FOLDER / file
        target.write_text(json.dumps(schema, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
