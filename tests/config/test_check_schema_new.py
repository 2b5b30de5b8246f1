"""The commands check, schema and new, as they are typed."""

import json
from pathlib import Path

import pytest

from hmi.cli import main
from hmi.config import load_plant, read_files
from hmi.core.resources import Shipped, shipped
from hmi.drivers import DRIVERS

BROKEN = Path(__file__).parent / "broken"


def test_that_check_prints_every_problem_and_counts_them(capsys: pytest.CaptureFixture[str]) -> None:
    folder = BROKEN / "two-mistakes-in-one-file"
    assert main(["check", str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:-1] == (folder / "expected.txt").read_text().splitlines()
    assert lines[-1] == "Broken: 5 tags, 1 device, 1 screen: 2 errors"


def test_that_check_speaks_json_to_other_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(BROKEN / "bad-number-in-csv"), "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out) == [
        {
            "file": "tags/tags.csv",
            "line": 7,
            "column_name": "high",
            "severity": "error",
            "code": "wrong-type",
            "message": "expected a number, found '12O'",
        }
    ]


def test_that_check_of_no_plant_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path)]) == 2
    assert "holds no plant.yaml" in capsys.readouterr().err


def test_that_a_new_plant_is_free_of_problems_and_bears_the_name_of_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "Well house: 2"
    assert main(["new", str(folder)]) == 0
    assert main(["check", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Well house: 2: 10 tags, 1 device, 2 screens: no problems"


def test_that_every_line_of_the_new_plant_is_shown_in_the_editor_without_complaint(tmp_path: Path) -> None:
    main(["new", str(tmp_path / "p")])
    for name, text in read_files(tmp_path / "p").items():
        if name.endswith(".yaml"):
            first = text.partition("\n")[0]
            assert first.startswith("# yaml-language-server: $schema=")
            assert ((tmp_path / "p" / name).parent / first.partition("=")[2]).is_file()


def test_that_new_never_writes_into_a_folder_with_something_in_it(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["new", str(tmp_path)]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_that_the_new_plant_has_what_it_promises() -> None:
    plant, problems = load_plant(read_files(shipped(Shipped.SCREENS) / "starter"), DRIVERS, {})
    assert not problems
    assert plant is not None
    assert len(plant.tags) == 10
    assert len([rule for rule in plant.alarms if rule.tag >= 0]) == 2
    assert sorted(plant.screens) == ["faceplates/pump", "overview"]
    assert {device.driver for device in plant.devices} == {"simulator"}


def test_that_schema_lists_the_tags_of_the_plant_for_the_editor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["new", str(tmp_path / "p")])
    capsys.readouterr()
    assert main(["schema", str(tmp_path / "p")]) == 0
    assert "Put this line" not in capsys.readouterr().out
    schema = json.loads((tmp_path / "p" / ".schema" / "screen.schema.json").read_text())
    names = schema["$defs"]["TagOfThisPlant"]["anyOf"][0]["enum"]
    assert "P-1.speed" in names
    assert schema["$defs"]["Setpoint"]["properties"]["tag"]["$ref"] == "#/$defs/TagOfThisPlant"
    assert "placeholder" not in json.dumps(schema)
    plant = json.loads((tmp_path / "p" / ".schema" / "plant.schema.json").read_text())
    titles = [form["title"] for form in plant["properties"]["devices"]["additionalProperties"]["oneOf"]]
    assert titles == sorted(DRIVERS)


def test_that_schema_tells_the_line_for_files_that_lack_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name in ("plant.yaml", "screens/faceplates/a.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("version: 1\n")
    assert main(["schema", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "  plant.yaml: # yaml-language-server: $schema=./.schema/plant.schema.json\n" in out
    assert "  screens/faceplates/a.yaml: # yaml-language-server: $schema=../../.schema/screen.schema.json\n" in out
    assert "because the plant has errors" in out
