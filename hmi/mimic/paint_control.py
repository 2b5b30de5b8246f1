"""Buttons and setpoint fields: what an operator writes with, and what became of the write."""

from typing import ClassVar, NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor

from hmi.core.command import WriteState
from hmi.core.screen import Button, Setpoint
from hmi.core.status import Quality
from hmi.core.tag import Tag
from hmi.mimic.bound import is_discrete
from hmi.mimic.canvas import Align, Canvas, dash_of
from hmi.mimic.drawable import Drawable, Look, Workshop
from hmi.mimic.paint_value import SlotText, paint_slot
from hmi.mimic.state import Condition, Situation
from hmi.mimic.theme import Role

MOST_DIGITS = 16


class Order(NamedTuple):
    """What a control asks for. `question` is asked first; empty when nothing needs to be asked."""

    tag: str
    value: float | bool
    question: str


class Edit(NamedTuple):
    """A value being typed into a field, and what is wrong with it."""

    text: str
    error: str = ""


class ControlDrawable(Drawable):
    """What buttons and fields share: the marks at their corners, and the words under them."""

    margins = (-16.0, -18.0, 14.0, 26.0)
    operable = True
    speaks: ClassVar[bool] = False
    """Whether words can stand around it although it is plain."""

    def marks(self, canvas: Canvas, condition: Condition) -> None:
        rect, alarm, write = self.rect, condition.alarm, condition.write
        if alarm is not None:
            canvas.frame(rect.adjusted(-3, -3, 3, 3), alarm, 3.0)
            canvas.alarm(alarm, rect.x(), rect.y() - 4, 0.8)
        if condition.quality is not Quality.GOOD:
            canvas.quality(condition.quality, rect.right() - 2, rect.y() - 3)
        if write is not None:
            canvas.pill(write.state, rect.right() - 16, rect.y() - 5)
        if condition.locked:
            canvas.lock(rect.right() - 2, rect.y() - 3)

    def note(self, canvas: Canvas, text: str, color: QColor) -> None:
        """Words under the control, as wide as it is and a little over."""
        room = max(self.rect.width(), 140.0)
        shown = canvas.elided(text, Role.CAPTION, room)
        canvas.text(self.rect.x(), self.rect.bottom() + canvas.font_px(Role.CAPTION) + 4, shown, Role.CAPTION, color)

    def area(self, plain: bool) -> QRectF:
        area = super().area(plain)
        if plain and not self.speaks:
            return area
        under = QRectF(self.rect.x(), self.rect.bottom(), max(self.rect.width(), 140.0) + 4, 34)
        return area.united(under).adjusted(0, -20, 0, 0)


class ButtonLook(NamedTuple):
    text: str
    on: bool


class ButtonDrawable(ControlDrawable):
    """A button that writes one value. Inverse while that is how it is."""

    def __init__(self, element: Button, shop: Workshop) -> None:
        super().__init__(element, shop, QRectF(*element.at, *element.size))
        self.words = self.binder.words(element.text, counts=False)
        self.tag = self.main_tag = self.binder.tag(element.write)
        self.on = self.binder.quantity(element.on) if element.on is not None else None
        self.to = element.to
        self.question = element.confirm or ""
        rule = self.tag.write
        if not self.question and rule is not None and rule.confirm:
            self.question = f"{element.text.source}: {self.tag.description or self.tag.name}?"
        self.bound = self.binder.bound(control=True, writable=rule is not None, write_value=float(element.to))

    def body(self, now: Situation, condition: Condition) -> ButtonLook:
        text = self.words.render(now)
        if self.question and not text.endswith(("…", "...")):
            text += "…"
        return ButtonLook(text, self.on is not None and condition.quality.has_value and self.on.on(now))

    def order(self) -> Order:
        return Order(self.tag.name, self.to, self.question)

    def paint(self, canvas: Canvas, look: Look) -> None:
        condition, what, rect, theme = look.condition, look.body, self.rect, canvas.theme
        quality = condition.quality
        off = condition.locked or quality is Quality.OUT_OF_SERVICE or quality >= Quality.BAD
        pattern = canvas.pattern(quality)
        dash = dash_of(quality) or ((4.0, 3.0) if off else ())
        inverse = what.on and not off
        painter = canvas.painter
        painter.setPen(canvas.pen(theme.line, 1, dash))
        painter.setBrush(pattern if pattern is not None else theme.ink if inverse else theme.panel)
        painter.drawRoundedRect(rect, 2, 2)
        if pattern is not None:
            canvas.fill(rect.adjusted(12, 6, -12, -6), theme.canvas)
        color = theme.canvas if inverse else theme.ink3 if off else theme.ink
        text = canvas.elided(what.text, Role.LABEL_BOLD, rect.width() - 12)
        base = canvas.centred_base(Role.LABEL_BOLD, rect.center().y())
        canvas.text(rect.center().x(), base, text, Role.LABEL_BOLD, color, Align.MIDDLE)
        self.marks(canvas, condition)
        if condition.write is not None:
            self.note(canvas, condition.write.note, theme.ink)


class FieldLook(NamedTuple):
    text: str
    unit: str
    edit: Edit | None


class SetpointDrawable(ControlDrawable):
    """A field for a new value. The old value stays until the device has confirmed the new one."""

    speaks = True

    def __init__(self, element: Setpoint, shop: Workshop) -> None:
        super().__init__(element, shop, QRectF(*element.at, *element.size))
        self.tag = self.main_tag = self.binder.tag(element.tag)
        self.label = element.label
        self.edit: Edit | None = None
        self.bound = self.binder.bound(control=True, writable=self.tag.write is not None)

    @property
    def range(self) -> tuple[float | None, float | None]:
        rule = self.tag.write
        low = rule.low if rule is not None and rule.low is not None else self.tag.low
        high = rule.high if rule is not None and rule.high is not None else self.tag.high
        return low, high

    def range_words(self) -> str:
        low, high = self.range
        words = f"{_number(low, self.tag)} to {_number(high, self.tag)}"
        if low is None or high is None:
            words = f"{_number(low, self.tag)} or more" if low is not None else f"up to {_number(high, self.tag)}"
        if low is None and high is None:
            words = "any value"
        return f"{words} {self.tag.unit}".strip()

    def type(self, text: str) -> None:
        """Take over what has been typed; out of range is said at once."""
        text = text[:MOST_DIGITS]
        self.edit = Edit(text, self._fault(text, finished=False))

    def order(self) -> Order | None:
        """What to write, or None with the reason in `edit`."""
        if self.edit is None:
            return None
        fault = self._fault(self.edit.text, finished=True)
        if fault:
            self.edit = Edit(self.edit.text, fault)
            return None
        value = float(self.edit.text.replace(",", "."))
        rule = self.tag.write
        words = f"{_number(value, self.tag)} {self.tag.unit}".strip()
        asks = rule is not None and rule.confirm
        return Order(self.tag.name, value, f"Set {self.tag.description or self.tag.name} to {words}?" if asks else "")

    def _fault(self, text: str, finished: bool) -> str:
        text = text.replace(",", ".")
        if text in ("", "-", ".", "-."):
            return "type a number" if finished else ""
        try:
            value = float(text)
        except ValueError:
            return "not a number"
        low, high = self.range
        # While a number grows it may still be below the range: 2 becomes 25.
        low_passed = low is not None and value < low and (finished or value < 0 <= low)
        if low_passed or (high is not None and value > high):
            return f"{self.range_words()} only"
        return ""

    def body(self, now: Situation, condition: Condition) -> FieldLook:
        if not condition.quality.has_value:
            return FieldLook("", "", self.edit)
        index = self.tag.index
        return FieldLook(self.tag.format(now.value[index], now.text[index]), self.tag.unit, self.edit)

    def paint(self, canvas: Canvas, look: Look) -> None:
        condition, what, rect, theme = look.condition, look.body, self.rect, canvas.theme
        quality, write = condition.quality, condition.write
        if self.label:
            canvas.text(rect.x(), rect.y() - 6, self.label, Role.CAPTION, theme.ink2)
        if what.edit is not None:
            self._editing(canvas, what, what.edit)
            return
        if quality >= Quality.BAD:
            paint_slot(canvas, rect, SlotText(""), condition)
            return
        busy = write is not None and write.state in (WriteState.PENDING, WriteState.UNKNOWN)
        unknown = write is not None and write.state is WriteState.UNKNOWN
        dash = (5.0, 3.0) if condition.locked or (busy and not unknown) else dash_of(quality)
        forced = quality is Quality.FORCED
        painter = canvas.painter
        painter.setPen(canvas.pen(theme.ink if busy else theme.line, 2 if unknown else 1, dash))
        painter.setBrush(theme.ink if forced else theme.canvas if condition.locked else theme.well)
        painter.drawRoundedRect(rect, 2, 2)
        soft = quality in (Quality.STALE, Quality.OUT_OF_SERVICE)
        color = theme.canvas if forced else theme.ink3 if soft or condition.locked else theme.ink
        self._sign(canvas, theme.canvas if forced else theme.line)
        self._value(canvas, what.text, what.unit, color, theme.canvas if forced else theme.ink2)
        self.marks(canvas, condition)
        if write is not None:
            new = f"→ {write.new}  " if not write.state.ended or unknown else ""
            self.note(canvas, f"{new}{write.note}", theme.ink)

    def _value(self, canvas: Canvas, text: str, unit: str, color: QColor, soft: QColor) -> None:
        rect = self.rect
        right, base = rect.right() - 8, canvas.centred_base(Role.STATE, rect.center().y())
        width = canvas.width(text, Role.STATE)
        if unit and not is_discrete(self.tag) and width + canvas.width(unit, Role.CAPTION) + 30 <= rect.width():
            right -= canvas.text(right, base, unit, Role.CAPTION, soft, Align.RIGHT) + 4
        shown = text if width <= right - rect.x() - 22 else canvas.elided(text, Role.STATE, right - rect.x() - 22)
        if shown != text and any(c.isdigit() for c in text):
            shown = "##"
        canvas.text(right, base, shown, Role.STATE, color, Align.RIGHT)

    def _sign(self, canvas: Canvas, color: QColor) -> None:
        """The hollow triangle of a setpoint, as on the scale of an indicator."""
        x, y = self.rect.x() + 8, self.rect.center().y()
        canvas.painter.setPen(canvas.pen(color, 1.5))
        canvas.painter.setBrush(Qt.BrushStyle.NoBrush)
        canvas.painter.drawPolygon([QPointF(x, y - 5), QPointF(x + 7.5, y), QPointF(x, y + 5)])

    def _editing(self, canvas: Canvas, what: FieldLook, edit: Edit) -> None:
        rect, theme = self.rect, canvas.theme
        painter = canvas.painter
        painter.setPen(canvas.pen(theme.ink, 2, (5, 3) if edit.error else ()))
        painter.setBrush(theme.well)
        painter.drawRoundedRect(rect, 2, 2)
        base = canvas.centred_base(Role.STATE, rect.center().y())
        text = edit.text
        while text and canvas.width(text, Role.STATE) > rect.width() - 20:
            text = text[1:]
        canvas.text(rect.right() - 12, base, text, Role.STATE, theme.ink, Align.RIGHT)
        canvas.line(rect.right() - 9, rect.y() + 6, rect.right() - 9, rect.bottom() - 6, theme.ink, 1.5)
        now = f"now {what.text}; " if what.text else ""
        self.note(canvas, edit.error or f"{now}{self.range_words()}", theme.ink)


def _number(value: float | None, tag: Tag) -> str:
    return "" if value is None else f"{value:.{tag.decimals}f}" if tag.lane.value == "float" else f"{value:g}"


def make_button(element: Button, shop: Workshop) -> list[Drawable]:
    return [ButtonDrawable(element, shop)]


def make_setpoint(element: Setpoint, shop: Workshop) -> list[Drawable]:
    return [SetpointDrawable(element, shop)]
