"""CPU time in which a large plant is read and checked: 5,000 tags, 500 alarms, 50 screens of 100 elements."""

import time
from collections.abc import Iterator

from hmi.config import load_plant
from hmi.drivers import DRIVERS
from tests.bench.figure import Figure

TAGS, SCREENS, ELEMENTS = 5_000, 50, 100


def large_plant() -> dict[str, str]:
    """The files of a plant with mixed elements, one faceplate opened from every screen."""
    devices = "".join(f"  PLC-{d}: {{driver: modbus-tcp, host: 127.0.0.1, port: {1502 + d}}}\n" for d in range(10))
    rows = ["name,description,device,address,type,unit,low,high,normal_low,normal_high,deadband"]
    alarms = ["version: 1", "alarms:"]
    for i in range(TAGS // 2):
        device, base = f"PLC-{i % 10}", (i // 10) * 4
        rows.append(f"U{i}.level,Level {i},{device},holding:{base},float32,m,0,6,1,5,0.01")
        rows.append(f"U{i}.state,State {i},{device},holding:{base + 2},uint16,,,,,,")
        if i % 5 == 0:
            alarms.append(f"  U{i}.level: {{high: {{limit: 5, priority: high, text: Level {i} high}}}}")
    files = {
        "plant.yaml": f"version: 1\nname: Large\nstart: s0\ndevices:\n{devices}",
        "tags/tags.csv": "\n".join(rows) + "\n",
        "alarms/alarms.yaml": "\n".join(alarms) + "\n",
        "screens/faceplates/unit.yaml": (
            "version: 1\nscreen: {title: $unit, params: {unit: {type: prefix}}}\nelements:\n"
            "  - {type: value, at: [10, 10], value: $unit.level}\n"
            "  - {type: pump, at: [10, 90], state: $unit.state}\n"
        ),
    }
    for s in range(SCREENS):
        lines = ["version: 1", f"screen: {{title: Screen {s}}}", "elements:"]
        for e in range(ELEMENTS):
            unit, at = f"U{(s * ELEMENTS + e) % (TAGS // 2)}", f"[{e % 10 * 150}, {e // 10 * 80}]"
            lines.append("  - " + _element(e, unit, at))
        files[f"screens/s{s}.yaml"] = "\n".join(lines) + "\n"
    return files


def _element(number: int, unit: str, at: str) -> str:
    forms = (
        f"{{type: value, at: {at}, value: {unit}.level, open: {{faceplate: unit, with: {{unit: {unit}}}}}}}",
        f"{{type: pump, at: {at}, state: {unit}.state}}",
        f'{{type: text, at: {at}, text: "Level {{{unit}.level:.2f}} m"}}',
        f'{{type: lamp, at: {at}, state: "= {{{unit}.level}} > 3 and {{{unit}.state}} == 1"}}',
        f"{{type: tank, at: {at}, size: [80, 60], level: {unit}.level}}",
    )
    return forms[number % len(forms)]


def figures() -> Iterator[Figure]:
    files = large_plant()
    best, plant, problems = float("inf"), None, []
    for _ in range(3):
        begin = time.process_time()
        plant, problems = load_plant(files, DRIVERS, {})
        best = min(best, time.process_time() - begin)
    if plant is None or problems:
        raise SystemExit(f"the plant of the bench has problems: {problems[:3]}")
    yield Figure("config", "check_5000_tags_s", best, "s")
    begin = time.process_time()
    for s in range(10):
        plant.open_screen(f"s{s}")
    opened = (time.process_time() - begin) * 1000
    yield Figure("config", "open_1000_elements_model_ms", opened, "ms")
