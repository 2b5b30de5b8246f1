"""The plant as described by its files: what every other part works on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from hmi.core.alarm import AlarmKind, AlarmRule
from hmi.core.clock import DAY
from hmi.core.device import Device
from hmi.core.problem import Problem
from hmi.core.screen import Screen, ScreenHead
from hmi.core.tag import Tag


@dataclass(frozen=True, slots=True)
class HistorianSettings:
    """Where history goes. Without `dsn_env` the embedded PostgreSQL; with it, the DSN in that environment variable."""

    dsn_env: str | None = None
    keep_raw_us: int = 90 * DAY
    share_of_disk: float = 0.5
    keep_sent_us: int = 2 * DAY


@dataclass(frozen=True)
class Plant:
    """One accepted configuration. Immutable; a changed file makes a new one.

    `revision` is a hash of all files. `files` are their texts by path relative to the plant folder, with `/`: what the
    collector accepted and what it sends to the desktop. `screens` maps names (`overview`, `faceplates/pump`) to heads;
    `open_screen` makes a screen with its parameters.
    """

    name: str
    zone: ZoneInfo
    start_screen: str
    devices: tuple[Device, ...]
    tags: tuple[Tag, ...]
    alarms: tuple[AlarmRule, ...]
    screens: Mapping[str, ScreenHead]
    historian: HistorianSettings
    revision: str
    files: Mapping[str, str] = field(repr=False, default_factory=dict)
    opener: Callable[[str, Mapping[str, Any]], tuple[Screen, list[Problem]]] | None = field(repr=False, default=None)

    @cached_property
    def tag_index(self) -> dict[str, int]:
        return {tag.name: tag.index for tag in self.tags}

    @cached_property
    def rules_of(self) -> dict[str, tuple[AlarmRule, ...]]:
        """Alarm rules by the name of their tag or device."""
        found: dict[str, list[AlarmRule]] = {}
        for rule in self.alarms:
            found.setdefault(rule.source, []).append(rule)
        return {source: tuple(rules) for source, rules in found.items()}

    @cached_property
    def rule(self) -> dict[str, AlarmRule]:
        """Alarm rules by key."""
        return {rule.key: rule for rule in self.alarms}

    def tag(self, name: str) -> Tag:
        """The tag of that name. Raises `KeyError`."""
        return self.tags[self.tag_index[name]]

    def device(self, name: str) -> Device:
        """The device of that name. Raises `KeyError`."""
        for device in self.devices:
            if device.name == name:
                return device
        raise KeyError(name)

    def tags_of(self, device: str) -> tuple[Tag, ...]:
        return tuple(tag for tag in self.tags if tag.device == device)

    def limit(self, tag: str, kind: AlarmKind) -> float | None:
        """The limit of that kind on a tag, if there is one."""
        for rule in self.rules_of.get(tag, ()):
            if rule.kind is kind:
                return rule.limit
        return None

    def open_screen(self, name: str, parameters: Mapping[str, Any] | None = None) -> tuple[Screen, list[Problem]]:
        """The screen with its parameters filled in, and what is wrong with it. Raises `KeyError` if unknown."""
        if self.opener is None:
            raise KeyError(name)
        return self.opener(name, parameters or {})
