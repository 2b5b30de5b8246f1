"""`hmi schema`: JSON Schemas of a plant's files, for the editor."""

import argparse
import json
import os
import sys
from pathlib import Path

from hmi.config import PlantFolderMissing, load_plant, read_files
from hmi.config.schema import FOLDER, modeline, schemas
from hmi.drivers import DRIVERS

NAME = "schema"
HELP = """Write JSON Schemas of a plant's files into its folder .schema, so that an editor completes keys, tags and
screens and underlines mistakes while you type.

An editor with YAML support (VS Code with its YAML extension, or any with yaml-language-server) finds the schema by the
first line of a file, which this command tells. Run it again when tags or screens have been added."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plant", type=Path, help="the plant's folder")


def run(args: argparse.Namespace) -> int:
    try:
        files = read_files(args.plant)
        plant, _ = load_plant(files, DRIVERS, os.environ)
        folder = args.plant / FOLDER
        folder.mkdir(exist_ok=True)
        for name, schema in schemas(plant, DRIVERS).items():
            (folder / name).write_text(json.dumps(schema, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except (PlantFolderMissing, OSError) as error:
        print(f"hmi schema: {error}", file=sys.stderr)
        return 2
    print(f"Wrote the schemas of plant.yaml, tags, alarms and screens to {folder}.")
    if plant is None:
        print("Tags and screens are not listed by name, because the plant has errors: hmi check tells them.")
    missing = [name for name, text in files.items() if name.endswith(".yaml") and FOLDER not in text.partition("\n")[0]]
    if missing:
        print("Put this line at the head of these files:")
        for name in missing:
            print(f"  {name}: {modeline(name)}")
    return 0
