"""What the drawn screen must and must not show. Pictures are made offscreen and looked at as pixels."""

import random
from collections.abc import Sequence
from concurrent.futures import Future
from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication

from hmi.core.alarm import AlarmKind, AlarmState, Priority
from hmi.core.command import WriteState
from hmi.core.device import DeviceHealth, DeviceState
from hmi.core.screen import ELEMENTS, AnyElement
from hmi.core.series import Series, raw_series
from hmi.core.session import Mode
from hmi.core.status import BAD_NO_COMMUNICATION, BAD_NO_DATA, BAD_WAITING_FOR_INITIAL_DATA, GOOD, UNCERTAIN
from hmi.mimic.board import Board
from hmi.mimic.painters import PAINTERS
from hmi.mimic.theme import Theme
from hmi.mimic.view import render_screen
from tests.mimic.pixels import Pixels, grey, part, pixels, saturation
from tests.mimic.plant_on_a_table import NOW_US, PlantOnATable, discrete, limit, measure, plant_of, screen_of, writable
from tests.mimic.states_sheet import ROWS, STATES, cell, element, states_plant

pytestmark = pytest.mark.usefixtures("qapp")
SHEET = QSize(1920, 1080)
SMALL = (400.0, 200.0)
# The same body on purpose: the ring of the focus belongs to the window, the lock only to controls.
_SAME = {"focus": set(ROWS), "disabled": set(ROWS) - {"button", "setpoint"}}


def dark() -> Theme:
    return Theme.load("dark")


def session_of(value: float = 3.87, status: int = GOOD, mode: Mode = Mode.LIVE) -> PlantOnATable:
    tags = [
        measure("LT-250", normal=(2.8, 4.2), description="Clear-water tank level"),
        discrete("P-301.state", {0: "standby", 1: "running", 2: "tripped"}),
        writable(measure("P-301.sp", unit="%", high=100), 0, 100),
    ]
    rules = [limit("LT-250", AlarmKind.HIGH, 4.5), limit("LT-250", AlarmKind.HIGH_HIGH, 4.8, Priority.URGENT)]
    session = PlantOnATable(plant_of(tags, rules), mode)
    session.remember("LT-250", [3.5] * 60)
    if status != BAD_WAITING_FOR_INITIAL_DATA:
        session.put_all({"P-301.state": 1, "P-301.sp": 74})
        session.put("LT-250", value, status)
    return session


def shot(session: PlantOnATable, elements: Sequence[AnyElement], theme: Theme | None = None) -> Pixels:
    screen = screen_of(elements, SMALL)
    return pixels(render_screen(session, screen, theme or dark(), QSize(400, 200)))


VALUE = element(type="value", at=(100, 80), size=(120, 32), value="LT-250")


def test_that_every_element_of_the_file_format_has_a_painter() -> None:
    assert PAINTERS.keys() == ELEMENTS.keys()


@pytest.fixture(scope="module", params=["dark", "light"])
def sheet(request: pytest.FixtureRequest, qapp: QApplication) -> Pixels:
    session, screen = states_plant()
    return pixels(render_screen(session, screen, Theme.load(request.param), SHEET))


@pytest.mark.parametrize("row", ROWS)
def test_that_no_two_states_of_an_element_look_alike_without_colour(sheet: Pixels, row: str) -> None:
    states = [s for s in STATES if row not in _SAME.get(s, ()) and not (row == "pipe" and s in ("pending", "unknown"))]
    cells = {state: grey(part(sheet, *cell(row, state))) for state in states}
    for one, other in combinations(states, 2):
        if row == "pipe" and {one, other} == {"stopped", "out_of_service"}:
            continue
        differing = np.abs(cells[one] - cells[other]) > 24
        assert differing.sum() >= 12, f"{row}: {one} looks like {other}"


@pytest.mark.parametrize("status", [BAD_NO_COMMUNICATION, BAD_NO_DATA])
@pytest.mark.parametrize(
    "shown",
    [
        VALUE,
        element(type="value", at=(100, 60), size=(220, 48), value="LT-250", style="key"),
        element(type="indicator", at=(100, 40), size=(176, 104), value="LT-250"),
        element(type="tank", at=(100, 40), size=(120, 104), level="LT-250"),
        element(type="text", at=(100, 80), text="Level {LT-250:.2f} m"),
        element(type="horizon", at=(0, 0), size=(400, 200), columns=(("LT-250",),)),
        element(type="setpoint", at=(100, 80), tag="LT-250"),
        element(type="trend", at=(20, 20), size=(360, 160), pens=("LT-250",)),
    ],
    ids=lambda e: str(getattr(e, "type", e)),
)
def test_that_a_missing_value_shows_no_number(shown: AnyElement, status: int) -> None:
    """Whatever number came with it, the picture is the same."""
    one = shot(session_of(3.87, status), [shown])
    other = shot(session_of(9.99, status), [shown])
    assert np.array_equal(one, other)
    assert not np.array_equal(one, shot(session_of(3.87), [shown]))


def test_that_not_recorded_is_dotted_and_bad_is_hatched() -> None:
    tank = element(type="tank", at=(100, 40), size=(120, 104), level="LT-250")
    inside = (110, 60, 90, 70)
    dots = grey(part(shot(session_of(3.87, BAD_NO_DATA), [tank]), *inside))
    hatch = grey(part(shot(session_of(3.87, BAD_NO_COMMUNICATION), [tank]), *inside))
    never = grey(part(shot(session_of(0, BAD_WAITING_FOR_INITIAL_DATA), [tank]), *inside))
    assert np.ptp(never) == 0
    # Dots repeat every 8 pixels in both directions and leave most of the ground free.
    assert np.array_equal(dots[:32, :32], dots[8:40, 8:40])
    assert 0.02 < (np.abs(dots - dots.min()) > 20).mean() < 0.15
    # The hatch runs diagonally: one step right and one up is the same.
    assert np.array_equal(hatch[1:, :-1], hatch[:-1, 1:])
    assert 0.15 < (np.abs(hatch - hatch.min()) > 20).mean() < 0.5


def overview(session: PlantOnATable) -> list[AnyElement]:
    return [
        element(type="text", at=(16, 24), text="Clear water", style="heading"),
        element(type="pipe", points=((20, 150), (200, 150)), flow="P-301.state", arrows=((60, 150),)),
        element(type="pump", at=(120, 150), state="P-301.state"),
        element(type="tank", at=(200, 60), size=(80, 100), level="LT-250"),
        element(type="value", at=(205, 90), size=(70, 32), value="LT-250"),
        element(type="indicator", at=(300, 60), size=(88, 100), value="LT-250"),
        element(type="button", at=(20, 50), text="Start", write="P-301.sp", to=1),
        element(type="setpoint", at=(20, 95), tag="P-301.sp"),
        element(type="lamp", at=(140, 60), state="P-301.state"),
    ]


@pytest.mark.parametrize("name", ["dark", "light"])
def test_that_a_normal_screen_has_no_colour_at_all(name: str) -> None:
    session = session_of()
    picture = shot(session, overview(session), Theme.load(name))  # type: ignore[arg-type]
    assert saturation(picture).max() < 20


def test_that_a_stopped_machine_has_no_colour_either() -> None:
    session = session_of()
    session.put("P-301.state", 0)
    assert saturation(shot(session, overview(session))).max() < 20


def test_that_an_alarm_brings_its_colour_and_returns_without() -> None:
    session = session_of(4.62)
    theme = dark()
    session.raise_alarm("LT-250/high")
    active = shot(session, [VALUE], theme)
    orange = np.array(theme.p[2].getRgb()[:3])
    assert (np.abs(active - orange).max(axis=2) < 8).sum() > 200
    session.raise_alarm("LT-250/high", AlarmState.RETURNED)
    assert saturation(shot(session, [VALUE], theme)).max() < 20


def test_that_the_level_stands_where_the_value_says() -> None:
    tank = element(type="tank", at=(100, 40), size=(100, 100), level="LT-250", low=0, high=10, ticks=False)
    picture = grey(part(shot(session_of(2.5), [tank]), 150, 40, 1, 100))[:, 0]
    surface = int(np.argmax(picture > 200))
    assert abs(surface - 75) <= 2


def test_that_the_unit_stands_beside_the_value() -> None:
    without = VALUE.model_copy(update={"unit": ""})
    assert not np.array_equal(shot(session_of(), [VALUE]), shot(session_of(), [without]))


def test_that_long_texts_are_shortened_and_do_not_leave_their_box() -> None:
    title = "A very long title that nobody has shortened before it came here"
    block = element(type="block", at=(100, 60), size=(128, 56), title=title)
    button = element(type="button", at=(100, 130), text=title, write="P-301.sp", to=1)
    picture = shot(session_of(), [block, button])
    ground = np.array(dark().canvas.getRgb()[:3])
    outside = picture.copy()
    outside[56:120, 96:232] = ground
    outside[126:166, 96:188] = ground
    assert (np.abs(outside - ground).max(axis=2) > 10).sum() == 0


def test_that_a_text_ends_at_the_edge_of_the_screen() -> None:
    long = element(type="text", at=(300, 80), text="A text that goes on and on and on")
    short = element(type="text", at=(300, 80), text="A text that")
    picture, reference = shot(session_of(), [long]), shot(session_of(), [short])
    assert np.array_equal(part(picture, 300, 60, 40, 30), part(reference, 300, 60, 40, 30))
    assert saturation(picture).max() < 20
    assert np.ptp(grey(part(picture, 397, 60, 3, 30))) == 0


def test_that_a_number_too_wide_for_its_slot_is_not_cut() -> None:
    narrow = element(type="value", at=(100, 80), size=(30, 32), value="LT-250", decimals=6)
    one = shot(session_of(123456.123456), [narrow])
    other = shot(session_of(723456.123456), [narrow])
    assert np.array_equal(one, other), "a cut number would show its first digits"


def test_that_what_is_not_visible_is_not_drawn() -> None:
    gated = element(type="text", at=(100, 80), text="running", visible="= {P-301.state} == 1")
    session = session_of()
    assert np.ptp(grey(shot(session, [gated]))) > 100
    session.put("P-301.state", 0)
    assert np.ptp(grey(shot(session, [gated]))) == 0


def test_that_a_group_moves_and_hides_what_is_in_it() -> None:
    inner = {"type": "text", "at": (20, 20), "text": "in a group"}
    group = element(type="group", at=(80, 60), visible="P-301.state", elements=(inner,))
    session = session_of()
    moved = shot(session, [group])
    plain = shot(session, [element(type="text", at=(100, 80), text="in a group")])
    assert np.array_equal(moved, plain)
    session.put("P-301.state", 0)
    assert np.ptp(grey(shot(session, [group]))) == 0


def body_of(session: PlantOnATable, shown: AnyElement) -> object:
    board = Board(session, screen_of([shown], SMALL), dark())
    board.situation.refresh()
    return board.drawables[0].look(board.situation)


def test_that_a_block_names_the_device_that_was_lost() -> None:
    session = session_of()
    session.put("P-301.state", 1, BAD_NO_COMMUNICATION)
    session.lose(DeviceHealth("PLC-1", DeviceState.LOST, 0))
    block = element(type="block", at=(100, 60), title="Pump", state="P-301.state")
    assert body_of(session, block).body.word == "PLC-1 lost"  # type: ignore[attr-defined]


def test_that_limits_stay_while_nobody_knows_whether_the_machine_stands() -> None:
    indicator = element(type="indicator", at=(100, 40), value="LT-250", running="P-301.state")
    session = session_of()
    for value, status, stands in ((1, GOOD, False), (0, GOOD, True), (0, BAD_NO_COMMUNICATION, False)):
        session.put("P-301.state", value, status)
        assert body_of(session, indicator).body.stands is stands  # type: ignore[attr-defined]


def test_that_a_condition_nobody_knows_does_not_show_what_it_gates() -> None:
    gated = element(type="text", at=(100, 80), text="running", visible="= {P-301.state} == 1")
    session = session_of()
    session.put("P-301.state", 1, BAD_NO_COMMUNICATION)
    assert body_of(session, gated).hidden  # type: ignore[attr-defined]


def test_that_a_tank_leaves_its_alarm_to_the_slot_inside_it() -> None:
    session = session_of(4.62)
    session.raise_alarm("LT-250/high")
    tank = element(type="tank", at=(100, 20), size=(200, 150), level="LT-250")
    slot = element(type="value", at=(140, 80), size=(120, 32), value="LT-250")
    alone = Board(session, screen_of([tank], SMALL), dark())
    both = Board(session, screen_of([tank, slot], SMALL), dark())
    for board, marked in ((alone, [True]), (both, [False, True])):
        board.situation.refresh()
        assert [d.look(board.situation).condition.alarm is not None for d in board.drawables] == marked


def test_that_an_element_of_an_unknown_tag_becomes_a_placeholder() -> None:
    unknown = element(type="value", at=(100, 80), value="XX-999")
    picture = shot(session_of(), [unknown, element(type="text", at=(20, 180), text="the rest")])
    assert np.ptp(grey(part(picture, 100, 80, 200, 44))) > 100
    assert np.ptp(grey(part(picture, 20, 165, 60, 20))) > 100


def test_that_small_windows_leave_out_what_the_file_says() -> None:
    caption = element(type="text", at=(100, 80), text="left out", lod=True)
    session = session_of()
    full = Board(session, screen_of([caption], SMALL), dark())
    compact = Board(session, screen_of([caption], SMALL), dark(), compact=True)
    assert (len(full.drawables), len(compact.drawables)) == (1, 0)


def changes(session: PlantOnATable, dice: random.Random) -> None:
    """Something happens in the plant."""
    session.time_us += 700_000
    match dice.randrange(8):
        case 0:
            session.put("P-301.state", dice.randrange(3))
        case 1:
            session.put("LT-250", dice.random() * 5, dice.choice((GOOD, UNCERTAIN, BAD_NO_COMMUNICATION)))
        case 2:
            session.raise_alarm("LT-250/high", dice.choice(list(AlarmState)))
        case 3:
            session.add_write("P-301.sp", 78, dice.choice(list(WriteState)))
        case 4:
            session.put("P-301.sp", dice.random() * 100, dice.choice((GOOD, GOOD, BAD_NO_DATA)))
        case _:
            session.put("LT-250", dice.random() * 5)


@pytest.mark.parametrize(("width", "height"), [(400, 200), (620, 310), (333, 240)])
def test_that_repainting_only_what_changed_gives_the_same_picture_as_painting_all(width: int, height: int) -> None:
    """A hundred things happen one after the other; every twentieth time the picture is held against a fresh one."""
    session = session_of()
    screen = screen_of(overview(session), SMALL)
    board = Board(session, screen, dark())
    board.layout(QSize(width, height))
    dice = random.Random(4)
    for step in range(100):
        changes(session, dice)
        board.frame()
        board.frame()
        if step % 20 == 19:
            fresh = Board(session, screen, board.theme)
            fresh.layout(QSize(width, height))
            fresh.curves = board.curves
            for mine, theirs in zip(board.drawables, fresh.drawables, strict=True):
                if hasattr(mine, "scale") and hasattr(mine.scale, "curve"):
                    theirs.scale.curve = mine.scale.curve  # type: ignore[attr-defined]
            fresh.frame()
            difference = np.abs(pixels(board.picture.toImage()) - pixels(fresh.picture.toImage())).max(axis=2)
            assert (difference > 40).sum() == 0, f"after step {step} something old was left standing"


def test_that_a_trend_says_that_it_waits_and_draws_no_curve_meanwhile() -> None:
    session = session_of()
    coming: Future[list[Series]] = Future()
    session.history = lambda tags, start, end, buckets: coming  # type: ignore[method-assign]
    trend = element(type="trend", at=(0, 0), size=(400, 200), pens=("LT-250",))
    board = Board(session, screen_of([trend], SMALL), dark())
    board.layout(QSize(400, 200))
    board.frame()
    words, curve = (170, 86, 60, 12), (60, 104, 60, 30)
    assert board.curves.waiting
    before = pixels(board.picture.toImage())
    assert np.ptp(grey(part(before, *words))) > 80
    coming.set_result([raw_series("LT-250", NOW_US - 1, NOW_US, *session.past["LT-250"])])
    board.frame()
    after = pixels(board.picture.toImage())
    assert not board.curves.waiting
    assert np.ptp(grey(part(after, *words))) < 60
    assert np.ptp(grey(part(after, *curve))) > np.ptp(grey(part(before, *curve)))


def test_that_nothing_is_repainted_when_nothing_that_can_be_seen_changed() -> None:
    session = session_of()
    board = Board(session, screen_of([VALUE], SMALL), dark())
    board.layout(QSize(400, 200))
    board.frame()
    assert board.frame() == []
    session.put("LT-250", 3.8701)
    assert board.frame() == [], "3.87 still reads 3.87"
    session.put("LT-250", 3.88)
    assert len(board.frame()) == 1


def blinking(session: PlantOnATable) -> tuple[Pixels, Pixels]:
    board = Board(session, screen_of([VALUE], SMALL), dark())
    board.layout(QSize(400, 200))
    board.set_phase(0)
    board.frame()
    lit = pixels(board.picture.toImage())
    board.set_phase(600)
    board.frame()
    return lit, pixels(board.picture.toImage())


def test_that_only_the_ring_of_an_unacknowledged_alarm_blinks() -> None:
    session = session_of(4.62)
    session.raise_alarm("LT-250/high")
    lit, dark_phase = blinking(session)
    changed = np.argwhere(np.abs(lit - dark_phase).max(axis=2) > 10)
    assert len(changed) > 20
    left, right = changed[:, 1].min(), changed[:, 1].max()
    assert right - left < 40, "the number and the frame stand still"


def test_that_nothing_blinks_in_replay_nor_after_acknowledgement() -> None:
    replay = session_of(4.62, mode=Mode.REPLAY)
    replay.raise_alarm("LT-250/high")
    assert np.array_equal(*blinking(replay))
    seen = session_of(4.62)
    seen.raise_alarm("LT-250/high", AlarmState.ACKNOWLEDGED)
    assert np.array_equal(*blinking(seen))
