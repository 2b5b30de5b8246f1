"""Pipes: solid with flow, hollow without, broken where nobody knows."""

from typing import Any, NamedTuple

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

from hmi.core.screen import Pipe
from hmi.core.status import Quality
from hmi.mimic.canvas import Canvas
from hmi.mimic.drawable import Drawable, Look, Workshop
from hmi.mimic.state import Condition, Situation

_BROKEN: dict[Quality, tuple[float, ...]] = {
    Quality.STALE: (12, 5),
    Quality.BAD: (5, 5),
    Quality.NEVER_READ: (2, 5),
    Quality.NOT_RECORDED: (2, 5),
}
_TURN = {"right": 0, "down": 90, "left": 180, "up": 270}


class Flow(NamedTuple):
    """`marked` is false while the whole window is stale: then the broken lines say enough."""

    flows: bool
    marked: bool


class PipeDrawable(Drawable):
    """A run of pipe. Alarms mark it only where the file names them: those of its pumps stand on the pumps."""

    scattered = True

    def __init__(self, element: Pipe, shop: Workshop) -> None:
        points = [QPointF(*p) for p in element.points]
        xs, ys = [p.x() for p in points], [p.y() for p in points]
        super().__init__(element, shop, QRectF(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)))
        self.points = [p + shop.origin for p in points]
        self.flow = self.binder.quantity(element.flow, alarms=False) if element.flow is not None else None
        self.width = 4.0 if element.kind == "main" else 2.0
        self.arrows = [QPointF(*p) + shop.origin for p in element.arrows]
        self.turn = _TURN[element.arrow_direction]
        self.mark = self.mark_places()[0]
        self.path = QPainterPath(self.points[0])
        for point in self.points[1:]:
            self.path.lineTo(point)
        self.settle()

    @property
    def opens(self) -> Any:
        return self.element.open or self.shop.opens

    def hit(self, point: QPointF) -> bool:
        return self.element.open is not None and any(r.contains(point) for r in self._runs(12.0))

    def _runs(self, reach: float) -> list[QRectF]:
        runs = zip(self.points, self.points[1:], strict=False)
        return [QRectF(a, b).normalized().adjusted(-reach, -reach, reach, reach) for a, b in runs]

    def area(self, plain: bool) -> QRectF:
        area = QRectF()
        for piece in self.pieces(plain):
            area = area.united(piece)
        return area

    def pieces(self, plain: bool) -> list[QRectF]:
        arrows = [QRectF(a.x() - 8, a.y() - 8, 16, 16) for a in self.arrows]
        mark = self.mark
        marks_box = [] if plain else [QRectF(mark.x() - 22, mark.y() - 22, 44, 44)]
        return [*self._runs(4.0), *arrows, *marks_box]

    def mark_places(self) -> list[QPointF]:
        """Where its mark may stand, best first: beside the longest run, in its middle or nearer to an end."""
        runs = zip(self.points, self.points[1:], strict=False)
        start, end = max(runs, key=lambda run: (run[0] - run[1]).manhattanLength())
        aside = QPointF(0, -18) if abs(start.y() - end.y()) < 1 else QPointF(18, 0)
        return [start + (end - start) * share + aside for share in (0.5, 0.3, 0.7, 0.15, 0.85)]

    def body(self, now: Situation, condition: Condition) -> Flow:
        if self.flow is None or not condition.quality.has_value:
            return Flow(True, not now.silent)
        return Flow(self.flow.on(now), not now.silent)

    def paint(self, canvas: Canvas, look: Look) -> None:
        theme, quality = canvas.theme, look.condition.quality
        flows = bool(look.body.flows)
        broken = _BROKEN.get(quality)
        if broken is not None:
            canvas.path(self.path, canvas.pen(theme.pipe, self.width, broken))
        elif flows:
            canvas.path(self.path, canvas.pen(theme.pipe, self.width))
        else:
            canvas.path(self.path, canvas.pen(theme.line, self.width + 1.5))
            canvas.path(self.path, canvas.pen(theme.canvas, self.width - 1.5 if self.width > 2 else 1.0))
        if flows and broken is None:
            for arrow in self.arrows:
                self._arrow(canvas, arrow)
        mark = self.mark
        if quality is Quality.NOT_RECORDED:
            return  # the broken line says it, and so does all that the pipe joins
        if quality is not Quality.GOOD and (look.body.marked or quality is not Quality.STALE):
            canvas.quality(quality, mark.x(), mark.y())
        elif look.condition.alarm is not None:
            canvas.alarm(look.condition.alarm, mark.x(), mark.y(), 0.8)

    def _arrow(self, canvas: Canvas, at: QPointF) -> None:
        painter, reach = canvas.painter, 7.0 if self.width > 2 else 6.0
        painter.save()
        painter.translate(at)
        painter.rotate(self.turn)
        path = QPainterPath(QPointF(-reach, -reach))
        path.lineTo(reach, 0)
        path.lineTo(-reach, reach)
        path.closeSubpath()
        canvas.path(path, None, canvas.theme.pipe)
        painter.restore()


def make_pipe(element: Pipe, shop: Workshop) -> list[Drawable]:
    return [PipeDrawable(element, shop)]
