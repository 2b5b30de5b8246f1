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

_ARGUMENTS: dict[str, tuple[int, int]] = {
    "abs": (1, 1), "min": (2, 50), "max": (2, 50), "round": (1, 2), "sqrt": (1, 1), "floor": (1, 1), "ceil": (1, 1),
    "log10": (1, 1), "exp": (1, 1), "clamp": (3, 3), "bit": (2, 2),
}  # fmt: skip
"""How many values each function takes, at least and at most."""

_ALLOWED: tuple[type[ast.AST], ...] = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.BinOp, ast.Add, ast.Sub,
    ast.Mult, ast.Div, ast.Mod, ast.FloorDiv, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE,
    ast.IfExp, ast.Call, ast.Name, ast.Load, ast.Constant,
)  # fmt: skip
_BRACES = re.compile(r"\{([^{}]*)\}")
_STAND_IN = re.compile(r"(?<![\w.])t\d+(?!\w)")  # what tags become; nobody may write it himself
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
        scope: dict[str, Any] = {}
        for i, v in enumerate(values):
            if v != v:
                return math.nan
            scope[f"t{i}"] = v
        try:
            result = float(eval(self._code, _SCOPE, scope))  # noqa: S307 - only names and operators checked by `compile_expression`
        except (ZeroDivisionError, OverflowError, ValueError):
            return math.nan
        return result if math.isfinite(result) else math.nan


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
    for stray in _STAND_IN.finditer(_BRACES.sub(lambda m: " " * len(m.group()), source)):
        raise ExpressionError(f"unknown word '{stray.group()}'", stray.start(), _in_braces(stray.group()))
    text = _BRACES.sub(name_for, source)
    for brace in "{}":
        if brace in text:
            raise ExpressionError(
                f"'{brace}' without its counterpart", text.index(brace), "a tag stands in braces: {tank.level}"
            )
    text = re.sub(r"\s", " ", text)  # an expression may be folded over several lines of a file
    lead = len(text) - len(text.lstrip())
    text = text.strip()
    if not text:
        raise ExpressionError("an expression is missing after '='")
    if not text.isascii():
        at = next(i for i, c in enumerate(text) if not c.isascii())
        raise ExpressionError(f"'{text[at]}' is not part of the expression language", at + lead)
    try:
        tree = ast.parse(text, mode="eval")
        nodes = list(ast.walk(tree))
        called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
        for node in nodes:
            _check(node, tags, lead, id(node) in called)
        code = compile(tree, "<expression>", "eval")
    except (RecursionError, MemoryError):
        raise ExpressionError("this expression is nested too deeply") from None
    except ExpressionError:
        raise
    except (SyntaxError, ValueError) as error:
        offset = getattr(error, "offset", None)
        if not offset:  # the parser came to the end
            raise ExpressionError("the expression ends too early", len(text) - 1 + lead, _hint_for(source)) from None
        column = min(offset, len(text)) - 1 + lead
        raise ExpressionError("this is not an expression", column, _hint_for(source)) from None
    return Expression(source.strip(), tuple(tags), code)


def _check(node: ast.AST, tags: list[str], lead: int, called: bool) -> None:
    column = getattr(node, "col_offset", 0) + lead
    if not isinstance(node, _ALLOWED):
        raise ExpressionError(f"{_FOREIGN.get(type(node), 'this')} is not part of the expression language", column)
    if isinstance(node, ast.Constant) and not isinstance(node.value, int | float):
        raise ExpressionError("only numbers, true and false may stand here", column)
    if isinstance(node, ast.Call):
        _check_call(node, column)
    if isinstance(node, ast.Name) and not called:
        if node.id in FUNCTIONS:
            raise ExpressionError(f"the function '{node.id}' needs its values in parentheses", column)
        if node.id not in _WORDS and node.id not in {f"t{i}" for i in range(len(tags))}:
            raise ExpressionError(f"unknown word '{node.id}'", column, _in_braces(node.id))


def _check_call(node: ast.Call, column: int) -> None:
    if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
        known = ", ".join(sorted(FUNCTIONS))
        word = f" '{node.func.id}'" if isinstance(node.func, ast.Name) else ""
        raise ExpressionError(f"unknown function{word}", column, f"there are: {known}")
    low, high = _ARGUMENTS[node.func.id]
    if node.keywords or not low <= len(node.args) <= high:
        count = f"{low}" if low == high else f"{low} to {high}"
        raise ExpressionError(
            f"the function '{node.func.id}' takes {count} value{'s' if high > 1 else ''}, separated by commas", column
        )


_FOREIGN: dict[type[ast.AST], str] = {
    ast.Attribute: "a dot between words", ast.Pow: "'**'", ast.Is: "'is'", ast.IsNot: "'is not'", ast.In: "'in'",
    ast.NotIn: "'not in'", ast.Lambda: "'lambda'", ast.NamedExpr: "':='", ast.List: "a list", ast.Tuple: "a list",
    ast.Subscript: "a square bracket", ast.JoinedStr: "a text",
}  # fmt: skip


def _in_braces(word: str) -> str:
    return f"a tag stands in braces: {{{word}}}"


def _hint_for(source: str) -> str:
    if "&&" in source or "||" in source:
        return "write 'and', 'or', 'not'"
    if re.search(r"(?<![=<>!])=(?!=)", source):
        return "two equal signs compare: =="
    if "?" in source:
        return "write: a if condition else b"
    return ""
