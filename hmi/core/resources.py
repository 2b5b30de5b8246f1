"""Finds what ships beside the code: symbols, fonts, themes and the manual, and the example plants."""

import sys
from enum import Enum
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


class Shipped(Enum):
    """A folder that travels with the program."""

    RESOURCES = "resources"
    SCREENS = "screens"


def shipped(folder: Shipped) -> Path:
    """Return the folder, in a frozen program, an installed wheel or a checkout, whichever this is.

    Raises FileNotFoundError, naming the places that were looked at: the installation is then incomplete.
    """
    frozen = getattr(sys, "_MEIPASS", None)
    places = [] if frozen is None else [Path(frozen) / folder.value]
    places += [_PACKAGE / "_data" / folder.value, _PACKAGE.parent / folder.value]
    for place in places:
        if place.is_dir():
            return place
    looked_at = ", ".join(str(place) for place in places)
    raise FileNotFoundError(f"the folder '{folder.value}' of Hindsight is missing; looked at {looked_at}")
