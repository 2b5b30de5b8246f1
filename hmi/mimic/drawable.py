"""What an element becomes when it is compiled: where it is, what it depends on, how it looks, how it is drawn."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from PySide6.QtCore import QPointF, QRectF

from hmi.core.binding import Binding
from hmi.core.plant import Plant
from hmi.core.screen import Element, Group, Open
from hmi.core.status import Quality
from hmi.core.tag import Tag
from hmi.mimic.bound import Binder, shown_quality
from hmi.mimic.canvas import Canvas
from hmi.mimic.history import Curves
from hmi.mimic.state import PLAIN, Bound, Condition, Situation
from hmi.mimic.symbols import Symbols


class Look(NamedTuple):
    """All that can be seen of an element. Equal looks give equal pictures, so nothing is repainted for them."""

    condition: Condition
    body: Any = None
    hidden: bool = False


UNBOUND = Bound()
HIDDEN = Look(PLAIN, None, hidden=True)


class Workshop(NamedTuple):
    """What painters are made with.

    `origin` is where the group lies, `room` the right edge of the screen; `gates` are the `visible` of all groups
    around, `opens` what the innermost group with `open` opens.
    """

    plant: Plant
    symbols: Symbols
    curves: Curves
    compact: bool
    origin: QPointF
    room: float
    gates: tuple[Binding, ...] = ()
    opens: Open | None = None

    def inside(self, group: Group) -> "Workshop":
        """The workshop for what lies in a group."""
        gates = self.gates if group.visible is None else (*self.gates, group.visible)
        return self._replace(origin=self.origin + QPointF(*group.at), gates=gates, opens=group.open or self.opens)


class Drawable(ABC):
    """One element, compiled. `rect` is the body in logical pixels of the screen; `margins` how far marks reach over it.

    Adding an element: a subclass here, and one line in `PAINTERS`.
    """

    margins: ClassVar[tuple[float, float, float, float]] = (-33.0, -24.0, 18.0, 8.0)
    """How far anything is drawn over `rect` when the element is not plain."""
    plain_margins: ClassVar[tuple[float, float, float, float]] = (-3.0, -3.0, 3.0, 3.0)
    scattered: ClassVar[bool] = False
    """Whether most of its area is empty, as with pipes."""
    operable: ClassVar[bool] = False
    """Whether it takes part in the writing of values (buttons, setpoints)."""

    def __init__(self, element: Element, shop: Workshop, rect: QRectF) -> None:
        self.element = element
        self.shop = shop
        self.plant = shop.plant
        self.rect = rect.translated(shop.origin)
        self.binder = Binder(shop.plant, element)
        self.gates = [self.binder.quantity(gate, counts=False) for gate in shop.gates]
        if self.binder.visible is not None:
            self.gates.append(self.binder.visible)
        for gate in self.gates:
            self.binder.watch(gate.indices)
        self.bound = UNBOUND
        self.main_tag: Tag | None = None
        self.glass = 1.0
        self.name = element.id or element.__class__.__name__

    def settle(self) -> None:
        """Call at the end of `__init__`, when all bindings are compiled, unless it sets `bound` itself."""
        self.bound = self.binder.bound()

    # what it depends on

    @property
    def indices(self) -> frozenset[int]:
        return self.binder.indices

    @property
    def static(self) -> bool:
        """Drawn once: nothing that happens in the plant changes it."""
        return not self.indices and not self.bound.sources and not self.bound.writes and not self.timed

    @property
    def timed(self) -> bool:
        """Whether its look changes with time alone."""
        return False

    # how it looks

    def look(self, now: Situation) -> Look:
        for gate in self.gates:
            if not (gate.on(now) and gate.known(now)):
                return HIDDEN
        condition = now.condition(self.bound)
        return Look(condition, self.body(now, condition))

    @abstractmethod
    def body(self, now: Situation, condition: Condition) -> Any:
        """What can be seen beside the condition, as a value that compares."""

    @abstractmethod
    def paint(self, canvas: Canvas, look: Look) -> None:
        """Draw; only what `look` says."""

    def area(self, plain: bool) -> QRectF:
        """All that may be touched when drawn: with a plain condition, or with any."""
        return self.rect.adjusted(*(self.plain_margins if plain else self.margins))

    def fit_to(self, glass: float) -> None:
        """Called before `rect` and `area` are used, with the scale that decides how large text is drawn."""
        self.glass = glass

    def pieces(self, plain: bool) -> list[QRectF]:
        """The area in parts, for elements that are mostly empty; asked for only where `scattered` is true."""
        return [self.area(plain)]

    # what a person does with it

    @property
    def opens(self) -> Open | None:
        """What a click opens."""
        if self.element.open is not None or self.shop.opens is not None:
            return self.element.open or self.shop.opens
        return Open(tag=self.main_tag.name) if self.main_tag is not None else None

    @property
    def reachable(self) -> bool:
        """Whether keyboard and mouse can do anything with it."""
        return self.operable or self.opens is not None

    @property
    def focus_rect(self) -> QRectF:
        return self.rect

    def hit(self, point: QPointF) -> bool:
        """Whether a click there means this; never smaller than 32 by 32."""
        grow_x = max(0.0, 32 - self.rect.width()) / 2
        grow_y = max(0.0, 32 - self.rect.height()) / 2
        return self.rect.adjusted(-grow_x, -grow_y, grow_x, grow_y).contains(point)

    def spoken_name(self) -> str:
        """What a screen reader calls it."""
        tag = self.main_tag
        if tag is None:
            return self.element.id or str(getattr(self.element, "type", "element"))
        return f"{tag.name} {tag.description}".strip()

    def spoken_state(self, now: Situation) -> str:
        """What a screen reader and the tooltip say: value, quality, alarm."""
        parts: list[str] = []
        condition = now.condition(self.bound)
        tag = self.main_tag
        if tag is not None and condition.quality.has_value:
            words = tag.format(now.value[tag.index], now.text[tag.index])
            parts.append(f"{words} {tag.unit}".strip())
        parts.append(shown_quality(condition.quality) + (f", {condition.word}" if condition.word else ""))
        if condition.alarm is not None:
            parts.append(f"alarm priority {condition.alarm.priority}, {condition.alarm.state.value}")
        if condition.write is not None:
            parts.append(f"write of {condition.write.new} {condition.write.note}")
        if condition.locked:
            parts.append("cannot be operated now")
        return "; ".join(p for p in parts if p)

    def tooltip(self, now: Situation) -> str:
        if self.binder.tooltip is not None:
            return self.binder.tooltip.render(now)
        if not self.bound.tags:
            return ""
        return f"{self.spoken_name()}: {self.spoken_state(now)}"


Painter = Callable[[Any, Workshop], list[Drawable]]
"""Compiles one element to what is drawn. Raises `KeyError` for a tag that the plant does not have."""


def worded(condition: Condition) -> str:
    """The reason to write where a value would stand; empty while there is one."""
    return condition.word if condition.quality >= Quality.BAD else ""
