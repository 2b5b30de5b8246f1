"""Where the operator is, where that lies in the plant, and the way back. No Qt."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from hmi.core.binding import Binding, Text
from hmi.core.plant import Plant
from hmi.core.screen import Screen
from hmi.desktop.words import plain_text


class View(StrEnum):
    SCREEN = "screen"
    TREND = "trend"
    ALARMS = "alarms"


@dataclass(frozen=True, slots=True)
class Place:
    """A screen with its parameters, or another view; a view keeps the screen from which it was opened."""

    screen: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    view: View = View.SCREEN


class Trail:
    """Places as they were visited, as in a browser."""

    def __init__(self, start: Place) -> None:
        self._places = [start]
        self._at = 0

    @property
    def here(self) -> Place:
        return self._places[self._at]

    def go(self, place: Place) -> None:
        """To a new place; what was ahead is forgotten."""
        if place != self.here:
            self._places[self._at + 1 :] = [place]
            # A hundred steps back are more than anyone remembers.
            self._places = self._places[-100:]
            self._at = len(self._places) - 1

    def move(self, steps: int) -> bool:
        """Back (negative) or forward; False at the end of the trail."""
        at = self._at + steps
        if not 0 <= at < len(self._places):
            return False
        self._at = at
        return True


class OpenScreens:
    """Screens as they were opened: building one from its file takes a while, and operators go to and fro."""

    def __init__(self) -> None:
        self._plant: Plant | None = None
        self._screens: dict[str, Screen] = {}

    def open(self, plant: Plant, name: str, parameters: Mapping[str, Any]) -> Screen:
        """The screen, built once for each plant object and parameters. Raises `KeyError` for an unknown name."""
        if plant is not self._plant:
            self._plant = plant
            self._screens = {}
        key = f"{name} {sorted(parameters.items())}"
        found = self._screens.get(key)
        if found is None:
            found = self._screens[key] = plant.open_screen(name, parameters)[0]
        return found


def title_of(plant: Plant, screen: str) -> str:
    """The screen's title without values, or its name."""
    head = plant.screens.get(screen)
    return (plain_text(head.title) if head is not None else "") or screen


def screens_of_level(plant: Plant, level: int) -> list[str]:
    """Screens that open without parameters, in their order; faceplates and parts are not among them."""
    return sorted(
        (
            name
            for name, head in plant.screens.items()
            if head.level == level
            and not name.startswith(("faceplates/", "parts/"))
            and not needs_parameters(plant, name)
        ),
        key=lambda name: (plant.screens[name].order, name),
    )


def needs_parameters(plant: Plant, screen: str) -> bool:
    return any(p.default is None for p in plant.screens[screen].params.values())


def way_to(plant: Plant, screen: str) -> dict[int, str]:
    """Names of screens by level, from the top to this one. A screen without a parent hangs under the start screen."""
    way: dict[int, str] = {}
    name: str | None = screen
    seen: set[str] = set()
    while name is not None and name in plant.screens and name not in seen:
        seen.add(name)
        way.setdefault(plant.screens[name].level, name)
        name = plant.screens[name].parent
    first = plant.screens.get(plant.start_screen)
    if first is not None:
        way.setdefault(first.level, plant.start_screen)
    return way


def parent_of(plant: Plant, screen: str) -> str | None:
    """Where Alt+Up goes: the parent, or the nearest screen above on the way; None at the top."""
    head = plant.screens.get(screen)
    if head is None:
        return plant.start_screen
    if head.parent is not None and head.parent in plant.screens:
        return head.parent
    above = [level for level in way_to(plant, screen) if level < head.level]
    return way_to(plant, screen)[max(above)] if above else None


def tags_in(screen: Screen, plant: Plant) -> list[str]:
    """Names of the tags that a screen shows or writes, each once, in the order of its elements."""
    found: dict[str, None] = {}

    def take(value: object) -> None:
        if isinstance(value, Binding | Text):
            found.update(dict.fromkeys(t for t in value.tags if t in plant.tag_index))
        elif isinstance(value, str):
            if value in plant.tag_index:
                found[value] = None
        elif isinstance(value, tuple | list):
            for one in value:
                take(one)
        elif isinstance(value, BaseModel):
            for name in type(value).model_fields:
                take(getattr(value, name))

    take(screen.elements)
    return list(found)
