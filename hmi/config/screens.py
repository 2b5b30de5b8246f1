"""All screens of a plant: checks each, with every set of parameters that it is opened with, and opens them."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from hmi.config.builder import Builder, Judged, Opening, Surroundings
from hmi.config.code import Code
from hmi.config.filling import as_text, fill_text
from hmi.config.report import Report
from hmi.config.sheet import ANYTHING, Giver, OnePlace, Sheet, SheetKind, read_sheet
from hmi.config.tags import Known
from hmi.config.tree import Scalar
from hmi.core.binding import Text, parse_text
from hmi.core.device import Device
from hmi.core.expression import ExpressionError
from hmi.core.problem import Place, Problem, did_you_mean
from hmi.core.resources import Shipped, shipped
from hmi.core.screen import Placeholder, Screen, ScreenHead

MAX_CHAIN = 6
"""A faceplate may open another, and that a third; no plant needs more."""


class ScreenBook:
    """The screens of one plant. Immutable once made; `open` may be called on any thread."""

    def __init__(self, files: Mapping[str, str], known: Known, devices: Mapping[str, Device | None]) -> None:
        self._reading = Report()
        self._sheets: dict[str, Sheet] = {}
        for file, text in files.items():
            if file.startswith("screens/") and file.endswith(".yaml"):
                sheet = read_sheet(file, text, self._reading)
                self._sheets[sheet.name] = sheet
        tags = {tag.name: tag for tag in known.tags}
        self._around = Surroundings(
            sheets=self._sheets,
            tags=tags,
            names=known.names,
            spelling=known.spelling,
            devices=frozenset(devices),
            symbols=_symbols(files),
            giver=Giver(tags, _prefixes(known.names)),
        )

    @property
    def names(self) -> list[str]:
        """The screens that stand by themselves: no faceplates, no parts."""
        return [sheet.name for sheet in self._sheets.values() if sheet.kind is SheetKind.SCREEN]

    def heads(self) -> dict[str, ScreenHead]:
        """The heads of screens and faceplates by name."""
        return {sheet.name: sheet.head for sheet in self._sheets.values() if sheet.kind is not SheetKind.PART}

    def check(self, report: Report) -> None:
        """Put everything wrong in any screen into the report, each where the engineer must change something."""
        report.take(self._reading)
        _Check(self._around, report).run()

    def open(self, name: str, parameters: Mapping[str, Any]) -> tuple[Screen, list[Problem]]:
        """The screen, ready to be drawn. Raises `KeyError` for an unknown name."""
        sheet = self._sheets[name]
        report = Report()
        for problem in self._reading.problems():
            if problem.place.file == sheet.file:
                report.error(problem.place, Code(problem.code), problem.message, problem.hint)
        values = self._around.giver.values(sheet, parameters, OnePlace(Place(sheet.file)), report)
        if values is None:
            reason = "; ".join(problem.message for problem in report.problems())
            note = Placeholder(type="placeholder", message=reason)
            return Screen(name=name, head=sheet.head, elements=(note,)), report.problems()
        builder = Builder(self._around, sheet, values)
        elements = builder.build()
        for judged in (*builder.judged, *builder.judged_in_parts):
            report.error(judged.place, judged.code, judged.message, judged.hint)
        return Screen(name=name, head=_filled(sheet.head, values), elements=elements), report.problems()


def _prefixes(names: Iterable[str]) -> frozenset[str]:
    """All beginnings of tag names: of `north.P-1.run` these are `north` and `north.P-1`."""
    found: set[str] = set()
    for name in names:
        while (end := name.rfind(".")) > 0:
            name = name[:end]
            if name in found:
                break
            found.add(name)
    return frozenset(found)


def _symbols(files: Iterable[str]) -> frozenset[str]:
    """The plant's own symbols and those that ship with the program."""
    own = {PurePosixPath(file).stem for file in files if file.startswith("symbols/") and file.endswith(".svg")}
    return frozenset(own | {path.stem for path in (shipped(Shipped.RESOURCES) / "symbols").glob("*.svg")})


def _filled(head: ScreenHead, values: Mapping[str, Scalar]) -> ScreenHead:
    """The head with its parameters filled into the title."""
    if not values or "$" not in head.title.source:
        return head
    source = fill_text(head.title.source, values)
    try:
        return head.model_copy(update={"title": parse_text(source)})
    except ExpressionError:
        return head.model_copy(update={"title": Text(source, (source,))})


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


class _Check:
    """Builds every sheet by itself, then with each set of values with which it is opened."""

    def __init__(self, around: Surroundings, report: Report) -> None:
        self._around = around
        self._report = report
        self._instances: dict[tuple[Any, ...], _Instance] = {}
        self._queue: deque[_Instance] = deque()
        self._told: set[Place] = set()
        self._parts: dict[str, list[Opening]] = {}

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
            builder.build()
            self._tell(builder)
            instance.judged = [judged for judged in builder.judged if judged.dependent]
            for opening in builder.openings:
                if instance.depth < MAX_CHAIN:
                    self._enqueue(opening.sheet, opening.values, instance.depth + 1, opening.place)
        self._attribute()

    def _enqueue(self, sheet: Sheet, values: Mapping[str, Scalar], depth: int, opener: Place | None) -> None:
        if any(isinstance(value, str) and ANYTHING in value for value in values.values()):
            return
        key = (sheet.name, *sorted((name, as_text(value)) for name, value in values.items()))
        instance = self._instances.get(key)
        if instance is None:
            instance = self._instances[key] = _Instance(sheet, values, depth)
            self._queue.append(instance)
        if opener is not None:
            instance.openers.append(opener)

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
            if tag not in self._around.names and "$" not in tag:
                hint = did_you_mean(tag, self._around.spelling)
                self._report.error(sheet.place("title"), Code.TAG_UNKNOWN, f"unknown tag '{tag}'", hint)
