"""Colours and marks that a trend is drawn with; the window fills them in from its theme."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtGui import QBrush, QColor, QPainter

from hmi.core.alarm import AlarmState
from hmi.core.status import Quality

DrawAlarm = Callable[[QPainter, int, AlarmState, float, float, float], None]
"""Painter, priority, state, centre x and y, scale."""
DrawQuality = Callable[[QPainter, Quality, float, float], None]
"""Painter, quality, centre x and y."""


@dataclass(frozen=True, slots=True)
class Look:
    """Tokens by their names in the look guide. `pens` has eight colours; number and dashes tell pens apart as well."""

    canvas: QColor
    panel: QColor
    well: QColor
    band: QColor
    hair: QColor
    line: QColor
    ink: QColor
    ink2: QColor
    ink3: QColor
    pens: tuple[QColor, ...]
    bad: QBrush
    not_recorded: QBrush
    alarm: DrawAlarm
    quality: DrawQuality


DASHES: tuple[tuple[float, ...], ...] = ((), (), (), (), (9, 3), (2, 3), (12, 3, 2, 3), (5, 5))
"""Pattern of each pen by its number, in pixels on and off; empty is solid."""
