"""Equipment: pumps, motors, valves, any symbol, lamps, and blocks that stand for a whole unit."""

from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor

from hmi.core.screen import Block, Equipment, Lamp, Motor, Pump, Symbol, Valve
from hmi.core.status import Quality
from hmi.mimic.bound import is_discrete
from hmi.mimic.canvas import Align, Canvas, dash_of
from hmi.mimic.drawable import Drawable, Look, Workshop
from hmi.mimic.state import Condition, Situation
from hmi.mimic.symbols import BodyLook, body_colors
from hmi.mimic.theme import Role

_TURN = {"right": 0, "down": 90, "left": 180, "up": 270}


class SymbolDrawable(Drawable):
    """Equipment drawn as a symbol around its centre. `box` is the part that frames and marks go around."""

    def __init__(self, element: Equipment, shop: Workshop, symbol: str, box: QRectF, turns: bool = True) -> None:
        super().__init__(element, shop, box.translated(*element.at))
        self.symbol = symbol
        self.centre = QPointF(*element.at) + shop.origin
        self.size = element.size
        self.turn = _TURN[element.direction] if turns else 0
        self.state = self.binder.quantity(element.state) if element.state is not None else None
        self.main_tag = self.state.tag if self.state is not None else None
        shop.symbols.source(symbol)
        self.settle()

    def area(self, plain: bool) -> QRectF:
        whole = self.size * 0.6
        drawn = QRectF(self.centre.x() - whole, self.centre.y() - whole, 2 * whole, 2 * whole)
        return drawn.united(super().area(plain))

    def body(self, now: Situation, condition: Condition) -> BodyLook:
        on = self.state.on(now) if self.state is not None and condition.quality.has_value else None
        if self.state is not None and on is None:
            on = False
        return BodyLook(on, condition.quality)

    def paint(self, canvas: Canvas, look: Look) -> None:
        self.shop.symbols.draw(canvas, self.symbol, self.centre, self.size, look.body, self.turn)
        canvas.surround(self.rect, look.condition)


def _square(element: Equipment) -> QRectF:
    half = element.size / 2
    return QRectF(-half, -half, element.size, element.size)


def make_pump(element: Pump, shop: Workshop) -> list[Drawable]:
    return [SymbolDrawable(element, shop, "pump", _square(element))]


def make_motor(element: Motor, shop: Workshop) -> list[Drawable]:
    return [SymbolDrawable(element, shop, "motor", _square(element), turns=False)]


def make_valve(element: Valve, shop: Workshop) -> list[Drawable]:
    k = element.size / 40
    box = QRectF(-20 * k, -14 * k, 40 * k, 28 * k)
    if element.direction in ("up", "down"):
        box = box.transposed()
        box.moveCenter(QPointF(0, 0))
    return [SymbolDrawable(element, shop, "valve", box)]


def make_symbol(element: Symbol, shop: Workshop) -> list[Drawable]:
    return [SymbolDrawable(element, shop, element.symbol, _square(element))]


class LampLook(NamedTuple):
    on: bool


class LampDrawable(Drawable):
    """A square with ON or OFF; where the screen is drawn small, the word stands beside it."""

    margins = (-33.0, -24.0, 48.0, 8.0)
    plain_margins = (-3.0, -3.0, 48.0, 3.0)

    def __init__(self, element: Lamp, shop: Workshop) -> None:
        super().__init__(element, shop, QRectF(*element.at, element.size, element.size))
        self.state = self.binder.quantity(element.state)
        self.main_tag = self.state.tag
        self.settle()

    def body(self, now: Situation, condition: Condition) -> LampLook:
        return LampLook(condition.quality.has_value and self.state.on(now))

    def paint(self, canvas: Canvas, look: Look) -> None:
        condition, on = look.condition, look.body.on
        ink = paint_body(canvas, self.rect, BodyLook(on, condition.quality))
        if condition.quality.has_value:
            word = "ON" if on else "OFF"
            base = canvas.centred_base(Role.LAMP, self.rect.center().y())
            if canvas.width(word, Role.LAMP) <= self.rect.width():
                canvas.text(self.rect.center().x(), base, word, Role.LAMP, ink, Align.MIDDLE)
            else:
                canvas.text(self.rect.right() + 4, base, word, Role.LAMP, canvas.theme.ink)
        # The square is small: a mark on it would hide the word.
        aside = condition.quality is not Quality.GOOD or condition.locked
        canvas.surround(self.rect.adjusted(0, 0, 14, 0) if aside else self.rect, condition)


def paint_body(canvas: Canvas, rect: QRectF, look: BodyLook) -> QColor:
    """A rectangular body in the colours of its state; returns the colour for what stands on it."""
    theme = canvas.theme
    fill, outline, ink = body_colors(theme, look)
    canvas.box(rect, outline, 2, dash_of(look.quality), fill if fill is not None else canvas.pattern(look.quality))
    return ink


class BlockLook(NamedTuple):
    on: bool | None
    title: str
    word: str


class BlockDrawable(Drawable):
    """A box for a whole unit: name, and the word for its state."""

    def __init__(self, element: Block, shop: Workshop) -> None:
        super().__init__(element, shop, QRectF(*element.at, *element.size))
        self.title = self.binder.words(element.title)
        self.state = self.binder.quantity(element.state) if element.state is not None else None
        self.word = self.binder.words(element.word) if element.word is not None else None
        self.main_tag = self.state.tag if self.state is not None else None
        self.settle()

    def body(self, now: Situation, condition: Condition) -> BlockLook:
        title = self.title.render(now)
        if not condition.quality.has_value:
            return BlockLook(False, title, self._reason(now, condition))
        on = self.state.on(now) if self.state is not None else None
        if self.word is not None:
            word = self.word.render(now)
        else:
            discrete = self.state is not None and self.state.tag is not None and is_discrete(self.state.tag)
            word = self.state.words(now) if self.state is not None and discrete else ""
        if condition.quality is Quality.STALE:
            word = f"{word} {condition.word}".strip()
        return BlockLook(on, title, word)

    def _reason(self, now: Situation, condition: Condition) -> str:
        if condition.quality is Quality.NOT_RECORDED:
            return "not recorded"
        if condition.quality is Quality.BAD:
            for index in self.bound.tags:
                device = now.lost_device(index)
                if device:
                    return f"{device} lost"
        return condition.word

    def paint(self, canvas: Canvas, look: Look) -> None:
        rect, condition, what = self.rect, look.condition, look.body
        ink = paint_body(canvas, rect, BodyLook(what.on, condition.quality))
        if what.on is None and condition.quality.has_value:
            ink = canvas.theme.ink
        if condition.quality >= Quality.BAD:
            canvas.fill(rect.adjusted(6, 8, -24, -8), canvas.theme.canvas)
        two = bool(what.word) and not canvas.compact and rect.height() >= 44
        room = rect.width() - 24
        middle = rect.center().y()
        title = canvas.elided(what.title, Role.STATE, room)
        canvas.text(rect.x() + 12, middle - 4 if two else middle + 6, title, Role.STATE, ink)
        if two:
            word = canvas.elided(what.word, Role.LABEL, room)
            canvas.text(rect.x() + 12, middle + 16, word, Role.LABEL, ink)
        canvas.surround(rect, condition)


def make_lamp(element: Lamp, shop: Workshop) -> list[Drawable]:
    return [LampDrawable(element, shop)]


def make_block(element: Block, shop: Workshop) -> list[Drawable]:
    return [BlockDrawable(element, shop)]
