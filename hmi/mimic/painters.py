"""Compiles a screen: which painter draws which element, and all drawables, bottom first."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from hmi.core.plant import Plant
from hmi.core.screen import Element, Group, Placeholder, Screen
from hmi.mimic.drawable import Drawable, Painter, Workshop
from hmi.mimic.history import Curves
from hmi.mimic.paint_control import make_button, make_setpoint
from hmi.mimic.paint_equipment import make_block, make_lamp, make_motor, make_pump, make_symbol, make_valve
from hmi.mimic.paint_indicator import HorizonGround, make_horizon, make_indicator
from hmi.mimic.paint_pipe import PipeDrawable, make_pipe
from hmi.mimic.paint_plain import (
    GroupMarks,
    PanelDrawable,
    make_line,
    make_panel,
    make_placeholder,
    make_terminal,
    make_text,
)
from hmi.mimic.paint_tank import TankDrawable, make_tank
from hmi.mimic.paint_trend import make_trend
from hmi.mimic.paint_value import ValueDrawable, make_value
from hmi.mimic.symbols import SymbolError, Symbols

log = logging.getLogger(__name__)


def make_group(element: Group, shop: Workshop) -> list[Drawable]:
    """What lies in a group, moved to its place; marked as a whole if the file names alarms for it."""
    made = compile_elements(element.elements, shop.inside(element))
    if element.alarms and made:
        around = QRectF()
        for drawable in made:
            around = around.united(drawable.rect)
        made.append(GroupMarks(element, shop, around))
    return made


PAINTERS: dict[str, Painter] = {
    "text": make_text,
    "line": make_line,
    "panel": make_panel,
    "pipe": make_pipe,
    "terminal": make_terminal,
    "tank": make_tank,
    "pump": make_pump,
    "motor": make_motor,
    "valve": make_valve,
    "symbol": make_symbol,
    "block": make_block,
    "value": make_value,
    "indicator": make_indicator,
    "horizon": make_horizon,
    "lamp": make_lamp,
    "button": make_button,
    "setpoint": make_setpoint,
    "trend": make_trend,
    "group": make_group,
    "placeholder": make_placeholder,
}
"""One painter for each element type of `hmi.core.screen.ELEMENTS`."""


def compile_elements(elements: Sequence[Element], shop: Workshop) -> list[Drawable]:
    return [drawable for element in elements for drawable in _compile(element, shop)]


def _compile(element: Element, shop: Workshop) -> list[Drawable]:
    if element.lod and shop.compact:
        return []
    kind: str = getattr(element, "type", "")
    try:
        return PAINTERS[kind](element, shop)
    except (KeyError, SymbolError, ValueError) as error:
        # The files were checked before; this is a screen of another revision than the plant's.
        reason = f"unknown tag {error}" if isinstance(error, KeyError) else str(error)
        log.info("%s %s cannot be drawn: %s", kind, element.id or "", reason)
        return make_placeholder(_stand_in(element, f"{kind}: {reason}"), shop)


def _stand_in(element: Element, message: str) -> Placeholder:
    at: Any = getattr(element, "at", None) or getattr(element, "points", ((16.0, 16.0),))[0]
    return Placeholder(type="placeholder", at=at, message=message)


def compile_screen(plant: Plant, screen: Screen, curves: Curves, compact: bool = False) -> list[Drawable]:
    """All drawables of a screen, bottom first."""
    made: list[Drawable] = []
    for _ in compiling(plant, screen, curves, compact, made):
        pass
    return made


def compiling(plant: Plant, screen: Screen, curves: Curves, compact: bool, made: list[Drawable]) -> Iterator[None]:
    """`compile_screen` in steps of one element; `made` is complete at the end."""
    symbols = Symbols(plant.files)
    shop = Workshop(plant, symbols, curves, compact, QPointF(0, 0), screen.head.size[0])
    for element in screen.elements:
        made += _compile(element, shop)
        yield
    _leave_alarms_to_slots(made)
    yield
    _find_room_for_marks(made)
    yield


def _leave_alarms_to_slots(drawables: Sequence[Drawable]) -> None:
    """A tank whose level stands in a slot inside it carries its alarm there, not twice."""
    slots: dict[int, list[QRectF]] = {}
    for slot in drawables:
        if isinstance(slot, ValueDrawable) and slot.main_tag is not None:
            slots.setdefault(slot.main_tag.index, []).append(slot.rect)
    for tank in drawables:
        if not isinstance(tank, TankDrawable) or tank.main_tag is None:
            continue
        if any(tank.rect.contains(rect) for rect in slots.get(tank.main_tag.index, ())):
            sources = tuple(s for s in tank.bound.sources if s != tank.main_tag.name)
            tank.bound = replace(tank.bound, sources=sources)


def _find_room_for_marks(drawables: Sequence[Drawable]) -> None:
    """Put the marks of pipes where nothing else stands."""
    pipes = [d for d in drawables if isinstance(d, PipeDrawable)]
    others = [d.rect for d in drawables if not isinstance(d, PipeDrawable | HorizonGround | PanelDrawable)]
    boxes = np.array([r.getCoords() for r in others]).reshape(-1, 4)
    left, top, right, bottom = boxes.T
    for pipe in pipes:
        for place in pipe.mark_places():
            x, y = place.x(), place.y()
            if not ((left < x + 11) & (right > x - 11) & (top < y + 11) & (bottom > y - 11)).any():
                pipe.mark = place
                break
