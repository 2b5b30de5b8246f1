"""Turns what pydantic found into problems that an engineer understands, at the line and column of the mistake."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from yaml.nodes import Node, ScalarNode

from hmi.config.code import Code
from hmi.config.report import Report
from hmi.config.tree import child, key_node, place_of
from hmi.core.expression import ExpressionError
from hmi.core.problem import Place, did_you_mean

M = TypeVar("M", bound=BaseModel)


class Finding(NamedTuple):
    """One mistake in plain words, not yet at a place. `loc` leads to it; `column` counts from 0 in the scalar."""

    loc: tuple[str | int, ...]
    code: Code
    message: str
    hint: str = ""
    column: int = 0
    at_key: bool = False


_LIST = "a list in brackets"
_MAPPING = "keys and values"
_EXPECTED = {
    "int": "a whole number", "float": "a number", "string": "a text", "bool": "true or false", "list": _LIST,
    "tuple": _LIST, "dict": _MAPPING, "model": _MAPPING, "mapping": _MAPPING,
}  # fmt: skip


def findings_of(error: ValidationError, model: type[BaseModel]) -> list[Finding]:
    """The mistakes in an entry, in plain words."""
    found: dict[Finding, None] = {}
    details = error.errors(include_url=False)
    for detail in details:
        if detail["type"] == "too_short" and any(_lies_in(other["loc"], detail["loc"]) for other in details):
            continue  # pydantic does not count the wrong entries of a list
        loc = tuple(part for part in detail["loc"] if not _is_machinery(part))
        found[_finding(loc, detail, model)] = None
    # A union complains once for each of its forms; the first says enough.
    first: dict[tuple[str | int, ...], Finding] = {}
    for finding in found:
        first.setdefault(finding.loc, finding)
    return list(first.values())


def node_at(root: Node, loc: Iterable[str | int]) -> tuple[Node, tuple[str | int, ...]]:
    """The node that a location leads to, as far as it can be followed, and the part of the location that led there."""
    node, followed = root, []
    for part in loc:
        below = child(node, part)
        if below is None:
            break
        node = below
        followed.append(part)
    return node, tuple(followed)


def place_of_finding(file: str, root: Node, finding: Finding) -> Place:
    """Where an engineer must change something."""
    if finding.at_key and finding.loc:
        parent, _ = node_at(root, finding.loc[:-1])
        key = key_node(parent, str(finding.loc[-1]))
        if key is not None:
            return place_of(file, key)
    node, _ = node_at(root, finding.loc)
    return place_of(file, node, finding.column if isinstance(node, ScalarNode) else 0)


def report_findings(file: str, root: Node, findings: Iterable[Finding], report: Report) -> None:
    """Put findings into the report, each at its place in a YAML file."""
    for finding in findings:
        report.error(place_of_finding(file, root, finding), finding.code, finding.message, finding.hint)


def checked(model: type[M], data: Any, file: str, node: Node, report: Report) -> M | None:
    """The entry as a model, or None with its mistakes in the report."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        report_findings(file, node, findings_of(error, model), report)
        return None


def _lies_in(loc: tuple[str | int, ...], above: tuple[str | int, ...]) -> bool:
    return len(loc) > len(above) and loc[: len(above)] == above


def _is_machinery(part: str | int) -> bool:
    """Pydantic names the forms of a union and its functions in a location; no file has such keys."""
    return isinstance(part, str) and (part in _FORMS or "[" in part or part.startswith("function-"))


_FORMS = {"int", "float", "bool", "str", "list", "tuple", "dict", "none", "constrained-str"}


def _finding(loc: tuple[str | int, ...], detail: Mapping[str, Any], model: type[BaseModel]) -> Finding:
    kind: str = detail["type"]
    value = detail.get("input")
    context: Mapping[str, Any] = detail.get("ctx") or {}
    word = str(loc[-1]) if loc else ""
    name = next((part for part in reversed(loc) if isinstance(part, str)), "")
    if kind == "missing" and isinstance(loc[-1], int):
        return Finding(loc[:-1], Code.WRONG_VALUE, _named(name, "an entry is missing in this list"))
    if kind == "missing":
        return Finding(loc[:-1], Code.KEY_MISSING, f"'{word}' is missing")
    if kind == "extra_forbidden":
        return Finding(loc, Code.KEY_UNKNOWN, f"unknown key '{word}'", did_you_mean(word, _keys(model, loc)), 0, True)
    if kind == "value_error" and isinstance(context.get("error"), ExpressionError):
        cause = context["error"]
        code = Code.BRACES_UNQUOTED if isinstance(value, dict) else Code.EXPRESSION
        return Finding(loc, code, _named(name, str(cause)), cause.hint, cause.column)
    if kind in ("value_error", "assertion_error"):
        return Finding(loc, Code.WRONG_VALUE, _named(name, str(context.get("error", ""))))
    if kind in ("literal_error", "enum"):
        choices = _choices(str(context.get("expected", "")))
        hint = did_you_mean(str(value), choices)
        return Finding(loc, Code.WRONG_VALUE, _named(name, f"{_shown(value)} is not one of {', '.join(choices)}"), hint)
    limit = _LIMITS.get(kind)
    if limit is not None:
        return Finding(loc, Code.WRONG_VALUE, _named(name, limit(context)))
    return _wrong_type(loc, kind, value, name)


def _wrong_type(loc: tuple[str | int, ...], kind: str, value: Any, name: str) -> Finding:
    expected = _EXPECTED.get(kind.split("_")[0], "something else")
    if kind == "int_from_float":
        expected = "a whole number"
    if isinstance(value, dict) and expected not in (_MAPPING, _LIST):
        message = f"expected {expected}; braces without quotes mean something else"
        return Finding(loc, Code.BRACES_UNQUOTED, _named(name, message), "put it in quotes")
    if value is None:
        return Finding(loc, Code.WRONG_TYPE, _named(name, f"expected {expected}, found nothing"))
    return Finding(loc, Code.WRONG_TYPE, _named(name, f"expected {expected}, found {_shown(value)}"))


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


_LIMITS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than_equal": lambda c: f"must be {_number(c['ge'])} or more",
    "greater_than": lambda c: f"must be more than {_number(c['gt'])}",
    "less_than_equal": lambda c: f"must be {_number(c['le'])} or less",
    "less_than": lambda c: f"must be less than {_number(c['lt'])}",
    "multiple_of": lambda c: f"must be a multiple of {_number(c['multiple_of'])}",
    "finite_number": lambda c: "must be a finite number",
    "too_short": lambda c: f"needs at least {c['min_length']} {_items(c['min_length'])}",
    "too_long": lambda c: f"may have at most {c['max_length']} {_items(c['max_length'])}",
    "string_too_short": lambda c: "must not be empty",
    "string_too_long": lambda c: f"may have at most {c['max_length']} characters",
    "string_pattern_mismatch": lambda c: "does not have the right form",
}


def _items(count: int) -> str:
    return "entry" if count == 1 else "entries"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return _MAPPING
    text = str(value)
    return f"'{text if len(text) <= 40 else text[:37] + '...'}'"


def _named(name: str, message: str) -> str:
    return f"{name}: {message}" if name else message


def _choices(expected: str) -> list[str]:
    return [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(",")]


def _keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """The keys that may stand beside the one at `loc`."""
    at: Any = model
    for part in loc[:-1]:
        if isinstance(part, int) or not (isinstance(at, type) and issubclass(at, BaseModel)):
            continue
        below = [f for n, f in at.model_fields.items() if part in (n, f.alias)]
        found = _model_in(below[0].annotation) if below else None
        at = found or at
    fields = at.model_fields.items() if isinstance(at, type) and issubclass(at, BaseModel) else ()
    return [field.alias or name for name, field in fields]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_in(part)
        if found is not None:
            return found
    return None
