"""Equipment symbols: SVG files whose parts are coloured by their id, drawn once for each state, size and theme.

A symbol has the view box 0 0 100 100. Parts whose id begins with `body` are filled by the state, `ink` are lines on the
body, `stem` lines beside it, `plate` a ground that never changes. Widths of lines are in pixels of the screen: 2, or
what the part's `data-px` says. Elements with `data-port` (right, left, up, down) mark where pipes meet.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from xml.etree import ElementTree as ET

from PySide6.QtCore import QByteArray, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap, QTransform
from PySide6.QtSvg import QSvgRenderer

from hmi.core.resources import Shipped, shipped
from hmi.core.status import Quality
from hmi.mimic.canvas import Canvas, dash_of
from hmi.mimic.theme import Theme

BOX = 100.0
_MARGIN = 10.0
_SVG = "http://www.w3.org/2000/svg"
_PART = re.compile(r"^(body|ink|stem|plate|letter)")


class SymbolError(ValueError):
    """The symbol is not there, or is no SVG. The message says which."""


@dataclass(frozen=True, slots=True)
class BodyLook:
    """The state that a symbol's colours follow. `on` is None for equipment without a state, drawn hollow."""

    on: bool | None
    quality: Quality = Quality.GOOD


def body_colors(theme: Theme, look: BodyLook) -> tuple[QColor | None, QColor, QColor]:
    """Fill, outline and ink of a body. No fill where the quality draws a pattern or nothing."""
    quality, on = look.quality, look.on
    gone = quality >= Quality.BAD
    fill = None if gone else theme.canvas if on is None else theme.run if on else theme.stop
    if fill is not None and quality is Quality.STALE:
        fill = theme.faded(fill)
    outline = theme.run if on and theme.dark and quality is Quality.GOOD else theme.line
    if gone or (quality is Quality.STALE and on):
        ink = theme.ink
    elif on is None:
        ink = theme.line
    else:
        ink = theme.onrun if on else theme.onstop
    return fill, outline, ink


class Symbols:
    """All symbols of one plant: its own first, then those that ship with the program."""

    def __init__(self, files: Mapping[str, str] | None = None) -> None:
        self._files = files or {}
        self._trees: dict[str, str] = {}

    def source(self, name: str) -> str:
        """The SVG text. Raises `SymbolError`."""
        if name not in self._trees:
            own = self._files.get(f"symbols/{name}.svg")
            if own is None:
                file = shipped(Shipped.RESOURCES) / "symbols" / f"{name}.svg"
                if not file.is_file():
                    raise SymbolError(f"there is no symbol '{name}'")
                own = file.read_text(encoding="utf-8")
            try:
                root = ET.fromstring(own)  # noqa: S314 - the engineer's own file
            except ET.ParseError as error:
                raise SymbolError(f"symbol '{name}' is no SVG: {error}") from None
            if root.tag != f"{{{_SVG}}}svg":
                raise SymbolError(f"symbol '{name}' is no SVG")
            self._trees[name] = own
        return self._trees[name]

    def draw(self, canvas: Canvas, name: str, centre: QPointF, size: float, look: BodyLook, turn: int = 0) -> None:
        """Draw around a centre; `turn` is degrees clockwise. Raises `SymbolError`."""
        scale, theme = canvas.scale, canvas.theme
        source = self.source(name)
        pixmap = theme.stamps.get(
            ("symbol", source, look, size, turn, scale), lambda: self._render(source, canvas, size, look, turn)
        )
        half = _half(size)
        canvas.painter.drawPixmap(QPointF(centre.x() - half, centre.y() - half), pixmap)

    def _render(self, source: str, canvas: Canvas, size: float, look: BodyLook, turn: int) -> QPixmap:
        theme, scale = canvas.theme, canvas.scale
        side = ceil(2 * _half(size) * scale)
        image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        pattern = canvas.pattern(look.quality)
        if pattern is not None:
            _draw_svg(image, _colored(source, theme, look, size, only_body=True), turn, size)
            with QPainter(image) as painter:
                painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
                painter.scale(scale, scale)
                painter.fillRect(QRectF(0, 0, side / scale, side / scale), pattern)
        _draw_svg(image, _colored(source, theme, look, size, only_body=False), turn, size)
        pixmap = QPixmap.fromImage(image)
        pixmap.setDevicePixelRatio(scale)
        return pixmap


def _half(size: float) -> int:
    """Half the side of a symbol's picture, a whole number so that its lines fall on the same pixels everywhere."""
    return ceil(size * (0.5 + _MARGIN / BOX))


def _draw_svg(image: QImage, svg: str, turn: int, size: float) -> None:
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    if not renderer.isValid():
        raise SymbolError("Qt cannot draw the symbol")
    margin = (_half(size) / size - 0.5) * BOX
    renderer.setViewBox(QRectF(-margin, -margin, BOX + 2 * margin, BOX + 2 * margin))
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = image.width()
        if turn:
            painter.setTransform(
                QTransform().translate(side / 2, side / 2).rotate(turn).translate(-side / 2, -side / 2)
            )
        renderer.render(painter, QRectF(0, 0, side, side))


def _colored(source: str, theme: Theme, look: BodyLook, size: float, only_body: bool) -> str:
    """The SVG with the colours of a state. With `only_body` a white mask of the body, to be filled with a pattern."""
    root = ET.fromstring(source)  # noqa: S314 - the engineer's own file
    fill, outline, ink = body_colors(theme, look)
    px = BOX / size
    for part in root.iter():
        match = _PART.match(part.get("id", ""))
        if match is None:
            continue
        kind = match.group(1)
        part.attrib.pop("style", None)
        width = float(part.get("data-px", "2")) * px
        if only_body:
            if kind == "body":
                part.attrib.update({"fill": "#ffffff", "stroke": "none"})
            else:
                part.set("display", "none")
            continue
        if kind == "body":
            part.attrib.update(_stroke(outline, width, dash_of(look.quality), px))
            part.set("fill", "none" if fill is None else fill.name())
        elif kind == "ink":
            if part.get("fill", "none") == "none":
                part.set("fill", "none")
                part.attrib.update(_stroke(ink, width, (), px))
            else:
                part.attrib.update({"fill": ink.name(), "stroke": "none"})
        elif kind == "letter":
            part.attrib.update({"fill": ink.name(), "stroke": "none"})
        elif kind == "stem":
            part.attrib.update({"fill": "none", **_stroke(theme.line, width, (), px)})
        else:
            part.attrib.update({"fill": theme.panel.name(), **_stroke(theme.line, width, (), px)})
    return ET.tostring(root, encoding="unicode")


def _stroke(color: QColor, width: float, dash: tuple[float, ...], px: float) -> dict[str, str]:
    found = {"stroke": color.name(), "stroke-width": f"{width:.3f}"}
    if dash:
        found["stroke-dasharray"] = ",".join(f"{d * px:.3f}" for d in dash)
    return found
