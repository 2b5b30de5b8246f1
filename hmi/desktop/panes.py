"""The pane at the right of the stage: a faceplate, the status, or the manual; one at a time."""

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject, Signal

from hmi.core.screen import Open
from hmi.core.session import Session
from hmi.desktop.faceplate import WHY, FaceplatePane, Subject
from hmi.desktop.furniture import dress
from hmi.desktop.manual import ManualPane
from hmi.desktop.operations import Operations
from hmi.desktop.stage import Stage
from hmi.desktop.status_pane import StatusPane
from hmi.mimic.theme import Theme


class Panes(QObject):
    """Makes panes when they are asked for. A faceplate is made anew for another session, theme or plant."""

    opened = Signal(object, str)
    trend_asked = Signal(str)
    closed = Signal()

    def __init__(
        self, stage: Stage, live: Session, theme: Theme, operations: Operations,
        window_rows: Callable[[], list[tuple[str, str]]], parent: QObject,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._stage = stage
        self._live = live
        self._session = live
        self._theme = theme
        self._operations = operations
        self._window_rows = window_rows
        self._faceplate_place: tuple[str, Mapping[str, Any]] = ("", {})
        self.faceplate: FaceplatePane | None = None
        self.status: StatusPane | None = None
        self.manual: ManualPane | None = None

    @property
    def is_open(self) -> bool:
        return self._stage.pane is not None

    def frame(self, phase_ms: int) -> None:
        """Bring the one that is open up to date."""
        pane = self._stage.pane
        if isinstance(pane, FaceplatePane):
            pane.set_phase(phase_ms)
            pane.frame()
        elif isinstance(pane, StatusPane):
            pane.frame()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for pane in (self.status, self.manual):
            if pane is not None:
                dress(pane, theme)

    def reopen(self, session: Session) -> None:
        """The same faceplate on another session, or from another form of the plant."""
        self._session = session
        pane = self.faceplate
        if pane is not None and self._stage.pane is pane:
            self._show(self._again(pane.subject), pane.tab)

    def open_faceplate(self, target: Open, tag: str = "", tab: int = WHY) -> None:
        """A screen of faceplates/ with its parameters, or the built-in faceplate of one tag."""
        plant, name = self._session.plant, target.faceplate
        if name is None:
            about = target.tag or tag
            if about in plant.tag_index:
                self._show(Subject(None, about), tab)
            return
        full = name if name in plant.screens else f"faceplates/{name}"
        if full not in plant.screens:
            self._operations.tell(f"There is no faceplate '{name}'.")
            return
        self._faceplate_place = (full, dict(target.with_))
        self._show(Subject(plant.open_screen(full, target.with_)[0], tag), tab)

    def _again(self, subject: Subject) -> Subject:
        plant = self._session.plant
        if subject.screen is None:
            return subject
        name, parameters = self._faceplate_place
        if name not in plant.screens:
            return Subject(None, subject.tag)
        return Subject(plant.open_screen(name, parameters)[0], subject.tag)

    def _show(self, subject: Subject, tab: int) -> None:
        if subject.screen is None and subject.tag not in self._session.plant.tag_index:
            self.close()
            return
        before = self.faceplate
        pane = FaceplatePane(self._theme, self._session, subject, self._operations.ask_write, tab)
        pane.closed.connect(self.close)
        pane.trend_asked.connect(self.trend_asked)
        pane.opened.connect(self.opened)
        pane.write_asked.connect(self._operations.ask_write)
        self.faceplate = pane
        self._stage.show_pane(pane)
        pane.frame()
        if before is not None:
            before.deleteLater()

    def show_why(self) -> bool:
        """Turn an open faceplate to 'Why this value?'; False where none is open."""
        if self.faceplate is None or self._stage.pane is not self.faceplate:
            return False
        self.faceplate.show_tab(WHY)
        return True

    def toggle_status(self) -> None:
        if self.status is not None and self._stage.pane is self.status:
            self.close()
            return
        if self.status is None:
            self.status = StatusPane(self._theme, self._live, self._window_rows)
            self.status.closed.connect(self.close)
        self._replace(self.status)
        self.status.frame()

    def toggle_manual(self) -> None:
        if self.manual is not None and self._stage.pane is self.manual:
            self.close()
            return
        if self.manual is None:
            self.manual = ManualPane(self._theme)
            self.manual.closed.connect(self.close)
        self._replace(self.manual)

    def _replace(self, pane: StatusPane | ManualPane | None) -> None:
        self._stage.show_pane(pane)
        if self.faceplate is not None:
            self.faceplate.deleteLater()
            self.faceplate = None

    def close(self) -> None:
        """No pane."""
        self._replace(None)
        self.closed.emit()
