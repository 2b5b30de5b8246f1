"""The wheel carries what the program shows: fonts, symbols, the manual and the example plants."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hmi.core.resources import Shipped, shipped


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return next(folder.glob("hindsight_hmi-*.whl"))


def files_of(folder: Path) -> set[str]:
    return {
        file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc"
    }


def test_that_the_wheel_holds_every_resource_and_every_example_plant(wheel: Path, checkout: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in Shipped:
        shipped_files = files_of(checkout / folder.value)
        assert shipped_files
        assert {f"hmi/_data/{folder.value}/{name}" for name in shipped_files} <= names


def test_that_the_wheel_holds_nothing_but_the_program(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"hmi"}


def test_that_an_installed_program_finds_its_resources(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = "from hmi.core.resources import *; print(*[shipped(folder) for folder in Shipped], sep='\\n')"
    # -I keeps the checkout off the path; the folder of the unpacked wheel is put there by hand.
    found = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout.split()
    assert [Path(line) for line in found] == [tmp_path / "hmi/_data" / folder.value for folder in Shipped]


def test_that_a_checkout_finds_its_resources(checkout: Path) -> None:
    assert shipped(Shipped.RESOURCES) == checkout / "resources"
    assert (shipped(Shipped.RESOURCES) / "fonts/B612-Regular.otf").is_file()
