"""How commands get at a plant: its files, its collector, its history."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hmi.config import PlantFolderMissing, load_plant, read_files
from hmi.core.home import Home
from hmi.core.plant import Plant
from hmi.core.problem import Problem, errors_in
from hmi.drivers import DRIVERS
from hmi.history.reader import Reader


def load(files: Mapping[str, str], environment: Mapping[str, str]) -> tuple[Plant | None, list[Problem]]:
    """Files to a plant, with the drivers that we have."""
    return load_plant(files, DRIVERS, environment)


def plant_or_reasons(folder: Path, *, to_run: bool = False) -> Plant | None:
    """The plant in `folder`, or None after saying on stderr, all at once, what is wrong with it.

    A plant that is to be run may have no error at all; to look at its history, wrong screens are no hindrance.
    """
    try:
        plant, problems = load(read_files(folder), os.environ)
    except PlantFolderMissing as error:
        print(error, file=sys.stderr)
        return None
    for problem in problems:
        print(problem, file=sys.stderr)
    if plant is None or (to_run and errors_in(problems)):
        errors = sum(1 for p in problems if errors_in([p]))
        print(f"{folder}: {errors} error{'s' if errors != 1 else ''}; nothing was started", file=sys.stderr)
        return None
    return plant


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
