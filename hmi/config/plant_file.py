"""Reads plant.yaml: name, time zone, devices with their drivers' options, historian."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import BaseModel, ValidationError
from yaml.nodes import MappingNode, Node

from hmi.config.code import Code
from hmi.config.entry import DeviceEntry, HistorianEntry, PlantEntry
from hmi.config.folder import PLANT_FILE
from hmi.config.report import Report
from hmi.config.tree import child, items, key_text, place_of, plain, read_tree, resolve
from hmi.config.wording import checked, findings_of, place_of_finding
from hmi.core.device import Device, DriverKind
from hmi.core.event import COLLECTOR
from hmi.core.plant import HistorianSettings
from hmi.core.problem import Place, did_you_mean

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
_OVERRIDABLE = ("period", "trust_clock")
_COMMON = tuple(DeviceEntry.model_fields)


@dataclass(frozen=True, slots=True)
class Head:
    """What plant.yaml says. `devices` maps every name, to None where the entry is wrong; `root` is the file's tree."""

    entry: PlantEntry
    zone: ZoneInfo
    devices: dict[str, Device | None]
    historian: HistorianSettings
    root: MappingNode

    def place(self, *path: str) -> Place:
        """Where plant.yaml says something."""
        node: Node = self.root
        for part in path:
            node = child(node, part) or node
        return place_of(PLANT_FILE, node)


def read_plant_file(
    text: str, drivers: Mapping[str, DriverKind], environment: Mapping[str, str], report: Report
) -> Head | None:
    """The head of the plant, or None where plant.yaml cannot be used at all."""
    root = read_tree(PLANT_FILE, text, report)
    if root is None:
        return None
    entry = checked(PlantEntry, plain(root), PLANT_FILE, root, report)
    if entry is None:
        # The devices are judged all the same, so that one run shows every mistake.
        for key, node in items(child(root, "devices")):
            _read_device(key, node, 0, drivers, environment, report)
        return None
    devices: dict[str, Device | None] = {}
    for key, node in items(child(root, "devices")):
        devices[key_text(key)] = _read_device(key, node, entry.period, drivers, environment, report)
    _report_strange_variables(devices, drivers, root, environment, report)
    return Head(entry, _zone(entry.zone, root, report), devices, _historian(entry.historian), root)


def _zone(name: str, root: MappingNode, report: Report) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        place = place_of(PLANT_FILE, child(root, "zone") or root)
        hint = did_you_mean(name, available_timezones()) or "such as Europe/Berlin"
        report.error(place, Code.WRONG_VALUE, f"unknown time zone '{name}'", hint)
        return ZoneInfo("UTC")


def _historian(entry: HistorianEntry) -> HistorianSettings:
    usual = HistorianSettings()
    return HistorianSettings(
        entry.dsn_env,
        usual.keep_raw_us if entry.keep_raw is None else entry.keep_raw,
        entry.share_of_disk,
        usual.keep_sent_us if entry.keep_sent is None else entry.keep_sent,
    )


def _read_device(
    key: Node,
    node: Node,
    period_us: int,
    drivers: Mapping[str, DriverKind],
    environment: Mapping[str, str],
    report: Report,
) -> Device | None:
    name = key_text(key)
    before = report.errors
    if not _NAME.match(name):
        hint = "letters, digits, '_' and '-', such as PLC-1"
        report.error(place_of(PLANT_FILE, key), Code.NAME, f"'{name}' is not a device name", hint)
    elif name == COLLECTOR:
        report.error(place_of(PLANT_FILE, key), Code.NAME, f"no device may be called '{name}'")
    if not isinstance(node, MappingNode):
        return None  # reported with the file as a whole
    data = plain(node)
    kind = _driver(key, node, data, drivers, report)
    if kind is None:
        return None
    options_model: type[BaseModel] = kind.options
    allowed = _option_names(options_model)
    data |= _from_environment(name, allowed, environment)
    common = checked(DeviceEntry, {k: v for k, v in data.items() if k in _COMMON}, PLANT_FILE, node, report)
    said = {k: v for k, v in data.items() if k not in _COMMON or k in allowed}
    options = _options(options_model, said, allowed, name, node, environment, report)
    if common is None or options is None or report.errors > before:
        return None
    return Device(name, common.driver, options, common.description, common.period or period_us, common.trust_clock)


def _driver(
    key: Node, node: MappingNode, data: Mapping[str, Any], drivers: Mapping[str, DriverKind], report: Report
) -> DriverKind | None:
    driver = data.get("driver")
    if driver is None:
        hint = f"one of {', '.join(sorted(drivers))}"
        report.error(place_of(PLANT_FILE, key), Code.KEY_MISSING, "'driver' is missing", hint)
        return None
    if not isinstance(driver, str) or driver not in drivers:
        hint = did_you_mean(str(driver), drivers) or f"there are: {', '.join(sorted(drivers))}"
        place = place_of(PLANT_FILE, child(node, "driver") or key)
        report.error(place, Code.DRIVER_UNKNOWN, f"unknown driver '{driver}'", hint)
        return None
    return drivers[driver]


def _option_names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _options(
    model: type[BaseModel],
    said: dict[str, Any],
    allowed: list[str],
    device: str,
    node: MappingNode,
    environment: Mapping[str, str],
    report: Report,
) -> BaseModel | None:
    strange = [key for key in said if key not in allowed]
    for key in strange:
        key_at = next((k for k, _ in items(node) if key_text(k) == key), node)
        hint = did_you_mean(key, [*allowed, *_COMMON])
        report.error(place_of(PLANT_FILE, key_at), Code.KEY_UNKNOWN, f"unknown key '{key}'", hint)
        del said[key]
    try:
        options = model.model_validate(said)
    except ValidationError as error:
        for finding in findings_of(error, model):
            variable = variable_of(device, str(finding.loc[0])) if finding.loc else ""
            if variable in environment:
                report.error(Place(PLANT_FILE), Code.ENVIRONMENT, f"environment variable {variable}: {finding.message}")
            else:
                place = place_of_finding(PLANT_FILE, node, finding)
                report.error(place, finding.code, finding.message, finding.hint)
        return None
    return None if strange else options


def variable_of(device: str, option: str) -> str:
    """The environment variable that overrides an option of a device: HMI_DEVICE_PLC_1_PORT."""
    return f"HMI_DEVICE_{_upper(device)}_{_upper(option)}"


def _report_strange_variables(
    devices: Mapping[str, Device | None],
    drivers: Mapping[str, DriverKind],
    root: MappingNode,
    environment: Mapping[str, str],
    report: Report,
) -> None:
    """Warn of variables that mean to override something and do not: a port given in vain costs an hour."""
    known: list[str] = []
    for name in devices:
        driver = plain(child(child(child(root, "devices"), name), "driver") or root)
        kind = drivers.get(driver) if isinstance(driver, str) else None
        options = [] if kind is None else _option_names(kind.options)
        known += [variable_of(name, option) for option in [*options, *_OVERRIDABLE]]
    for variable in environment:
        if variable.startswith("HMI_DEVICE_") and variable not in known and all(devices.values()):
            message = f"environment variable {variable} overrides nothing"
            report.warning(Place(PLANT_FILE), Code.ENVIRONMENT, message, did_you_mean(variable, known))


def _upper(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", text.upper())


def _from_environment(name: str, allowed: list[str], environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    options = {variable_of(name, option): option for option in [*allowed, *_OVERRIDABLE]}
    for variable, option in options.items():
        if variable in environment:
            found[option] = resolve(environment[variable])
    return found
