"""Reading a plant folder from the disk."""

import os
import sys
from pathlib import Path

import pytest

from hmi.config import PlantFolderMissing, load_plant, read_files
from hmi.drivers import DRIVERS
from tests.config.plants import files


def write(folder: Path, **changed: str | None) -> Path:
    for name, text in files(**changed).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_that_files_are_read_by_their_path_with_slashes(tmp_path: Path) -> None:
    assert read_files(write(tmp_path)) == files()


def test_that_hidden_and_foreign_files_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config.yaml").write_text("x")
    (tmp_path / ".schema").mkdir()
    (tmp_path / ".schema" / "a.yaml").write_text("x")
    (tmp_path / "notes.txt").write_text("x")
    assert read_files(tmp_path) == files()


def test_that_a_byte_order_mark_of_excel_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "tags" / "tags.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_files(tmp_path) == files()


def test_that_a_file_that_is_not_utf_8_is_told_with_what_to_do(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "tags" / "tags.csv").write_bytes("name,unit\nTT-1,°C\n".encode("cp1252"))
    _, problems = load_plant(read_files(tmp_path), DRIVERS, {})
    assert str(problems[0]) == (
        "tags/tags.csv:2:6: error: this character is not UTF-8 (hint: in Excel save as 'CSV UTF-8')"
    )


def test_that_an_absurdly_large_file_is_told_and_not_read(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "screens" / "big.yaml").write_bytes(b"#" * 2_100_000)
    plant, problems = load_plant(read_files(tmp_path), DRIVERS, {})
    assert [str(p) for p in problems] == ["screens/big.yaml: error: the file has more than 2 MB"]
    assert plant is not None


@pytest.mark.parametrize(
    ("name", "message"), [("none", "there is no folder"), ("file", "is a file"), ("empty", "holds no plant.yaml")]
)
def test_that_a_wrong_folder_is_told_in_words(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PlantFolderMissing, match=message):
        read_files(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only Unix has named pipes")
def test_that_a_pipe_and_a_link_to_itself_in_the_folder_hold_nobody_up(tmp_path: Path) -> None:
    write(tmp_path)
    os.mkfifo(tmp_path / "screens" / "pipe.yaml")
    (tmp_path / "screens" / "self.yaml").symlink_to("self.yaml")
    assert read_files(tmp_path) == files()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes file names of any bytes")
def test_that_a_file_name_of_another_character_set_can_still_be_sent(tmp_path: Path) -> None:
    write(tmp_path)
    Path(os.fsdecode(bytes(tmp_path / "symbols") + b"-\xdc.yaml")).write_text("version: 1")
    for name in read_files(tmp_path):
        name.encode("utf-8")
