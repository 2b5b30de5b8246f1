"""What is wrong with an engineer's file, and where. Problems are collected, never only the first."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file of the plant folder. Lines and columns count from 1; 0 means the whole file.

    For a CSV file `column_name` says which column is meant, since a spreadsheet shows no character positions.
    """

    file: str
    line: int = 0
    column: int = 0
    column_name: str = ""

    def __str__(self) -> str:
        if self.column_name:
            return f"{self.file}:{self.line}:{self.column_name}"
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding. `code` is stable (documented in the manual), `hint` says what to do about it."""

    place: Place
    code: str
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        hint = f" (hint: {self.hint})" if self.hint else ""
        return f"{self.place}: {self.severity}: {self.message}{hint}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint such as `did you mean 'tank.level'?`, or an empty text where nothing comes near."""
    known = list(known)
    lower = {k.lower(): k for k in known}
    if word.lower() in lower:
        return f"did you mean '{lower[word.lower()]}'?"
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else ""


def errors_in(problems: Iterable[Problem]) -> bool:
    """Whether there is anything that a plant must not be run with."""
    return any(p.severity is Severity.ERROR for p in problems)
