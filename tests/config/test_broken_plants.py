"""One plant folder for each mistake that an engineer makes, with the lines that `hmi check` must print for it."""

from pathlib import Path

import pytest

from hmi.config import load_plant, read_files
from hmi.core.problem import Place
from hmi.drivers import DRIVERS

BROKEN = Path(__file__).parent / "broken"
CASES = sorted(path.name for path in BROKEN.iterdir())


@pytest.mark.parametrize("case", CASES)
def test_that_a_mistake_is_told_at_its_place(case: str) -> None:
    _, problems = load_plant(read_files(BROKEN / case), DRIVERS, {})
    printed = [str(problem) for problem in problems]
    assert printed == (BROKEN / case / "expected.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("case", CASES)
def test_that_a_place_can_be_clicked(case: str) -> None:
    """The file exists and has that line, and the line is as long as the column says."""
    files = read_files(BROKEN / case)
    _, problems = load_plant(files, DRIVERS, {})
    assert problems
    for problem in problems:
        place: Place = problem.place
        lines = files[place.file].splitlines()
        assert 1 <= place.line <= len(lines)
        assert place.column <= len(lines[place.line - 1]) + 1


def test_that_mistakes_in_screens_leave_the_plant_running() -> None:
    plant, problems = load_plant(read_files(BROKEN / "two-mistakes-in-one-file"), DRIVERS, {})
    assert plant is not None
    assert len(problems) == 2
    screen, found = plant.open_screen("overview")
    assert [element.type for element in screen.elements] == ["text", "placeholder", "placeholder"]  # type: ignore[union-attr]
    assert [str(p) for p in found] == [str(p) for p in problems]


def test_that_a_mistake_in_tags_refuses_the_plant() -> None:
    plant, _ = load_plant(read_files(BROKEN / "bad-number-in-csv"), DRIVERS, {})
    assert plant is None
