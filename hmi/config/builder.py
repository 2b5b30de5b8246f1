"""Builds the elements of a sheet with its parameters filled in, and judges each where it is written."""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from hmi.config.code import Code
from hmi.config.excused import Excused
from hmi.config.filling import depends, fill
from hmi.config.report import Report
from hmi.config.sheet import ANYTHING, Giver, NodePlaces, Sheet, SheetKind, sheet_name
from hmi.config.tree import Scalar, child, place_of
from hmi.config.uses import Need, Use, uses_of
from hmi.config.wording import Finding, findings_of, node_at, place_of_finding
from hmi.core.problem import Place, Spelling, did_you_mean
from hmi.core.screen import ELEMENTS, Button, Element, Group, Horizon, Placeholder, Symbol
from hmi.core.tag import DataType, Tag

MAX_NESTING = 8
MAX_ELEMENTS = 50_000
WORDS = tuple(word for word in ELEMENTS if word != "placeholder")


@dataclass(frozen=True, slots=True)
class Judged:
    """Something wrong in a sheet; `dependent` if it comes from the value of a parameter."""

    place: Place
    code: Code
    message: str
    hint: str = ""
    dependent: bool = False


@dataclass(frozen=True, slots=True)
class Opening:
    """A sheet that an element opens or uses (`used`), with the values it gives."""

    sheet: Sheet
    used: bool
    values: Mapping[str, Scalar]
    place: Place


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the elements of all sheets may refer to."""

    sheets: Mapping[str, Sheet]
    tags: Mapping[str, Tag]
    excused: Excused
    spelling: Spelling
    devices: Collection[str]
    symbols: frozenset[str]
    giver: Giver


class Builder:
    """Builds one sheet with one set of values. `alone` leaves out the parts that it uses."""

    def __init__(
        self,
        around: Surroundings,
        sheet: Sheet,
        values: Mapping[str, Scalar],
        alone: bool = False,
        above: tuple[str, ...] = (),
    ) -> None:
        self._around = around
        self._sheet = sheet
        self._file = sheet.file
        self._values = values
        self._alone = alone
        self._above = (*above, sheet.name)
        self._count = 0
        self.judged: list[Judged] = []
        self.judged_in_parts: list[Judged] = []
        self.openings: list[Opening] = []

    @property
    def name(self) -> str:
        return self._sheet.name

    def build(self) -> tuple[Element, ...]:
        """All elements; a wrong one is a placeholder."""
        if self._sheet.elements is None:
            return (Placeholder(type="placeholder", message=self._sheet.wrong),)
        return self._elements(self._sheet.elements, 0)

    def _elements(self, nodes: SequenceNode, depth: int) -> tuple[Element, ...]:
        return tuple(self._element(node, depth) for node in nodes.value)

    def _element(self, node: Node, depth: int) -> Element:
        self._count += 1
        if self._count > MAX_ELEMENTS:
            return self._refused(node, {}, Code.FILE_TOO_LARGE, f"more than {MAX_ELEMENTS} elements")
        if not isinstance(node, MappingNode):
            return self._refused(node, {}, Code.WRONG_TYPE, "expected an element: {type: text, at: [40, 32], …}")
        before = len(self.judged)
        inner = child(node, "elements")
        data = self._data(node)
        word = data.get("type")
        if word is None:
            return self._refused(node, data, Code.KEY_MISSING, "'type' is missing", f"one of {', '.join(WORDS)}")
        model = ELEMENTS.get(word) if isinstance(word, str) and word != "placeholder" else None
        if model is None:
            where = child(node, "type") or node
            hint = did_you_mean(str(word), WORDS) or f"there are: {', '.join(WORDS)}"
            return self._refused(where, data, Code.ELEMENT_UNKNOWN, f"unknown element '{word}'", hint)
        if model is Group:
            data.pop("elements", None)
        try:
            element = model.model_validate(data)
        except ValidationError as error:
            for finding in findings_of(error, model):
                self._judge_finding(node, finding)
            return self._placeholder(data, before)
        self._judge_uses(node, element)
        self._judge_open(node, element)
        element = self._further(node, element, inner, depth)
        return self._placeholder(data, before) if self._broken(before, element) else element

    def _broken(self, before: int, element: Element) -> bool:
        # What is wrong inside a group has its placeholders inside.
        return len(self.judged) > before and not isinstance(element, Group)

    def _data(self, node: MappingNode) -> dict[str, Any]:
        def unknown(at: ScalarNode, name: str, offset: int) -> None:
            hint = did_you_mean(name, self._sheet.params) or "declare it under 'params', or write $$ for a dollar sign"
            place = place_of(self._file, at, offset)
            self.judged.append(Judged(place, Code.PARAMETER_UNKNOWN, f"unknown parameter '${name}'", hint))

        pairs = [(key, value) for key, value in node.value if getattr(key, "value", "") != "elements"]
        shallow = MappingNode(node.tag, pairs)
        data: dict[str, Any] = fill(shallow, self._values, unknown)
        if child(node, "elements") is not None:
            data["elements"] = ()
        return data

    def _further(self, node: MappingNode, element: Element, inner: Node | None, depth: int) -> Element:
        if isinstance(element, Group):
            return self._group(node, element, inner, depth)
        if (
            isinstance(element, Symbol)
            and ANYTHING not in element.symbol
            and element.symbol not in self._around.symbols
        ):
            hint = did_you_mean(element.symbol, self._around.symbols)
            self._judge(node, ("symbol",), Code.SYMBOL_UNKNOWN, f"unknown symbol '{element.symbol}'", hint)
        if isinstance(element, Button):
            self._judge_button(node, element)
        if isinstance(element, Horizon):
            shown = {tag for column in element.columns for tag in column}
            for name in element.names:
                if name not in shown and ANYTHING not in name:
                    message = f"'{name}' is not among the columns"
                    self._judge(node, ("names", name), Code.WRONG_VALUE, message, did_you_mean(name, shown))
        return element

    def _judge_button(self, node: Node, element: Button) -> None:
        tag = self._around.tags.get(element.write)
        rule = tag.write if tag is not None else None
        if tag is None or rule is None or isinstance(element.to, bool):
            return
        low = rule.low if rule.low is not None else float("-inf")
        high = rule.high if rule.high is not None else float("inf")
        known_state = not tag.states or int(element.to) in tag.states
        if not low <= element.to <= high or not known_state:
            message = f"{element.to:g} may not be written to '{tag.name}'"
            self._judge(node, ("to",), Code.RANGE, message)

    def _group(self, node: MappingNode, element: Group, inner: Node | None, depth: int) -> Element:
        if depth >= MAX_NESTING:
            return self._refused(node, {}, Code.SYNTAX, f"groups nested more than {MAX_NESTING} deep")
        if element.use is None:
            if inner is None:
                return self._refused(node, {}, Code.KEY_MISSING, "a group needs 'elements' or 'use'")
            if not isinstance(inner, SequenceNode):
                return self._refused(inner, {}, Code.WRONG_TYPE, "elements: expected a list")
            return element.model_copy(update={"elements": self._elements(inner, depth + 1)})
        if inner is not None:
            return self._refused(node, {}, Code.WRONG_VALUE, "a group has either 'elements' or 'use'")
        if ANYTHING in element.use:
            return element
        before = len(self.judged)
        opening = self._opening(node, ("use",), ("with",), SheetKind.PART, element.use, element.with_)
        if opening is None:
            return self._placeholder({"at": list(element.at)}, before)
        if opening.sheet.name in self._above or len(self._above) > MAX_NESTING:
            return self._refused(child(node, "use") or node, {}, Code.CIRCLE, f"part '{element.use}' contains itself")
        self.openings.append(opening)
        if self._alone:
            return element
        part = Builder(self._around, opening.sheet, opening.values, above=self._above)
        built = part.build()
        self.judged_in_parts += [*part.judged, *part.judged_in_parts]
        return element.model_copy(update={"use": None, "with_": {}, "elements": built})

    def _judge_open(self, node: Node, element: Element) -> None:
        to = element.open
        if to is None:
            return
        said = [word for word in ("screen", "faceplate", "tag") if getattr(to, word) is not None]
        if len(said) != 1:
            self._judge(node, ("open",), Code.WRONG_VALUE, "open: expected one of screen, faceplate, tag")
        elif said[0] != "tag":
            kind = SheetKind(said[0])
            opening = self._opening(
                node, ("open", said[0]), ("open", "with"), kind, str(getattr(to, said[0])), to.with_
            )
            if opening is not None:
                self.openings.append(opening)

    def _opening(
        self,
        node: Node,
        word_loc: tuple[str, ...],
        with_loc: tuple[str, ...],
        kind: SheetKind,
        word: str,
        given: Mapping[str, Any],
    ) -> Opening | None:
        if ANYTHING in word:
            return None
        sheet = self._around.sheets.get(sheet_name(kind, word))
        if sheet is None or sheet.kind is not kind:
            names = [s.name.rpartition("/")[2] if kind is not SheetKind.SCREEN else s.name
                     for s in self._around.sheets.values() if s.kind is kind]  # fmt: skip
            self._judge(node, word_loc, Code.SCREEN_UNKNOWN, f"unknown {kind} '{word}'", did_you_mean(word, names))
            return None
        word_node, _ = node_at(node, word_loc)
        if sheet.elements is None:
            # What is wrong with it is told there; which parameters it has nobody knows.
            return Opening(sheet, kind is SheetKind.PART, {}, place_of(self._file, word_node))
        with_node, followed = node_at(node, with_loc)
        at = with_node if followed == with_loc else word_node
        report = Report()
        values = self._around.giver.values(sheet, given, NodePlaces(self._file, at), report)
        dependent = any(depends(scalar) for scalar in _scalars(at))
        for problem in report.problems():
            self.judged.append(Judged(problem.place, Code(problem.code), problem.message, problem.hint, dependent))
        return None if values is None else Opening(sheet, kind is SheetKind.PART, values, place_of(self._file, at))

    def _judge_uses(self, node: Node, element: Element) -> None:
        for use in uses_of(element):
            if ANYTHING in use.tag:
                continue
            tag = self._around.tags.get(use.tag)
            if tag is None:
                self._judge_unknown(node, use)
            elif use.need is Need.NUMBER and tag.data_type is DataType.TEXT:
                self._judge_use(node, use, Code.TAG_UNFIT, f"'{use.tag}' is a text; a number is needed here")
            elif use.need is Need.WRITABLE and tag.write is None:
                hint = "give it write: yes in the tag file"
                self._judge_use(node, use, Code.TAG_UNFIT, f"'{use.tag}' may not be written", hint)

    def _judge_unknown(self, node: Node, use: Use) -> None:
        if self._around.excused.covers(use.tag):
            return  # a tag whose own entry is wrong: that is reported where it stands
        if use.need is Need.ALARMED and use.tag in self._around.devices:
            return
        hint = did_you_mean(use.tag, self._around.spelling)
        self._judge_use(node, use, Code.TAG_UNKNOWN, f"unknown tag '{use.tag}'", hint)

    def _judge_use(self, node: Node, use: Use, code: Code, message: str, hint: str = "") -> None:
        self._judge_finding(node, Finding(use.loc, code, message, hint, use.offset))

    def _judge(self, node: Node, loc: tuple[str | int, ...], code: Code, message: str, hint: str = "") -> None:
        self._judge_finding(node, Finding(loc, code, message, hint))

    def _judge_finding(self, node: Node, finding: Finding) -> None:
        at, _ = node_at(node, finding.loc)
        dependent = depends(at)
        if dependent:
            finding = finding._replace(column=0)
        place = place_of_finding(self._file, node, finding)
        self.judged.append(Judged(place, finding.code, finding.message, finding.hint, dependent))

    def _refused(self, node: Node, data: Mapping[str, Any], code: Code, message: str, hint: str = "") -> Element:
        self.judged.append(Judged(place_of(self._file, node), code, message, hint, depends(node)))
        return self._placeholder(data, len(self.judged) - 1)

    def _placeholder(self, data: Mapping[str, Any], before: int) -> Placeholder:
        first = self.judged[before]
        at = data.get("at")
        points = data.get("points")
        if at is None and isinstance(points, list) and points:
            at = points[0]
        message = f"{first.place}: {first.message}"
        if (
            isinstance(at, list | tuple)
            and len(at) == 2
            and all(isinstance(x, int | float) and math.isfinite(x) for x in at)
        ):
            return Placeholder(type="placeholder", at=(float(at[0]), float(at[1])), message=message)
        return Placeholder(type="placeholder", message=message)


def _scalars(node: Node) -> Iterator[ScalarNode]:
    if isinstance(node, ScalarNode):
        yield node
    elif isinstance(node, SequenceNode):
        for value in node.value:
            yield from _scalars(value)
    elif isinstance(node, MappingNode):
        for _, value in node.value:
            yield from _scalars(value)
