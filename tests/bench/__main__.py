"""Runs the benches of a checkout: ./hmi.sh bench [NAME ...] [--json].

A bench is a module beside this file with `def figures() -> Iterator[Figure]`, and a line in BENCHES.
"""

import argparse
import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# name of the bench -> its module
BENCHES: dict[str, str] = {
    "collector": "tests.bench.collector",
    "config": "tests.bench.config",
    "drivers": "tests.bench.drivers",
    "e2e": "tests.bench.e2e",
    "history": "tests.bench.history",
    "mimic": "tests.bench.mimic",
    "pixel": "tests.bench.pixel",
    "start": "tests.bench.start",
    "window": "tests.bench.window",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="./hmi.sh bench", description="Measure Hindsight on this computer.")
    parser.add_argument("name", nargs="*", help=f"what to measure; all of them if none is named: {', '.join(BENCHES)}")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.name if name not in BENCHES]
    if unknown:
        parser.error(f"there is no bench {unknown[0]!r}; there are: {', '.join(BENCHES)}")
    for name in arguments.name or BENCHES:
        for figure in importlib.import_module(BENCHES[name]).figures():
            print(figure.as_json() if arguments.json else figure.as_text(), flush=True)
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
