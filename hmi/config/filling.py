"""Fills `$name` in the texts of templates, faceplates and parts with the values of their parameters."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from yaml.nodes import Node, ScalarNode, SequenceNode

from hmi.config.tree import Scalar, key_text, scalar

_REFERENCE = re.compile(r"\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")

Unknown = Callable[[ScalarNode, str, int], None]
"""Told of a `$name` without a value: the scalar, the name, and where in the scalar it stands."""


def as_text(value: Scalar) -> str:
    """A value inside a longer text: 100.0 becomes 100."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return "" if value is None else str(value)


def depends(node: Node) -> bool:
    """Whether a scalar refers to a parameter."""
    return isinstance(node, ScalarNode) and any(m.group(1) is None for m in _REFERENCE.finditer(node.value))


def fill(node: Node, values: Mapping[str, Scalar], unknown: Unknown) -> Any:
    """The tree as plain data with its parameters filled in; a scalar that is nothing but `$name` keeps the type."""
    if isinstance(node, ScalarNode):
        return _fill_scalar(node, values, unknown) if "$" in node.value else scalar(node)
    if isinstance(node, SequenceNode):
        return [fill(child, values, unknown) for child in node.value]
    return {fill_key(key, values, unknown): fill(value, values, unknown) for key, value in node.value}


def fill_key(node: Node, values: Mapping[str, Scalar], unknown: Unknown) -> str:
    """A key as text, with its parameters filled in."""
    text = key_text(node)
    return as_text(_fill_scalar(node, values, unknown)) if "$" in text and isinstance(node, ScalarNode) else text


def fill_text(text: str, values: Mapping[str, Scalar]) -> str:
    """A text with its parameters filled in; what has no value stays as it is."""

    def value_of(match: re.Match[str]) -> str:
        name = match.group(2) or match.group(3)
        return "$" if match.group(1) else as_text(values[name]) if name in values else match.group()

    return _REFERENCE.sub(value_of, text)


def _fill_scalar(node: ScalarNode, values: Mapping[str, Scalar], unknown: Unknown) -> Scalar:
    text: str = node.value
    whole = _REFERENCE.fullmatch(text.strip())
    if whole is not None and whole.group(1) is None:
        name = whole.group(2) or whole.group(3)
        if name in values:
            return values[name]

    for match in _REFERENCE.finditer(text):
        name = match.group(2) or match.group(3)
        if match.group(1) is None and name not in values:
            unknown(node, name, match.start())
    return fill_text(text, values)
