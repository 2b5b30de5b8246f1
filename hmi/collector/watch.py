"""Sees when the files of a plant folder change."""

import os
from pathlib import Path

ENDINGS = (".yaml", ".yml", ".csv", ".svg")

Fingerprint = dict[str, tuple[int, int]]


def fingerprint(folder: Path) -> Fingerprint:
    """Time of change and size of every file that describes the plant. Cheap enough for several times a second."""
    found: Fingerprint = {}
    folders = [str(folder)]
    while folders:
        try:
            entries = list(os.scandir(folders.pop()))
        except OSError:
            # A folder that vanished between two looks is simply no longer part of it.
            continue
        for entry in entries:
            try:
                if entry.name.startswith("."):
                    continue
                # Links to folders are not read either; two that lead back up would be followed without end.
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.name.endswith(ENDINGS):
                    stat = entry.stat()
                    found[entry.path] = (stat.st_mtime_ns, stat.st_size)
            except OSError:
                continue
    return found
