"""Tokens: both themes are whole, and what must be read can be read."""

from itertools import pairwise, product

import pytest
from PySide6.QtGui import QColor, QFontInfo, QFontMetricsF

from hmi.core.alarm import AlarmState
from hmi.mimic.canvas import Blink
from hmi.mimic.state import AlarmMark
from hmi.mimic.theme import Role, Theme, load_fonts

THEMES = list(product(("dark", "light"), (False, True)))


def luminance(color: QColor) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF())


def contrast(one: QColor, other: QColor) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("name", "replay"), THEMES)
def test_that_what_must_be_read_can_be_read(name: str, replay: bool) -> None:
    t = Theme.load(name, replay)  # type: ignore[arg-type]
    for ground in (t.canvas, t.panel, t.chrome, t.well):
        assert contrast(t.ink, ground) >= 7
    for ground in (t.canvas, t.panel, t.chrome):
        assert contrast(t.ink2, ground) >= 4.5
        assert contrast(t.ink3, ground) >= 4.5
    assert contrast(t.ink, t.band) >= 4.5
    assert contrast(t.ink, t.level) >= 4.5
    assert contrast(t.onrun, t.run) >= 7
    assert contrast(t.onstop, t.stop) >= 4.5
    assert contrast(t.run, t.stop) >= 3
    assert contrast(t.line, t.canvas) >= 3
    assert contrast(t.pipe, t.canvas) >= 3
    for priority in (1, 2, 3, 4):
        assert contrast(t.on_p[priority], t.p[priority]) >= 4.5
        # On light ground yellow cannot be told from grey: there the outline carries the shape.
        assert max(contrast(t.p[priority], t.canvas), contrast(t.onp, t.canvas)) >= 3
    assert contrast(t.onreplay, t.replay_blue) >= 4.5
    for number in range(1, 7):
        assert contrast(t.pen[number], t.well) >= 4.5


def test_that_replay_changes_the_ground_and_no_meaning() -> None:
    live, replay = Theme.load("dark"), Theme.load("dark", replay=True)
    assert live.canvas != replay.canvas
    assert (live.ink, live.run, live.stop, live.p) == (replay.ink, replay.run, replay.stop, replay.p)


def test_that_the_bundled_font_is_there_and_its_digits_are_equally_wide(qapp: object) -> None:
    load_fonts()
    for role in Role:
        font = role.font()
        assert QFontInfo(font).family() == "B612"
        widths = {round(QFontMetricsF(font).horizontalAdvance(digit), 2) for digit in "0123456789"}
        assert len(widths) == 1, f"numbers would jump in {role}"


def test_that_the_blink_rates_are_those_of_the_look_guide() -> None:
    def edges(mark: AlarmMark) -> int:
        states = [Blink.at(ms).of(mark) for ms in range(0, 4000, 10)]
        return sum(a != b for a, b in pairwise(states)) + 1

    assert edges(AlarmMark(1, AlarmState.UNACKNOWLEDGED)) == 16
    assert edges(AlarmMark(2, AlarmState.UNACKNOWLEDGED)) == 8
    assert edges(AlarmMark(3, AlarmState.RETURNED)) == 4
    assert edges(AlarmMark(2, AlarmState.ACKNOWLEDGED)) == 1
