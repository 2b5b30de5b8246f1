"""Durations as engineers write them: `500ms`, `1s`, `5min`, `2h`, `30d`."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from hmi.core.clock import DAY, HOUR, MINUTE, SECOND

FORMS = "a number with ms, s, min, h or d: 500ms, 1s, 5min, 2h, 30d"

_UNITS = {"us": 1, "ms": 1000, "s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY}
_PATTERN = re.compile(r"(\d{1,15}(?:\.\d{1,6})?) ?(us|ms|s|min|h|d)")
_JSON_PATTERN = r"^\d+(\.\d+)? ?(us|ms|s|min|h|d)$"


def parse_duration(text: str) -> int:
    """Microseconds. Raises `ValueError`, whose message names the forms."""
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text}' is not a duration; expected {FORMS}")
    return round(float(match.group(1)) * _UNITS[match.group(2)])


def duration_text(duration_us: int) -> str:
    """The shortest form that `parse_duration` reads back to the same duration."""
    for unit in ("d", "h", "min", "s", "ms"):
        if duration_us and duration_us % _UNITS[unit] == 0:
            return f"{duration_us // _UNITS[unit]}{unit}"
    return f"{duration_us}us" if duration_us else "0s"


def _read(raw: object) -> int:
    if isinstance(raw, str):
        return parse_duration(raw)
    raise ValueError(f"{raw!r} is not a duration; expected {FORMS}")


Duration = Annotated[
    int,
    BeforeValidator(_read),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _JSON_PATTERN, "examples": ["500ms", "1s"]}),
]
"""A field of a pydantic model that an engineer writes as `500ms`; microseconds once it is read."""


def durations_as_text(schema: dict[str, Any]) -> None:
    """For `json_schema_extra` of a model: an editor shows `1s` as a default, and not 1000000."""
    for field in schema.get("properties", {}).values():
        if field.get("pattern") == _JSON_PATTERN and isinstance(field.get("default"), int):
            field["default"] = duration_text(field["default"])
