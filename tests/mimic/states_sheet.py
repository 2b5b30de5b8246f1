"""The state sheet: every element in every state, as one screen of the size of the look guide's picture."""

from pydantic import TypeAdapter

from hmi.core.alarm import AlarmKind, AlarmState, Priority
from hmi.core.clock import MINUTE
from hmi.core.command import WriteState
from hmi.core.screen import AnyElement, Screen
from hmi.core.session import Mode, Session
from hmi.core.status import (
    BAD_NO_COMMUNICATION,
    BAD_NO_DATA,
    BAD_OUT_OF_SERVICE,
    BAD_WAITING_FOR_INITIAL_DATA,
    GOOD,
    GOOD_LOCAL_OVERRIDE,
    UNCERTAIN,
    UNCERTAIN_LAST_USABLE_VALUE,
)
from hmi.core.tag import Tag
from tests.mimic.plant_on_a_table import (
    PlantOnATable,
    discrete,
    limit,
    measure,
    plant_of,
    screen_of,
    writable,
)

STATES = (
    "good", "stopped", "alarm_low", "alarm_high", "acknowledged", "returned", "uncertain", "bad", "stale", "never",
    "not_recorded", "forced", "out_of_service", "pending", "unknown", "focus", "disabled",
)  # fmt: skip
ROWS = ("value", "indicator", "tank", "pump", "valve", "motor", "pipe", "button", "setpoint", "lamp")
ROW_HEIGHT = dict(zip(ROWS, (72, 152, 128, 88, 88, 88, 72, 80, 80, 80), strict=True))
TOP, LEFT, PITCH = 88, 104, 106
STATUS = {
    "uncertain": UNCERTAIN,
    "bad": BAD_NO_COMMUNICATION,
    "stale": UNCERTAIN_LAST_USABLE_VALUE,
    "never": BAD_WAITING_FOR_INITIAL_DATA,
    "not_recorded": BAD_NO_DATA,
    "forced": GOOD_LOCAL_OVERRIDE,
    "out_of_service": BAD_OUT_OF_SERVICE,
}
ALARMS = {
    "alarm_low": (AlarmKind.LOW, Priority.MEDIUM, AlarmState.UNACKNOWLEDGED),
    "alarm_high": (AlarmKind.HIGH, Priority.HIGH, AlarmState.UNACKNOWLEDGED),
    "acknowledged": (AlarmKind.HIGH, Priority.HIGH, AlarmState.ACKNOWLEDGED),
    "returned": (AlarmKind.HIGH, Priority.HIGH, AlarmState.RETURNED),
}
_ELEMENT: TypeAdapter[AnyElement] = TypeAdapter(AnyElement)


def element(**said: object) -> AnyElement:
    """An element as a file would say it."""
    return _ELEMENT.validate_python(said)


def cell(row: str, state: str) -> tuple[int, int, int, int]:
    """Left, top, width and height of one cell of the sheet."""
    y = TOP + sum(ROW_HEIGHT[r] for r in ROWS[: ROWS.index(row)])
    return LEFT + STATES.index(state) * PITCH - 8, y, PITCH, ROW_HEIGHT[row]


def _elements(state: str) -> list[AnyElement]:
    x = LEFT + STATES.index(state) * PITCH
    cx = x + 46
    level, run, sp = f"{state}.level", f"{state}.run", f"{state}.sp"
    middle = {r: cell(r, state)[1] + ROW_HEIGHT[r] / 2 for r in ROWS}
    top = {r: cell(r, state)[1] for r in ROWS}
    text = "Running" if state not in ("stopped", "pending", "unknown", "out_of_service") else "Start"
    return [
        element(type="value", at=(x, middle["value"] - 16), value=level),
        element(type="indicator", at=(x, top["indicator"] + 16), size=(88, 120), value=level, low=1, high=6),
        element(type="tank", at=(cx - 28, top["tank"] + 28), size=(56, 76), level=level, low=0, high=5),
        element(type="pump", at=(cx, middle["pump"]), state=run, size=48),
        element(type="valve", at=(cx, middle["valve"] + 6), state=run),
        element(type="motor", at=(cx, middle["motor"]), state=run),
        element(
            type="pipe", points=((x, middle["pipe"] + 6), (x + 92, middle["pipe"] + 6)), flow=run,
            arrows=((cx, middle["pipe"] + 6),), alarms=(run,),
        ),
        element(type="button", at=(x + 4, middle["button"] - 14), text=text, write=run, to=1, on=run),
        element(type="setpoint", at=(x + 2, middle["setpoint"] - 16), size=(90, 32), tag=sp),
        element(type="lamp", at=(cx - 14, middle["lamp"] - 14), state=run),
    ]  # fmt: skip


def states_plant(mode: Mode = Mode.LIVE) -> tuple[Session, Screen]:
    """A session whose tags are in all states, and the screen that shows them."""
    tags: list[Tag] = []
    rules = []
    for state in STATES:
        level = measure(f"{state}.level", normal=(2.8, 4.2), setpoint=f"{state}.wanted")
        run = discrete(f"{state}.run", {0: "stopped", 1: "running"})
        sp = measure(f"{state}.sp", unit="", high=100, decimals=1)
        may = state != "disabled"
        tags += [level, writable(run) if may else run, writable(sp, 0, 100) if may else sp]
        tags.append(measure(f"{state}.wanted", normal=None))
        kind, priority, _ = ALARMS.get(state, (AlarmKind.HIGH, Priority.HIGH, AlarmState.NORMAL))
        at = 4.6 if kind is AlarmKind.HIGH else 1.8
        rules += [limit(name, kind, at, priority) for name in (level.name, run.name, sp.name)]
        rules.append(limit(level.name, AlarmKind.HIGH_HIGH, 5.2, Priority.URGENT))
        if kind is AlarmKind.HIGH:
            rules.append(limit(level.name, AlarmKind.LOW, 1.8, Priority.MEDIUM))
        else:
            rules.append(limit(level.name, AlarmKind.HIGH, 4.6, Priority.HIGH))
    session = PlantOnATable(plant_of(tags, rules), mode)
    elements: list[AnyElement] = []
    for state in STATES:
        _fill(session, state)
        elements += _elements(state)
    return session, screen_of(elements, (1920, 1080))


def _fill(session: PlantOnATable, state: str) -> None:
    status = STATUS.get(state, GOOD)
    level = {"stopped": 0.0, "alarm_low": 1.92, "alarm_high": 4.62, "acknowledged": 4.62}.get(state, 3.87)
    runs = state not in ("stopped", "out_of_service", "pending", "unknown")
    age = 4 * MINUTE if state == "stale" else 0
    wave = [3.5 + 0.4 * ((k * 7) % 11 / 11) for k in range(118)] + [level] * 2
    session.remember(f"{state}.level", wave)
    if state != "never":
        session.put(f"{state}.level", level, status, age)
        session.put(f"{state}.run", float(runs), status, age)
        session.put(f"{state}.sp", 74.0, status, age)
        session.put(f"{state}.wanted", 3.5)
    kind_state = ALARMS.get(state)
    if kind_state is not None:
        for name in ("level", "run", "sp"):
            session.raise_alarm(f"{state}.{name}/{kind_state[0].value}", kind_state[2])
    write = {"pending": WriteState.PENDING, "unknown": WriteState.UNKNOWN}.get(state)
    if write is not None:
        session.add_write(f"{state}.run", 1, write)
        session.add_write(f"{state}.sp", 78.0, write)
        session.add_write(f"{state}.level", 5, write)
