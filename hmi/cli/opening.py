"""How commands get at a plant: its files, its collector, its history."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hmi.collector.process import unusable
from hmi.config import PlantFolderMissing, load_plant, read_files
from hmi.core.home import Home
from hmi.core.plant import Plant
from hmi.core.problem import Problem, errors_in
from hmi.drivers import DRIVERS
from hmi.history.reader import Reader


def load(files: Mapping[str, str], environment: Mapping[str, str]) -> tuple[Plant | None, list[Problem]]:
    """Files to a plant, with the drivers that we have."""
    return load_plant(files, DRIVERS, environment)


@dataclass(frozen=True, slots=True)
class Reading:
    """A plant's files as they were read, and what came of them."""

    folder: Path
    files: Mapping[str, str]
    settings: Mapping[str, str]
    plant: Plant | None
    problems: Sequence[Problem]

    def loader(self) -> Callable[[Mapping[str, str], Mapping[str, str]], tuple[Plant | None, list[Problem]]]:
        """`load`, which need not read anew what reads the same."""

        def load_what_differs(
            files: Mapping[str, str], environment: Mapping[str, str]
        ) -> tuple[Plant | None, list[Problem]]:
            if files == self.files and _settings(environment) == self.settings:
                return self.plant, list(self.problems)
            return load(files, environment)

        return load_what_differs


def read_plant(folder: Path) -> Reading | None:
    """The plant in `folder` with its problems; None after saying on stderr that there is no such folder."""
    try:
        files = read_files(folder)
    except PlantFolderMissing as error:
        print(error, file=sys.stderr)
        return None
    plant, problems = load(files, os.environ)
    return Reading(folder, files, _settings(os.environ), plant, problems)


def plant_of(reading: Reading | None, *, to_run: bool = False) -> Plant | None:
    """The plant that was read, or None after saying on stderr, all at once, what is wrong with it.

    A plant that is to be run may have no error at all; to look at its history, wrong screens are no hindrance.
    """
    if reading is None:
        return None
    for problem in reading.problems:
        print(problem, file=sys.stderr)
    if reading.plant is None or (to_run and errors_in(reading.problems)):
        errors = sum(1 for p in reading.problems if errors_in([p]))
        print(f"{reading.folder}: {errors} error{'s' if errors != 1 else ''}; nothing was started", file=sys.stderr)
        return None
    return reading.plant


def plant_or_reasons(folder: Path, *, to_run: bool = False) -> Plant | None:
    """`read_plant` and `plant_of` in one."""
    return plant_of(read_plant(folder), to_run=to_run)


def _settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that a plant depends on."""
    return {name: value for name, value in environment.items() if name.startswith("HMI_DEVICE_")}


@contextmanager
def history_of(plant: Plant, home: Home, who: str) -> Iterator[Reader]:
    """A reader of the plant's history, for the length of a command.

    Where the database is the embedded one, it is started if need be and leased, so that it stops when nobody needs it.
    Raises `HistoryUnavailableError`.
    """
    from hmi.core.session import HistoryUnavailableError
    from hmi.history.embedded import EmbeddedPostgres

    name = plant.historian.dsn_env
    if name is not None:
        dsn = os.environ.get(name, "")
        if not dsn:
            raise HistoryUnavailableError(
                f"plant.yaml says that {name} in the environment names the database; it is empty"
            )
        reader = Reader(lambda: dsn)
        try:
            yield reader
        finally:
            reader.close()
        return
    if (why := unusable(home)) is not None:
        raise HistoryUnavailableError(why)
    if not home.database.exists():
        raise HistoryUnavailableError(f"{plant.name} has no history yet: its collector has not run on this computer")
    with EmbeddedPostgres(home.database).lease(who) as embedded:
        reader = Reader(lambda: embedded)
        try:
            yield reader
        finally:
            reader.close()


@contextmanager
def quiet_file(path: Path) -> Iterator[Path]:
    """A path to write to; the file appears under its own name only when it is whole."""
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
