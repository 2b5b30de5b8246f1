"""Collects what is wrong with the files of a plant, each finding once."""

from hmi.config.code import Code
from hmi.core.problem import Place, Problem, Severity

LIMIT = 1000
"""So many problems are told; a file of another kind in the wrong place must not fill the screen."""


class Report:
    """The problems found so far. Not thread-safe: one load, one report."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}

    def error(self, place: Place, code: Code, message: str, hint: str = "") -> None:
        self._add(Problem(place, code.value, message, hint))

    def warning(self, place: Place, code: Code, message: str, hint: str = "") -> None:
        self._add(Problem(place, code.value, message, hint, Severity.WARNING))

    def take(self, other: "Report") -> None:
        """Add the problems of another report."""
        for problem in other._problems:
            self._add(problem)

    @property
    def errors(self) -> int:
        return sum(problem.severity is Severity.ERROR for problem in self._problems)

    def problems(self) -> list[Problem]:
        """All of them, in the order of files and lines."""
        return sorted(self._problems)

    def _add(self, problem: Problem) -> None:
        if len(self._problems) < LIMIT:
            self._problems[problem] = None
