"""The table under a trend: for every pen its value and quality at the cursor, mean, extremes, share of good."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from hmi.core.status import NAMES, Quality, quality_of, reason_of
from hmi.trend.look import Look
from hmi.trend.painting import draw_badge
from hmi.trend.pens import Pen, Side
from hmi.trend.plot import TrendPlot, font
from hmi.trend.source import TrendSource
from hmi.trend.statistics import QUALITY_WORDS, Statistics, statistics_of, value_at

ROW = 32
_COLUMNS: tuple[tuple[str, float, bool], ...] = (
    ("", 0.03, False), ("Tag", 0.09, False), ("", 0.17, False), ("Axis", 0.11, False), ("At cursor", 0.08, True),
    ("Quality there", 0.19, False), ("Mean, time-weighted", 0.12, True), ("Min", 0.07, True), ("Max", 0.07, True),
    ("% good", 0.07, True),
)  # fmt: skip


def quality_words(status: int) -> str:
    """`good`, `bad, no comm`, `uncertain, sensor not accurate`."""
    quality = quality_of(status)
    word = QUALITY_WORDS[quality]
    if quality is Quality.BAD:
        return f"{word}, {reason_of(status)}"
    name = NAMES.get(status & 0xFFFF0000, "")
    if quality is Quality.UNCERTAIN and len(name) > len("Uncertain"):
        rest = "".join(f" {c.lower()}" if c.isupper() else c for c in name.removeprefix("Uncertain")).strip()
        return f"{word}, {rest}"
    return word


class TrendTable(QWidget):
    """A click on a row selects its pen."""

    selected = Signal(object)

    def __init__(self, source: TrendSource, plot: TrendPlot, look: Look) -> None:
        super().__init__()
        self._source = source
        self._plot = plot
        self.look = look
        self._statistics: dict[str, Statistics] = {}
        self.setAccessibleName("Values at the cursor")

    def lines(self) -> list[tuple[Pen, tuple[str, ...], Quality]]:
        """What stands in each row, and the quality at the cursor."""
        plot, line = self._plot, self._plot.timeline
        at_us = plot.cursor_us if plot.cursor_us is not None else line.end_us
        rows = []
        for pen in self._source.pens:
            texts = ["", pen.tag.name, pen.tag.description, _axis_words(pen)]
            quality = Quality.GOOD
            if pen.live is None or not self._source.knows(line.start_us):
                state = "history not known" if self._source.silent else "reading history"
                texts += ["", state, "", "", "", ""]
            else:
                at = value_at(pen.live, at_us, pen.gaps)
                quality = quality_of(at.status)
                s = self._statistics.get(pen.tag.name, Statistics())
                texts += [
                    pen.tag.format(at.value) if quality.has_value else "—", quality_words(at.status),
                    _number(pen, s.mean, 1),
                    _number(pen, s.low), _number(pen, s.high), f"{s.good * 100:.1f}",
                ]  # fmt: skip
            rows.append((pen, tuple(texts), quality))
        return rows

    def recount(self) -> None:
        """After curves or span changed."""
        line = self._plot.timeline
        end = min(line.end_us, self._source.session.now_us())
        self._statistics = {
            pen.tag.name: statistics_of(pen.live, line.start_us, end, pen.gaps)
            for pen in self._source.pens
            if pen.live is not None
        }
        wanted = 32 + ROW * len(self._source.pens) + 16
        if self.height() != wanted:
            self.setFixedHeight(wanted)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = int((event.position().y() - 32) // ROW)
        if 0 <= row < len(self._source.pens):
            self.selected.emit(self._source.pens[row])

    def paintEvent(self, event: QPaintEvent) -> None:
        look = self.look
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), look.canvas)
            width = self.width() - 48
            edges = [24.0]
            for _, share, _ in _COLUMNS:
                edges.append(edges[-1] + share * width)
            painter.setFont(font(12))
            painter.setPen(look.ink2)
            for i, (title, _, right) in enumerate(_COLUMNS):
                _cell(painter, edges[i], edges[i + 1], 0, title, right)
            painter.fillRect(QRectF(24, 31, width, 1), look.line)
            for n, (pen, texts, quality) in enumerate(self.lines()):
                y = 32.0 + n * ROW
                if pen is self._plot.selected:
                    painter.fillRect(QRectF(24, y, width, ROW - 1), look.well)
                painter.fillRect(QRectF(24, y + ROW - 1, width, 1), look.hair)
                draw_badge(painter, pen.number, 32, y + 6, look)
                for i, text in enumerate(texts):
                    bold = i in (1, 4)
                    painter.setFont(font(18 if i == 4 else 14, bold))
                    dim = i == 3 or (i == 5 and quality is Quality.GOOD)
                    painter.setPen(look.ink2 if dim else look.ink)
                    left = edges[i]
                    if i == 5 and quality is not Quality.GOOD:
                        look.quality(painter, quality, left + 18, y + ROW / 2)
                        left += 26
                    _cell(painter, left, edges[i + 1], y, text, _COLUMNS[i][2])
                share = self._statistics.get(pen.tag.name, Statistics()).good
                bar = QRectF(edges[-1] + 8, y + 14, max(self.width() - 32 - edges[-1], 0), 4)
                if bar.width() > 24 and edges[-1] + 40 < self.width():
                    painter.fillRect(bar, look.hair)
                    painter.fillRect(QRectF(bar.x(), bar.y(), bar.width() * share, 4), look.ink2)


def _axis_words(pen: Pen) -> str:
    unit = pen.tag.unit or "no unit"
    if pen.side is Side.OWN:
        return f"own, {unit}, {pen.range[0]:g} to {pen.range[1]:g}"
    return f"{pen.side.value}, {unit}"


def _number(pen: Pen, value: float, more: int = 0) -> str:
    return "" if value != value else f"{value:.{pen.tag.decimals + more}f}"


def _cell(painter: QPainter, left: float, right: float, y: float, text: str, at_right: bool) -> None:
    room = QRectF(left + 8, y, right - left - 16, ROW)
    side = Qt.AlignmentFlag.AlignRight if at_right else Qt.AlignmentFlag.AlignLeft
    shown = QFontMetrics(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, int(room.width()) + 1)
    painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, shown)
