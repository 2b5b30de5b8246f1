"""Text, lines, panels, terminals, placeholders and groups."""

from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainterPath

from hmi.core.screen import Group, Line, Panel, Placeholder, Terminal, TextElement
from hmi.core.status import Quality
from hmi.mimic.bound import Runs
from hmi.mimic.canvas import Align, Canvas
from hmi.mimic.drawable import Drawable, Look, Workshop, worded
from hmi.mimic.state import Condition, Situation
from hmi.mimic.theme import Role

_ROLE = {
    "caption": Role.CAPTION,
    "label": Role.LABEL,
    "name": Role.NAME,
    "state": Role.STATE,
    "heading": Role.HEADING,
    "value": Role.VALUE,
    "key": Role.KEY,
}


_MARK = 20.0
"""Room of a quality mark within a text."""


class TextDrawable(Drawable):
    """Text, which may embed values. Where one is missing, its reason and mark stand in its place; the words stay."""

    plain_margins = (-2.0, -2.0, 2.0, 2.0)
    margins = (-38.0, -14.0, 40.0, 10.0)

    def __init__(self, element: TextElement, shop: Workshop) -> None:
        self.role = _ROLE[element.style]
        self.align = Align(element.align)
        self.tone = element.tone or ("ink2" if element.style in ("caption", "label") else "ink")
        self.anchor = QPointF(*element.at) + shop.origin
        super().__init__(element, shop, QRectF(*element.at, 8, 8))
        self.words = self.binder.words(element.text)
        if len(self.words.indices) == 1:
            self.main_tag = self.plant.tags[self.words.indices[0]]
        self.settle()
        room = shop.room - self.anchor.x()
        if self.align is Align.RIGHT:
            room = self.anchor.x()
        elif self.align is Align.MIDDLE:
            room = 2 * min(self.anchor.x(), room)
        self.room = max(room - 4, 16.0)
        self._natural = QFontMetricsF(self.role.font()).horizontalAdvance(self.words.longest())
        self.fit_to(1.0)

    def fit_to(self, glass: float) -> None:
        super().fit_to(glass)
        grown = self.role.pixels(glass) / self.role.value[0]
        width, height = min(self._natural * grown, self.room), self.role.pixels(glass) * 1.3
        left = self.anchor.x()
        if self.align is not Align.LEFT:
            left -= width / 2 if self.align is Align.MIDDLE else width
        self.rect = QRectF(left, self.anchor.y() - height * 0.8, width, height)

    @property
    def opens(self) -> Any:
        # A text is a label; it opens something only if the file says so.
        return self.element.open or self.shop.opens

    def body(self, now: Situation, condition: Condition) -> Runs:
        word = worded(condition)
        if word and self.words.lone:
            return (("not recorded" if condition.quality is Quality.NOT_RECORDED else word, Quality.GOOD),)
        runs = self.words.runs(now)
        if condition.quality is Quality.STALE and condition.word:
            return *runs, (f" ({condition.word})", Quality.GOOD)
        return runs

    def paint(self, canvas: Canvas, look: Look) -> None:
        condition, theme = look.condition, canvas.theme
        quality = condition.quality
        color = {"ink": theme.ink, "ink2": theme.ink2, "ink3": theme.ink3}[self.tone]
        if quality in (Quality.STALE, Quality.OUT_OF_SERVICE):
            color = theme.ink3
        room = min(self.room, self.rect.width() + 1)
        runs, width = look.body, self._width(canvas, look.body)
        if width > room:
            text = canvas.elided("".join(part for part, _ in runs), self.role, room)
            runs = ((text, Quality.GOOD),)
            width = canvas.width(text, self.role)
        left, base = self.anchor.x(), self.anchor.y()
        if self.align is not Align.LEFT:
            left -= width / 2 if self.align is Align.MIDDLE else width
        line = QRectF(left, base - canvas.font_px(self.role) * 0.95, width, canvas.font_px(self.role) * 1.25)
        if quality is Quality.FORCED:
            canvas.fill(line.adjusted(-2, 0, 2, 0), theme.ink)
            color = theme.canvas
        if condition.alarm is not None:
            canvas.frame(line.adjusted(-4, -3, 4, 3), condition.alarm, 3.0)
            canvas.alarm(condition.alarm, line.left() - 22, line.center().y(), 0.68)
        x, inline = left, False
        for part, sure in runs:
            if sure is not Quality.GOOD:
                inline = True
                canvas.quality(sure, x + _MARK / 2 - 2, line.center().y(), 0.85)
                x += _MARK
            x += canvas.text(x, base, part, self.role, color)
        if quality is Quality.UNCERTAIN:
            canvas.line(left, base + 3, left + width, base + 3, theme.ink, 1.5, (2, 3))
        elif quality is Quality.OUT_OF_SERVICE:
            canvas.line(left, line.center().y(), left + width, line.center().y(), theme.ink)
        if quality is not Quality.GOOD and not inline:
            aside = left - 11 if self.align is Align.RIGHT else left + width + 11
            canvas.quality(quality, aside, line.center().y(), 0.85)

    def _width(self, canvas: Canvas, runs: Runs) -> float:
        return sum(canvas.width(part, self.role) + (0 if sure is Quality.GOOD else _MARK) for part, sure in runs)


class LineDrawable(Drawable):
    """A hairline."""

    plain_margins = margins = (-1.0, -1.0, 1.0, 1.0)

    def __init__(self, element: Line, shop: Workshop) -> None:
        points = [QPointF(*p) for p in element.points]
        super().__init__(element, shop, _around(points))
        self.points = [p + shop.origin for p in points]
        self.settle()

    def body(self, now: Situation, condition: Condition) -> None:
        return None

    def paint(self, canvas: Canvas, look: Look) -> None:
        # Half a pixel aside a hairline falls on one row of pixels, not on two.
        half = QPointF(0.5, 0.5)
        canvas.painter.setPen(canvas.pen(canvas.theme.hair, 1.0))
        canvas.painter.drawPolyline([point + half for point in self.points])


def _around(points: list[QPointF]) -> QRectF:
    xs, ys = [p.x() for p in points], [p.y() for p in points]
    return QRectF(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


class PanelDrawable(Drawable):
    """A plain rectangle behind other elements."""

    def __init__(self, element: Panel, shop: Workshop) -> None:
        super().__init__(element, shop, QRectF(*element.at, *element.size))
        self.ground = element.fill
        self.settle()

    def body(self, now: Situation, condition: Condition) -> None:
        return None

    def paint(self, canvas: Canvas, look: Look) -> None:
        theme = canvas.theme
        fill = {"panel": theme.panel, "well": theme.well, "none": None}[self.ground]
        canvas.box(self.rect, theme.hair, 1.0, (), fill)
        canvas.surround(self.rect, look.condition)


class TerminalDrawable(Drawable):
    """A sign that points to where the process goes on."""

    def __init__(self, element: Terminal, shop: Workshop) -> None:
        super().__init__(element, shop, QRectF(*element.at, *element.size))
        self.words = self.binder.words(element.text)
        self.settle()

    @property
    def opens(self) -> Any:
        return self.element.open or self.shop.opens

    def body(self, now: Situation, condition: Condition) -> str:
        return self.words.render(now)

    def paint(self, canvas: Canvas, look: Look) -> None:
        rect, theme = self.rect, canvas.theme
        tip = rect.width() * 0.225
        path = QPainterPath(rect.topLeft())
        path.lineTo(rect.right() - tip, rect.top())
        path.lineTo(rect.right(), rect.center().y())
        path.lineTo(rect.right() - tip, rect.bottom())
        path.lineTo(rect.bottomLeft())
        path.closeSubpath()
        canvas.path(path, canvas.pen(theme.line, 1.5), theme.panel)
        room = rect.width() - tip * 0.6 - 10
        text = canvas.elided(look.body, Role.NAME, room)
        canvas.text(rect.x() + 8, rect.center().y() + 5, text, Role.NAME, theme.ink)
        canvas.surround(rect, look.condition)


class PlaceholderDrawable(Drawable):
    """Stands where a file was wrong: the message, and nothing that could be taken for the plant."""

    def __init__(self, element: Placeholder, shop: Workshop) -> None:
        super().__init__(element, shop, QRectF(*element.at, *element.size))
        self.message = element.message
        self.settle()

    def body(self, now: Situation, condition: Condition) -> str:
        return self.message

    def tooltip(self, now: Situation) -> str:
        return self.message

    def paint(self, canvas: Canvas, look: Look) -> None:
        rect, theme, painter = self.rect, canvas.theme, canvas.painter
        canvas.box(rect, theme.line, 1.5, (6, 3), canvas.hatch)
        plate = rect.adjusted(6, 5, -6, -5)
        canvas.fill(plate, theme.canvas)
        painter.setFont(theme.font(Role.CAPTION, canvas.glass))
        painter.setPen(theme.ink)
        line = canvas.font_px(Role.CAPTION) * 1.33
        lines = max(1, int((plate.height() - 4) / line))
        room = (plate.width() - 12) * lines * (0.94 if lines == 1 else 0.85)
        text = canvas.elided(self.message, Role.CAPTION, room)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
        painter.drawText(plate.adjusted(6, 0, -6, 0), int(flags), text)


class GroupMarks(Drawable):
    """Marks a whole group with the alarms that its file names for it."""

    def __init__(self, element: Group, shop: Workshop, rect: QRectF) -> None:
        super().__init__(element, shop, rect.translated(-shop.origin))
        self.settle()

    def body(self, now: Situation, condition: Condition) -> None:
        return None

    def hit(self, point: QPointF) -> bool:
        return False

    def paint(self, canvas: Canvas, look: Look) -> None:
        canvas.surround(self.rect, look.condition)


def make_text(element: TextElement, shop: Workshop) -> list[Drawable]:
    return [TextDrawable(element, shop)]


def make_line(element: Line, shop: Workshop) -> list[Drawable]:
    return [LineDrawable(element, shop)]


def make_panel(element: Panel, shop: Workshop) -> list[Drawable]:
    return [PanelDrawable(element, shop)]


def make_terminal(element: Terminal, shop: Workshop) -> list[Drawable]:
    return [TerminalDrawable(element, shop)]


def make_placeholder(element: Placeholder, shop: Workshop) -> list[Drawable]:
    return [PlaceholderDrawable(element, shop)]
