"""What plant.yaml, tag files and alarm files may say: one model for each kind of entry, each key typed and explained.

The models are the format, the source of the JSON Schemas for editors, and take cells of a CSV file as well.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from hmi.core.duration import Duration
from hmi.core.tag import DataType


def _yes_no(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.strip().lower() in _YES_NO:
        return _YES_NO[raw.strip().lower()]
    raise ValueError(f"expected yes or no, found '{raw}'")


def _states(raw: object) -> dict[int, str]:
    """`0=standby|1=running`, or a mapping."""
    pairs: list[tuple[object, object]] = []
    if isinstance(raw, dict):
        pairs = list(raw.items())
    elif isinstance(raw, str):
        for part in raw.split("|"):
            digits, equals, name = part.partition("=")
            if not equals:
                raise ValueError(f"'{part}' is not a state; expected 0=standby|1=running")
            pairs.append((digits, name))
    else:
        raise ValueError("expected states such as 0=standby|1=running")
    states: dict[int, str] = {}
    for number, word in pairs:
        digits = str(number).strip()
        if not digits.lstrip("-").isdigit():
            raise ValueError(f"'{digits}' is not a whole number; expected 0=standby|1=running")
        if int(digits) in states:
            raise ValueError(f"state {int(digits)} given twice")
        states[int(digits)] = str(word).strip()
    return states


def _numbers(raw: object) -> tuple[int, ...]:
    """`1`, `1|3` or a list."""
    parts = raw if isinstance(raw, list) else str(raw).split("|")
    numbers = []
    for part in parts:
        text = str(int(part) if isinstance(part, bool) else part).strip()
        if not text.lstrip("-").isdigit():
            raise ValueError(f"'{text}' is not a whole number; expected 1 or 1|3")
        numbers.append(int(text))
    return tuple(numbers)


def _text(raw: object) -> object:
    """A number where a text is expected is a text: a tag's description may be `4711`."""
    return str(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else raw


_YES_NO = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False, "y": True, "n": False}
Period = Annotated[Duration, Field(gt=0)]
YesNo = Annotated[bool, BeforeValidator(_yes_no), WithJsonSchema({"enum": ["yes", "no", True, False]})]
States = Annotated[dict[int, str], BeforeValidator(_states), WithJsonSchema({"type": ["string", "object"]})]
Numbers = Annotated[
    tuple[int, ...], BeforeValidator(_numbers), WithJsonSchema({"type": ["integer", "string", "array"]})
]
Words = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": ["string", "number"]})]
TagName = Annotated[str, WithJsonSchema({"type": "string", "x-tag": True})]
ScreenName = Annotated[str, WithJsonSchema({"type": "string", "x-screen": True})]


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TagEntry(Entry):
    """One tag: a row of tags/*.csv, or an entry under `tags:` in tags/*.yaml."""

    description: Words = Field("", description="what it is, in words")
    area: Words = Field("", description="part of the plant, for lists")
    device: str | None = Field(None, description="a device of plant.yaml")
    address: Words = Field("", description="where the device keeps it, such as holding:40 or ns=2;s=Zone.FT-401")
    type: DataType | None = Field(None, description="how the device holds it; float32 without it")
    unit: Words = Field("", description="unit of the value as shown")
    period: Period | None = Field(None, description="how often it is read; the device's period without it")
    low: float | None = Field(None, description="lower end of the instrument's range")
    high: float | None = Field(None, description="upper end of the instrument's range")
    normal_low: float | None = Field(None, description="lower end of the band in which a healthy plant keeps it")
    normal_high: float | None = Field(None, description="upper end of that band")
    decimals: int = Field(2, ge=0, le=9, description="decimals shown")
    deadband: float = Field(0.0, ge=0, description="smaller changes than this are not recorded, in units")
    raw_low: float | None = Field(None, description="raw value that means `low`")
    raw_high: float | None = Field(None, description="raw value that means `high`")
    scale: float | None = Field(None, description="value = raw * scale + offset")
    offset: float | None = Field(None, description="value = raw * scale + offset")
    states: States = Field(default_factory=dict, description="names of values: 0=standby|1=running")
    on: Numbers = Field((1,), description="values that count as running or open: 1 or 1|3")
    setpoint: TagName | None = Field(None, description="tag that holds the setpoint of this measurement")
    write: YesNo = Field(False, description="whether operators may write it")
    write_low: float | None = Field(None, description="smallest value that may be written; `low` without it")
    write_high: float | None = Field(None, description="largest value that may be written; `high` without it")
    write_confirm: YesNo = Field(False, description="whether the operator is asked first")
    readback: TagName | None = Field(None, description="another tag that must show what was written")
    write_timeout: Period | None = Field(None, description="time for the read-back; 5s without it")
    heartbeat: Period | None = Field(None, description="recorded at least this often; 1min without it")
    expr: Words | None = Field(None, description="a derived tag: '= {FT-401} + {FT-402}'; no device, no address")
    was: TagName | None = Field(None, description="the tag's former name, whose history it keeps")


class HistorianEntry(Entry):
    """Where history goes and how long it is kept."""

    dsn_env: str | None = Field(
        None, min_length=1, description="environment variable with the DSN of a PostgreSQL; without it the built-in one"
    )
    keep_raw: Period | None = Field(None, description="raw values are kept this long; 90d without it")
    share_of_disk: float = Field(0.5, gt=0, le=0.95, description="largest part of the disk that history may fill")
    keep_sent: Duration | None = Field(None, description="what was sent stays in the spool this long; 2d without it")


class DeviceEntry(BaseModel):
    """What every device may say; further keys belong to its driver."""

    model_config = ConfigDict(extra="allow", frozen=True)

    driver: str = Field(description="how it talks")
    description: Words = Field("", description="what it is, in words")
    period: Period | None = Field(None, description="how often its tags are read; the plant's period without it")
    trust_clock: YesNo = Field(False, description="whether the device's own times are used")


class PlantEntry(Entry):
    """plant.yaml."""

    version: Literal[1] = Field(description="version of the file format")
    name: Words = Field(min_length=1, description="name of the plant, as shown")
    zone: str = Field("UTC", description="time zone, such as Europe/Berlin")
    start: ScreenName = Field(description="the first screen")
    period: Period = Field(1_000_000, description="how often tags are read where nothing else is said")
    devices: dict[str, dict[str, Any]] = Field(default_factory=dict)
    historian: HistorianEntry = Field(default_factory=lambda: HistorianEntry())


class TemplateEntry(Entry):
    """Tags that come many times, such as those of one pump."""

    params: dict[str, Literal["text", "number"]] = Field(default_factory=dict)
    tags: dict[str, dict[str, Any]] = Field(min_length=1)


class TagFileEntry(Entry):
    """tags/*.yaml."""

    version: Literal[1]
    templates: dict[str, TemplateEntry] = Field(default_factory=dict)
    instances: dict[str, dict[str, Any]] = Field(default_factory=dict)
    tags: dict[str, dict[str, Any]] = Field(default_factory=dict)


PriorityWord = Literal["urgent", "high", "medium", "low"]


class AlarmEntry(Entry):
    """One alarm of a tag."""

    priority: PriorityWord
    limit: float | None = Field(None, description="the value at which it comes")
    equals: list[int | bool | str] | int | bool | str | None = Field(
        None, description="the states at which it comes: numbers, or their names"
    )
    deadband: float = Field(0.0, ge=0, description="it goes only this far back from the limit")
    delay: Duration = Field(0, description="it comes only after this time")
    off_delay: Duration = Field(0, description="it goes only after this time")
    text: Words = Field("", description="what the operator reads")
    cause: Words = Field("", description="why it may have come")
    consequence: Words = Field("", description="what happens if nobody acts")
    action: Words | list[Words] = Field(default_factory=list, description="what to do, step by step")
    respond: Period | None = Field(None, description="time in which the operator must act")
    screen: ScreenName | None = Field(None, description="the screen to look at")


class DeviceAlarmEntry(Entry):
    """The alarm of a lost device."""

    priority: Literal["urgent", "high", "medium", "low", "none"] = "medium"


class EachEntry(Entry):
    """The same alarms for several tags: `$item` stands for each name."""

    for_: list[str] = Field(alias="for", min_length=1)
    alarms: dict[str, dict[str, Any]]


class AlarmFileEntry(Entry):
    """alarms/*.yaml."""

    version: Literal[1]
    alarms: dict[str, dict[str, Any]] = Field(default_factory=dict)
    devices: dict[str, DeviceAlarmEntry] = Field(default_factory=dict)
    each: list[EachEntry] = Field(default_factory=list)
