"""Symbols: every file follows the rules, and is drawn in every state."""

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage, QPainter

from hmi.core.resources import Shipped, shipped
from hmi.core.status import Quality
from hmi.mimic.canvas import Canvas
from hmi.mimic.symbols import BodyLook, SymbolError, Symbols
from hmi.mimic.theme import Theme
from tests.mimic.pixels import pixels, saturation

pytestmark = pytest.mark.usefixtures("qapp")
FILES = sorted((shipped(Shipped.RESOURCES) / "symbols").glob("*.svg"))


def drawn(name: str, look: BodyLook, theme: Theme, symbols: Symbols | None = None, turn: int = 0) -> np.ndarray:
    image = QImage(80, 80, QImage.Format.Format_RGB32)
    image.fill(theme.canvas)
    painter = QPainter(image)
    (symbols or Symbols()).draw(Canvas(painter, theme), name, QPointF(40, 40), 60, look, turn)
    painter.end()
    return pixels(image)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_that_a_symbol_has_a_title_a_body_and_ports(file: Path) -> None:
    root = ET.fromstring(file.read_text())
    assert root.get("viewBox") == "0 0 100 100"
    ids = [e.get("id", "") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    assert any(i.startswith("body") for i in ids)
    assert all(i.startswith(("body", "ink", "stem", "plate", "letter")) for i in ids)
    assert root.find("{http://www.w3.org/2000/svg}title") is not None
    ports = [e.get("data-port") for e in root.iter() if e.get("data-port")]
    assert set(ports) <= {"left", "right", "up", "down"}
    assert ports or file.stem == "mixer"


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_that_a_symbol_is_drawn_differently_in_every_state_and_without_colour(file: Path) -> None:
    theme = Theme.load("dark")
    looks = [BodyLook(None), BodyLook(True), BodyLook(False)]
    looks += [BodyLook(True, q) for q in (Quality.STALE, Quality.BAD, Quality.NEVER_READ, Quality.NOT_RECORDED)]
    pictures = [drawn(file.stem, look, theme) for look in looks]
    for i, one in enumerate(pictures):
        assert saturation(one).max() < 20
        assert np.ptp(one) > 60
        for other in pictures[i + 1 :]:
            assert (np.abs(one - other).max(axis=2) > 20).sum() > 10


def test_that_there_are_at_least_twenty_symbols() -> None:
    assert len(FILES) >= 20


def test_that_a_symbol_turns_with_the_flow() -> None:
    theme = Theme.load("light")
    right, down = (drawn("pump", BodyLook(True), theme, turn=turn) for turn in (0, 90))
    turned = np.rot90(right, -1)
    assert (np.abs(turned - down).max(axis=2) > 60).mean() < 0.02


def test_that_the_plants_own_symbol_comes_first() -> None:
    square = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><path id="body" d="M0 0H100V100H0Z"/></svg>'
    theme = Theme.load("dark")
    own = drawn("pump", BodyLook(True), theme, Symbols({"symbols/pump.svg": square}))
    assert tuple(own[14, 14]) == theme.run.getRgb()[:3]


@pytest.mark.parametrize("text", ["<svg", "<html/>", ""])
def test_that_a_file_that_is_no_symbol_is_named(text: str) -> None:
    with pytest.raises(SymbolError, match="symbol 'own'"):
        Symbols({"symbols/own.svg": text}).source("own")


def test_that_a_missing_symbol_is_named() -> None:
    with pytest.raises(SymbolError, match="there is no symbol 'nowhere'"):
        Symbols().source("nowhere")


def test_that_a_symbol_is_drawn_once_and_kept() -> None:
    theme = Theme.load("dark")
    symbols = Symbols()
    image = QImage(80, 80, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.black)
    painter = QPainter(image)
    canvas = Canvas(painter, theme)
    symbols.draw(canvas, "pump", QPointF(40, 40), 60, BodyLook(True))
    kept = len(theme.stamps)
    symbols.draw(canvas, "pump", QPointF(20, 20), 60, BodyLook(True))
    painter.end()
    assert len(theme.stamps) == kept
