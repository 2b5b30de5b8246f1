"""`hmi check`: everything that is wrong with a plant's files, at its place."""

import argparse
import json
import os
import sys
from pathlib import Path

from hmi.config import PlantFolderMissing, load_plant, read_files
from hmi.core.plant import Plant
from hmi.core.problem import Problem, Severity
from hmi.drivers import DRIVERS

NAME = "check"
HELP = """Find everything that is wrong with the files of a plant, all at once.

Each problem is told at its place, as file:line:column, or file:row:column name in a CSV file, with a hint where there
is one. Nothing is started and no device is asked. Exit code 1 if there is an error; warnings alone are good."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plant", type=Path, help="the plant's folder")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="text for people, json for other programs"
    )


def run(args: argparse.Namespace) -> int:
    try:
        files = read_files(args.plant)
    except (PlantFolderMissing, OSError) as error:
        print(f"hmi check: {error}", file=sys.stderr)
        return 2
    plant, problems = load_plant(files, DRIVERS, os.environ)
    if args.format == "json":
        print(json.dumps([as_json(problem) for problem in problems], indent=1))
    else:
        for problem in problems:
            print(problem)
        print(summary(args.plant, plant, problems))
    return int(any(problem.severity is Severity.ERROR for problem in problems))


def as_json(problem: Problem) -> dict[str, str | int]:
    """A problem as other programs read it; `column_name` is given instead of `column` for a CSV file."""
    place = problem.place
    found: dict[str, str | int] = {"file": place.file, "line": place.line}
    if place.column_name:
        found["column_name"] = place.column_name
    else:
        found["column"] = place.column
    found |= {"severity": problem.severity.value, "code": problem.code, "message": problem.message}
    return found | ({"hint": problem.hint} if problem.hint else {})


def summary(folder: Path, plant: Plant | None, problems: list[Problem]) -> str:
    """One line at the end: what the plant is, and how many problems it has."""
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    warnings = len(problems) - errors
    counts = [_count(errors, "error")] if errors else []
    counts += [_count(warnings, "warning")] if warnings else []
    found = ", ".join(counts) or "no problems"
    if plant is None:
        return f"{folder}: {found}"
    what = (_count(len(plant.tags), "tag"), _count(len(plant.devices), "device"), _count(len(plant.screens), "screen"))
    return f"{plant.name}: {', '.join(what)}: {found}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
