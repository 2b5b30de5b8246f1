"""Moving analogue indicators, one by one and as the row of the overview: the horizon."""

from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor

from hmi.core.command import WriteState
from hmi.core.duration import parse_duration
from hmi.core.screen import Horizon, Indicator
from hmi.core.status import Quality
from hmi.core.tag import Tag
from hmi.mimic.bound import Quantity
from hmi.mimic.canvas import Align, Canvas
from hmi.mimic.drawable import Drawable, Look, Workshop
from hmi.mimic.paint_value import SlotText, paint_slot
from hmi.mimic.scale import BAR, AnalogueScale, ScaleLook
from hmi.mimic.state import Condition, Situation
from hmi.mimic.theme import Role

_HALF_BANDS = 2.5
_OVER = 48.0
_UNDER = 88.0
_INSET = 12.0


def bounds_of(tag: Tag, low: float | None = None, high: float | None = None) -> tuple[float, float]:
    """The range of a scale: what the screen says, else the tag's range, else around its normal band."""
    band = tag.normal or (0.0, 100.0)
    reach = (band[1] - band[0]) or 1.0
    if low is None:
        low = tag.low if tag.low is not None else band[0] - reach
    if high is None:
        high = tag.high if tag.high is not None else band[1] + reach
    return low, high


class IndicatorDrawable(Drawable):
    """One indicator. While its machine stands, neither band nor limits are drawn."""

    margins = (-6.0, -4.0, 6.0, 4.0)
    plain_margins = (-2.0, -10.0, 2.0, 10.0)

    def __init__(self, element: Indicator, shop: Workshop) -> None:
        super().__init__(element, shop, QRectF(*element.at, *element.size))
        tag = self.main_tag = self.binder.tag(element.value)
        self.running: Quantity | None = None
        if element.running is not None:
            self.running = self.binder.quantity(element.running, counts=False)
            self.binder.watch(self.running.indices)
        if tag.setpoint is not None and tag.setpoint in self.plant.tag_index:
            self.binder.watch((self.plant.tag_index[tag.setpoint],))
            self.binder.also_writes(tag.setpoint)
        columns = max(8, int(self.rect.width() - BAR - 16))
        curve = shop.curves.curve(tag.index, parse_duration(element.span), columns)
        bounds = bounds_of(tag, element.low, element.high)
        self.scale = AnalogueScale(self.plant, tag, self.rect, bounds, curve)
        self._now_us = 0
        self.settle()

    @property
    def timed(self) -> bool:
        return True

    def body(self, now: Situation, condition: Condition) -> ScaleLook:
        self._now_us = now.now_us
        stands = self.running is not None and self.running.known(now) and not self.running.on(now)
        return self.scale.look(now, condition, stands)

    def paint(self, canvas: Canvas, look: Look) -> None:
        condition, rect = look.condition, self.rect
        self.scale.paint(canvas, look.body, condition, self._now_us)
        x, y = rect.x() + 12, rect.y() + 14
        if condition.alarm is not None:
            canvas.alarm(condition.alarm, x + 4, y + 5, 0.8)
            x += 30
        if condition.quality is not Quality.GOOD:
            canvas.quality(condition.quality, x, y)
            x += 24
        if condition.write is not None and condition.write.state in (WriteState.PENDING, WriteState.UNKNOWN):
            canvas.pill(condition.write.state, x + 8, y)
            if rect.width() > 120:
                _plate(canvas, x + 30, y, f"new {condition.write.new}")
        if condition.locked:
            canvas.lock(x, y)


def _plate(canvas: Canvas, x: float, middle: float, text: str) -> None:
    """Words over a curve or a hatch, on a plate so that they can be read."""
    width = canvas.width(text, Role.CAPTION)
    height = canvas.font_px(Role.CAPTION) + 4
    canvas.fill(QRectF(x - 3, middle - height / 2, width + 6, height), canvas.theme.canvas)
    canvas.text(x, canvas.centred_base(Role.CAPTION, middle), text, Role.CAPTION, canvas.theme.ink)


class HorizonGround(Drawable):
    """What lies behind all columns: the line of all normal bands, and what separates the units."""

    def __init__(self, element: Horizon, shop: Workshop) -> None:
        super().__init__(element.model_copy(update={"open": None}), shop, QRectF(*element.at, *element.size))
        self.groups = len(element.columns)
        self.settle()

    def body(self, now: Situation, condition: Condition) -> None:
        return None

    def hit(self, point: QPointF) -> bool:
        return False

    def paint(self, canvas: Canvas, look: Look) -> None:
        rect, theme = self.rect, canvas.theme
        height = rect.height() - _OVER - _UNDER
        band = QColor(theme.band)
        band.setAlphaF(0.55)
        canvas.fill(QRectF(rect.x(), rect.y() + _OVER + height * 0.3, rect.width(), height * 0.4), band)
        for group in range(1, self.groups):
            x = rect.x() + rect.width() / self.groups * group
            canvas.line(x + 0.5, rect.y(), x + 0.5, rect.bottom(), theme.hair, 1.0)
        canvas.surround(rect, look.condition)


class ColumnLook(NamedTuple):
    scale: ScaleLook
    text: str
    age: str


class HorizonColumn(Drawable):
    """One measurement of the horizon: name, indicator, value and unit under each other."""

    margins = (-12.0, -4.0, 10.0, 4.0)
    plain_margins = (-2.0, -2.0, 2.0, 2.0)

    def __init__(self, element: Horizon, shop: Workshop, tag: str, rect: QRectF) -> None:
        super().__init__(element.model_copy(update={"alarms": ()}), shop, rect)
        found = self.main_tag = self.binder.tag(tag)
        self.tag = found
        self.short = element.names.get(tag, found.description)
        if found.setpoint is not None and found.setpoint in self.plant.tag_index:
            self.binder.watch((self.plant.tag_index[found.setpoint],))
            self.binder.also_writes(found.setpoint)
        band = found.normal
        if band is not None and band[1] > band[0]:
            middle, half = (band[0] + band[1]) / 2, (band[1] - band[0]) / 2
            bounds = (middle - _HALF_BANDS * half, middle + _HALF_BANDS * half)
        else:
            bounds = bounds_of(found)
        inner = QRectF(self.rect.x(), self.rect.y() + _OVER, self.rect.width(), self.rect.height() - _OVER - _UNDER)
        curve = shop.curves.curve(found.index, parse_duration(element.span), max(8, int(inner.width() - BAR - 16)))
        self.scale = AnalogueScale(self.plant, found, inner, bounds, curve)
        self._now_us = 0
        self.settle()

    @property
    def timed(self) -> bool:
        return True

    def body(self, now: Situation, condition: Condition) -> ColumnLook:
        self._now_us = now.now_us
        scale = self.scale.look(now, condition, stands=False)
        has = condition.quality.has_value
        text = self.tag.format(now.value[self.tag.index], now.text[self.tag.index]) if has else ""
        return ColumnLook(scale, text, condition.word)

    def paint(self, canvas: Canvas, look: Look) -> None:
        rect, theme, condition, what = self.rect, canvas.theme, look.condition, look.body
        x, room = rect.x(), rect.width() + 6
        under = self.scale.rect.bottom()
        base = rect.y() + (34 if canvas.compact else 16)
        tag = canvas.elided(self.tag.name, Role.LABEL, room)
        canvas.text(x, base, tag, Role.LABEL, theme.ink)
        if not canvas.compact:
            canvas.text(x, rect.y() + 34, canvas.elided(self.short, Role.CAPTION, room), Role.CAPTION, theme.ink2)
        self.scale.paint(canvas, what.scale, condition, self._now_us)
        unit_base = under + 66
        gone = condition.quality >= Quality.BAD
        if condition.plain:
            canvas.number(x + 2, under + 36, what.text, Role.VALUE, theme.ink)
        else:
            # The slot is narrow: the word for the quality stands in it, the reason in the line below.
            word = "bad" if condition.quality is Quality.BAD else condition.word
            slot = QRectF(x - 2, under + 12, 96 if condition.alarm else 94, 32)
            paint_slot(canvas, slot, SlotText(what.text), condition._replace(word=word))
        if gone and condition.quality is Quality.BAD:
            canvas.text(x + 2, unit_base, canvas.elided(what.age, Role.LABEL, room), Role.LABEL, theme.ink)
            return
        under_slot = what.age if gone and canvas.compact else self.tag.unit
        canvas.text(x + 2, unit_base, canvas.elided(under_slot, Role.LABEL, room), Role.LABEL, theme.ink2)
        if condition.quality is Quality.STALE and not canvas.compact:
            canvas.text(x + 84, unit_base, what.age, Role.CAPTION, theme.ink, Align.RIGHT)


def make_indicator(element: Indicator, shop: Workshop) -> list[Drawable]:
    return [IndicatorDrawable(element, shop)]


def make_horizon(element: Horizon, shop: Workshop) -> list[Drawable]:
    made: list[Drawable] = [HorizonGround(element, shop)]
    x, y = element.at
    width, height = element.size
    pitch = width / max(1, len(element.columns))
    most = max((len(group) for group in element.columns), default=1) or 1
    step = (pitch - _INSET) / most
    for g, group in enumerate(element.columns):
        for c, tag in enumerate(group):
            rect = QRectF(x + g * pitch + _INSET + c * step, y, step - _INSET, height)
            made.append(HorizonColumn(element, shop, tag, rect))
    return made
