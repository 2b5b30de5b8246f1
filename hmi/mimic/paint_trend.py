"""A small trend in a screen: up to eight pens, told apart by number, then dashes, then colour."""

from math import floor, log10
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPixmap

from hmi.core.batch import Floats
from hmi.core.duration import duration_text, parse_duration
from hmi.core.screen import TrendElement
from hmi.core.status import Quality
from hmi.core.tag import Tag
from hmi.mimic.canvas import Align, Canvas
from hmi.mimic.drawable import Drawable, Look, Workshop
from hmi.mimic.history import Curve, Kind
from hmi.mimic.paint_indicator import bounds_of
from hmi.mimic.scale import paint_columns
from hmi.mimic.state import Condition, Situation
from hmi.mimic.theme import Role

_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 116.0, 8.0, 24.0


class PenLook(NamedTuple):
    key: tuple[int, int]
    loaded: bool
    text: str
    quality: Quality
    value: float


class TrendLook(NamedTuple):
    pens: tuple[PenLook, ...]


def round_steps(low: float, high: float, at_most: int) -> list[float]:
    """Round numbers between two values, for an axis."""
    span = high - low
    if not span > 0 or at_most < 2:
        return [low]
    rough = span / at_most
    power = 10.0 ** floor(log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first = -(-low // step)
    found: list[float] = []
    while (value := first * step) <= high + step * 1e-6 and len(found) < 20:
        found.append(value)
        first += 1
    return found


def _spaced(duration: str) -> str:
    """`60min` as `60 min`."""
    number = duration.rstrip("abcdefghijklmnopqrstuvwxyz")
    return f"{number} {duration[len(number) :]}"


class TrendDrawable(Drawable):
    """Pens of one unit share one axis; others have their own scale and no axis, which their label says."""

    def __init__(self, element: TrendElement, shop: Workshop) -> None:
        super().__init__(element, shop, QRectF(*element.at, *element.size))
        self.span_us = parse_duration(element.span)
        self.plot = self.rect.adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)
        self.tags: list[Tag] = [self.binder.tag(name) for name in element.pens]
        columns = max(8, int(self.plot.width()))
        self.curves: list[Curve] = [shop.curves.curve(t.index, self.span_us, columns) for t in self.tags]
        unit = self.tags[0].unit
        shared = [bounds_of(t) for t in self.tags if t.unit == unit]
        low = element.low if element.low is not None else min(b[0] for b in shared)
        high = element.high if element.high is not None else max(b[1] for b in shared)
        self.axis = (low, high if high > low else low + 1.0)
        self.bounds = [self.axis if t.unit == unit else bounds_of(t) for t in self.tags]
        self._picture: QPixmap | None = None
        self._picture_key: object = None
        self._now_us = 0
        self.settle()

    @property
    def timed(self) -> bool:
        return True

    def spoken_name(self) -> str:
        return "Trend of " + ", ".join(t.name for t in self.tags)

    def body(self, now: Situation, condition: Condition) -> TrendLook:
        self._now_us = now.now_us
        pens: list[PenLook] = []
        for tag, curve in zip(self.tags, self.curves, strict=True):
            quality, _ = now.quality((tag.index,))
            has = quality.has_value
            value = now.value[tag.index] if has else float("nan")
            text = f"{tag.format(value)} {tag.unit}".strip() if has else now.word(quality, tag.index)
            pens.append(
                PenLook(curve.key(now.now_us), curve.loaded, text, quality, round(value, 9) if value == value else 0.0)
            )
        return TrendLook(tuple(pens))

    def paint(self, canvas: Canvas, look: Look) -> None:
        rect, plot, theme = self.rect, self.plot, canvas.theme
        what: TrendLook = look.body
        key = (tuple(p.key for p in what.pens), canvas.scale, id(theme))
        if self._picture is None or self._picture_key != key:
            self._picture, self._picture_key = self._draw_curves(canvas), key
        canvas.painter.drawPixmap(plot.topLeft(), self._picture)
        for value in round_steps(*self.axis, at_most=max(2, int(plot.height() / 40))):
            y = plot.y() + self._y(value, self.axis)
            canvas.line(plot.x() - 4, y, plot.x(), y, theme.line, 1)
            canvas.text(plot.x() - 8, y + 4, f"{value:g}", Role.CAPTION, theme.ink2, Align.RIGHT)
        base = rect.bottom() - 6
        canvas.text(plot.x(), base, f"−{_spaced(duration_text(self.span_us))}", Role.CAPTION, theme.ink2)
        canvas.text(plot.right(), base, "now" if not theme.replay else "then", Role.CAPTION, theme.ink2, Align.RIGHT)
        canvas.text(rect.x(), base, self.tags[0].unit, Role.CAPTION, theme.ink2)
        if not all(curve.loaded for curve in self.curves):
            x, y = plot.center().x(), canvas.centred_base(Role.CAPTION, plot.center().y())
            canvas.text(x, y, "waiting for history", Role.CAPTION, theme.ink2, Align.MIDDLE)
        self._labels(canvas, what)
        canvas.box(plot, theme.line, 1)
        canvas.surround(rect, look.condition._replace(quality=Quality.GOOD))

    def _y(self, value: float, bounds: tuple[float, float]) -> float:
        share = (min(max(value, bounds[0]), bounds[1]) - bounds[0]) / (bounds[1] - bounds[0])
        return self.plot.height() * (1 - share)

    def _draw_curves(self, canvas: Canvas) -> QPixmap:
        scale, theme, plot = canvas.scale, canvas.theme, self.plot
        pixmap = QPixmap(max(1, round(plot.width() * scale)), max(1, round(plot.height() * scale)))
        pixmap.setDevicePixelRatio(scale)
        pixmap.fill(theme.well)
        with QPainter(pixmap) as painter:
            first = self.tags[0]
            if first.normal is not None and len(self.tags) == 1:
                top, bottom = self._y(first.normal[1], self.axis), self._y(first.normal[0], self.axis)
                painter.fillRect(QRectF(0, top, plot.width(), bottom - top), theme.band)
            for number, (curve, bounds) in enumerate(zip(self.curves, self.bounds, strict=True), 1):
                columns = curve.at(self._now_us)
                if number > 1:
                    # One hatch for all: where the first pen has values, another pen's gap shows as its missing line.
                    has = (columns.kind == Kind.VALUE) | (columns.kind == Kind.WEAK)
                    columns = columns._replace(kind=np.where(has, columns.kind, np.int8(Kind.NOTHING)))

                def heights(values: Floats, of: tuple[float, float] = bounds) -> Floats:
                    share = (np.clip(values, *of) - of[0]) / (of[1] - of[0])
                    return np.asarray(plot.height() * (1 - share))

                gaps = (canvas.hatch, canvas.dots)
                paint_columns(
                    painter, columns, plot.width(), plot.height(), heights, theme.pen[number], gaps, number > 6
                )
        return pixmap

    def _labels(self, canvas: Canvas, what: TrendLook) -> None:
        """Numbers and values at the right end, at the height of their pens, pushed apart where they meet."""
        plot, theme = self.plot, canvas.theme
        line = canvas.font_px(Role.CAPTION) + 4.0
        wanted: list[tuple[float, int]] = []
        for number, (pen, bounds) in enumerate(zip(what.pens, self.bounds, strict=True), 1):
            at = self._y(pen.value, bounds) if pen.quality.has_value else plot.height() - line
            wanted.append((at, number))
        placed: list[tuple[float, int]] = []
        y = -line
        for at, number in sorted(wanted):
            y = max(at, y + line)
            placed.append((y, number))
        over = y - (plot.height() - line / 2)
        for at, number in placed:
            middle = plot.y() + max(at - max(over, 0.0), line / 2)
            pen = what.pens[number - 1]
            square = QRectF(plot.right() + 6, middle - 8, 16, 16)
            canvas.fill(square, theme.pen[number])
            base = canvas.centred_base(Role.CAPTION, middle)
            canvas.text(square.center().x(), base, str(number), Role.CAPTION, theme.canvas, Align.MIDDLE)
            x = square.right() + 4
            if pen.quality is not Quality.GOOD:
                canvas.quality(pen.quality, x + 8, middle, 0.85)
                x += 19
            shown = canvas.elided(pen.text, Role.CAPTION, self.rect.right() - x)
            canvas.text(x, base, shown, Role.CAPTION, theme.ink)


def make_trend(element: TrendElement, shop: Workshop) -> list[Drawable]:
    return [TrendDrawable(element, shop)]
