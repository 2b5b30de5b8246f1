"""What stands in the frames: alarms, writes, health and problems as JSON, and back."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hmi.core.alarm import Alarm, AlarmState
from hmi.core.command import Write, WriteState
from hmi.core.device import DeviceHealth, DeviceState
from hmi.core.problem import Place, Problem, Severity
from hmi.core.session import Health, HistorianHealth, HistorianState, LinkState

Json = dict[str, Any]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def alarm_to(alarm: Alarm) -> Json:
    return {**asdict(alarm), "value": _number(alarm.value)}


def alarm_from(body: Mapping[str, Any]) -> Alarm:
    value = body["value"]
    return Alarm(**{**body, "state": AlarmState(body["state"]), "value": math.nan if value is None else value})


def write_to(write: Write) -> Json:
    return asdict(write)


def write_from(body: Mapping[str, Any]) -> Write:
    return Write(**{**body, "state": WriteState(body["state"])})


def health_to(health: Health) -> Json:
    return asdict(health)


def health_from(body: Mapping[str, Any]) -> Health:
    historian = body["historian"]
    return Health(
        LinkState(body["link"]),
        body["heard_us"],
        HistorianHealth(**{**historian, "state": HistorianState(historian["state"])}),
        tuple(DeviceHealth(**{**d, "state": DeviceState(d["state"])}) for d in body["devices"]),
        body["who"],
    )


def problem_to(problem: Problem) -> Json:
    return asdict(problem)


def problem_from(body: Mapping[str, Any]) -> Problem:
    return Problem(**{**body, "place": Place(**body["place"]), "severity": Severity(body["severity"])})
