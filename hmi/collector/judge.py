"""Judges limits, states and lost devices, and keeps the state of every alarm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmi.collector.layers import Layers
from hmi.core.alarm import (
    Alarm,
    AlarmKind,
    AlarmRule,
    AlarmState,
    acknowledge,
    raise_alarm,
    return_alarm,
)
from hmi.core.batch import Batch, Floats, Ints
from hmi.core.event import Event, EventKind
from hmi.core.status import is_bad

_NOT_DUE = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Verdict:
    """What changed: the new states of alarms, and what goes into the journal; both in the order of their times."""

    alarms: Sequence[Alarm] = ()
    events: Sequence[Event] = ()

    def __bool__(self) -> bool:
        return bool(self.alarms)


class Judge:
    """All alarms of a plant. Used on one thread; knows no clock but the times that it is given.

    `before` are the alarms as they were when the last collector ended: what stood, stands, and what was acknowledged
    stays so, until a value says otherwise. Columns are by rule.
    """

    def __init__(self, rules: Sequence[AlarmRule], tags: int, before: Sequence[Alarm] = ()) -> None:
        self._rules = tuple(rules)
        self._place = {rule.key: place for place, rule in enumerate(self._rules)}
        known = {alarm.key: alarm for alarm in before if alarm.key in self._place}
        self._gone = [a for a in before if a.key not in self._place and a.state is not AlarmState.NORMAL]
        self._alarms = [known.get(rule.key, Alarm(rule.key)) for rule in self._rules]
        n = len(self._rules)
        self._tag: Ints = np.array([rule.tag for rule in self._rules], np.int64)
        # The rules that watch a tag, and for each which tag that is.
        self._tag_rules = np.flatnonzero(self._tag >= 0)
        self._rule_tag: Ints = self._tag[self._tag_rules]
        self._has_rule = np.zeros(tags, np.bool_)
        self._has_rule[self._rule_tag] = True
        self._position: Ints = np.full(tags, -1, np.int64)
        self._layers = Layers(tags)
        above = np.array([rule.kind in (AlarmKind.HIGH, AlarmKind.HIGH_HIGH) for rule in self._rules], np.bool_)
        self._is_state = np.array([rule.kind is AlarmKind.STATE for rule in self._rules], np.bool_)
        self._any_state = bool(self._is_state.any())
        # One comparison serves both directions: a low limit is a high limit of the negated value.
        self._sign: Floats = np.where(above, 1.0, -1.0)
        self._enter: Floats = self._sign * np.array([rule.limit for rule in self._rules], np.float64)
        self._leave: Floats = self._enter - np.array([rule.deadband for rule in self._rules], np.float64)
        width = max((len(rule.equals) for rule in self._rules), default=0)
        self._equals: Floats = np.full((n, max(width, 1)), np.nan)
        for place, rule in enumerate(self._rules):
            self._equals[place, : len(rule.equals)] = rule.equals
        self._on_delay_us: Ints = np.array([rule.on_delay_us for rule in self._rules], np.int64)
        self._off_delay_us: Ints = np.array([rule.off_delay_us for rule in self._rules], np.int64)
        self._active = np.array([alarm.state.active for alarm in self._alarms], np.bool_)
        self._wanted = self._active.copy()
        self._due_us: Ints = np.full(n, _NOT_DUE, np.int64)
        self._due_value: Floats = np.full(n, np.nan)

    @property
    def standing(self) -> list[Alarm]:
        """All alarms that are not normal."""
        return [alarm for alarm in self._alarms if alarm.state is not AlarmState.NORMAL]

    def judge(self, batch: Batch) -> Verdict:
        """Take in accepted samples. Every sample counts, also when a tag stands several times in the batch."""
        concerned = np.flatnonzero(self._has_rule[batch.tag])
        if not len(concerned):
            return Verdict()
        if len(concerned) < len(batch):
            batch = batch.take(concerned)
        layers = self._layers.of(batch.tag)
        if layers is None:
            return self._carry_out(self._judge_layer(batch))
        fired: list[tuple[int, int, bool, float]] = []
        for layer in layers:
            fired += self._judge_layer(batch.take(layer))
        return self._carry_out(fired)

    def set_back(self, by_us: int) -> None:
        """The clock was set back: what waits for its delay waits no longer for that."""
        self._due_us[self._due_us != _NOT_DUE] -= by_us

    def due(self, now_us: int) -> Verdict:
        """Raise and return what had to wait for its delay."""
        return self._carry_out(self._fire(np.flatnonzero(self._due_us <= now_us)))

    def device(self, name: str, lost: bool, now_us: int) -> Verdict:
        """A device was lost, or is back."""
        places = [
            place
            for place, rule in enumerate(self._rules)
            if rule.kind is AlarmKind.DEVICE_LOST and rule.source == name
        ]
        return self._condition(np.array(places, np.int64), lost, now_us)

    def collector(self, key: str, holds: bool, now_us: int) -> Verdict:
        """A condition of the collector itself began or ended; `key` is the rule's."""
        place = self._place.get(key)
        return Verdict() if place is None else self._condition(np.array([place], np.int64), holds, now_us)

    def acknowledge(self, keys: Sequence[str], now_us: int, who: str) -> Verdict:
        """An operator has seen these alarms."""
        alarms: list[Alarm] = []
        events: list[Event] = []
        for key in dict.fromkeys(keys):
            place = self._place.get(key)
            if place is None:
                continue
            after = acknowledge(self._alarms[place], now_us, who)
            if after is not self._alarms[place]:
                self._alarms[place] = after
                alarms.append(after)
                rule = self._rules[place]
                events.append(_event(EventKind.ALARM_ACKNOWLEDGED, rule, now_us, {"state": after.state.value}, who))
        return Verdict(alarms, events)

    def retire(self, now_us: int) -> Verdict:
        """End the alarms that stood when the last collector ended, and that the plant no longer has. Once, at start."""
        gone, self._gone = self._gone, []
        alarms = [Alarm(alarm.key, raised_us=alarm.raised_us, returned_us=now_us) for alarm in gone]
        events = [
            Event(
                now_us,
                EventKind.ALARM_RETURNED,
                alarm.key.rpartition("/")[0] or alarm.key,
                "no longer an alarm of this plant",
                alarm.key,
                detail={"state": AlarmState.NORMAL.value, "why": "removed from the plant's files"},
            )
            for alarm in gone
        ]
        return Verdict(alarms, events)

    def _judge_layer(self, batch: Batch) -> list[tuple[int, int, bool, float]]:
        """Judge samples of which every tag has one."""
        self._position[batch.tag] = np.arange(len(batch))
        at = self._position[self._rule_tag]
        touched = at >= 0
        self._position[batch.tag] = -1
        rules, sample = self._tag_rules[touched], batch.take(at[touched])
        # What was due before this sample happened before it, even if nobody asked in between.
        fired = self._fire(rules[self._due_us[rules] <= sample.time_us])
        limit = np.where(self._wanted[rules], self._leave[rules], self._enter[rules])
        # NaN is neither beyond a limit nor equal to a state, and is sorted out below.
        holds = sample.value * self._sign[rules] >= limit
        if self._any_state:
            matches = (np.trunc(sample.value)[:, None] == self._equals[rules]).any(axis=1)
            holds = np.where(self._is_state[rules], matches, holds)
        unknown = is_bad(sample.status) | np.isnan(sample.value)
        if unknown.any():
            # What nobody can see neither comes nor goes: a delay that was running begins anew.
            blind = rules[unknown]
            self._due_us[blind] = _NOT_DUE
            self._wanted[blind] = self._active[blind]
            seen = ~unknown
            rules, holds, sample = rules[seen], holds[seen], sample.take(seen)
        return fired + self._turn(rules, holds, sample.time_us, sample.value)

    def _condition(self, rules: NDArray[np.int64], holds: bool, now_us: int) -> Verdict:
        n = len(rules)
        if not n:
            return Verdict()
        fired = self._fire(rules[self._due_us[rules] <= now_us])
        fired += self._turn(rules, np.full(n, holds), np.full(n, now_us, np.int64), np.full(n, np.nan))
        return self._carry_out(fired)

    def _turn(
        self, rules: NDArray[np.int64], holds: NDArray[np.bool_], time_us: Ints, value: Floats
    ) -> list[tuple[int, int, bool, float]]:
        """Note what holds now; what differs from the alarm's state becomes due after its delay."""
        turned = holds != self._wanted[rules]
        if not turned.any():
            return []
        rules, holds, time_us, value = rules[turned], holds[turned], time_us[turned], value[turned]
        self._wanted[rules] = holds
        differs = holds != self._active[rules]
        self._due_us[rules[~differs]] = _NOT_DUE
        rules, holds, time_us, value = rules[differs], holds[differs], time_us[differs], value[differs]
        delay_us = np.where(holds, self._on_delay_us[rules], self._off_delay_us[rules])
        self._due_us[rules] = time_us + delay_us
        self._due_value[rules] = value
        return self._fire(rules[delay_us == 0])

    def _fire(self, rules: NDArray[np.int64]) -> list[tuple[int, int, bool, float]]:
        if not len(rules):
            return []
        self._active[rules] = self._wanted[rules]
        fired = [
            (int(self._due_us[rule]), int(rule), bool(self._wanted[rule]), float(self._due_value[rule]))
            for rule in rules
        ]
        self._due_us[rules] = _NOT_DUE
        return fired

    def _carry_out(self, fired: list[tuple[int, int, bool, float]]) -> Verdict:
        if not fired:
            return Verdict()
        alarms: dict[str, Alarm] = {}
        events: list[Event] = []
        for time_us, place, holds, value in sorted(fired, key=lambda item: item[0]):
            rule, before = self._rules[place], self._alarms[place]
            after = (raise_alarm if holds else return_alarm)(before, time_us, value)
            if after is before:
                continue
            self._alarms[place] = after
            alarms[rule.key] = after
            detail: dict[str, Any] = {"state": after.state.value}
            if np.isfinite(value):
                detail["value"] = value
            if rule.kind.letters:
                detail["limit"] = rule.limit
            kind = EventKind.ALARM_RAISED if holds else EventKind.ALARM_RETURNED
            events.append(_event(kind, rule, time_us, detail))
        return Verdict(list(alarms.values()), events)


def _event(kind: EventKind, rule: AlarmRule, time_us: int, detail: Mapping[str, Any], who: str = "") -> Event:
    return Event(time_us, kind, rule.source, rule.text, rule.key, int(rule.priority), who, detail)
