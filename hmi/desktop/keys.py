"""Which key does what: keys with Ctrl or Alt and F keys everywhere, plain ones only where nothing else takes them."""

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget


class Keys(QObject):
    """Installs shortcuts on a window and keeps the plain keys that its `keyPressEvent` hands over."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._plain: dict[int, Callable[[], object]] = {}

    def everywhere(self, table: Mapping[str, Callable[[], object]]) -> None:
        """Sequences such as `Ctrl+K` and `F7`."""
        for sequence, action in table.items():
            shortcut = QShortcut(QKeySequence(sequence), self._window)
            shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
            shortcut.activated.connect(partial(_call, action))

    def plain(self, table: Mapping[Qt.Key, Callable[[], object]]) -> None:
        """Keys that a field or an element may take for itself first."""
        self._plain.update({int(key): action for key, action in table.items()})

    def space_of(self, screen: QWidget) -> None:
        """Space plays and pauses also while an element of the screen has the focus; it never operates the plant."""
        screen.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Space:
            return self.take(event)
        return super().eventFilter(watched, event)

    def take(self, event: QKeyEvent) -> bool:
        """Whether the key did something."""
        if event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            return False
        action = self._plain.get(event.key())
        if action is None:
            return False
        action()
        return True


def _call(action: Callable[[], object]) -> None:
    action()
