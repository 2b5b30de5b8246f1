"""What a start may not wait for: imports before the devices boot, and files that were read already."""

import json
import subprocess
import sys
from pathlib import Path

from hmi.cli.opening import load, read_plant
from hmi.config import read_files

WATERWORKS = Path(__file__).resolve().parents[2] / "screens" / "waterworks"
HEAVY = ("numpy", "pydantic", "psutil", "psycopg", "yaml", "PySide6", "hmi.config", "hmi.desktop")


def test_that_the_demo_imports_nothing_heavy_before_its_devices_boot() -> None:
    code = "import hmi.cli.demo, json, sys; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert not set(HEAVY) & set(json.loads(done.stdout))


def test_that_files_read_while_the_collector_started_are_not_read_again() -> None:
    reading = read_plant(WATERWORKS)
    assert reading is not None
    plant, problems = reading.loader()(read_files(WATERWORKS), reading.settings)
    assert plant is reading.plant
    assert problems == list(reading.problems)


def test_that_files_changed_since_then_are_read_as_the_collector_has_them() -> None:
    reading = read_plant(WATERWORKS)
    assert reading is not None
    assert reading.plant is not None
    changed = {name: text.replace(reading.plant.name, "Ostbach east") for name, text in reading.files.items()}
    plant, _ = reading.loader()(changed, reading.settings)
    assert plant is not None
    assert plant.revision != reading.plant.revision


def test_that_a_device_moved_by_the_environment_is_not_taken_from_what_was_read() -> None:
    reading = read_plant(WATERWORKS)
    assert reading is not None
    moved = {**reading.settings, "HMI_DEVICE_PLC_1_PORT": "15021"}
    plant, _ = reading.loader()(reading.files, moved)
    expected, _ = load(reading.files, moved)
    assert plant is not None
    assert expected is not None
    assert plant.devices == expected.devices
    assert plant is not reading.plant
