"""The commands, as somebody uses them who has just installed the program: 0 good, 1 problems found, 2 wrong usage."""

import csv
import json
from datetime import UTC
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from hmi.cli import COMMANDS, main
from hmi.core.clock import SECOND, SystemClock
from hmi.core.moment import iso
from tests.system.program import Program


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_that_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"usage: hmi {name}")
    assert len(told) > 60


def test_that_wrong_usage_is_told_with_a_hint_and_exit_code_2(program: Program) -> None:
    nothing = program.run()
    assert (nothing.code, "usage: hmi COMMAND" in nothing.out) == (2, True)
    typing_error = program.run("chekc", "plant")
    assert typing_error.code == 2
    assert "did you mean check?" in typing_error.err.replace("'", "")
    assert program.run("run").code == 2
    assert program.run("run", "plant", "--for", "soon").code == 2
    assert program.run("check", "nowhere").code == 2
    assert program.good("version").out.startswith("Hindsight ")
    assert "hmi COMMAND --help" in program.good("--help").out


@pytest.mark.timeout(150)
def test_a_new_plant_from_its_making_to_its_export(program: Program) -> None:
    plant = program.folder / "well"
    assert "hmi run" in program.good("new", plant).out
    assert program.run("new", plant).code == 2
    assert program.good("check", plant).last_line == "well: 10 tags, 1 device, 2 screens: no problems"
    assert json.loads(program.good("check", plant, "--format", "json").out) == []
    program.good("schema", plant)
    assert json.loads((plant / ".schema" / "screen.schema.json").read_text())["type"] == "object"
    # Nothing runs, and nothing has run.
    assert program.run("status", plant).code == 1
    assert program.run("stop", plant).code == 1
    never_ran = program.run("export", plant, "--tags", "*", "--from", "-1h", "-o", program.folder / "x.csv")
    assert (never_ran.code, "has not run" in never_ran.err) == (1, True)

    running = program.start("run", plant, "--headless")
    found = program.wait_for_history(plant, 50)
    assert (found["tags"], found["devices"]["SIM-1"]["state"], found["samples_lost"]) == (10, "ok", 0)
    assert "10 tags" in program.good("status", plant).out
    again = program.good("run", plant, "--headless", "--for", "1s")
    assert "joined the running collector" in again.out
    assert "the collector has stopped" not in again.out
    picture = program.folder / "live.png"
    program.good("render", plant, "overview", "-o", picture, "--size", "1280x720", "--live-for", "1s")
    assert (QImage(str(picture)).width(), QImage(str(picture)).height()) == (1280, 720)
    at_us = SystemClock().now_us()
    assert "the collector has stopped" in program.good("stop", plant).out
    running.send_signal(2)
    running.wait(20)
    assert program.run("status", plant).code == 1

    _export_and_render_what_was(program, plant, at_us)


def _export_and_render_what_was(program: Program, plant: Path, at_us: int) -> None:
    """With nobody collecting any more: history is read, and the database stops again behind the command."""
    program.home(plant)
    table = program.folder / "flow.csv"
    program.good("export", plant, "--tags", "FT-*,LT-1", "--from", "-10min", "--to", "now", "-o", table)
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["tag"] for row in rows} == {"FT-1", "FT-2", "LT-1"}
    good = [row for row in rows if row["quality"] == "good"]
    assert len(good) > 10
    assert all(row["value"] and row["status"] == "Good" for row in good)
    times = [row["time"] for row in rows if row["quality"] == "good" and row["tag"] == "FT-1"]
    assert times == sorted(times)
    program.good("export", plant, "--tags", "FT-1", "--from", "-10min", "--every", "1min", "-o", table)
    with table.open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 10
    moment = iso(at_us - SECOND, UTC)
    for screen in ("overview", "trend"):
        picture = program.folder / f"{screen}.png"
        program.good("render", plant, screen, "-o", picture, "--at", moment, "--theme", "light")
        assert QImage(str(picture)).width() == 1920
    missing = program.run("render", plant, "overveiw", "-o", program.folder / "x.png")
    assert (missing.code, "did you mean" in missing.err) == (1, True)
    assert program.run("render", plant, "overview", "-o", "x.png", "--size", "large").code == 2
    assert program.run("export", plant, "--tags", "FT-1", "--from", "soon", "-o", "x.csv").code == 2
    assert program.run("export", plant, "--tags", "none*", "--from", "-1h", "-o", "x.csv").code == 1
    assert not (program.folder / "x.csv").exists()


def test_that_a_plant_with_errors_is_told_all_of_them_and_is_not_run(program: Program) -> None:
    plant = program.folder / "well"
    program.good("new", plant)
    tags = plant / "tags" / "tags.csv"
    tags.write_text(tags.read_text().replace("float32,L/s,0,20,5,15", "float32,L/s,zero,20,5,15"))
    screen = plant / "screens" / "overview.yaml"
    screen.write_text(screen.read_text().replace("level: LT-1,", "level: LT-11,"))
    found = program.run("check", plant)
    assert found.code == 1
    assert "tags/tags.csv:" in found.out
    assert "low: error:" in found.out
    assert "screens/overview.yaml:" in found.out
    assert "did you mean 'LT-1'" in found.out
    refused = program.run("run", plant, "--headless", "--for", "1s")
    assert refused.code == 1
    assert "low: error:" in refused.err
    assert "nothing was started" in refused.err
    assert program.run("status", plant).code == 1
