"""Checks all screens of a plant, with every set of parameters with which one opens or uses another."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from hmi.config.builder import Builder, Judged, Opening, Surroundings
from hmi.config.code import Code
from hmi.config.filling import as_text
from hmi.config.report import Report
from hmi.config.sheet import ANYTHING, Sheet, SheetKind
from hmi.config.tree import Scalar
from hmi.core.problem import Place, did_you_mean
from hmi.core.screen import Element

MAX_CHAIN = 6
"""A faceplate may open another, and that a third; no plant needs more."""
MAX_KEPT = 20_000
"""Elements that are kept for opening; beyond that, screens are built anew."""

Given: TypeAlias = tuple[Any, ...]
Built: TypeAlias = tuple[tuple[Element, ...], tuple[Judged, ...]]


def given(sheet: Sheet, values: Mapping[str, Scalar]) -> Given:
    """The same for two openings that show the same."""
    return (sheet.name, *sorted((name, as_text(value)) for name, value in values.items()))


@dataclass(slots=True)
class _Instance:
    """One sheet with one set of values, and who opens it so."""

    sheet: Sheet
    values: Mapping[str, Scalar]
    depth: int
    openers: list[Place] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)

    @property
    def given(self) -> str:
        return ", ".join(f"{name} = {as_text(value)}" for name, value in self.values.items())


class ScreenCheck:
    """Builds every sheet by itself, then with each set of values with which it is opened.

    `built` holds what came out whole, for `open`.
    """

    def __init__(self, around: Surroundings, report: Report) -> None:
        self._around = around
        self._report = report
        self._instances: dict[Given, _Instance] = {}
        self._queue: deque[_Instance] = deque()
        self._told: set[Place] = set()
        self._parts: dict[str, list[Opening]] = {}
        self._kept = 0
        self.built: dict[Given, Built] = {}

    def run(self) -> None:
        for sheet in self._around.sheets.values():
            self._check_parent(sheet)
            self._check_title(sheet)
            if sheet.params:
                builder = Builder(self._around, sheet, sheet.stand_ins(), alone=True)
                builder.build()
                self._tell(builder)
            if all(p.default is not None for p in sheet.params.values()):
                values = {name: p.default for name, p in sheet.params.items()}
                self._enqueue(sheet, values, 0, None)
        while self._queue:
            instance = self._queue.popleft()
            builder = Builder(self._around, instance.sheet, instance.values, alone=True)
            self._keep(instance, builder, builder.build())
            self._tell(builder)
            instance.judged = [judged for judged in builder.judged if judged.dependent]
            for opening in builder.openings:
                if instance.depth < MAX_CHAIN:
                    self._enqueue(opening.sheet, opening.values, instance.depth + 1, opening.place)
        self._attribute()

    def _enqueue(self, sheet: Sheet, values: Mapping[str, Scalar], depth: int, opener: Place | None) -> None:
        if any(isinstance(value, str) and ANYTHING in value for value in values.values()):
            return
        key = given(sheet, values)
        instance = self._instances.get(key)
        if instance is None:
            instance = self._instances[key] = _Instance(sheet, values, depth)
            self._queue.append(instance)
        if opener is not None:
            instance.openers.append(opener)

    def _keep(self, instance: _Instance, builder: Builder, elements: tuple[Element, ...]) -> None:
        """What was built for the check need not be built again when it is opened."""
        whole = not any(opening.used for opening in builder.openings)
        if whole and self._kept + len(elements) <= MAX_KEPT:
            self._kept += len(elements)
            self.built[given(instance.sheet, instance.values)] = (elements, tuple(builder.judged))

    def _tell(self, builder: Builder) -> None:
        """Report what does not depend on values."""
        for judged in builder.judged:
            if not judged.dependent:
                self._told.add(judged.place)
                self._report.error(judged.place, judged.code, judged.message, judged.hint)
        name = builder.name
        for opening in builder.openings:
            if opening.used and opening.sheet.name not in {o.sheet.name for o in self._parts.get(name, [])}:
                self._parts.setdefault(name, []).append(opening)
                if self._reaches(opening.sheet.name, name):
                    word = opening.sheet.name.removeprefix("parts/")
                    self._report.error(opening.place, Code.CIRCLE, f"part '{word}' contains itself")

    def _reaches(self, start: str, goal: str) -> bool:
        seen: set[str] = set()
        stack = [start]
        while stack:
            name = stack.pop()
            if name == goal:
                return True
            if name not in seen:
                seen.add(name)
                stack += [opening.sheet.name for opening in self._parts.get(name, ())]
        return False

    def _attribute(self) -> None:
        """What depends on values is the file's own mistake if it holds for all openers; else it is the opener's."""
        by_sheet: dict[str, list[_Instance]] = {}
        for instance in self._instances.values():
            by_sheet.setdefault(instance.sheet.name, []).append(instance)
        for instances in by_sheet.values():
            failing: dict[Place, list[tuple[_Instance, Judged]]] = {}
            for instance in instances:
                for judged in instance.judged:
                    if judged.place not in self._told:
                        failing.setdefault(judged.place, []).append((instance, judged))
            for place, cases in failing.items():
                if len({id(instance) for instance, _ in cases}) == len(instances):
                    instance, judged = cases[0]
                    message = f"{judged.message} (with {instance.given})"
                    self._report.error(place, judged.code, message, judged.hint)
                    continue
                for instance, judged in cases:
                    for opener in instance.openers or [place]:
                        message = f"{judged.message}, needed at {place} (with {instance.given})"
                        self._report.error(opener, judged.code, message, judged.hint)

    def _check_parent(self, sheet: Sheet) -> None:
        parent = sheet.head.parent
        screens = [s.name for s in self._around.sheets.values() if s.kind is SheetKind.SCREEN]
        if parent is not None and parent not in screens:
            hint = did_you_mean(parent, screens)
            self._report.error(sheet.place("parent"), Code.SCREEN_UNKNOWN, f"unknown screen '{parent}'", hint)

    def _check_title(self, sheet: Sheet) -> None:
        for tag in sheet.head.title.tags:
            if tag not in self._around.tags and not self._around.excused.covers(tag) and "$" not in tag:
                hint = did_you_mean(tag, self._around.spelling)
                self._report.error(sheet.place("title"), Code.TAG_UNKNOWN, f"unknown tag '{tag}'", hint)
