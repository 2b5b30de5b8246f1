"""Tanks: contents, surface, and the ticks of their limits."""

from typing import NamedTuple

from PySide6.QtCore import QRectF

from hmi.core.alarm import AlarmKind
from hmi.core.screen import Tank
from hmi.core.status import Quality
from hmi.mimic.canvas import Canvas, dash_of
from hmi.mimic.drawable import Drawable, Look, Workshop
from hmi.mimic.state import Condition, Situation
from hmi.mimic.theme import Role

LIMITS = (AlarmKind.HIGH_HIGH, AlarmKind.HIGH, AlarmKind.LOW, AlarmKind.LOW_LOW)


class TankLook(NamedTuple):
    """Height of the contents over the bottom, in half pixels, so that noise below a pixel repaints nothing."""

    halves: int


class TankDrawable(Drawable):
    """A vessel. Without a value no contents are drawn."""

    margins = (-33.0, -24.0, 34.0, 8.0)

    def __init__(self, element: Tank, shop: Workshop) -> None:
        super().__init__(element, shop, QRectF(*element.at, *element.size))
        self.level = self.binder.quantity(element.level)
        tag = self.main_tag = self.level.tag
        low = element.low if element.low is not None else tag.low if tag is not None else None
        high = element.high if element.high is not None else tag.high if tag is not None else None
        self.low = 0.0 if low is None else low
        self.high = high if high is not None and high > self.low else self.low + 100.0
        self.ticks: list[tuple[float, str]] = []
        if element.ticks and tag is not None:
            for kind in LIMITS:
                limit = self.plant.limit(tag.name, kind)
                if limit is not None and self.low <= limit <= self.high:
                    self.ticks.append((self._share(limit), kind.letters))
        self.settle()

    def _share(self, value: float) -> float:
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def area(self, plain: bool) -> QRectF:
        area = super().area(plain)
        return area.united(self.rect.adjusted(0, 0, 34, 8)) if self.ticks else area

    def body(self, now: Situation, condition: Condition) -> TankLook:
        value = self.level.value(now)
        if not condition.quality.has_value or value != value:
            return TankLook(-1)
        return TankLook(round(self._share(value) * self.rect.height() * 2))

    def paint(self, canvas: Canvas, look: Look) -> None:
        rect, theme, quality = self.rect, canvas.theme, look.condition.quality
        if quality >= Quality.BAD:
            pattern = canvas.pattern(quality)
            if pattern is not None:
                canvas.fill(rect, pattern)
        else:
            canvas.fill(rect, theme.well)
        if look.body.halves >= 0:
            top = rect.bottom() - look.body.halves / 2
            level = theme.faded(theme.level) if quality is Quality.STALE else theme.level
            canvas.fill(QRectF(rect.x(), top, rect.width(), rect.bottom() - top), level)
            surface = theme.ink3 if quality in (Quality.STALE, Quality.OUT_OF_SERVICE) else theme.ink
            canvas.fill(QRectF(rect.x(), top - 1, rect.width(), 2), surface)
        canvas.box(rect, theme.line, 2, dash_of(quality))
        room = canvas.font_px(Role.LABEL) * 1.1
        free = rect.top() - 2 * room
        for share, letters in sorted(self.ticks, reverse=True):
            y = rect.bottom() - share * rect.height()
            thickness = 3.0 if len(letters) > 1 else 1.5
            canvas.fill(QRectF(rect.right() - 12, y - thickness / 2, 18, thickness), theme.ink)
            # Limits that lie close have their letters pushed apart; on a small tank only the ticks fit.
            at = max(y, free)
            if rect.width() >= 90 and at - y < room:
                canvas.text(rect.right() + 10, at + 5, letters, Role.LABEL, theme.ink)
                free = at + room
        canvas.surround(rect, look.condition)


def make_tank(element: Tank, shop: Workshop) -> list[Drawable]:
    return [TankDrawable(element, shop)]
