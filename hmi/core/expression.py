"""The closed expression language of plant files: numbers, comparisons, `if … else`, a few functions, tags in braces.

`{tank.level} > 5 and {p101.run}` is parsed once by Python's own parser, checked against a short list of what is
allowed, and compiled. There are no attributes, no subscripts, no text, no power, so that nothing in a file can reach
the computer or take long.
"""

import ast
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

TAG_PATTERN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$")
"""Segments of letters, digits, `_` and `-`, joined by dots, beginning with a letter or digit."""

FUNCTIONS: dict[str, Callable[..., float]] = {
    "abs": abs,
    "min": min,
    "max": max,
    "round": lambda x, digits=0: round(x, int(digits)),
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else math.nan,
    "floor": math.floor,
    "ceil": math.ceil,
    "log10": lambda x: math.log10(x) if x > 0 else math.nan,
    "exp": lambda x: math.exp(min(x, 700.0)),
    "clamp": lambda x, low, high: min(max(x, low), high),
    "bit": lambda x, n: float((int(x) >> int(n)) & 1),
}

_ALLOWED: tuple[type[ast.AST], ...] = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.BinOp, ast.Add, ast.Sub,
    ast.Mult, ast.Div, ast.Mod, ast.FloorDiv, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE,
    ast.IfExp, ast.Call, ast.Name, ast.Load, ast.Constant,
)  # fmt: skip
_BRACES = re.compile(r"\{([^{}]*)\}")
_WORDS = {"true": True, "false": False}


class ExpressionError(ValueError):
    """Wrong expression. `column` counts from 0 within the expression; `hint` may be empty."""

    def __init__(self, message: str, column: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.column = column
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. `tags` are the tags used, each once, in the order of the values given to `evaluate`."""

    source: str
    tags: tuple[str, ...]
    _code: CodeType

    def evaluate(self, values: Sequence[float]) -> float:
        """The result as a float (booleans as 0 and 1). NaN where it has none: NaN in, division by zero, overflow."""
        scope: dict[str, Any] = {f"t{i}": v for i, v in enumerate(values)}
        for v in values:
            if v != v:
                return math.nan
        try:
            return float(eval(self._code, _SCOPE, scope))  # noqa: S307 - only names and operators checked by `compile_expression`
        except (ZeroDivisionError, OverflowError, ValueError):
            return math.nan


_SCOPE: dict[str, Any] = {"__builtins__": {}, **FUNCTIONS, **_WORDS}


def compile_expression(source: str) -> Expression:
    """Compile what stands after the `=`. Raises `ExpressionError`."""
    tags: list[str] = []

    def name_for(match: re.Match[str]) -> str:
        tag = match.group(1).strip()
        if not TAG_PATTERN.match(tag):
            raise ExpressionError(f"'{tag}' is not a tag name", match.start(), "a tag stands in braces: {tank.level}")
        if tag not in tags:
            tags.append(tag)
        # Padded to the same length, so that the parser's columns are those of the source where there is room.
        return f"t{tags.index(tag)}".ljust(match.end() - match.start())

    if len(source) > 2000:
        raise ExpressionError("an expression may have 2000 characters at most")
    text = _BRACES.sub(name_for, source)
    for brace in "{}":
        if brace in text:
            raise ExpressionError(
                f"'{brace}' without its counterpart", text.index(brace), "a tag stands in braces: {tank.level}"
            )
    lead = len(text) - len(text.lstrip())
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = (getattr(error, "offset", None) or 1) - 1 + lead
        raise ExpressionError("this is not an expression", column, _hint_for(source)) from None
    for node in ast.walk(tree):
        _check(node, tags, lead)
    return Expression(source.strip(), tuple(tags), compile(tree, "<expression>", "eval"))


def _check(node: ast.AST, tags: list[str], lead: int) -> None:
    column = getattr(node, "col_offset", 0) + lead
    if not isinstance(node, _ALLOWED):
        raise ExpressionError(f"{type(node).__name__.lower()} is not part of the expression language", column)
    if isinstance(node, ast.Constant) and not isinstance(node.value, int | float):
        raise ExpressionError("only numbers, true and false may stand here", column)
    if isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
            raise ExpressionError("unknown function", column, f"there are: {', '.join(sorted(FUNCTIONS))}")
        if node.keywords or not node.args:
            raise ExpressionError("a function takes values only", column)
    if isinstance(node, ast.Name):
        known = {f"t{i}" for i in range(len(tags))} | set(FUNCTIONS) | set(_WORDS)
        if node.id not in known:
            raise ExpressionError(f"unknown word '{node.id}'", column, f"a tag stands in braces: {{{node.id}}}")


def _hint_for(source: str) -> str:
    if "&&" in source or "||" in source:
        return "write 'and', 'or', 'not'"
    if re.search(r"(?<![=<>!])=(?!=)", source):
        return "two equal signs compare: =="
    if "?" in source:
        return "write: a if condition else b"
    return ""
