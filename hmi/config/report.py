"""Collects what is wrong with the files of a plant, each finding once."""

from hmi.config.code import Code
from hmi.core.problem import Place, Problem, Severity

LIMIT = 1000
"""So many problems are told; a file of another kind in the wrong place must not fill the screen."""


class Report:
    """The problems found so far. Not thread-safe: one load, one report."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}
        self._errors = 0
        self._left_out = 0

    def error(self, place: Place, code: Code, message: str, hint: str = "") -> None:
        self._add(Problem(place, code.value, message, hint))

    def warning(self, place: Place, code: Code, message: str, hint: str = "") -> None:
        self._add(Problem(place, code.value, message, hint, Severity.WARNING))

    def take(self, other: "Report") -> None:
        """Add the problems of another report."""
        self._left_out += other._left_out
        for problem in other._problems:
            self._add(problem)

    @property
    def errors(self) -> int:
        """How often an error was reported, the same one twice included: it rises with every error."""
        return self._errors

    def problems(self) -> list[Problem]:
        """All of them, in the order of files and lines."""
        found = sorted(self._problems)
        if self._left_out:
            message = f"there are more than {LIMIT} problems; the others are not listed"
            found.append(Problem(Place(found[-1].place.file), Code.TOO_MANY.value, message))
        return found

    def _add(self, problem: Problem) -> None:
        self._errors += problem.severity is Severity.ERROR
        if len(self._problems) < LIMIT:
            self._problems[problem] = None
        elif problem not in self._problems:
            self._left_out += 1
