"""Collects what is wrong with the files of a plant, each finding once."""

from hmi.config.code import Code
from hmi.core.problem import Place, Problem, Severity

LIMIT = 1000
"""So many errors and so many warnings are told; a file of another kind in the wrong place must not fill the screen."""


class Report:
    """The problems found so far. Not thread-safe: one load, one report."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}
        self._errors = 0
        self._listed = dict.fromkeys(Severity, 0)
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
            last = Place(found[-1].place.file)
            found.append(Problem(last, Code.TOO_MANY.value, message, severity=Severity.WARNING))
        return found

    def _add(self, problem: Problem) -> None:
        self._errors += problem.severity is Severity.ERROR
        if problem in self._problems:
            return
        # Each severity has its own limit: warnings must never push out an error.
        if self._listed[problem.severity] < LIMIT:
            self._listed[problem.severity] += 1
            self._problems[problem] = None
        else:
            self._left_out += 1
