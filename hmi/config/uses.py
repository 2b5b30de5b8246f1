"""Which tags an element of a screen uses, where in the element it names them, and what it needs of them."""

from collections.abc import Iterator
from enum import Enum
from functools import cache
from typing import Annotated, Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel, WithJsonSchema

from hmi.core.binding import Binding, Field, Text
from hmi.core.screen import Button, Element, Open, Setpoint, ValueElement


class Need(Enum):
    """What a tag must be to stand in a property."""

    ANY = "any"
    NUMBER = "number"
    WRITABLE = "writable"
    ALARMED = "alarmed"


class Use(NamedTuple):
    """One use of a tag: `loc` leads from the element to the scalar, `offset` to the tag inside its text."""

    loc: tuple[str | int, ...]
    tag: str
    offset: int
    need: Need


_WRITTEN = {(Button, "write"), (Setpoint, "tag")}


def uses_of(element: Element) -> Iterator[Use]:
    """Every use of a tag in an element, without the elements below it."""
    yield from _uses_in(element, ())


def _uses_in(model: BaseModel, loc: tuple[str | int, ...]) -> Iterator[Use]:
    kind = type(model)
    for name, word, marked in _fields(kind):
        value = getattr(model, name)
        if value is None or value == ():
            continue
        if isinstance(value, BaseModel):
            yield from _uses_in(value, (*loc, word))
        elif marked:
            for path, tag in _names(value, (*loc, word)):
                yield Use(path, tag, 0, _need(kind, name))
        elif isinstance(value, Binding):
            need = Need.ANY if kind is ValueElement and value.expression is None else Need.NUMBER
            for tag in value.tags:
                yield Use((*loc, word), tag, max(value.source.find(tag), 0), need)
        elif isinstance(value, Text):
            for tag, offset in _tags_in(value):
                yield Use((*loc, word), tag, offset, Need.ANY)


def _need(kind: type[BaseModel], name: str) -> Need:
    if (kind, name) in _WRITTEN:
        return Need.WRITABLE
    if name == "alarms":
        return Need.ALARMED
    return Need.ANY if kind is Open else Need.NUMBER


def _names(value: Any, loc: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield loc, value
    elif isinstance(value, tuple):
        for i, part in enumerate(value):
            yield from _names(part, (*loc, i))


def _tags_in(text: Text) -> Iterator[tuple[str, int]]:
    end = 0
    for piece in text.pieces:
        if isinstance(piece, Field):
            for tag in piece.binding.tags:
                at = max(text.source.find("{" + tag, end), 0)
                end = at + 1
                yield tag, at + 1


@cache
def _fields(kind: type[BaseModel]) -> tuple[tuple[str, str, bool], ...]:
    """Fields that may hold tags: name, word in the file, whether its texts are names of tags."""
    found = []
    for name, field in kind.model_fields.items():
        marked = any(_is_marker(m) for m in field.metadata) or _is_marked(field.annotation)
        if marked or _may_hold(field.annotation):
            found.append((name, field.alias or name, marked))
    return tuple(found)


def _is_marker(metadata: object) -> bool:
    return isinstance(metadata, WithJsonSchema) and bool((metadata.json_schema or {}).get("x-tag"))


def _is_marked(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated and any(_is_marker(m) for m in annotation.__metadata__):
        return True
    return any(_is_marked(part) for part in get_args(annotation) if part is not Ellipsis)


def _may_hold(annotation: Any) -> bool:
    if annotation in (Binding, Text, Open):
        return True
    return any(_may_hold(part) for part in get_args(annotation) if part is not Ellipsis)
