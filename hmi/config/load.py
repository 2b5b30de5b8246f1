"""From the texts of a plant folder to a `Plant` and everything that is wrong with them."""

import hashlib
from collections.abc import Mapping

from hmi.config.alarms import AlarmBook, with_priority
from hmi.config.code import Code
from hmi.config.excused import Excused
from hmi.config.folder import PLANT_FILE, report_strangers, usable
from hmi.config.plant_file import Head, read_plant_file
from hmi.config.report import Report
from hmi.config.screens import ScreenBook
from hmi.config.symbols import check_symbols
from hmi.config.tag_files import Written, read_csv, read_yaml
from hmi.config.tags import check_addresses, make_tags
from hmi.core.clock import SECOND
from hmi.core.device import Device, DriverKind
from hmi.core.plant import Plant
from hmi.core.problem import Place, Problem, Severity, did_you_mean


def load_plant(
    files: Mapping[str, str], drivers: Mapping[str, DriverKind], environment: Mapping[str, str]
) -> tuple[Plant | None, list[Problem]]:
    """The plant, and all problems in the order of files and lines.

    The plant is None where plant.yaml, tags or alarms have an error. With errors in screens only, the plant is whole
    and those screens hold placeholders. `environment` may override options of devices (HMI_DEVICE_PLC_1_PORT=15021).
    Pure: nothing is read from the disk. May run on any thread.
    """
    report = Report()
    readable = {name: text for name, text in sorted(files.items()) if usable(name, text, report)}
    report_strangers(files, report)
    excused = Excused()
    if any(name.startswith("tags/") and name not in readable for name in files):
        excused.everything()
    written = _written(readable, excused, report)
    head: Head | None = None
    # Where plant.yaml cannot be used, the devices that the tags name stand in, so that all else is still checked.
    devices: Mapping[str, Device | None] = {one.entry.device: None for one in written if one.entry.device is not None}
    if PLANT_FILE in readable:
        head = read_plant_file(readable[PLANT_FILE], drivers, environment, report)
        devices = devices if head is None else head.devices
    elif PLANT_FILE not in files:
        report.error(
            Place(PLANT_FILE), Code.FILE_MISSING, "the file is missing", "'hmi new' makes a plant to begin with"
        )
    known = make_tags(written, devices, SECOND if head is None else head.entry.period, excused, report)
    screens = ScreenBook(readable, known, devices)
    alarms = AlarmBook(known, devices, report)
    for name, text in readable.items():
        if name.startswith("alarms/") and name.endswith(".yaml"):
            alarms.read(name, text)
    rules = alarms.rules(screens.names)
    if head is not None:
        _check_start(head, screens, report)
    check_addresses(known, devices, drivers, report)
    screens.check(report)
    check_symbols(readable, report)
    problems = report.problems()
    if head is None or any(_forbids(problem) for problem in problems):
        return None, problems
    whole = tuple(with_priority(d, alarms.priority_of(d.name)) for d in devices.values() if d is not None)
    plant = Plant(
        name=head.entry.name,
        zone=head.zone,
        start_screen=head.entry.start,
        devices=whole,
        tags=known.tags,
        alarms=rules,
        screens=screens.heads(),
        historian=head.historian,
        revision=revision_of(files),
        files=dict(files),
        opener=screens.open,
    )
    return plant, problems


def _forbids(problem: Problem) -> bool:
    """Whether a plant cannot be made; what is wrong in a screen leaves the rest of the plant whole."""
    return problem.severity is Severity.ERROR and not problem.place.file.startswith(("screens/", "symbols/"))


def revision_of(files: Mapping[str, str]) -> str:
    """A hash over all files: two plants with the same revision say the same."""
    digest = hashlib.sha256()
    for name, text in sorted(files.items()):
        for part in (name, text):
            data = part.encode(errors="replace")
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]


def _written(files: Mapping[str, str], excused: Excused, report: Report) -> list[Written]:
    found: list[Written] = []
    for name, text in files.items():
        if not name.startswith("tags/"):
            continue
        if name.endswith(".csv"):
            found += read_csv(name, text, excused, report)
        elif name.endswith(".yaml"):
            found += read_yaml(name, text, excused, report)
    return found


def _check_start(head: Head, screens: ScreenBook, report: Report) -> None:
    start = head.entry.start
    if start not in screens.names:
        hint = did_you_mean(start, screens.names) or "it names a file in screens, without .yaml"
        report.error(head.place("start"), Code.SCREEN_UNKNOWN, f"unknown screen '{start}'", hint)
