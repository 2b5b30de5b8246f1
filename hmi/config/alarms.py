"""Reads alarms/*.yaml into alarm rules, and gives every device the alarm of its loss."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from pydantic import ValidationError
from yaml.nodes import Node, ScalarNode, SequenceNode

from hmi.config.code import Code
from hmi.config.entry import AlarmEntry, AlarmFileEntry
from hmi.config.filling import depends, fill, fill_key
from hmi.config.report import Report
from hmi.config.tags import Known
from hmi.config.tree import child, items, key_text, place_of, plain, read_tree
from hmi.config.wording import checked, findings_of, place_of_finding
from hmi.core.alarm import COLLECTOR_RULES, AlarmKind, AlarmRule, Priority
from hmi.core.device import Device
from hmi.core.problem import Place, did_you_mean
from hmi.core.tag import DataType, Tag

_PRIORITIES = {
    "urgent": Priority.URGENT,
    "high": Priority.HIGH,
    "medium": Priority.MEDIUM,
    "low": Priority.LOW,
}
_LIMITS = (AlarmKind.LOW_LOW, AlarmKind.LOW, AlarmKind.HIGH, AlarmKind.HIGH_HIGH)
_KINDS = (*_LIMITS, AlarmKind.STATE)
_WORDS = {
    AlarmKind.HIGH_HIGH: "very high",
    AlarmKind.HIGH: "high",
    AlarmKind.LOW: "low",
    AlarmKind.LOW_LOW: "very low",
    AlarmKind.STATE: "fault",
}


@dataclass(frozen=True, slots=True)
class _At:
    """An alarm as written: the place of a key, and what it says with `$item` filled in."""

    file: str
    key: Node
    node: Node
    values: Mapping[str, str]

    def place(self, word: str = "") -> Place:
        node = child(self.node, word) if word else None
        return place_of(self.file, self.key if node is None else node)


class AlarmBook:
    """Collects the rules of all alarm files; `rules` gives them once all are read."""

    def __init__(self, known: Known, devices: Mapping[str, Device | None], report: Report) -> None:
        self._tags = {tag.name: tag for tag in known.tags}
        self._spelling = known.spelling
        self._excused = known.excused
        self._devices = devices
        self._report = report
        self._rules: dict[str, AlarmRule] = {}
        self._written: dict[str, _At] = {}
        self._lost: dict[str, Priority | None] = {}
        self._lost_at: dict[str, Place] = {}

    def read(self, file: str, text: str) -> None:
        """Take over one file."""
        root = read_tree(file, text, self._report)
        if root is None:
            return
        entry = checked(AlarmFileEntry, plain(root), file, root, self._report)
        if entry is None:
            return
        self._read_alarms(file, child(root, "alarms"), {})
        each = child(root, "each")
        for node in each.value if isinstance(each, SequenceNode) else ():
            names = child(node, "for")
            for name in names.value if isinstance(names, SequenceNode) else ():
                self._read_alarms(file, child(node, "alarms"), {"item": name.value}, name)
        for key, _ in items(child(root, "devices")):
            self._read_device(file, key, entry.devices[key_text(key)].priority)

    def rules(self, screens: Sequence[str]) -> tuple[AlarmRule, ...]:
        """All rules: those of tags in the order of the files, then those of devices and of the collector itself."""
        self._check_order()
        for key, rule in self._rules.items():
            if rule.screen is not None and rule.screen not in screens:
                at = self._written[key].place("screen")
                hint = did_you_mean(rule.screen, screens)
                self._report.error(at, Code.SCREEN_UNKNOWN, f"unknown screen '{rule.screen}'", hint)
        found = list(self._rules.values())
        for name, device in self._devices.items():
            priority = self._lost.get(name, Priority.MEDIUM)
            if priority is not None:
                found.append(_device_lost(name, device, priority))
        return (*found, *COLLECTOR_RULES)

    def priority_of(self, device: str) -> Priority | None:
        """The priority of a device's loss; None where no alarm is wanted."""
        return self._lost.get(device, Priority.MEDIUM)

    def _read_device(self, file: str, key: Node, word: str) -> None:
        name = key_text(key)
        place = place_of(file, key)
        if name not in self._devices:
            hint = did_you_mean(name, self._devices)
            self._report.error(place, Code.DEVICE_UNKNOWN, f"unknown device '{name}'", hint)
        elif name in self._lost:
            self._report.error(place, Code.DEFINED_TWICE, f"given twice; the first is at {self._lost_at[name]}")
        self._lost[name] = _PRIORITIES.get(word)
        self._lost_at.setdefault(name, place)

    def _read_alarms(self, file: str, node: Node | None, values: Mapping[str, str], item: Node | None = None) -> None:
        for key, kinds in items(node):
            name = fill_key(key, values, self._unknown(file))
            tag = self._tags.get(name)
            if tag is None and not self._excused.covers(name):
                # With `$item`, the name in the list is what is wrong.
                place = place_of(file, item if item is not None and depends(key) else key)
                hint = did_you_mean(name, self._spelling)
                if name in self._devices:
                    hint = "a device's alarm stands under 'devices:'"
                self._report.error(place, Code.TAG_UNKNOWN, f"unknown tag '{name}'", hint)
            for kind, said in items(kinds):
                self._read_alarm(tag, key_text(kind), _At(file, kind, said, values))

    def _read_alarm(self, tag: Tag | None, word: str, at: _At) -> None:
        kinds = [kind.value for kind in _KINDS]
        if word not in kinds:
            hint = did_you_mean(word, kinds) or f"one of {', '.join(kinds)}"
            self._report.error(at.place(), Code.WRONG_VALUE, f"unknown kind of alarm '{word}'", hint)
            return
        kind = AlarmKind(word)
        entry = self._entry(fill(at.node, at.values, self._unknown(at.file)), at)
        if entry is None or tag is None or not self._fits(tag, kind, entry, at):
            return
        key = f"{tag.name}/{kind}"
        if key in self._written:
            first = self._written[key].place()
            message = f"alarm '{word}' of '{tag.name}' is defined twice"
            self._report.error(at.place(), Code.DEFINED_TWICE, message, f"the first is at {first}")
            return
        self._written[key] = at
        self._rules[key] = AlarmRule(
            key=key,
            tag=tag.index,
            source=tag.name,
            kind=kind,
            priority=_PRIORITIES[entry.priority],
            text=entry.text or f"{tag.description or tag.name}: {_WORDS[kind]}",
            limit=entry.limit or 0.0,
            deadband=entry.deadband,
            on_delay_us=entry.delay,
            off_delay_us=entry.off_delay,
            equals=self._equals(tag, entry, at) if kind is AlarmKind.STATE else (),
            cause=entry.cause,
            consequence=entry.consequence,
            action=(entry.action,) if isinstance(entry.action, str) else tuple(entry.action),
            respond_us=entry.respond,
            area=tag.area,
            screen=entry.screen,
        )

    def _entry(self, data: Any, at: _At) -> AlarmEntry | None:
        try:
            return AlarmEntry.model_validate(data)
        except ValidationError as error:
            for finding in findings_of(error, AlarmEntry):
                place = place_of_finding(at.file, at.node, finding) if finding.loc else at.place()
                self._report.error(place, finding.code, finding.message, finding.hint)
            return None

    def _fits(self, tag: Tag, kind: AlarmKind, entry: AlarmEntry, at: _At) -> bool:
        if tag.data_type is DataType.TEXT:
            message = f"'{tag.name}' is a text; an alarm needs a number or a state"
            self._report.error(at.place(), Code.TAG_UNFIT, message)
            return False
        needed, other = ("equals", "limit") if kind is AlarmKind.STATE else ("limit", "equals")
        if getattr(entry, needed) is None:
            hint = "the values at which it comes: [2]" if needed == "equals" else "the value at which it comes"
            self._report.error(at.place(), Code.KEY_MISSING, f"'{needed}' is missing", hint)
            return False
        if getattr(entry, other) is not None:
            message = f"an alarm of kind '{kind}' has no '{other}'"
            self._report.error(at.place(other), Code.KEY_UNKNOWN, message)
            return False
        limit = entry.limit
        outside = limit is not None and (
            (tag.low is not None and limit < tag.low) or (tag.high is not None and limit > tag.high)
        )
        if outside:
            message = f"the limit lies outside the range of '{tag.name}': it can never be reached"
            self._report.warning(at.place("limit"), Code.RANGE, message)
        return True

    def _equals(self, tag: Tag, entry: AlarmEntry, at: _At) -> tuple[int, ...]:
        said = entry.equals if isinstance(entry.equals, list) else [entry.equals]
        numbers = {name.lower(): number for number, name in tag.states.items()}
        found = []
        for value in said:
            if isinstance(value, bool | int):
                number: int | None = int(value)
            else:
                number = numbers.get(str(value).lower())
            if number is None or (tag.states and number not in tag.states):
                hint = did_you_mean(str(value), tag.states.values())
                states = "|".join(f"{n}={word}" for n, word in tag.states.items())
                message = f"'{value}' is no state of '{tag.name}'" + (f" ({states})" if states else "")
                self._report.error(at.place("equals"), Code.WRONG_VALUE, message, hint)
            else:
                found.append(number)
        return tuple(found)

    def _check_order(self) -> None:
        """Low-low below low below high below high-high: the first that is out of order is told."""
        for name in dict.fromkeys(rule.source for rule in self._rules.values()):
            keys = [f"{name}/{kind}" for kind in _LIMITS if f"{name}/{kind}" in self._rules]
            for lower, upper in pairwise(keys):
                a, b = self._rules[lower], self._rules[upper]
                if a.limit >= b.limit:
                    message = f"the limit of {b.kind} ({b.limit:g}) must be above that of {a.kind} ({a.limit:g})"
                    self._report.error(self._written[upper].place("limit"), Code.LIMIT_ORDER, message)
                    break

    def _unknown(self, file: str) -> Any:
        def report(node: ScalarNode, name: str, offset: int) -> None:
            hint = "only $item is known here, in 'each:'; write $$ for a dollar sign"
            self._report.error(place_of(file, node, offset), Code.PARAMETER_UNKNOWN, f"unknown '${name}'", hint)

        return report


def _device_lost(name: str, device: Device | None, priority: Priority) -> AlarmRule:
    described = f" ({device.description})" if device is not None and device.description else ""
    return AlarmRule(
        key=f"{name}/{AlarmKind.DEVICE_LOST}",
        tag=-1,
        source=name,
        kind=AlarmKind.DEVICE_LOST,
        priority=priority,
        text=f"{name}{described}: no communication",
        cause="The device is off, or the network to it is broken.",
        consequence="Its values are unknown, and it cannot be operated from here.",
        action=("Look at the device and its network.", "Operate it on site until it is back."),
    )


def with_priority(device: Device, priority: Priority | None) -> Device:
    """The device with the priority of its loss."""
    return replace(device, alarm_priority=None if priority is None else int(priority))
