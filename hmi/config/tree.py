"""YAML text as a tree whose every node knows its line and column, read by the rules of YAML 1.2 (core schema).

PyYAML's own rules are those of YAML 1.1, where `on` is true and `010` is 8; here plain scalars are resolved by the core
schema, which is what editors use.
"""

import re
from typing import Any, TypeAlias

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.resolver import BaseResolver

from hmi.config.code import Code
from hmi.config.report import Report
from hmi.core.problem import Place

Scalar: TypeAlias = "str | int | float | bool | None"

MAX_DEPTH = 60
MAX_NODES = 2_000_000

_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Scalar] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    ".inf": float("inf"), ".Inf": float("inf"), ".INF": float("inf"),
    "-.inf": float("-inf"), "-.Inf": float("-inf"), "-.INF": float("-inf"),
    ".nan": float("nan"), ".NaN": float("nan"), ".NAN": float("nan"),
}  # fmt: skip
_NUMBER_STARTS = frozenset("0123456789+-.")
_PREFIX = "tag:yaml.org,2002:"
_PLAIN_TAGS = {_PREFIX + "str", _PREFIX + "map", _PREFIX + "seq"}
_FLOW_BRACES = re.compile(r"(:\s*|[\[,]\s*|=\s*|-\s+)[^\"'#]*\{[A-Za-z0-9][\w.-]*(:[^}\s]*)?\}")


class _Parser(CParser, BaseResolver):
    """The C parser and composer, without PyYAML's resolvers."""

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        BaseResolver.__init__(self)


def place_of(file: str, node: Node, offset: int = 0) -> Place:
    """Where a node begins, or the character at `offset` of a scalar's text where that can be told."""
    mark = node.start_mark
    column = mark.column + 1
    if offset and isinstance(node, ScalarNode) and mark.line == node.end_mark.line:
        quotes = 2 if node.style in ("'", '"') else 0
        if node.end_mark.index - mark.index == len(node.value) + quotes:
            column += offset + quotes // 2
    return Place(file, mark.line + 1, column)


def resolve(text: str) -> Scalar:
    """What a plain scalar means by the core schema: a number, a truth value, nothing, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMBER_STARTS:
        if _INT.fullmatch(text):
            return int(text) if len(text) <= 40 else float(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        if _OCTAL.fullmatch(text):
            return int(text, 0)
        if _HEX.fullmatch(text):
            return int(text, 0)
    return text


def scalar(node: ScalarNode) -> Scalar:
    """The value of a scalar: what stands in quotes or in a block is always text."""
    return node.value if node.style else resolve(node.value)


def read_tree(file: str, text: str, report: Report) -> MappingNode | None:
    """The tree of a YAML file; None, with the reason in the report, where it cannot be read or is no mapping."""
    try:
        parser = _Parser(text)
        try:
            root = parser.get_single_node()
        finally:
            parser.dispose()
    except (yaml.YAMLError, RecursionError) as error:
        _report_syntax(file, text, error, report)
        return None
    if root is None:
        report.error(Place(file), Code.SYNTAX, "the file is empty")
        return None
    before = report.errors
    _Examiner(file, report).examine(root, 0)
    if report.errors > before:
        return None
    if not isinstance(root, MappingNode):
        report.error(place_of(file, root), Code.WRONG_TYPE, "the file must be a list of 'key: value' lines")
        return None
    return root


def plain(node: Node) -> Any:
    """The tree as plain Python data: dict, list and scalars."""
    if isinstance(node, ScalarNode):
        return scalar(node)
    if isinstance(node, SequenceNode):
        return [plain(child) for child in node.value]
    return {key_text(key): plain(value) for key, value in node.value}


def key_text(node: Node) -> str:
    """A key as text; keys are never read as numbers or truth values."""
    return node.value if isinstance(node, ScalarNode) else ""


def items(node: Node | None) -> list[tuple[Node, Node]]:
    """Keys and values of a mapping; none for anything else."""
    return list(node.value) if isinstance(node, MappingNode) else []


def child(node: Node | None, key: str | int) -> Node | None:
    """The value under a key, or the item of a list; None where there is none."""
    if isinstance(node, MappingNode):
        for name, value in node.value:
            if key_text(name) == str(key):
                return value  # type: ignore[no-any-return]
    if isinstance(node, SequenceNode) and isinstance(key, int) and 0 <= key < len(node.value):
        return node.value[key]  # type: ignore[no-any-return]
    return None


def key_node(node: Node | None, key: str) -> Node | None:
    """The node of a key itself."""
    for name, _ in items(node):
        if key_text(name) == key:
            return name
    return None


class _Examiner:
    """Refuses what `compose` lets through: keys given twice, circles of aliases, absurd size, `!types`."""

    def __init__(self, file: str, report: Report) -> None:
        self._file = file
        self._report = report
        self._nodes = 0
        self._above: set[int] = set()

    def examine(self, node: Node, depth: int) -> None:
        self._nodes += 1
        # Nodes under an alias count each time: that is what they cost later.
        if self._nodes == MAX_NODES:
            self._error(node, Code.ALIAS, "aliases make this file too large")
        if self._nodes >= MAX_NODES:
            return
        if depth > MAX_DEPTH:
            self._error(node, Code.SYNTAX, f"nested more than {MAX_DEPTH} deep")
            return
        if node.tag not in _PLAIN_TAGS:
            self._error(node, Code.SYNTAX, f"'{node.tag.replace(_PREFIX, '!!')}': types with '!' are not used here")
        if isinstance(node, ScalarNode):
            return
        if id(node) in self._above:
            self._error(node, Code.ALIAS, "this part contains itself by an alias")
            return
        self._above.add(id(node))
        if isinstance(node, SequenceNode):
            for value in node.value:
                self.examine(value, depth + 1)
        elif isinstance(node, MappingNode):
            self._examine_mapping(node, depth)
        self._above.discard(id(node))

    def _examine_mapping(self, node: MappingNode, depth: int) -> None:
        seen: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                hint = "a text with braces stands in quotes"
                self._error(key, Code.BRACES_UNQUOTED, "a list or mapping cannot be a key", hint)
                continue
            if key.value in seen:
                self._error(
                    key, Code.KEY_TWICE, f"key '{key.value}' given twice", f"the first is in line {seen[key.value]}"
                )
            seen.setdefault(key.value, key.start_mark.line + 1)
            self.examine(value, depth + 1)

    def _error(self, node: Node, code: Code, message: str, hint: str = "") -> None:
        self._report.error(place_of(self._file, node), code, message, hint)


def _report_syntax(file: str, text: str, error: Exception, report: Report) -> None:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        at = getattr(error, "position", None)
        number = text.count("\n", 0, at) + 1 if isinstance(at, int) else 0
        character = getattr(error, "character", None)
        what = f"character number {character} may not stand in a file" if character is not None else "cannot be read"
        report.error(Place(file, number, 1 if number else 0), Code.SYNTAX, what)
        return
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    message, hint = _in_plain_words(str(getattr(error, "problem", "")), line, mark.column)
    code = Code.SYNTAX
    if _FLOW_BRACES.search(line):
        code, hint = Code.BRACES_UNQUOTED, "a text or expression with braces stands in quotes"
    report.error(Place(file, mark.line + 1, mark.column + 1), code, message, hint)


def _in_plain_words(problem: str, line: str, column: int) -> tuple[str, str]:
    if "\t" in line[: column + 1] and "cannot start" in problem:
        return "a tab stands here", "indent with spaces"
    if "cannot start" in problem:
        return f"a value cannot begin with '{line[column : column + 1]}'", "put it in quotes"
    if "mapping values are not allowed" in problem:
        return "a colon does not belong here", "a text with ': ' stands in quotes; check the indentation"
    if "expected key" in problem:
        return "this does not belong to the lines above", "check the indentation and the quotes"
    if "',' or '}'" in problem or "',' or ']'" in problem:
        closing = "}" if "'}'" in problem else "]"
        return f"a comma or '{closing}' is missing before this", "a text with special characters stands in quotes"
    if "'-' indicator" in problem:
        return "a line with '-' is expected here", "check the indentation"
    if "end of stream" in problem:
        return "the closing quote is missing", ""
    if "undefined alias" in problem:
        return "'*' refers to a name that is not defined above with '&'", "put a text that begins with '*' in quotes"
    if "another document" in problem:
        return "a second document begins here", "remove the line '---'"
    if "escape" in problem:
        return "unknown '\\' in double quotes", "use single quotes, or write '\\\\'"
    return f"this is not valid YAML: {problem}", ""
