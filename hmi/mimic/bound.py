"""Bindings of a screen, compiled once against the plant: the tags they need, and the function for the value."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from hmi.core.binding import Binding, Text
from hmi.core.plant import Plant
from hmi.core.screen import Element
from hmi.core.status import Quality
from hmi.core.tag import DataType, Tag
from hmi.mimic.state import Bound, Situation

_LONGEST_TEXT = 24
_LONGEST_UNIT = 6

Run = tuple[str, Quality]
Runs = tuple[Run, ...]
"""Parts of a text; a part that is not good stands where a value would."""


def is_discrete(tag: Tag) -> bool:
    """Whether its value is a state with a word rather than a measurement."""
    return bool(tag.states) or tag.data_type is DataType.BOOL


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value property. `tag` is set when it is one tag and nothing else."""

    binding: Binding
    indices: tuple[int, ...]
    tag: Tag | None

    def value(self, now: Situation) -> float:
        """The value, NaN where there is none."""
        if self.tag is not None:
            return now.value[self.indices[0]]
        if self.binding.expression is not None:
            return self.binding.expression.evaluate([now.value[i] for i in self.indices])
        return float(self.binding.constant) if self.binding.constant is not None else math.nan

    def known(self, now: Situation) -> bool:
        """Whether all its tags have a value."""
        return all(now.quality((i,))[0].has_value for i in self.indices)

    def on(self, now: Situation) -> bool:
        """Whether it counts as running, open or true."""
        value = self.value(now)
        if value != value:
            return False
        if self.tag is not None and is_discrete(self.tag):
            return int(value) in self.tag.on
        return value > 0 if self.tag is not None else value != 0

    def words(self, now: Situation) -> str:
        """The value as an operator reads it, without unit."""
        value = self.value(now)
        if self.tag is not None:
            return self.tag.format(value, now.text[self.tag.index])
        return "" if value != value else f"{value:g}"


@dataclass(frozen=True, slots=True)
class Words:
    """A text property: plain pieces and values in between."""

    pieces: tuple[str | tuple[Tag, str], ...]
    indices: tuple[int, ...]

    @property
    def lone(self) -> bool:
        """Whether it is one value, with at most a unit: then the reason may stand for all of it."""
        plain = "".join(p for p in self.pieces if isinstance(p, str)).strip()
        first = self.pieces and not isinstance(self.pieces[0], str)
        return (
            bool(first)
            and len(self.indices) == 1
            and len(plain) <= _LONGEST_UNIT
            and not any(c.isspace() for c in plain)
        )

    def render(self, now: Situation) -> str:
        """The text; where a value cannot be shown, its reason stands in its place, never a number."""
        return "".join(text for text, _ in self.runs(now))

    def runs(self, now: Situation) -> Runs:
        """The text in parts, each value that cannot be shown as a part of its own with its quality."""
        found: list[Run] = []
        for piece in self.pieces:
            text, quality = (piece, Quality.GOOD) if isinstance(piece, str) else self._field(*piece, now)
            if quality is Quality.GOOD and found and found[-1][1] is Quality.GOOD:
                found[-1] = (found[-1][0] + text, Quality.GOOD)
            else:
                found.append((text, quality))
        return tuple(found)

    @staticmethod
    def _field(tag: Tag, spec: str, now: Situation) -> Run:
        quality, _ = now.quality((tag.index,))
        value = now.value[tag.index]
        if not quality.has_value:
            return now.word(quality, tag.index) or "–", quality
        if value != value and tag.data_type is not DataType.TEXT:
            return "–", Quality.GOOD
        return Words._number(tag, spec, value, now), Quality.GOOD

    @staticmethod
    def _number(tag: Tag, spec: str, value: float, now: Situation) -> str:
        if not spec or is_discrete(tag) or tag.data_type is DataType.TEXT:
            return tag.format(value, now.text[tag.index])
        return format(int(value) if spec.endswith("d") else value, spec)

    def longest(self) -> str:
        """A text about as long as it can get: what it needs room for."""
        if not self.indices:
            return "".join(p for p in self.pieces if isinstance(p, str))
        mark = "" if self.lone else "MM"
        parts = [p if isinstance(p, str) else _longest(p[0]) + mark for p in self.pieces]
        return max("".join(parts) + "  (59 min)", "not recorded", key=len)


def _longest(tag: Tag) -> str:
    if tag.data_type is DataType.TEXT:
        return "M" * _LONGEST_TEXT
    if is_discrete(tag):
        return max([*tag.states.values(), "off"], key=len)
    reach = max(abs(tag.low or 0.0), abs(tag.high or 0.0), 99_999.0)
    return f"-{reach:.{max(tag.decimals, 3)}f}"


class Binder:
    """Compiles the bindings of one element and collects what it depends on. Raises `KeyError` for an unknown tag."""

    def __init__(self, plant: Plant, element: Element) -> None:
        self.plant = plant
        self.element = element
        self.reads: set[int] = set()
        """All tags whose values it may ask for, also those that do not count for its quality."""
        self._tags: list[int] = []
        self._sources: list[str] = list(element.alarms)
        self._writes: list[str] = []
        self.visible = self.quantity(element.visible, counts=False) if element.visible is not None else None
        self.tooltip = self.words(element.tooltip, counts=False) if element.tooltip is not None else None
        self.extra: list[int] = []

    def tag(self, name: str, alarms: bool = True, counts: bool = True) -> Tag:
        """A tag by name. `counts`: its quality is the element's quality; `alarms`: its alarms are the element's."""
        tag = self.plant.tag(name)
        self.reads.add(tag.index)
        if counts and tag.index not in self._tags:
            self._tags.append(tag.index)
        if alarms and counts and name not in self._sources:
            self._sources.append(name)
        if counts and name not in self._writes:
            self._writes.append(name)
        return tag

    def quantity(self, binding: Binding, alarms: bool = True, counts: bool = True) -> Quantity:
        tags = [self.tag(name, alarms, counts) for name in binding.tags]
        return Quantity(binding, tuple(t.index for t in tags), tags[0] if binding.tag is not None else None)

    def words(self, text: Text, alarms: bool = True, counts: bool = True) -> Words:
        pieces: list[str | tuple[Tag, str]] = []
        indices: list[int] = []
        for piece in text.pieces:
            if isinstance(piece, str):
                pieces.append(piece)
                continue
            for name in piece.binding.tags:
                tag = self.plant.tag(name)
                self.reads.add(tag.index)
                if counts:
                    self.tag(name, alarms and not is_discrete(tag))
                indices.append(tag.index)
                pieces.append((tag, piece.format))
        return Words(tuple(pieces), tuple(indices))

    def watch(self, indices: Iterable[int]) -> None:
        """Redraw when these change, without taking over their quality."""
        self.extra += indices
        self.reads.update(self.extra)

    def also_writes(self, *names: str) -> None:
        """Show the writes of these tags as well."""
        self._writes += [n for n in names if n not in self._writes]

    def bound(self, control: bool = False, writable: bool = True, write_value: float | None = None) -> Bound:
        return Bound(
            tuple(self._tags), tuple(self._sources), tuple(self._writes), write_value, control, writable
        )  # fmt: skip

    @property
    def indices(self) -> frozenset[int]:
        """All tags whose change may change the picture."""
        return frozenset(self._tags) | frozenset(self.extra)


def shown_quality(quality: Quality) -> str:
    """The word for a quality, for tooltips and screen readers."""
    return {
        Quality.GOOD: "good",
        Quality.UNCERTAIN: "uncertain",
        Quality.STALE: "stale",
        Quality.OUT_OF_SERVICE: "out of service",
        Quality.FORCED: "forced",
        Quality.BAD: "bad",
        Quality.NEVER_READ: "never read",
        Quality.NOT_RECORDED: "not recorded",
    }[quality]
