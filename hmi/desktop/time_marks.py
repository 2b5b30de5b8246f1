"""What stands on the time bar: alarms above, gaps in the band, operator actions below. No Qt."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hmi.core.alarm import Alarm, AlarmState
from hmi.core.clock import SECOND
from hmi.core.event import COLLECTOR, Coverage, Event, EventKind
from hmi.core.plant import Plant
from hmi.desktop.words import alarm_message
from hmi.trend.gaps import Gap, gaps_of, outside

_ACTIONS = (EventKind.WRITE_REQUESTED, EventKind.ALARM_ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class AlarmMark:
    """An alarm at the time when it was raised; `state` is what it is in now, at the time that is shown."""

    time_us: int
    priority: int
    state: AlarmState
    text: str


@dataclass(frozen=True, slots=True)
class ActionMark:
    """Something that an operator did."""

    time_us: int
    text: str


@dataclass(frozen=True, slots=True)
class Marks:
    """All marks of a span, each kind in the order of time."""

    alarms: tuple[AlarmMark, ...] = ()
    actions: tuple[ActionMark, ...] = ()
    gaps: tuple[Gap, ...] = ()
    device_gaps: tuple[Gap, ...] = ()

    @property
    def times(self) -> list[int]:
        """Where the keys for the previous and next mark go."""
        found = {m.time_us for m in self.alarms} | {m.time_us for m in self.actions}
        found |= {g.start_us for g in self.gaps} | {g.end_us for g in self.gaps}
        return sorted(found)

    def before(self, time_us: int) -> int | None:
        times = self.times
        at = bisect_left(times, time_us)
        return times[at - 1] if at else None

    def after(self, time_us: int) -> int | None:
        times = self.times
        at = bisect_right(times, time_us)
        return times[at] if at < len(times) else None


def marks_of(
    plant: Plant,
    events: Iterable[Event],
    coverage: Sequence[Coverage],
    alarms: Mapping[str, Alarm],
    span: tuple[int, int],
    head_us: int,
    now_us: int,
    first_us: int = 0,
) -> Marks:
    """Marks within a span. `alarms` are those that are not normal at `head_us`; a mark after it carries no state.

    An alarm that has just been raised stands there before the historian knows of it. Before `first_us`, when the plant
    was first collected from, there are no gaps: nothing was lost then.
    """
    start, end = span
    found: dict[tuple[str, int], AlarmMark] = {}
    actions: list[ActionMark] = []
    for event in events:
        if not start <= event.time_us <= end:
            continue
        if event.kind is EventKind.ALARM_RAISED and event.priority in (1, 2, 3, 4):
            state = _state_at(alarms.get(event.key), event.time_us, head_us)
            mark = AlarmMark(event.time_us, event.priority, state, event.text)
            found[event.key, event.time_us // SECOND] = mark
        elif event.kind in _ACTIONS:
            actions.append(ActionMark(event.time_us, f"{event.who}: {event.text}" if event.who else event.text))
    for alarm in alarms.values():
        rule = plant.rule.get(alarm.key)
        if rule is None or not start <= alarm.raised_us <= min(end, head_us):
            continue
        key = (alarm.key, alarm.raised_us // SECOND)
        if key not in found:
            found[key] = AlarmMark(alarm.raised_us, int(rule.priority), alarm.state, alarm_message(rule, alarm, plant))
    recorded = {interval.source for interval in coverage}
    known_from = max(start, first_us)
    gaps = gaps_of(COLLECTOR, coverage, known_from, end, now_us)
    device_gaps = [
        gap
        for device in plant.devices
        if device.name in recorded
        for gap in outside(gaps_of(device.name, coverage, known_from, end, now_us), gaps)
    ]
    return Marks(
        tuple(sorted(found.values(), key=lambda m: m.time_us)),
        tuple(sorted(actions, key=lambda m: m.time_us)),
        tuple(gaps),
        tuple(device_gaps),
    )


def _state_at(alarm: Alarm | None, raised_us: int, head_us: int) -> AlarmState:
    if alarm is None or raised_us > head_us or abs(alarm.raised_us - raised_us) >= SECOND:
        return AlarmState.NORMAL
    return alarm.state


def thinned(marks: Sequence[AlarmMark], pixels: Sequence[float], apart: float) -> list[tuple[AlarmMark, float]]:
    """Marks that do not cover one another: of near ones the most urgent, of these the one that needs more attention."""

    def rank(i: int) -> tuple[bool, int, int]:
        mark = marks[i]
        return mark.state is AlarmState.NORMAL, mark.priority, -mark.time_us

    # First the best of every pixel, so that a flood of thousands costs no more than the pixels there are.
    best: dict[int, int] = {}
    for i, x in enumerate(pixels):
        known = best.setdefault(int(x), i)
        if known != i and rank(i) < rank(known):
            best[int(x)] = i
    taken: dict[int, list[float]] = {}
    kept: list[int] = []
    for i in sorted(best.values(), key=rank):
        cell = int(pixels[i] // apart)
        near = (x for neighbour in (cell - 1, cell, cell + 1) for x in taken.get(neighbour, ()))
        if all(abs(pixels[i] - x) >= apart for x in near):
            taken.setdefault(cell, []).append(pixels[i])
            kept.append(i)
    # The most urgent is drawn last, on top.
    return [(marks[i], pixels[i]) for i in reversed(kept)]
