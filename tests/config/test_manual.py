"""The manual says what the program does."""

import re
from pathlib import Path

import pytest

from hmi.config.code import Code
from hmi.config.entry import AlarmEntry, HistorianEntry, PlantEntry
from hmi.config.tag_files import COLUMNS
from hmi.core.expression import FUNCTIONS
from hmi.drivers import DRIVERS
from tests.config.plants import load
from tests.config.write_manual import PAGE, page

MANUAL = PAGE.parent


def words(page_name: str) -> set[str]:
    """Everything between backticks."""
    text = (MANUAL / page_name).read_text(encoding="utf-8")
    return set(re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)))


def test_that_every_problem_is_explained_once() -> None:
    text = (MANUAL / "problems.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)
    assert sorted(explained) == sorted(code.value for code in Code)


def test_that_every_code_is_used_somewhere(checkout: Path) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (checkout / "hmi" / "config").glob("*.py"))
    unused = [code.name for code in Code if f"Code.{code.name}" not in source]
    assert not unused


def test_that_the_tables_of_elements_are_those_of_the_program() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), "run: python -m tests.config.write_manual"


def test_that_every_key_of_the_plant_folder_is_explained() -> None:
    known = words("plant-folder.md")
    keys = {*COLUMNS, *PlantEntry.model_fields, *HistorianEntry.model_fields, *AlarmEntry.model_fields, *DRIVERS}
    assert not keys - known


def test_that_every_function_of_expressions_is_explained() -> None:
    text = (MANUAL / "expressions.md").read_text(encoding="utf-8")
    assert not [name for name in FUNCTIONS if f"`{name}(" not in text]


@pytest.mark.parametrize(
    ("file", "page_name", "first"),
    [
        ("plant_yaml", "plant-folder.md", "version: 1\nname: Ostbach"),
        ("tags__t_yaml", "plant-folder.md", "version: 1\ntemplates:"),
        ("alarms__a_yaml", "plant-folder.md", "version: 1\nalarms:"),
        ("screens__s_yaml", "screens.md", "# yaml-language-server"),
    ],
)
def test_that_the_examples_of_the_manual_are_valid(file: str, page_name: str, first: str) -> None:
    text = (MANUAL / page_name).read_text(encoding="utf-8")
    block = next(b for b in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if b.startswith(first))
    name = file.replace("__", "/").removesuffix("_yaml") + ".yaml"
    _, problems = load(**{file: block})
    # The examples name tags and devices of their own; nothing else may be wrong with them.
    foreign = ("tag-unknown", "device-unknown", "screen-unknown")
    wrong = [str(p) for p in problems if p.place.file == name and p.code not in foreign]
    assert not wrong
