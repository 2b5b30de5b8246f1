"""What a screen file may say: one model for each element, each property typed and explained.

The models are the file format (validated to the line by `hmi.config`), the source of the JSON Schema for editors, and
what `hmi.mimic` draws. They know no Qt.

Places: `at` is in logical pixels of the screen, x to the right, y down. For equipment drawn as a symbol (pump, motor,
valve, symbol) `at` is the centre, where pipes meet; for text it is the left end of the baseline (the middle or right
end if aligned so); for all else the top left corner.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from hmi.core.binding import Binding, Text, parse_text, parse_value
from hmi.core.duration import parse_duration


def _span(text: str) -> str:
    if parse_duration(text) <= 0:
        raise ValueError("a span above zero is needed")
    return text


Value = Annotated[
    Binding,
    BeforeValidator(parse_value),
    WithJsonSchema({"type": ["string", "number", "boolean"], "x-value": True}),
]
TextValue = Annotated[
    Text,
    BeforeValidator(parse_text),
    WithJsonSchema({"type": ["string", "number"], "description": "text with {tag:.2f}"}),
]
TagName = Annotated[str, WithJsonSchema({"type": "string", "x-tag": True})]
AlarmSource = Annotated[str, WithJsonSchema({"type": "string", "x-tag": "or a device"})]
Span = Annotated[str, AfterValidator(_span)]
"""The length of a trend as written: `60min`. `hmi.core.duration.parse_duration` reads it."""
Point = tuple[float, float]
Size = Annotated[tuple[float, float], Field(description="width and height in logical pixels")]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, allow_inf_nan=False)


class Open(Model):
    """What a click opens: another screen, or a faceplate beside the mimic."""

    screen: str | None = Field(None, description="name of a screen")
    faceplate: str | None = Field(None, description="name of a faceplate in screens/faceplates")
    tag: TagName | None = Field(None, description="the built-in faceplate of one tag")
    with_: dict[str, Any] = Field(default_factory=dict, alias="with", description="parameters of the screen")


class Element(Model):
    """What every element may say."""

    id: str | None = Field(None, description="a name for messages and tests")
    open: Open | None = Field(None, description="what a click opens")
    alarms: tuple[AlarmSource, ...] = Field((), description="further tags (or devices) whose alarms mark this element")
    visible: Value | None = Field(None, description="shown while this is true")
    tooltip: TextValue | None = Field(None, description="shown while the mouse rests on it")
    lod: bool = Field(False, description="left out on windows below 1440 pixels")


class TextElement(Element):
    """A piece of text, which may embed values."""

    type: Literal["text"]
    at: Point
    text: TextValue
    style: Literal["caption", "label", "name", "state", "heading", "value", "key"] = "label"
    align: Literal["left", "middle", "right"] = "left"
    tone: Literal["ink", "ink2", "ink3"] | None = None


class Line(Element):
    """A hairline that separates."""

    type: Literal["line"]
    points: tuple[Point, ...] = Field(min_length=2)


class Panel(Element):
    """A plain rectangle behind other elements."""

    type: Literal["panel"]
    at: Point
    size: Size
    fill: Literal["panel", "well", "none"] = "panel"


class Pipe(Element):
    """A pipe of horizontal and vertical runs. Flow is drawn solid, no flow hollow, unknown broken."""

    type: Literal["pipe"]
    points: tuple[Point, ...] = Field(min_length=2)
    flow: Value | None = Field(None, description="true or above zero while something flows; without it always solid")
    kind: Literal["main", "secondary"] = "main"
    arrows: tuple[Point, ...] = Field((), description="where arrows lie")
    arrow_direction: Literal["right", "left", "up", "down"] = "right"


class Terminal(Element):
    """Where the screen's process comes from or goes to."""

    type: Literal["terminal"]
    at: Point
    size: Size = (88, 48)
    text: TextValue


class Tank(Element):
    """A vessel with its contents. Limit ticks come from the alarms of the level tag."""

    type: Literal["tank"]
    at: Point
    size: Size
    level: Value = Field(description="how full it is")
    low: float | None = Field(None, description="level at the bottom; the tag's range without it")
    high: float | None = Field(None, description="level at the top; the tag's range without it")
    ticks: bool = Field(True, description="whether limits of its alarms are marked")


class Equipment(Element):
    """Equipment drawn as a symbol: a light body runs or is open, a dark one is stopped or closed."""

    at: Point
    state: Value | None = Field(None, description="running or open; a discrete tag's `on` values count as true")
    size: float = Field(52, description="diameter or width in logical pixels")
    direction: Literal["right", "left", "up", "down"] = "right"


class Pump(Equipment):
    """A pump; the chevron points along the flow."""

    type: Literal["pump"]


class Motor(Equipment):
    """A motor."""

    type: Literal["motor"]
    size: float = 44


class Valve(Equipment):
    """A valve."""

    type: Literal["valve"]
    size: float = 40


class Symbol(Equipment):
    """Any symbol of resources/symbols or of the plant's own symbols folder."""

    type: Literal["symbol"]
    symbol: str = Field(description="name of an SVG file, without .svg")


class Block(Element):
    """A box for a whole unit, with its name and the word for its state."""

    type: Literal["block"]
    at: Point
    size: Size = (128, 56)
    title: TextValue
    state: Value | None = Field(None, description="light while true")
    word: TextValue | None = Field(None, description="second line; the tag's state word without it")


class ValueElement(Element):
    """A number in its slot, with unit, quality mark and alarm mark."""

    type: Literal["value"]
    at: Point
    size: Size = (94, 32)
    value: Value = Field(description="what is shown")
    style: Literal["normal", "key"] = Field("normal", description="key: large, for the few that matter most")
    unit: str | None = Field(None, description="the tag's unit without it")
    decimals: int | None = Field(None, ge=0, le=9, description="the tag's decimals without it")
    caption: str = Field("", description="words beside the number")


class Indicator(Element):
    """A moving analogue indicator: trend and bar on one scale, with normal band, limits and setpoint."""

    type: Literal["indicator"]
    at: Point
    size: Size = (176, 104)
    value: TagName = Field(description="what is shown")
    span: Span = Field("60min", description="length of its trend")
    low: float | None = Field(None, description="lower end of the scale; the tag's range without it")
    high: float | None = Field(None, description="upper end of the scale")
    running: Value | None = Field(None, description="while false the machine stands: no band and no limits are drawn")


class Horizon(Element):
    """A row of indicators whose normal bands lie at one height: a pointer off the line is seen before it is read."""

    type: Literal["horizon"]
    at: Point
    size: Size
    columns: tuple[tuple[TagName, ...], ...] = Field(
        description="groups of tags, as many groups as the screen has units"
    )
    names: dict[str, str] = Field(default_factory=dict, description="short names; the tag's description without it")
    span: Span = "60min"


class Lamp(Element):
    """A square with ON or OFF."""

    type: Literal["lamp"]
    at: Point
    state: Value = Field(description="ON while true")
    size: float = Field(28, gt=0, description="length of a side")


class Button(Element):
    """A button that writes one value. It is shown as done when the device has confirmed it, not before."""

    type: Literal["button"]
    at: Point
    size: Size = (84, 32)
    text: TextValue
    write: TagName = Field(description="the tag that is written")
    to: float | bool = Field(description="the value that is written")
    on: Value | None = Field(None, description="drawn inverse while true: this is how it is now")
    confirm: str | None = Field(None, description="the question asked first")


class Setpoint(Element):
    """A field for a new value: old value, arrow, new value; Enter sends."""

    type: Literal["setpoint"]
    at: Point
    size: Size = (96, 32)
    tag: TagName = Field(description="the tag that is written")
    label: str = Field("", description="words before the field")


class TrendElement(Element):
    """A trend in the screen."""

    type: Literal["trend"]
    at: Point
    size: Size
    pens: tuple[TagName, ...] = Field(min_length=1, max_length=8, description="what is drawn, 8 at most")
    span: Span = "60min"
    low: float | None = Field(None, description="lower end of the scale; the pens' range without it")
    high: float | None = Field(None, description="upper end of the scale")


class Group(Element):
    """Elements moved together, or a part from another file (`use`) with its parameters (`with`)."""

    type: Literal["group"]
    at: Point = (0, 0)
    use: str | None = Field(None, description="name of a part in screens/parts")
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")
    elements: tuple["AnyElement", ...] = ()


class Placeholder(Element):
    """Stands where an element of a file was wrong, so that the rest of the screen opens. Never written in a file."""

    type: Literal["placeholder"]
    at: Point = (16, 16)
    size: Size = (220, 44)
    message: str


AnyElement = Annotated[
    TextElement | Line | Panel | Pipe | Terminal | Tank | Pump | Motor | Valve | Symbol | Block | ValueElement
    | Indicator | Horizon | Lamp | Button | Setpoint | TrendElement | Group | Placeholder,
    Field(discriminator="type"),
]  # fmt: skip

ELEMENTS: dict[str, type[Element]] = {
    "text": TextElement,
    "line": Line,
    "panel": Panel,
    "pipe": Pipe,
    "terminal": Terminal,
    "tank": Tank,
    "pump": Pump,
    "motor": Motor,
    "valve": Valve,
    "symbol": Symbol,
    "block": Block,
    "value": ValueElement,
    "indicator": Indicator,
    "horizon": Horizon,
    "lamp": Lamp,
    "button": Button,
    "setpoint": Setpoint,
    "trend": TrendElement,
    "group": Group,
    "placeholder": Placeholder,
}
"""Element types by the word in the file. A new element is a class here and a painter in `hmi.mimic`."""

Group.model_rebuild()


class Parameter(Model):
    """A parameter of a faceplate or part. `prefix` is the first segments of tags: `$pump.run` with pump = P-101."""

    type: Literal["tag", "prefix", "text", "number"]
    description: str = ""
    default: str | float | None = None


class ScreenHead(Model):
    """The head of a screen file."""

    title: TextValue
    level: Literal[1, 2, 3, 4] = 2
    size: Size = (1920, 888)
    parent: str | None = Field(None, description="the screen that Alt+Up goes to")
    params: dict[str, Parameter] = Field(default_factory=dict)
    order: int = Field(100, description="place among the screens of its level")


class Screen(Model):
    """A screen with its parameters filled in and its groups resolved: ready to be drawn.

    `elements` holds no group with `use`. A file that cannot be read at all becomes a screen of one placeholder.
    """

    name: str
    head: ScreenHead
    elements: tuple[AnyElement, ...]
