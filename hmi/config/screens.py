"""All screens of a plant: checks each, with every set of parameters that it is opened with, and opens them."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any, cast

from hmi.config.builder import Builder, Surroundings
from hmi.config.code import Code
from hmi.config.filling import fill_text
from hmi.config.report import Report
from hmi.config.screen_check import Built, Given, ScreenCheck, given
from hmi.config.sheet import Giver, OnePlace, Sheet, SheetKind, read_sheet
from hmi.config.tags import Known
from hmi.config.tree import Scalar
from hmi.core.binding import Text, parse_text
from hmi.core.device import Device
from hmi.core.expression import ExpressionError
from hmi.core.problem import Place, Problem
from hmi.core.resources import Shipped, shipped
from hmi.core.screen import Placeholder, Screen, ScreenHead


class ScreenBook:
    """The screens of one plant. Once checked it does not change; `open` may be called on any thread."""

    def __init__(self, files: Mapping[str, str], known: Known, devices: Mapping[str, Device | None]) -> None:
        self._reading = Report()
        self._sheets: dict[str, Sheet] = {}
        self._built: Mapping[Given, Built] = {}
        for file, text in files.items():
            if file.startswith("screens/") and file.endswith(".yaml"):
                sheet = read_sheet(file, text, self._reading)
                self._sheets[sheet.name] = sheet
        tags = {tag.name: tag for tag in known.tags}
        self._around = Surroundings(
            sheets=self._sheets,
            tags=tags,
            excused=known.excused,
            spelling=known.spelling,
            devices=frozenset(devices),
            symbols=_symbols(files),
            giver=Giver(tags, _prefixes(known.names), known.excused),
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
        check = ScreenCheck(self._around, report)
        check.run()
        self._built = check.built

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
        elements, found = self._built.get(given(sheet, values)) or self._build(sheet, values)
        for judged in found:
            report.error(judged.place, judged.code, judged.message, judged.hint)
        screen = Screen.model_construct(name=name, head=_filled(sheet.head, values), elements=cast("Any", elements))
        return screen, report.problems()

    def _build(self, sheet: Sheet, values: Mapping[str, Scalar]) -> Built:
        builder = Builder(self._around, sheet, values)
        elements = builder.build()
        return elements, (*builder.judged, *builder.judged_in_parts)


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
