"""What is wrong with an engineer's file, and where. Problems are collected, never only the first."""

import difflib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


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


class Spelling:
    """Names among which the nearest to a wrong one is found at once, however many there are.

    Only names that differ in one character, or begin or end like the wrong one, are compared: thousands of wrong tags
    must not take minutes.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        self._hints: dict[str, str] = {}

    def hint(self, word: str) -> str:
        """`did you mean 'tank.level'?`, or an empty text where nothing comes near."""
        if word not in self._hints:
            self._hints[word] = self._find(word)
        return self._hints[word]

    @cached_property
    def _forward(self) -> list[str]:
        return sorted(self._names)

    @cached_property
    def _backward(self) -> list[str]:
        return sorted(name[::-1] for name in self._names)

    @cached_property
    def _alike(self) -> dict[str, str]:
        return {_looks(name): name for name in self._names}

    @cached_property
    def _shortened(self) -> dict[str, str]:
        """Every name with one character left out: names that differ in one character share one of these."""
        if len(self._names) > _MANY:
            return {}
        return {short: name for name in self._names if len(name) <= 80 for short in _shorter(name)}

    def _find(self, word: str) -> str:
        same = self._alike.get(_looks(word))
        if same is None:
            near = difflib.get_close_matches(word[:100], self._candidates(word), n=1, cutoff=0.6)
            same = near[0] if near else None
        return f"did you mean '{same}'?" if same is not None else ""

    def _candidates(self, word: str) -> Sequence[str]:
        if len(self._names) <= 4 * _NEIGHBOURS:
            return self._names
        at, back = bisect_left(self._forward, word), bisect_left(self._backward, word[::-1])
        begin = self._forward[max(at - _NEIGHBOURS, 0) : at + _NEIGHBOURS]
        end = self._backward[max(back - _NEIGHBOURS, 0) : back + _NEIGHBOURS]
        similar = [self._shortened[short] for short in _shorter(word[:80]) if short in self._shortened]
        return list(dict.fromkeys([*similar, *begin, *(name[::-1] for name in end)]))


_NEIGHBOURS = 8
_MANY = 20_000


def _looks(name: str) -> str:
    """The same for names that a reader takes for one another: FT-1O1 and ft-101."""
    return name.lower().translate(_LOOK_ALIKES)


_LOOK_ALIKES = str.maketrans("oil", "011")


def _shorter(name: str) -> Iterable[str]:
    return (name[:i] + name[i + 1 :] for i in range(len(name)))


def did_you_mean(word: str, known: Iterable[str] | Spelling) -> str:
    """A hint such as `did you mean 'tank.level'?`, or an empty text where nothing comes near."""
    return (known if isinstance(known, Spelling) else Spelling(known)).hint(word)


def errors_in(problems: Iterable[Problem]) -> bool:
    """Whether there is anything that a plant must not be run with."""
    return any(p.severity is Severity.ERROR for p in problems)
