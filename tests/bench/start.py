"""Bench `start`: the second start of `hmi demo`, from the command to the first live value in the window."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.e2e import open_folder
from tests.bench.figure import Figure

BENCH = "start"
AT_MOST = "30s"
STARTS = 3
STAGES = {
    "devices": "devices",
    "collector": "collector answers",
    "qt imported": "qt imported",
    "window made": "window made",
    "first value": "first live value",
}
ROOT = Path(__file__).resolve().parents[2]


def figures() -> Iterator[Figure]:
    with open_folder() as folder:
        start(folder)  # makes the database; the second start is the figure
        runs = [start(folder) for _ in range(STARTS)]
    yield Figure(BENCH, "start_ms", statistics.median(run["first value"] for run in runs), "ms")
    for stage in STAGES:
        figure = f"start_{stage.replace(' ', '_')}_at_ms"
        yield Figure(BENCH, figure, statistics.median(run[stage] for run in runs), "ms")


def start(folder: Path) -> dict[str, float]:
    """One demo from its start to its end; stage by stage the milliseconds since the command was given."""
    environment = {**os.environ, "HMI_HOME": str(folder / "home"), "QT_QPA_PLATFORM": "offscreen"}
    begun = time.monotonic_ns()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.started_demo", AT_MOST],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"stage"')]
    reached = {line["stage"]: (line["ns"] - begun) / 1e6 for line in lines}
    if "first value" not in reached:
        raise SystemExit(f"the demo showed no value: {done.stdout[-2000:]}{done.stderr[-4000:]}")
    return reached


if __name__ == "__main__":
    for figure in figures():
        print(figure.as_text(), flush=True)
