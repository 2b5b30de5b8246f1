"""Reads the files of a plant folder as text. The only part of the configuration that touches the disk."""

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from hmi.config.code import Code
from hmi.config.report import Report
from hmi.core.problem import Place

PLANT_FILE = "plant.yaml"
MAX_BYTES = 16_000_000
MAX_YAML_BYTES = 2_000_000
"""A tag list may be long. A YAML file beyond this is no screen that anyone drew, and to read it would take the time
that polling needs."""
MAX_FILES = 5_000
_ENDINGS = (".yaml", ".yml", ".csv", ".svg")
_UNDECODABLE = "\ufffd"


class PlantFolderMissing(Exception):
    """There is no plant folder at that place. The message says what was looked for."""


def read_files(folder: Path) -> dict[str, str]:
    """The text of every YAML, CSV and SVG file, by its path relative to the folder, with `/`.

    Hidden files and folders are left out. Of a file that is too large only the beginning is read: `load_plant` reports
    it. Raises `PlantFolderMissing`, and `OSError` for a file that may not be read.
    """
    if not folder.exists():
        raise PlantFolderMissing(f"there is no folder '{folder}'")
    if not folder.is_dir():
        raise PlantFolderMissing(f"'{folder}' is a file; give the folder that holds {PLANT_FILE}")
    if not (folder / PLANT_FILE).is_file():
        raise PlantFolderMissing(f"'{folder}' is no plant folder: it holds no {PLANT_FILE} ('hmi new' makes a plant)")
    files: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.suffix.lower() not in _ENDINGS or any(part.startswith(".") for part in relative.parts):
            continue
        if not path.is_file():
            continue  # a pipe would be waited for without end, and a link that leads nowhere holds nothing
        if len(files) >= MAX_FILES:
            raise PlantFolderMissing(f"'{folder}' holds more than {MAX_FILES} files: is it the right folder?")
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except (FileNotFoundError, IsADirectoryError):
            continue  # editors save by renaming; what is not there now comes with the next look
        # A name of another character set cannot be sent or printed; the file itself is as good as any.
        name = os.fsencode(relative.as_posix()).decode("utf-8", errors="replace")
        files[name] = data.decode("utf-8-sig", errors="replace")
    return files


def usable(name: str, text: str, report: Report) -> bool:
    """Whether a file can be read at all; if not, the report says why."""
    most = MAX_YAML_BYTES if name.lower().endswith((".yaml", ".yml")) else MAX_BYTES
    if len(text.encode(errors="replace")) > most:
        report.error(Place(name), Code.FILE_TOO_LARGE, f"the file has more than {most // 1_000_000} MB")
        return False
    at = text.find(_UNDECODABLE)
    if at >= 0:
        line = text.count("\n", 0, at) + 1
        hint = "in Excel save as 'CSV UTF-8'" if name.endswith(".csv") else "save the file as UTF-8"
        column = at - (text.rfind("\n", 0, at) + 1) + 1
        report.error(Place(name, line, column), Code.NOT_TEXT, "this character is not UTF-8", hint)
        return False
    return True


def report_strangers(files: Mapping[str, str], report: Report) -> None:
    """Warn of files that nothing reads, which are most often in the wrong folder."""
    for name in files:
        path = PurePosixPath(name)
        top = path.parts[0]
        if path.suffix.lower() == ".yml":
            report.warning(Place(name), Code.FILE_NOT_READ, "this file is not read", "name it .yaml")
        elif name != PLANT_FILE and not _known(top, path):
            hint = "files lie in tags, screens, alarms or symbols"
            report.warning(Place(name), Code.FILE_NOT_READ, "this file is not read", hint)


def _known(top: str, path: PurePosixPath) -> bool:
    endings = {"tags": (".yaml", ".csv"), "screens": (".yaml",), "alarms": (".yaml",), "symbols": (".svg",)}
    return len(path.parts) > 1 and path.suffix in endings.get(top, ())
