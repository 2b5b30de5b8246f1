"""The commands, as somebody uses them who has just installed the program: 0 good, 1 problems found, 2 wrong usage."""

import csv
import json
import re
from datetime import UTC
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from hmi.cli import COMMANDS, main
from hmi.core.clock import SECOND, SystemClock
from hmi.core.moment import iso
from tests.system.program import Program


@pytest.fixture
def here(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes `main` in this process see the same home as the program's own processes."""
    monkeypatch.setenv("HMI_HOME", program.environment["HMI_HOME"])
    monkeypatch.chdir(program.folder)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_that_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"usage: hmi {name}")
    assert len(told) > 60


def test_that_wrong_usage_is_told_with_a_hint_and_exit_code_2(
    program: Program, here: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in ([], ["run"], ["run", "plant", "--for", "soon"], ["check", "nowhere"], ["demo", "--for", "long"]):
        assert main(words) == 2, words
    capsys.readouterr()
    assert main(["chekc", "plant"]) == 2
    assert "did you mean check?" in capsys.readouterr().err.replace("'", "")
    assert program.run("demo", "--themes", "dark").code == 2
    assert program.good("version").out.startswith("Hindsight ")
    assert "hmi COMMAND --help" in program.good("--help").out


@pytest.mark.timeout(150)
def test_a_new_plant_from_its_making_to_its_export(
    program: Program, here: None, capsys: pytest.CaptureFixture[str]
) -> None:
    plant = program.folder / "well"
    assert "hmi run" in program.good("new", plant).out
    assert main(["new", str(plant)]) == 2
    assert program.good("check", plant).last_line == "well: 10 tags, 1 device, 2 screens: no problems"
    capsys.readouterr()
    assert main(["check", str(plant), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert main(["schema", str(plant)]) == 0
    assert json.loads((plant / ".schema" / "screen.schema.json").read_text())["type"] == "object"
    # Nothing runs, and nothing has run.
    assert main(["status", str(plant)]) == 1
    assert main(["stop", str(plant)]) == 1
    assert main(["export", str(plant), "--tags", "*", "--from", "-1h", "-o", "x.csv"]) == 1
    assert "has not run" in capsys.readouterr().err

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
    assert main(["status", str(plant)]) == 1

    _export_and_render_what_was(program, plant, at_us)
    for code, words in (
        (1, ["render", str(plant), "overveiw", "-o", "x.png"]),
        (2, ["render", str(plant), "overview", "-o", "x.png", "--size", "large"]),
        (2, ["export", str(plant), "--tags", "FT-1", "--from", "soon", "-o", "x.csv"]),
        (1, ["export", str(plant), "--tags", "none*", "--from", "-1h", "-o", "x.csv"]),
    ):
        assert main(words) == code, words
    assert "did you mean" in capsys.readouterr().err
    assert not list(program.folder.glob("x.*"))


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
    assert main(["export", str(plant), "--tags", "FT-1", "--from", "-10min", "--every", "1min", "-o", str(table)]) == 0
    with table.open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 10
    moment = iso(at_us - SECOND, UTC)
    picture = program.folder / "then.png"
    program.good("render", plant, "trend", "-o", picture, "--at", moment, "--theme", "light")
    assert QImage(str(picture)).width() == 1920


def test_that_a_plant_with_errors_is_told_all_of_them_and_is_not_run(
    program: Program, here: None, capsys: pytest.CaptureFixture[str]
) -> None:
    plant = program.folder / "well"
    assert main(["new", str(plant)]) == 0
    tags = plant / "tags" / "tags.csv"
    tags.write_text(tags.read_text().replace("float32,L/s,0,20,5,15", "float32,L/s,zero,20,5,15"))
    screen = plant / "screens" / "overview.yaml"
    screen.write_text(screen.read_text().replace("level: LT-1,", "level: LT-11,"))
    capsys.readouterr()
    assert main(["check", str(plant)]) == 1
    found = capsys.readouterr().out
    assert re.search(r"^tags/tags.csv:\d+:low: error:", found, re.MULTILINE)
    assert re.search(r"^screens/overview.yaml:\d+:\d+: error:", found, re.MULTILINE)
    assert "did you mean 'LT-1'" in found
    refused = program.run("run", plant, "--headless", "--for", "1s")
    assert refused.code == 1
    assert "low: error:" in refused.err
    assert "nothing was started" in refused.err
    assert program.status(plant) == {}
