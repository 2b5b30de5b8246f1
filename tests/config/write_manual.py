"""Writes the tables of the manual anew: python -m tests.config.write_manual"""

from pathlib import Path

from hmi.config.element_tables import BEGIN, element_tables

PAGE = Path(__file__).resolve().parents[2] / "resources" / "manual" / "screens.md"


def page(old: str) -> str:
    """The page with its tables as the program has them now."""
    return old.partition(BEGIN)[0] + BEGIN + "\n\n" + element_tables()


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
