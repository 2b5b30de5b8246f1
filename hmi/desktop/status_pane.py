"""Status of collector, historian, devices and window, and what is wrong with the plant's files."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from hmi.core.device import DeviceState
from hmi.core.moment import span_words
from hmi.core.problem import Problem, Severity
from hmi.core.session import Health, Session
from hmi.core.status import Quality
from hmi.desktop.furniture import Button, Fill, QualityIcon, Scroll, label
from hmi.desktop.rows import Rows
from hmi.desktop.words import near_time
from hmi.mimic.theme import Theme

_FRAMES_PER_FILL = 10


def collector_rows(health: Health, now_us: int) -> list[tuple[str, str]]:
    """Collector and historian as they are now."""
    historian = health.historian
    heard = f", heard {span_words(now_us - health.heard_us)} ago" if health.heard_us else ""
    rows = [("Collector", f"{health.link.value}{heard}")]
    kind = f" ({historian.kind})" if historian.kind else ""
    why = f": {historian.why}" if historian.why else ""
    rows.append(("Historian", f"{historian.state.value}{kind}{why}"))
    rows.append(("Behind", f"{historian.lag_us / 1e6:.1f} s, {historian.waiting} samples waiting"))
    rows.append(("Stored", f"{historian.stored} samples, {historian.lost} lost"))
    rows.append(("Spool", f"{historian.spool_bytes / 1e6:.1f} MB on disk"))
    return rows


def device_rows(session: Session) -> list[tuple[str, str]]:
    """One line a device; those that are not well first."""
    now, zone = session.now_us(), session.plant.zone
    rows = []
    for device in sorted(session.health.devices, key=lambda d: (d.state is DeviceState.OK, d.name)):
        since = f" since {near_time(device.since_us, now, zone)}" if device.since_us else ""
        line = f"{device.state.value}{since}"
        if device.why:
            line += f": {device.why}"
        if device.state is DeviceState.OK and device.cycle_ms:
            line += f", cycle {device.cycle_ms:.0f} ms"
        elif device.attempts:
            line += f", {device.attempts} attempts"
        rows.append((device.name, line))
    return rows


def problem_text(problem: Problem) -> str:
    """Place and finding on a line each, the hint below."""
    text = f"{problem.place}\n{problem.message}"
    return f"{text}\nHint: {problem.hint}" if problem.hint else text


class StatusPane(Fill):
    """At the right, where faceplates stand. Opened by a click on the health line, or F12."""

    closed = Signal()

    def __init__(self, theme: Theme, session: Session, window_rows: Callable[[], list[tuple[str, str]]]) -> None:
        super().__init__(theme, "panel", "left")
        self._session = session
        self._window_rows = window_rows
        self._frames = 0
        self._shown: tuple[Problem, ...] | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        head = Fill(theme, "panel", "bottom")
        row = QHBoxLayout(head)
        row.setContentsMargins(24, 12, 24, 12)
        row.addWidget(label("Status and problems", role="head"), 1)
        close = Button(theme, icon="close", clicked=self.closed.emit)
        close.setAccessibleName("Close")
        row.addWidget(close)
        column.addWidget(head)
        inside = QWidget()
        box = QVBoxLayout(inside)
        box.setContentsMargins(24, 16, 24, 16)
        box.setSpacing(8)
        self.problem_title = label(role="bold")
        box.addWidget(self.problem_title)
        self._problems = QVBoxLayout()
        self._problems.setSpacing(12)
        box.addLayout(self._problems)
        self.plant, self.devices, self.window_ = Rows(), Rows(), Rows()
        for title, rows in (
            ("Collector and historian", self.plant),
            ("Devices", self.devices),
            ("This window", self.window_),
        ):
            box.addSpacing(12)
            box.addWidget(label(title, role="bold"))
            box.addWidget(rows)
        box.addStretch(1)
        column.addWidget(Scroll(inside), 1)
        self.problem_labels: list[QLabel] = []

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """All of them, errors first, each with its place, so that it can be copied into an editor."""
        chosen = tuple(sorted(problems, key=lambda p: (p.severity is not Severity.ERROR, p.place)))
        if chosen == self._shown:
            return
        self._shown = chosen
        while (item := self._problems.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        self.problem_labels = []
        self.problem_title.setText(
            f"{len(chosen)} {'problem' if len(chosen) == 1 else 'problems'} in the plant's files"
            if chosen
            else "No problem in the plant's files"
        )
        for problem in chosen[:200]:
            row = QWidget()
            inside = QHBoxLayout(row)
            inside.setContentsMargins(0, 0, 0, 0)
            inside.setSpacing(12)
            mark = QualityIcon(self.theme)
            mark.show_quality(Quality.BAD if problem.severity is Severity.ERROR else Quality.UNCERTAIN)
            inside.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
            text = label(problem_text(problem), wrap=True)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            inside.addWidget(text, 1)
            self._problems.addWidget(row)
            self.problem_labels.append(text)

    def frame(self) -> None:
        self._frames += 1
        if self._frames % _FRAMES_PER_FILL != 1:
            return
        session = self._session
        self.show_problems(session.problems)
        self.plant.show_rows(collector_rows(session.health, session.now_us()))
        self.devices.show_rows(device_rows(session) or [("", "No devices")])
        self.window_.show_rows(self._window_rows())
