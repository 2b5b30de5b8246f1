"""JSON Schemas of a plant's files, so that an editor completes keys, tags and screens and underlines mistakes."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from hmi.config.entry import AlarmEntry, AlarmFileEntry, DeviceEntry, PlantEntry, TagEntry, TagFileEntry
from hmi.core.device import DriverKind
from hmi.core.plant import Plant
from hmi.core.screen import AnyElement, Model, ScreenHead

FOLDER = ".schema"

Schema = dict[str, Any]


class _ScreenFile(Model):
    """A screen, a faceplate or a part."""

    version: int = Field(description="version of the file format", json_schema_extra={"const": 1})
    screen: ScreenHead
    elements: list[AnyElement]


def schemas(plant: Plant | None, drivers: Mapping[str, DriverKind]) -> dict[str, Schema]:
    """File name to schema. With a plant, tags, devices and screens are listed by name."""
    tags = sorted(plant.tag_index) if plant is not None else []
    screens = sorted(plant.screens) if plant is not None else []
    devices = [device.name for device in plant.devices] if plant is not None else []
    found = {
        "plant.schema.json": _plant(drivers),
        "tags.schema.json": _tags(devices),
        "alarms.schema.json": _alarms(tags),
        "screen.schema.json": _screen(),
    }
    return {name: _with_names(schema, tags, screens) for name, schema in found.items()}


def modeline(file: str) -> str:
    """The first line of a file by which editors find its schema."""
    depth = file.count("/")
    kind = {"tags": "tags", "alarms": "alarms", "screens": "screen"}.get(file.partition("/")[0], "plant")
    return f"# yaml-language-server: $schema={'../' * depth or './'}{FOLDER}/{kind}.schema.json"


def _schema_of(model: type[BaseModel]) -> Schema:
    schema = model.model_json_schema(by_alias=True)
    schema["$schema"] = "http://json-schema.org/draft-07/schema#"
    return schema


def _plant(drivers: Mapping[str, DriverKind]) -> Schema:
    schema = _schema_of(PlantEntry)
    definitions = schema.setdefault("$defs", {})
    one_of = []
    common = DeviceEntry.model_json_schema(by_alias=True)
    for word, kind in sorted(drivers.items()):
        options = kind.options.model_json_schema(by_alias=True)
        definitions |= options.pop("$defs", {})
        properties = {**common["properties"], **options.get("properties", {}), "driver": {"const": word}}
        one_of.append(
            {
                "type": "object",
                "title": word,
                "properties": properties,
                "required": ["driver", *options.get("required", [])],
                "additionalProperties": False,
            }
        )
    schema["properties"]["devices"]["additionalProperties"] = {"oneOf": one_of}
    return schema


def _tags(devices: Sequence[str]) -> Schema:
    schema = _schema_of(TagFileEntry)
    definitions = schema["$defs"]
    tag = TagEntry.model_json_schema(by_alias=True)
    definitions |= tag.pop("$defs", {})
    if devices:
        tag["properties"]["device"] = {**tag["properties"]["device"], "anyOf": [{"enum": list(devices)}]}
    definitions["TagEntry"] = tag
    reference = {"$ref": "#/$defs/TagEntry"}
    schema["properties"]["tags"]["additionalProperties"] = reference
    # In a template, `$name` may stand wherever a number or a word of a list would.
    loose = {key: {"description": value.get("description", "")} for key, value in tag["properties"].items()}
    definitions["TemplateEntry"]["properties"]["tags"]["additionalProperties"] = {
        "type": "object",
        "properties": loose,
        "additionalProperties": False,
    }
    schema["properties"]["instances"]["additionalProperties"] = {"type": "object", "required": ["use"]}
    return schema


def _alarms(tags: Sequence[str]) -> Schema:
    schema = _schema_of(AlarmFileEntry)
    definitions = schema["$defs"]
    alarm = AlarmEntry.model_json_schema(by_alias=True)
    definitions |= alarm.pop("$defs", {})
    definitions["AlarmEntry"] = alarm
    kinds = {kind: {"$ref": "#/$defs/AlarmEntry"} for kind in ("high_high", "high", "low", "low_low", "state")}
    of_tag = {"type": "object", "properties": kinds, "additionalProperties": False}
    schema["properties"]["alarms"]["additionalProperties"] = of_tag
    if tags:
        schema["properties"]["alarms"]["propertyNames"] = {"enum": list(tags)}
    definitions["EachEntry"]["properties"]["alarms"]["additionalProperties"] = of_tag
    return schema


def _screen() -> Schema:
    schema = _schema_of(_ScreenFile)
    schema["$defs"].pop("Placeholder", None)
    for definition in (schema, *schema["$defs"].values()):
        _drop_placeholder(definition)
    return schema


def _drop_placeholder(node: Any) -> None:
    """A placeholder is never written in a file."""
    if isinstance(node, dict):
        for choices in (node.get("oneOf"), node.get("anyOf")):
            if isinstance(choices, list):
                choices[:] = [c for c in choices if c.get("$ref") != "#/$defs/Placeholder"]
        node.get("discriminator", {}).get("mapping", {}).pop("placeholder", None)
        for value in node.values():
            _drop_placeholder(value)
    elif isinstance(node, list):
        for value in node:
            _drop_placeholder(value)


def _with_names(schema: Schema, tags: Sequence[str], screens: Sequence[str]) -> Schema:
    """The schema with the names of the plant where a tag, a value or a screen stands; `$name` stays allowed."""
    definitions = schema.setdefault("$defs", {})
    parameter = {"type": "string", "pattern": r"\$"}
    if tags:
        definitions["TagOfThisPlant"] = {"anyOf": [{"enum": list(tags)}, parameter]}
        bound = [{"enum": list(tags)}, {"type": "string", "pattern": r"^\s*=|\$"}, {"type": ["number", "boolean"]}]
        definitions["ValueOfThisPlant"] = {"anyOf": bound}
    if screens:
        definitions["ScreenOfThisPlant"] = {"anyOf": [{"enum": list(screens)}, parameter]}
    return _named(schema, set(definitions))  # type: ignore[no-any-return]


_MARKS = {"x-tag": "TagOfThisPlant", "x-value": "ValueOfThisPlant", "x-screen": "ScreenOfThisPlant"}


def _named(node: Any, definitions: set[str]) -> Any:
    if isinstance(node, list):
        return [_named(value, definitions) for value in node]
    if not isinstance(node, dict):
        return node
    for mark, name in _MARKS.items():
        if node.get(mark) is True:
            rest = {k: v for k, v in node.items() if k not in ("type", *_MARKS)}
            return {**rest, "$ref": f"#/$defs/{name}"} if name in definitions else {**rest, "type": node["type"]}
    return {key: _named(value, definitions) for key, value in node.items()}
