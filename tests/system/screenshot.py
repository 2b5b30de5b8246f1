"""Takes pictures of a real display, as a program of its own: each line in names a file, `ok` comes back."""

import sys

from PySide6.QtGui import QGuiApplication


def main() -> None:
    application = QGuiApplication([])
    for line in sys.stdin:
        application.processEvents()
        saved = application.primaryScreen().grabWindow(0).save(line.strip())
        print("ok" if saved else "failed", flush=True)


if __name__ == "__main__":
    main()
