"""One file of screens: its head, its parameters, and the values that an opener gives them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from yaml.nodes import MappingNode, Node, SequenceNode

from hmi.config.code import Code
from hmi.config.excused import Excused
from hmi.config.report import Report
from hmi.config.tree import Scalar, child, items, key_node, key_text, place_of, plain, read_tree
from hmi.config.wording import checked
from hmi.core.binding import Text
from hmi.core.problem import Place, Spelling, did_you_mean
from hmi.core.screen import Parameter, ScreenHead

ANYTHING = "any--parameter--value"
"""Stands for the value of a parameter while a file is checked by itself; no plant has such a tag."""


class SheetKind(StrEnum):
    SCREEN = "screen"
    FACEPLATE = "faceplate"
    PART = "part"


_FOLDERS = {SheetKind.FACEPLATE: "faceplates/", SheetKind.PART: "parts/", SheetKind.SCREEN: ""}


def sheet_name(kind: SheetKind, word: str) -> str:
    """The name of the sheet that `open:` or `use:` means."""
    folder = _FOLDERS[kind]
    return word if word.startswith(folder) else folder + word


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file in screens/. `elements` is None, and `wrong` says why, where the file as a whole cannot be used."""

    name: str
    file: str
    head: ScreenHead
    elements: SequenceNode | None
    wrong: str = ""
    head_node: Node | None = None

    def place(self, word: str) -> Place:
        """Where the head says something."""
        node = child(self.head_node, word) or self.head_node
        return Place(self.file) if node is None else place_of(self.file, node)

    @property
    def kind(self) -> SheetKind:
        if self.name.startswith("faceplates/"):
            return SheetKind.FACEPLATE
        return SheetKind.PART if self.name.startswith("parts/") else SheetKind.SCREEN

    @property
    def params(self) -> Mapping[str, Parameter]:
        return self.head.params

    def stand_ins(self) -> dict[str, Scalar]:
        """Values with which the file can be checked by itself."""
        return {name: 1.0 if p.type == "number" else ANYTHING for name, p in self.params.items()}


def read_sheet(file: str, text: str, report: Report) -> Sheet:
    """A file in screens/ with everything wrong in its head."""
    name = file.removeprefix("screens/").removesuffix(".yaml")
    usual = ScreenHead(title=Text(name, (name,)))
    root = read_tree(file, text, report)
    if root is None:
        return Sheet(name, file, usual, None, f"{file} cannot be read")
    _check_keys(file, root, report)
    head_node = child(root, "screen")
    head = None
    if head_node is None:
        report.error(Place(file, 1, 1), Code.KEY_MISSING, "'screen' is missing", "the head: screen: {title: Overview}")
    else:
        head = checked(ScreenHead, plain(head_node), file, head_node, report)
        _check_defaults(file, head_node, head, report)
    elements = child(root, "elements")
    if elements is None:
        report.error(Place(file, 1, 1), Code.KEY_MISSING, "'elements' is missing")
    elif not isinstance(elements, SequenceNode):
        hint = "each element begins with '-'"
        report.error(place_of(file, elements), Code.WRONG_TYPE, "elements: expected a list", hint)
        elements = None
    if head is None or elements is None:
        return Sheet(name, file, head or usual, None, f"{file} has no valid head or no elements")
    return Sheet(name, file, head, elements, head_node=head_node)


def _check_keys(file: str, root: MappingNode, report: Report) -> None:
    known = ("version", "screen", "elements")
    for key, node in items(root):
        word = key_text(key)
        if word not in known:
            report.error(place_of(file, key), Code.KEY_UNKNOWN, f"unknown key '{word}'", did_you_mean(word, known))
        if word == "version" and plain(node) != 1:
            report.error(place_of(file, node), Code.VERSION, "this program reads version 1 of the format")
    if child(root, "version") is None:
        report.error(Place(file, 1, 1), Code.VERSION, "'version' is missing", "begin the file with: version: 1")


def _check_defaults(file: str, head_node: Node, head: ScreenHead | None, report: Report) -> None:
    for name, parameter in head.params.items() if head is not None else ():
        default = parameter.default
        if default is not None and parameter.type == "number" and not _is_number(default):
            node = child(child(child(head_node, "params"), name), "default") or head_node
            report.error(place_of(file, node), Code.PARAMETER_UNFIT, f"the default of '{name}' is not a number")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class Places(Protocol):
    """Where an opener gives its values."""

    def value(self, name: str) -> Place: ...
    def key(self, name: str) -> Place: ...


@dataclass(frozen=True, slots=True)
class NodePlaces:
    """`node` is what stands under `with`, or what stands for it."""

    file: str
    node: Node

    def value(self, name: str) -> Place:
        return place_of(self.file, child(self.node, name) or self.node)

    def key(self, name: str) -> Place:
        return place_of(self.file, key_node(self.node, name) or self.node)


@dataclass(frozen=True, slots=True)
class OnePlace:
    """For values that come from no file, such as those of a command line."""

    place: Place

    def value(self, name: str) -> Place:
        return self.place

    def key(self, name: str) -> Place:
        return self.place


class Giver:
    """Checks what an opener gives to the parameters of a sheet, and fills in defaults."""

    def __init__(self, tags: Collection[str], prefixes: Collection[str], excused: Excused) -> None:
        self._tags = tags
        self._prefixes = prefixes
        self._excused = excused
        self._spelling = Spelling(tags)
        self._prefix_spelling = Spelling(prefixes)

    def values(
        self, sheet: Sheet, given: Mapping[str, Any], places: Places, report: Report
    ) -> dict[str, Scalar] | None:
        """All values, or None with the reasons in the report."""
        before = report.errors
        what = f"{sheet.kind} '{sheet.name.rpartition('/')[2]}'"
        values: dict[str, Scalar] = {}
        for name, value in given.items():
            parameter = sheet.params.get(name)
            if parameter is None:
                hint = did_you_mean(name, sheet.params)
                message = f"{what} has no parameter '{name}'"
                report.error(places.key(name), Code.PARAMETER_UNKNOWN, message, hint)
            else:
                self._check(name, parameter, value, places.value(name), report)
                values[name] = _as_wanted(parameter, value)
        for name, parameter in sheet.params.items():
            if name in given:
                continue
            if parameter.default is None:
                message = f"parameter '{name}' of {what} is missing"
                report.error(places.value(""), Code.PARAMETER_MISSING, message, f"with: {{{name}: …}}")
            else:
                values[name] = parameter.default
        return values if report.errors == before else None

    def _check(self, name: str, parameter: Parameter, value: Any, at: Place, report: Report) -> None:
        if isinstance(value, str) and ANYTHING in value:
            return
        if isinstance(value, dict | list) or value is None:
            code = Code.BRACES_UNQUOTED if isinstance(value, dict) else Code.PARAMETER_UNFIT
            report.error(at, code, f"{name}: expected {_WANTED[parameter.type]}")
        elif parameter.type == "number" and not _is_number(value):
            report.error(at, Code.PARAMETER_UNFIT, f"{name}: expected a number, found '{value}'")
        elif parameter.type == "tag" and str(value) not in self._tags and not self._excused.covers(str(value)):
            hint = did_you_mean(str(value), self._spelling)
            report.error(at, Code.TAG_UNKNOWN, f"{name}: unknown tag '{value}'", hint)
        elif parameter.type == "prefix" and not self._begins(str(value)):
            hint = did_you_mean(str(value), self._prefix_spelling)
            report.error(at, Code.TAG_UNKNOWN, f"{name}: no tag begins with '{value}.'", hint)

    def _begins(self, prefix: str) -> bool:
        return prefix in self._prefixes or self._excused.covers_prefix(prefix)


_WANTED = {"tag": "a tag", "prefix": "the beginning of tags", "text": "a text", "number": "a number"}


def _as_wanted(parameter: Parameter, value: Any) -> Scalar:
    if parameter.type == "number" and _is_number(value):
        return float(value)
    return value if isinstance(value, str | int | float) else str(value)
