"""The tables of the manual that list every element and property of a screen, made from the models themselves."""

import inspect
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hmi.core.binding import Binding, Text
from hmi.core.screen import ELEMENTS, Element, Equipment, Model, Open, Parameter, ScreenHead, TagName

BEGIN = "<!-- The tables below are made from the program. -->"


def element_tables() -> str:
    """Markdown: the head of a screen, what every element has, then one table for each element."""
    parts = [
        _section("The head", "`screen:` at the top of a file.", ScreenHead, ()),
        _section("A parameter", "Under `params:` of a faceplate or part.", Parameter, ()),
        _section("What every element has", "Beside `type`, which says what it is.", Element, ()),
        _section("Opening", "What `open:` says.", Open, ()),
    ]
    common = tuple(Element.model_fields)
    for word, model in sorted(ELEMENTS.items()):
        if word != "placeholder":
            text = inspect.cleandoc(model.__doc__ or "")
            parts.append(_section(f"`{word}`", text, model, (*common, "type")))
    return "\n\n".join(parts) + "\n"


def _section(title: str, text: str, model: type[BaseModel], left_out: tuple[str, ...]) -> str:
    lines = [f"### {title}", "", text, ""]
    rows = [_row(name, field, model) for name, field in model.model_fields.items() if name not in left_out]
    if rows:
        lines += ["| Property | What stands there | Without it | |", "|---|---|---|---|", *rows]
    return "\n".join(lines).rstrip()


def _row(name: str, field: FieldInfo, model: type[BaseModel]) -> str:
    words = field.description or _INHERITED.get(name, "")
    if model in (ELEMENTS["pump"], ELEMENTS["motor"], ELEMENTS["valve"]) and not words:
        words = Equipment.model_fields[name].description or ""
    return f"| `{field.alias or name}` | {_form(field.annotation, field.metadata)} | {_default(field)} | {words} |"


_INHERITED = {
    "at": "the place, x and y",
    "size": "width and height in logical pixels",
    "points": "the corners, each x and y",
    "with_": "parameters of the part",
    "span": "length of the trend",
}


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**must be given**"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), {}, ""):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(f'{part:g}' for part in value)}]"
    return f"{value:g}" if isinstance(value, int | float) else f"{value}"


def _form(annotation: Any, metadata: list[Any]) -> str:
    if metadata and annotation is str:
        annotation = Annotated[str, *metadata]
    origin = get_origin(annotation)
    if origin is Annotated:
        return _annotated(annotation)
    if origin is Literal:
        return " \\| ".join(f"`{choice}`" for choice in get_args(annotation))
    if origin in (Union, UnionType):
        forms = [_form(part, []) for part in get_args(annotation) if part is not type(None)]
        return " or ".join(dict.fromkeys(forms))
    if origin is tuple:
        return _list_form(get_args(annotation))
    if origin is dict:
        return "names with their values" if get_args(annotation)[1] in (Any, str) else "parameters, see above"
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return "keys and values, see Opening" if annotation is Open else "elements"
    return _PLAIN.get(annotation, "elements")


_PLAIN: dict[Any, str] = {
    Binding: "value", Text: "text, may hold values", str: "text", float: "number", int: "whole number",
    bool: "true or false", Any: "value",
}  # fmt: skip


def _annotated(annotation: Any) -> str:
    inner = get_args(annotation)[0]
    schemas = [getattr(part, "json_schema", None) or {} for part in annotation.__metadata__]
    if any(schema.get("x-tag") for schema in schemas):
        return "tag" if annotation == TagName else "tag or device"
    if inner is str:
        return "duration, such as `60min`"
    return _form(inner, [])


def _list_form(parts: tuple[Any, ...]) -> str:
    if parts == (float, float):
        return "[number, number]"
    inner = _form(parts[0], [])
    return f"list of {_MANY.get(inner, inner)}"


_MANY = {
    "elements": "elements",
    "tag": "tags",
    "tag or device": "tags or devices",
    "[number, number]": "[number, number]",
    "list of tags": "lists of tags",
}
