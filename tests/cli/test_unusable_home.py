"""A home that cannot be used: one plain line that says what to do, and exit code 1."""

from pathlib import Path

import pytest

from hmi.cli import main

WATERWORKS = str(Path(__file__).resolve().parents[2] / "screens" / "waterworks")


@pytest.mark.parametrize(
    "words",
    [
        ["run", WATERWORKS, "--headless", "--for", "1s"],
        ["render", WATERWORKS, "overview", "-o", "x.png"],
        ["render", WATERWORKS, "overview", "-o", "x.png", "--at", "-1h"],
        ["export", WATERWORKS, "--tags", "LT-101", "--from", "-1h", "-o", "x.csv"],
        ["demo", "--headless", "--for", "1s"],
        ["status", WATERWORKS],
        ["collect", WATERWORKS],
        ["stop", WATERWORKS],
    ],
    ids=lambda words: f"{words[0]} {words[-1]}",
)
def test_that_a_home_that_is_a_file_is_told_in_one_line(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "home"
    file.write_text("not a folder")
    monkeypatch.setenv("HMI_HOME", str(file))
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "cannot be used: Not a directory" in said.err
    assert str(file) in said.err
