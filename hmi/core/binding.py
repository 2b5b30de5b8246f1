"""How a property of a screen element gets its value: a constant, a tag, an expression, or text with values in it."""

import re
from dataclasses import dataclass

from hmi.core.expression import TAG_PATTERN, Expression, ExpressionError, compile_expression


@dataclass(frozen=True, slots=True)
class Binding:
    """What a value property says. Exactly one of `constant`, `tag` and `expression` is set."""

    source: str
    constant: float | bool | None = None
    tag: str | None = None
    expression: Expression | None = None

    @property
    def tags(self) -> tuple[str, ...]:
        if self.tag is not None:
            return (self.tag,)
        return self.expression.tags if self.expression is not None else ()


@dataclass(frozen=True, slots=True)
class Field:
    """A value inside a text. `format` is a number format such as `.2f`, or empty: then the tag's own format holds."""

    binding: Binding
    format: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Text with values in it: plain pieces and fields, in order."""

    source: str
    pieces: tuple[str | Field, ...]

    @property
    def tags(self) -> tuple[str, ...]:
        found: list[str] = []
        for piece in self.pieces:
            if isinstance(piece, Field):
                found += [t for t in piece.binding.tags if t not in found]
        return tuple(found)


_FIELD = re.compile(r"\{\{|\}\}|\{([^{}:]*)(?::([^{}]*))?\}")
_FORMAT = re.compile(r"^[ ,]?(0?\d*)?(\.\d)?[dfeg%]?$")


def parse_value(raw: object) -> Binding:
    """A binding from a plain scalar (a tag), one that begins with `=` (an expression), a number or a truth value.

    Raises `ExpressionError`.
    """
    if isinstance(raw, Binding):
        return raw
    if isinstance(raw, bool | int | float):
        return Binding(str(raw), constant=raw)
    if isinstance(raw, dict):
        words = list(raw)
        lone = str(words[0]) if len(words) == 1 and raw[words[0]] is None else ""
        hint = f"a lone tag needs no braces: {lone}" if TAG_PATTERN.match(lone) else 'put it in quotes: "= {tag} > 5"'
        raise ExpressionError("braces without quotes: this is no value", 0, hint)
    if raw is None:
        raise ExpressionError("a value is missing", 0, "write a tag, a number or an expression")
    if not isinstance(raw, str):
        raise ExpressionError("expected a tag, a number or an expression, found a list")
    text = raw.strip()
    if text.startswith("="):
        at = raw.index("=") + 1
        try:
            return Binding(raw, expression=compile_expression(raw[at:]))
        except ExpressionError as error:
            raise ExpressionError(str(error), error.column + at, error.hint) from None
    if text.startswith("{") and text.endswith("}") and TAG_PATTERN.match(text[1:-1].strip()):
        raise ExpressionError("a lone tag stands without braces", 0, f"write: {text[1:-1].strip()}")
    if not TAG_PATTERN.match(text):
        hint = "an expression begins with '='" if any(c in text for c in "{}<>=+*/ ") else ""
        raise ExpressionError(f"'{text}' is not a tag name", 0, hint)
    return Binding(raw, tag=text)


def parse_text(raw: object) -> Text:
    """Text that may embed values: `Level {tank.level:.2f} m`, `{{` for a brace. Raises `ExpressionError`."""
    if isinstance(raw, Text):
        return raw
    if isinstance(raw, bool | int | float):
        raw = str(raw)
    if isinstance(raw, dict):
        raise ExpressionError("braces without quotes: this is no text", 0, 'put it in quotes: "{tank.level} m"')
    if raw is None:
        raise ExpressionError("a text is missing", 0, 'an empty text is written as ""')
    if not isinstance(raw, str):
        raise ExpressionError("expected a text, found a list")
    pieces: list[str | Field] = []
    end = 0

    def add(plain: str, at: int) -> None:
        if "{" in plain or "}" in plain:
            at += min(i for i in (plain.find("{"), plain.find("}")) if i >= 0)
            raise ExpressionError("a brace without its counterpart", at, "write {{ for a brace in a text")
        if plain:
            pieces.append(plain)

    for match in _FIELD.finditer(raw):
        add(raw[end : match.start()], end)
        end = match.end()
        if match.group(0) in ("{{", "}}"):
            pieces.append(match.group(0)[0])
            continue
        name, spec = match.group(1).strip(), match.group(2) or ""
        if not TAG_PATTERN.match(name):
            raise ExpressionError(f"'{name}' is not a tag name", match.start(1))
        if not _FORMAT.match(spec):
            raise ExpressionError(
                f"'{spec}' is not a number format", match.start(2), "for two decimals: {tank.level:.2f}"
            )
        pieces.append(Field(Binding(name, tag=name), spec))
    add(raw[end:], end)
    return Text(raw, tuple(pieces))
