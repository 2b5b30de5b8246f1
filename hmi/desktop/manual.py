"""F1: the manual that ships with the program, beside the plant; control rooms have no internet."""

from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QTextBrowser, QVBoxLayout

from hmi.core.resources import Shipped, shipped
from hmi.desktop.furniture import Button, Fill, label
from hmi.mimic.theme import Theme

FIRST = "operating.md"


def pages() -> list[Path]:
    """The manual's pages, the operator's first."""
    folder = shipped(Shipped.RESOURCES) / "manual"
    return sorted(folder.glob("*.md"), key=lambda path: (path.name != FIRST, path.name))


def title_of(page: Path) -> str:
    """The first heading of a page, or its file name."""
    first = page.read_text("utf-8").split("\n", 1)[0]
    return first.lstrip("# ").strip() or page.stem


class ManualPane(Fill):
    """Markdown pages in a pane; links between pages work, others do nothing."""

    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "panel", "left")
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        head = Fill(theme, "panel", "bottom")
        row = QHBoxLayout(head)
        row.setContentsMargins(24, 12, 24, 12)
        row.setSpacing(16)
        row.addWidget(label("Manual", role="head"))
        self._pages = pages()
        self.choice = QComboBox()
        self.choice.addItems([title_of(page) for page in self._pages])
        self.choice.setAccessibleName("Page of the manual")
        self.choice.currentIndexChanged.connect(self.show_page)
        row.addWidget(self.choice, 1)
        close = Button(theme, icon="close", clicked=self.closed.emit)
        close.setAccessibleName("Close the manual")
        row.addWidget(close)
        column.addWidget(head)
        self.text = QTextBrowser()
        self.text.setOpenLinks(False)
        self.text.document().setDocumentMargin(24)
        self.text.anchorClicked.connect(self._on_link)
        column.addWidget(self.text, 1)
        self.show_page(0)

    def show_page(self, number: int) -> None:
        if 0 <= number < len(self._pages):
            self.text.setMarkdown(self._pages[number].read_text("utf-8"))

    def _on_link(self, url: QUrl) -> None:
        name = Path(url.path()).name
        for i, page in enumerate(self._pages):
            if page.name == name:
                self.choice.setCurrentIndex(i)
        if url.hasFragment() and not url.path():
            self.text.scrollToAnchor(url.fragment())

    def frame(self) -> None:
        """Nothing here changes with time."""
