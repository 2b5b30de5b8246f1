"""Two columns of text, as in a faceplate's tabs: what, and what about it."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from hmi.desktop.furniture import label


class Rows(QWidget):
    """Labels are made once and given other words; so that a table that is shown ten times a second costs little."""

    def __init__(self, first_width: int = 128) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnMinimumWidth(0, first_width)
        self._grid.setColumnStretch(1, 1)
        self._made: list[tuple[QLabel, QLabel]] = []
        self._shown: list[tuple[str, str]] = []

    @property
    def shown(self) -> list[tuple[str, str]]:
        return self._shown

    def show_rows(self, rows: Sequence[tuple[str, str]]) -> None:
        """Texts may have several lines. Repaints only what differs."""
        if list(rows) == self._shown:
            return
        self._shown = list(rows)
        while len(self._made) < len(rows):
            pair = (label(tone="dim"), label(wrap=True))
            for column, one in enumerate(pair):
                one.setAlignment(Qt.AlignmentFlag.AlignTop)
                one.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                self._grid.addWidget(one, len(self._made), column)
            self._made.append(pair)
        for i, pair in enumerate(self._made):
            for column, one in enumerate(pair):
                if i < len(rows) and one.text() != rows[i][column]:
                    one.setText(rows[i][column])
                one.setVisible(i < len(rows))
