"""Finds tags, screens, devices, active alarms, times and commands by a few letters. No Qt."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from hmi.core.alarm import Alarm, AlarmRule, AlarmState, list_order
from hmi.core.plant import Plant
from hmi.core.session import Session, known_alarms
from hmi.core.status import quality_of, reason_of
from hmi.desktop.place import needs_parameters, title_of
from hmi.desktop.rewind import past_time
from hmi.desktop.words import STATE_WORDS, full_time, shown_value


class Kind(StrEnum):
    """What a hit is; also the heading of its group."""

    ALARM = "Active alarms"
    TAG = "Tags"
    SCREEN = "Screens"
    DEVICE = "Devices"
    TIME = "Go to"
    COMMAND = "Commands"


class Command(StrEnum):
    """What the palette can do by name."""

    TREND = "Trend"
    ALARMS = "Alarm list"
    ACKNOWLEDGE = "Acknowledge all alarms in the list"
    LIVE = "Return to live"
    THEME = "Light or dark"
    STATUS = "Status and problems"
    MANUAL = "Manual"


_KEYS = {
    Command.TREND: "F6", Command.ALARMS: "F7", Command.ACKNOWLEDGE: "Shift F2", Command.LIVE: "End",
    Command.THEME: "Ctrl Shift L", Command.STATUS: "F12", Command.MANUAL: "F1",
}  # fmt: skip
MOST = {Kind.ALARM: 3, Kind.TAG: 6, Kind.SCREEN: 4, Kind.DEVICE: 3, Kind.TIME: 1, Kind.COMMAND: 3}


@dataclass(frozen=True, slots=True)
class Hit:
    """One line. `key` names a tag, screen or device, an alarm by its key, or a command; `time_us` is a time's."""

    kind: Kind
    key: str
    title: str
    text: str = ""
    right: str = ""
    priority: int = 0
    state: AlarmState = AlarmState.NORMAL
    time_us: int = 0


def rank(words: list[str], name: str, text: str) -> int | None:
    """Lower is better; None where a word is found nowhere. The beginning of the name counts most."""
    name, text = name.lower(), text.lower()
    total = 0
    for word in words:
        if name == word:
            total += 0
        elif name.startswith(word):
            total += 1
        elif any(part.startswith(word) for part in name.replace("-", ".").replace("_", ".").split(".")):
            total += 2
        elif word in name:
            total += 3
        elif any(part.startswith(word) for part in text.split()):
            total += 4
        elif word in text:
            total += 5
        else:
            return None
    return total


def tag_of(hit: Hit, plant: Plant) -> str:
    """The tag that a hit is about, or empty."""
    if hit.kind is Kind.TAG:
        return hit.key
    rule = plant.rule.get(hit.key) if hit.kind is Kind.ALARM else None
    return plant.tags[rule.tag].name if rule is not None and rule.tag >= 0 else ""


def search(query: str, session: Session, live: Session) -> list[Hit]:
    """Hits by groups, best first. An empty query gives the active alarms, screens and commands."""
    words = query.lower().split()
    plant = session.plant
    hits: list[Hit] = []
    rules = plant.rule
    alarms = sorted((a for a in known_alarms(session) if a.key in rules), key=lambda a: list_order(rules[a.key], a))
    hits += _best(words, Kind.ALARM, (_alarm_hit(session, rules[alarm.key], alarm) for alarm in alarms))
    if words:
        hits += _best(words, Kind.TAG, (
            (tag.name, f"{tag.description} {tag.area}", Hit(Kind.TAG, tag.name, tag.name, tag.description))
            for tag in plant.tags
        ))  # fmt: skip
    hits += _best(words, Kind.SCREEN, (
        (title_of(plant, name), name, Hit(Kind.SCREEN, name, title_of(plant, name), name, f"level {head.level}"))
        for name, head in sorted(plant.screens.items(), key=lambda item: (item[1].level, item[1].order))
        if not name.startswith("parts/") and not needs_parameters(plant, name)
    ))  # fmt: skip
    if words:
        states = {d.name: d.state.value for d in session.health.devices}
        hits += _best(words, Kind.DEVICE, (
            (d.name, d.description, Hit(Kind.DEVICE, d.name, d.name, d.description, states.get(d.name, "")))
            for d in plant.devices
        ))  # fmt: skip
    now = live.now_us()
    time_us = past_time(query, now, plant.zone) if words else None
    if time_us is not None:
        text = f"Replay the plant from {full_time(time_us, plant.zone)}"
        hits.append(Hit(Kind.TIME, query, query.strip(), text, "time", time_us=time_us))
    hits += _best(words, Kind.COMMAND, (
        (command.value, "", Hit(Kind.COMMAND, command.value, command.value, "", _KEYS[command])) for command in Command
    ))  # fmt: skip
    return [_with_value(hit, session) for hit in hits]


def _alarm_hit(session: Session, rule: AlarmRule, alarm: Alarm) -> tuple[str, str, Hit]:
    value = ""
    if rule.tag >= 0 and quality_of(int(session.table.status[rule.tag])).has_value:
        value = shown_value(session.plant.tags[rule.tag], session.table)
    text = f"{rule.text}, {STATE_WORDS[alarm.state].lower()}"
    return rule.source, rule.text, Hit(Kind.ALARM, alarm.key, rule.source, text, value, int(rule.priority), alarm.state)


def _with_value(hit: Hit, session: Session) -> Hit:
    if hit.kind is not Kind.TAG:
        return hit
    tag = session.plant.tag(hit.key)
    status = int(session.table.status[tag.index])
    right = shown_value(tag, session.table) if quality_of(status).has_value else reason_of(status)
    return Hit(hit.kind, hit.key, hit.title, hit.text, right)


def _best(words: list[str], kind: Kind, candidates: Iterable[tuple[str, str, Hit]]) -> list[Hit]:
    found = [
        (r, i, hit) for i, (name, text, hit) in enumerate(candidates) if (r := rank(words, name, text)) is not None
    ]
    return [hit for _, _, hit in sorted(found, key=lambda one: one[:2])[: MOST[kind]]]
