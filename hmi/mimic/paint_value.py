"""Values: a number in its slot with unit, quality mark and alarm mark."""

from typing import Any, NamedTuple

from PySide6.QtCore import QRectF

from hmi.core.alarm import AlarmState
from hmi.core.command import WriteState
from hmi.core.screen import ValueElement
from hmi.core.status import Quality
from hmi.mimic.bound import is_discrete
from hmi.mimic.canvas import Canvas, any_digits, dash_of
from hmi.mimic.drawable import Drawable, Look, Workshop, worded
from hmi.mimic.state import Condition, Situation
from hmi.mimic.theme import Role

_SMALLER = (Role.KEY, Role.VALUE, Role.NARROW_VALUE, Role.STATE, Role.LABEL_BOLD)


class SlotText(NamedTuple):
    """What stands in a slot. `text` is empty where there is no value."""

    text: str
    unit: str = ""
    caption: str = ""
    key: bool = False


def paint_slot(canvas: Canvas, rect: QRectF, what: SlotText, condition: Condition) -> None:
    """The slot in any state, as on the state sheet."""
    quality, alarm, write, theme = condition.quality, condition.alarm, condition.write, canvas.theme
    x, y, w, h = rect.x(), rect.y(), rect.width(), rect.height()
    middle = y + h / 2
    gone = quality >= Quality.BAD
    if alarm is not None and not gone:
        canvas.fill(rect, theme.canvas)
    if quality is Quality.FORCED:
        canvas.fill(rect, theme.ink)
    elif gone:
        pattern = canvas.pattern(quality)
        canvas.box(rect, theme.line, 1.5, dash_of(quality), pattern)
    elif quality in (Quality.STALE, Quality.OUT_OF_SERVICE):
        canvas.box(rect, theme.line, 1.5, dash_of(quality))
    left = x + 6
    if alarm is not None:
        canvas.frame(rect, alarm)
        at, size, left = (24.0, 1.0, x + 48) if what.key else (19.0, 0.75, x + 38) if w > 100 else (16.0, 0.68, x + 33)
        canvas.alarm(alarm, x + at, middle, size)
        if quality is not Quality.GOOD:
            canvas.quality(quality, x + w - 3, y + 1)
    elif quality is not Quality.GOOD:
        canvas.quality(quality, x + 13, middle)
        left = x + 28
    if gone:
        _reason(canvas, rect, left, worded(condition), quality)
    else:
        _number(canvas, rect, left, what, condition)
    if write is not None and write.state in (WriteState.PENDING, WriteState.UNKNOWN):
        canvas.write_frame(rect, write.state)
        canvas.pill(write.state, x + w - 20, y - 1)
    if condition.locked:
        canvas.lock(x + w - 10, y + 2)


def _reason(canvas: Canvas, rect: QRectF, left: float, word: str, quality: Quality) -> None:
    narrow = rect.width() < 110
    bad = quality is Quality.BAD
    plain, bold = (Role.CAPTION, Role.CAPTION_BOLD) if narrow else (Role.LABEL, Role.LABEL_BOLD)
    role = bold if bad else plain
    room = rect.right() - 2 - left
    if canvas.width(word, role) > room:
        # Half a word says less than the pattern and the mark.
        return
    if quality is not Quality.NEVER_READ:
        canvas.fill(QRectF(left - 2, rect.y() + 5, rect.right() - 3 - left, rect.height() - 10), canvas.theme.canvas)
    color = canvas.theme.ink if bad else canvas.theme.ink2
    canvas.text(left if narrow else left + 2, canvas.centred_base(role, rect.center().y()), word, role, color)


def _number(canvas: Canvas, rect: QRectF, left: float, what: SlotText, condition: Condition) -> None:
    quality, theme = condition.quality, canvas.theme
    forced = quality is Quality.FORCED
    color = theme.canvas if forced else theme.ink
    if quality in (Quality.STALE, Quality.OUT_OF_SERVICE):
        color = theme.ink3
    soft = theme.canvas if forced else theme.ink2
    right = rect.right() - 3
    first = Role.KEY if what.key else Role.NARROW_VALUE if condition.alarm and rect.width() <= 100 else Role.VALUE
    role, text, unit = fit(canvas, what.text, what.unit, first, right - left)
    base = canvas.centred_base(role, rect.center().y())
    end = left + canvas.number(left, base, text, role, color)
    if unit:
        end += 5 + canvas.text(end + 5, base, unit, Role.LABEL, soft)
    if what.caption and not canvas.compact:
        caption = canvas.elided(what.caption, Role.CAPTION, right - end - 16)
        canvas.text(end + 16, base, caption, Role.CAPTION, soft)
    if quality is Quality.UNCERTAIN:
        canvas.line(left, rect.bottom() - 3, rect.right() - 4, rect.bottom() - 3, theme.ink, 1.5, (2, 3))
    elif quality is Quality.OUT_OF_SERVICE:
        canvas.line(left, rect.center().y(), end, rect.center().y(), theme.ink)


def fit(canvas: Canvas, text: str, unit: str, first: Role, room: float) -> tuple[Role, str, str]:
    """Role, text and unit that fit: first the size goes, then the unit; a number is never cut, its place shows '##'."""
    form = any_digits(text)
    key = ("fit", form, unit, first, room, canvas.glass)
    role, shown, unit = canvas.theme.stamps.get(key, lambda: _fit(canvas, form, unit, first, room))
    return role, text if shown == form else shown, unit


def _fit(canvas: Canvas, text: str, unit: str, first: Role, room: float) -> tuple[Role, str, str]:
    if unit:
        beside = room - 5 - canvas.width(unit, Role.LABEL)
        for role in _SMALLER[_SMALLER.index(first) :]:
            if canvas.width(text, role) <= beside:
                return role, text, unit
    for role in _SMALLER[_SMALLER.index(first) :]:
        if canvas.width(text, role) <= room:
            return role, text, ""
    role = _SMALLER[-1]
    if any(c.isdigit() for c in text):
        return role, "##", ""
    return role, canvas.elided(text, role, room), ""


class ValueDrawable(Drawable):
    """A value bound to a tag or an expression."""

    margins = (-8.0, -12.0, 10.0, 6.0)

    def __init__(self, element: ValueElement, shop: Workshop) -> None:
        super().__init__(element, shop, QRectF(*element.at, *element.size))
        self.quantity = self.binder.quantity(element.value)
        tag = self.main_tag = self.quantity.tag
        decimals = element.decimals
        self.decimals = decimals if tag is None or not is_discrete(tag) else None
        self.unit = element.unit if element.unit is not None else tag.unit if tag is not None else ""
        self.caption = element.caption
        self.key = element.style == "key"
        self.settle()

    def body(self, now: Situation, condition: Condition) -> SlotText:
        if not condition.quality.has_value:
            return SlotText("", "", "", self.key)
        value = self.quantity.value(now)
        if self.decimals is not None and value == value:
            text = f"{value:.{self.decimals}f}"
        else:
            text = self.quantity.words(now)
        return SlotText(text or "–", self.unit, self.caption, self.key)

    def paint(self, canvas: Canvas, look: Look) -> None:
        what: Any = look.body
        paint_slot(canvas, self.rect, what, look.condition)


def make_value(element: ValueElement, shop: Workshop) -> list[Drawable]:
    return [ValueDrawable(element, shop)]


def returned(condition: Condition) -> bool:
    """Whether the alarm's condition is gone, so that nothing carries its colour."""
    return condition.alarm is None or condition.alarm.state is AlarmState.RETURNED
