"""What an operator asks of the plant: acknowledging and writing, with the question that comes first. Live only."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from hmi.core.command import Write, WriteState
from hmi.core.session import Mode, Session
from hmi.desktop.stage import Stage
from hmi.desktop.why import outcome, written
from hmi.desktop.words import value_text
from hmi.trend.handover import Handover

Value = float | int | bool | str


class Operations(QObject):
    """`session` is what is shown; in replay everything is refused here already, with a word why."""

    answered = Signal()

    def __init__(self, stage: Stage, live: Session, parent: QObject) -> None:
        super().__init__(parent)
        self.session: Session = live
        self._live = live
        self._stage = stage
        self._question: Callable[[], None] | None = None
        self._handover = Handover(self)
        stage.question.answered.connect(self._on_answer)

    def tell(self, text: str) -> None:
        self._stage.notice.tell(text)

    def acknowledge(self, keys: Sequence[str]) -> None:
        """Tell the collector that an operator has seen these alarms."""
        if self.session.mode is Mode.REPLAY:
            self.tell("This is how it was then. Acknowledge in the live plant.")
        elif keys:
            self._handover.take(self._live.acknowledge(list(keys)), self._on_acknowledged, self._on_failed)

    def _on_acknowledged(self, changed: int) -> None:
        if not changed:
            self.tell("Nothing was left to acknowledge.")

    def ask_write(self, tag: str, value: Value, question: str = "") -> None:
        """Write one value, after a question in place where the screen or the tag wants one."""
        if self.session.mode is Mode.REPLAY:
            self.tell("Replay shows the past: writing is locked.")
            return
        about = self.session.plant.tag(tag)
        if not question and about.write is not None and about.write.confirm:
            question = f"Set {about.description or tag} to {value_text(about, value)}?"
        if not question:
            self._write(tag, value, confirmed=False)
            return
        self._stage.question.ask(question)
        self._question = lambda: self._write(tag, value, confirmed=True)

    def _on_answer(self, yes: bool) -> None:
        action, self._question = self._question, None
        if yes and action is not None and self.session.mode is Mode.LIVE:
            action()
        self.answered.emit()

    def _write(self, tag: str, value: Value, confirmed: bool) -> None:
        self._handover.take(self._live.write(tag, value, confirmed), self._on_written, self._on_failed)

    def _on_written(self, write: Write) -> None:
        if write.state is not WriteState.CONFIRMED:
            self.tell(f"{write.tag} to {written(self._live, write)}: {outcome(write)}")

    def _on_failed(self, error: BaseException) -> None:
        self.tell(f"Not done: {error}")
