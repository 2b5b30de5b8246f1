"""The picture of one screen, kept up to date: compiled once, static parts flattened, each frame only what changed.

A board knows no widget. It draws on a pixmap of device pixels; `frame` tells which parts changed.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSize
from PySide6.QtGui import QPainter, QPixmap, QRegion

from hmi.core.alarm import AlarmState
from hmi.core.clock import SECOND
from hmi.core.command import WriteState
from hmi.core.screen import Screen
from hmi.core.session import Session
from hmi.core.status import Quality
from hmi.mimic.canvas import Blink, Canvas
from hmi.mimic.drawable import HIDDEN, Drawable, Look
from hmi.mimic.history import Curves
from hmi.mimic.painters import compiling
from hmi.mimic.state import PLAIN, Condition, Situation
from hmi.mimic.theme import Theme

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in device pixels."""
_FULL_SHARE = 0.5
_ALL_SHARE = 0.8
_ROWS_AT_ONCE = 512
_ELEMENTS_AT_ONCE = 8


def _device(rect: QRectF, scale: float, dx: float, dy: float) -> Box:
    left, top, right, bottom = cast("tuple[float, float, float, float]", rect.getCoords())
    return (
        int(left * scale + dx) - 1,
        int(top * scale + dy) - 1,
        int(right * scale + dx) + 2,
        int(bottom * scale + dy) + 2,
    )


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _lives(condition: Condition) -> bool:
    """Whether words in it change with time: an age, or the seconds of a write."""
    return condition.quality is Quality.STALE or (
        condition.write is not None and condition.write.state is WriteState.PENDING
    )


def _overlaps(all_pieces: Sequence[Sequence[Box]]) -> list[list[int]]:
    """For each element the others that it overlaps."""
    owner = np.array([i for i, pieces in enumerate(all_pieces) for _ in pieces], np.int64)
    boxes = np.array([p for pieces in all_pieces for p in pieces], np.int32).reshape(-1, 4)
    left, top, right, bottom = (np.ascontiguousarray(column) for column in boxes.T)
    found: list[set[int]] = [set() for _ in all_pieces]
    for start in range(0, len(boxes), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        meets = (left < right[rows, None]) & (right > left[rows, None])
        meets &= (top < bottom[rows, None]) & (bottom > top[rows, None])
        one, other = np.nonzero(meets)
        for i, n in zip(owner[one + start].tolist(), owner[other].tolist(), strict=True):
            if i != n:
                found[i].add(n)
    return [sorted(near) for near in found]


class Board:
    """One screen of one session in one theme. Qt thread only."""

    def __init__(
        self, session: Session, screen: Screen, theme: Theme, compact: bool = False, at_once: bool = True
    ) -> None:  # fmt: skip
        """With `at_once` it is compiled; else `advance` does it in slices, so that nothing else has to wait."""
        self.session = session
        self.screen = screen
        self.theme = theme
        self.compact = compact
        self.situation = Situation(session)
        self.curves = Curves(session.plant)
        self.drawables: list[Drawable] = []
        self.scale = 1.0
        self.offset = QPointF(0, 0)
        self.frame_ms = 0.0
        self.picture = QPixmap()
        self._base = QPixmap()
        self._pixels = QSize()
        self._glass = 1.0
        self._blink = Blink()
        self._second = -1
        self._blink_changed = False
        self._looks: list[Look | None] = []
        self._plain_box: list[Box] = []
        self._full_box: list[Box] = []
        self._plain_pieces: list[list[Box]] = []
        self._full_pieces: list[list[Box]] = []
        self._near: list[list[int]] = []
        self._near_plain: list[list[int]] = []
        self._marked: set[int] = set()
        self._in_base: list[bool] = []
        self._blinking: set[int] = set()
        self._living: set[int] = set()
        self._timed: list[int] = []
        self._users: dict[int, list[int]] = defaultdict(list)
        self._by_source: dict[str, list[int]] = defaultdict(list)
        self._by_write: dict[str, list[int]] = defaultdict(list)
        self._compiling: Iterator[None] | None = self._compile()
        self._drawing: Iterator[None] | None = None
        if at_once:
            self.advance()

    # opening, in steps

    @property
    def ready(self) -> bool:
        """Whether the picture shows all of the screen at its present size."""
        return self._compiling is None and self._drawing is None and not self.picture.isNull()

    @property
    def sized(self) -> bool:
        """Whether `layout` was called."""
        return not self._pixels.isEmpty()

    def advance(self, at_most_ns: int | None = None) -> bool:
        """Go on with what is not yet compiled or drawn, for so much CPU time or to its end; returns `ready`."""
        begin = time.thread_time_ns()
        while at_most_ns is None or time.thread_time_ns() - begin < at_most_ns:
            if self._compiling is not None:
                if next(self._compiling, self) is self:
                    self._compiling = None
            elif self._drawing is not None:
                if next(self._drawing, self) is self:
                    self._drawing = None
            else:
                break
        return self.ready

    def _compile(self) -> Iterator[None]:
        yield from compiling(self.session.plant, self.screen, self.curves, self.compact, self.drawables)
        self.situation.want(self._reads())
        self._looks = [None] * len(self.drawables)
        self._timed = [i for i, d in enumerate(self.drawables) if d.timed]
        for i, drawable in enumerate(self.drawables):
            for index in drawable.indices:
                self._users[index].append(i)
            for source in drawable.bound.sources:
                self._by_source[source].append(i)
            for tag in drawable.bound.writes:
                self._by_write[tag].append(i)

    def _reads(self) -> set[int]:
        return {index for drawable in self.drawables for index in drawable.binder.reads}

    # layout

    def layout(self, size: QSize, ratio: float = 1.0) -> None:
        """Fit the screen into `size` logical pixels of a display of `ratio` device pixels each, in the middle.

        It is drawn by `advance` or with the next frame; until then `picture` is as it was.
        """
        width, height = self.screen.head.size
        pixels = self._pixels = QSize(max(1, round(size.width() * ratio)), max(1, round(size.height() * ratio)))
        self.scale = min(pixels.width() / width, pixels.height() / height)
        self._glass = self.scale / ratio
        self.offset = QPointF(
            int((pixels.width() - width * self.scale) / 2), int((pixels.height() - height * self.scale) / 2)
        )
        self._drawing = self._draw(place=True)

    def set_session(self, session: Session, theme: Theme) -> None:
        """The same screen at another time. The plant must be the same object. Nothing is shown until it is drawn."""
        self.session = session
        self.theme = theme
        self.situation = Situation(session)
        if self._compiling is None:
            self.situation.want(self._reads())
        self.curves.forget()
        self.picture = QPixmap()
        if self.sized:
            self._drawing = self._draw(place=True)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        if self.sized:
            self._drawing = self._draw(place=not self.ready)

    def _place(self) -> Iterator[None]:
        dx, dy, scale = self.offset.x(), self.offset.y(), self.scale
        self._plain_box, self._full_box, self._plain_pieces, self._full_pieces = [], [], [], []
        for at, drawable in enumerate(self.drawables):
            if at % _ELEMENTS_AT_ONCE == 0:
                yield
            drawable.fit_to(self._glass)
            plain = _device(drawable.area(plain=True), scale, dx, dy)
            full = _device(drawable.area(plain=False), scale, dx, dy)
            self._plain_box.append(plain)
            self._full_box.append(full)
            if drawable.scattered:
                self._plain_pieces.append([_device(p, scale, dx, dy) for p in drawable.pieces(plain=True)])
                self._full_pieces.append([_device(p, scale, dx, dy) for p in drawable.pieces(plain=False)])
            else:
                self._plain_pieces.append([plain])
                self._full_pieces.append([full])
        yield
        self._near = _overlaps(self._full_pieces)
        yield
        self._near_plain = []
        self._in_base = []
        for i, drawable in enumerate(self.drawables):
            # What is static but lies over something that changes must be drawn after it.
            over = any(n < i and not self._in_base[n] for n in self._near[i])
            self._in_base.append(drawable.static and not over)

    def _draw(self, place: bool) -> Iterator[None]:
        if place:
            yield from self._place()
            yield
        now = self.situation
        changed = now.refresh()
        self._second = now.now_us // SECOND
        self.curves.frame(self.session, now.now_us, changed.tags)
        for noted in (self._marked, self._blinking, self._living):
            noted.clear()
        base = QPixmap(self._pixels)
        base.fill(self.theme.canvas)
        yield from self._draw_on(base, [i for i, ground in enumerate(self._in_base) if ground])
        yield
        picture = base.copy()
        yield from self._draw_on(picture, [i for i, ground in enumerate(self._in_base) if not ground])
        self._base, self.picture = base, picture

    def _draw_on(self, pixmap: QPixmap, which: Sequence[int]) -> Iterator[None]:
        """Draw some elements, all as they are by the same situation, bottom first."""
        for start in range(0, len(which), _ELEMENTS_AT_ONCE):
            with QPainter(pixmap) as painter:
                canvas = self._canvas(painter)
                self._to_screen(painter)
                for i in which[start : start + _ELEMENTS_AT_ONCE]:
                    look = self._looks[i] = self.drawables[i].look(self.situation)
                    if look.condition is not PLAIN:
                        self._note(i, look)
                    if not look.hidden:
                        self.drawables[i].paint(canvas, look)
            yield

    def _canvas(self, painter: QPainter) -> Canvas:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        return Canvas(painter, self.theme, self.scale, self._glass, self.compact, self._blink)

    def _to_screen(self, painter: QPainter) -> None:
        if not self.offset.isNull():
            painter.translate(self.offset)
        if self.scale != 1.0:
            painter.scale(self.scale, self.scale)

    # frames

    def set_phase(self, phase_ms: int) -> None:
        """The window's blink phase. In replay nothing blinks."""
        blink = Blink() if self.situation.replay else Blink.at(phase_ms)
        if blink != self._blink:
            self._blink = blink
            self._blink_changed = True

    def frame(self) -> list[QRect]:
        """Bring the picture up to date; returns what changed, in device pixels."""
        begin = time.thread_time_ns()
        drawn = not self.ready and self.advance()
        now = self.situation
        changed = now.refresh()
        loaded = self.curves.frame(self.session, now.now_us, changed.tags)
        dirty: set[int] = set()
        force: set[int] = set()
        for index in changed.tags:
            dirty.update(self._users.get(index, ()))
        for index in loaded:
            dirty.update(self._users.get(index, ()))
        for source in changed.sources:
            dirty.update(self._by_source.get(source, ()))
        for tag in changed.writes:
            dirty.update(self._by_write.get(tag, ()))
        second = now.now_us // SECOND
        if second != self._second:
            self._second = second
            dirty.update(self._timed)
            dirty |= self._living
        if self._blink_changed:
            self._blink_changed = False
            force = set(self._blinking)
        if changed.everything:
            dirty = set(range(len(self.drawables)))
        repaint = self._new_looks(dirty, force)
        rects = self._repaint(repaint) if repaint else []
        self.frame_ms = (time.thread_time_ns() - begin) / 1e6
        return [self.picture.rect()] if drawn else rects

    def touch(self, drawable: Drawable) -> None:
        """Its own state changed (a field being edited): draw it anew with the next frame."""
        self._living.add(self.drawables.index(drawable))
        self._second = -1

    def _new_looks(self, dirty: Iterable[int], force: set[int]) -> dict[int, Box]:
        """What must be repainted, with the area of the old and the new look."""
        repaint: dict[int, Box] = {}
        now, looks = self.situation, self._looks
        for i in dirty:
            before = looks[i]
            look = self.drawables[i].look(now)
            if look == before:
                continue
            looks[i] = look
            plain = look.condition is PLAIN and (before is None or before.condition is PLAIN)
            repaint[i] = self._plain_box[i] if plain else self._full_box[i]
            if not plain:
                self._note(i, look)
        for i in force:
            if i not in repaint:
                repaint[i] = self._full_box[i]
        return repaint

    def _note(self, i: int, look: Look) -> None:
        alarm = look.condition.alarm
        blinks = alarm is not None and alarm.state in (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED)
        (self._blinking.add if blinks else self._blinking.discard)(i)
        (self._living.add if _lives(look.condition) else self._living.discard)(i)
        (self._marked.discard if look.condition is PLAIN else self._marked.add)(i)

    def _repaint(self, repaint: dict[int, Box]) -> list[QRect]:
        """Draw anew what changed: what touches nothing by itself, the rest together with its neighbours, clipped."""
        if len(repaint) > _ALL_SHARE * len(self.drawables):
            self._draw_whole()
            return [self.picture.rect()]
        touched = {i: self._touched(i, box) for i, box in repaint.items()}
        together = [i for i in sorted(touched) if touched[i] or len(self._plain_pieces[i]) > 1]
        if len(together) > _FULL_SHARE * len(self.drawables):
            self._draw_whole()
            return [self.picture.rect()]
        with QPainter(self.picture) as painter:
            canvas = self._canvas(painter)
            apart = sorted(repaint.keys() - set(together))
            if apart:
                self._restore(painter, [repaint[i] for i in apart])
                painter.save()
                self._to_screen(painter)
                for i in apart:
                    self._paint(canvas, i)
                painter.restore()
            if together:
                boxes = [b for i in together for b in self._pieces(i, repaint[i])]
                region = QRegion()
                for left, top, right, bottom in boxes:
                    region += QRect(left, top, right - left, bottom - top)
                painter.setClipRegion(region)
                self._restore(painter, boxes)
                self._to_screen(painter)
                for i in sorted(set(together).union(*(touched[i] for i in together))):
                    self._paint(canvas, i)
        return [QRect(b[0], b[1], b[2] - b[0], b[3] - b[1]) for b in repaint.values()]

    def _pieces(self, i: int, box: Box) -> list[Box]:
        """The parts of the area that is drawn anew."""
        return self._plain_pieces[i] if box is self._plain_box[i] else self._full_pieces[i]

    def _touched(self, i: int, box: Box) -> list[int]:
        """Neighbours that have something drawn within the area that is drawn anew."""
        own = self._pieces(i, box)
        if box is self._plain_box[i]:
            if not self._near_plain:
                # Not needed for the first picture of a screen, which should come quickly.
                self._near_plain = _overlaps(self._plain_pieces)
            found = [n for n in self._near_plain[i] if not self._in_base[n]]
            if self._marked:
                found += [n for n in self._near[i] if n in self._marked and n not in found and self._meets(n, own)]
            return found
        return [n for n in self._near[i] if not self._in_base[n] and self._meets(n, own)]

    def _meets(self, n: int, own: Sequence[Box]) -> bool:
        other = self._full_pieces[n] if n in self._marked else self._plain_pieces[n]
        return any(_meet(a, b) for a in own for b in other)

    def _restore(self, painter: QPainter, boxes: Sequence[Box]) -> None:
        base = self._base
        for left, top, right, bottom in boxes:
            painter.drawPixmap(left, top, base, left, top, right - left, bottom - top)

    def _paint(self, canvas: Canvas, i: int) -> None:
        look = self._looks[i]
        if look is not None and not look.hidden and not self._in_base[i]:
            self.drawables[i].paint(canvas, look)

    def _draw_whole(self) -> None:
        with QPainter(self.picture) as painter:
            painter.drawPixmap(0, 0, self._base)
            canvas = self._canvas(painter)
            self._to_screen(painter)
            for i in range(len(self.drawables)):
                self._paint(canvas, i)

    # places

    def to_screen(self, point: QPointF) -> QPointF:
        """From device pixels to logical pixels of the screen."""
        return (point - self.offset) / self.scale

    def to_device(self, rect: QRectF) -> QRectF:
        """From logical pixels of the screen to device pixels."""
        top_left = rect.topLeft() * self.scale + self.offset
        return QRectF(top_left.x(), top_left.y(), rect.width() * self.scale, rect.height() * self.scale)

    def at(self, point: QPointF, reachable: bool = False) -> Drawable | None:
        """The topmost element at a point of the screen that can be operated, opened, or at least tells something."""
        for i in range(len(self.drawables) - 1 if self.ready else -1, -1, -1):
            drawable, look = self.drawables[i], self._looks[i]
            if look is not None and look.hidden:
                continue
            tells = drawable.reachable or (not reachable and bool(drawable.bound.tags))
            if tells and drawable.hit(point):
                return drawable
        return None

    def hidden(self, drawable: Drawable) -> bool:
        look = self._looks[self.drawables.index(drawable)] if self.ready else HIDDEN
        return look is not None and look.hidden
