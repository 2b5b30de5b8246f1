"""The files of Ostbach Waterworks: without a problem, complete, and calm while nothing happens."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hmi.config import load_plant, read_files
from hmi.core.alarm import AlarmKind
from hmi.core.plant import Plant
from hmi.core.resources import Shipped, shipped
from hmi.demo.opcua_server import zone_points
from hmi.demo.waterworks import Waterworks
from hmi.drivers import DRIVERS

PARAMETERS = {
    "faceplates/pump": {"pump": "P-301"},
    "faceplates/filter": {"filter": "F-203"},
    "faceplates/valve": {"valve": "V-401", "pressure": "PT-401", "zone": "North"},
}


@pytest.fixture(scope="module")
def folder() -> Path:
    return shipped(Shipped.SCREENS) / "waterworks"


@pytest.fixture(scope="module")
def plant(folder: Path) -> Plant:
    plant, problems = load_plant(read_files(folder), DRIVERS, {})
    assert problems == []
    assert plant is not None
    return plant


def test_that_the_plant_has_200_tags_at_three_rates(plant: Plant) -> None:
    assert len(plant.tags) >= 200
    for period_us in (100_000, 1_000_000, 10_000_000):
        assert sum(t.period_us == period_us for t in plant.tags) >= 40


def test_that_every_level_has_screens_and_every_screen_opens(plant: Plant) -> None:
    assert {head.level for name, head in plant.screens.items() if "/" not in name} == {1, 2, 3, 4}
    for name in plant.screens:
        screen, problems = plant.open_screen(name, PARAMETERS.get(name))
        assert problems == [], name
        assert len(screen.elements) > 5, name


def test_that_every_alarm_tells_an_operator_what_to_do(plant: Plant) -> None:
    for rule in plant.alarms:
        if rule.kind in (AlarmKind.DEVICE_LOST, AlarmKind.COLLECTOR):
            continue
        assert rule.cause, rule.key
        assert rule.consequence, rule.key
        assert rule.action, rule.key
        assert rule.respond_us, rule.key
        assert rule.screen in plant.screens, rule.key


def test_that_every_measurement_says_what_it_is_and_keeps_a_deadband(plant: Plant) -> None:
    for tag in plant.tags:
        assert tag.description, tag.name
        assert tag.area, tag.name
        if tag.normal is not None and tag.name != "NT-110":
            assert tag.unit or tag.name == "Energy.power_factor", tag.name
            assert 0 < tag.deadband < (tag.normal[1] - tag.normal[0]) / 4, tag.name


def measurements(works: Waterworks) -> dict[str, Callable[[], float]]:
    """What the alarms judge, by tag."""
    found: dict[str, Callable[[], float]] = {name: (lambda n=name: works.shown[n]) for name in works.shown}
    for point in zone_points(works, lambda: 0.0, lambda: 0.0):
        found[point.name] = point.read
    found["AT-265"] = lambda: works.dosing.shown_residual
    found["FT-261"] = lambda: works.dosing.shown_dose
    found["SC-101.state"] = lambda: works.screen.state
    for pump in works.pumps:
        found[f"{pump.name}.state"] = lambda p=pump: p.state
        found[f"{pump.name}.speed"] = lambda p=pump: p.shown_speed
        found[f"{pump.name}.current"] = lambda p=pump: p.shown_current
        found[f"{pump.name}.vibration"] = lambda p=pump: p.shown_vibration
        found[f"{pump.name}.bearing"] = lambda p=pump: p.bearing
        found[f"{pump.name}.winding"] = lambda p=pump: p.winding
    for unit in works.filters:
        found[f"{unit.name}.loss"] = lambda f=unit: f.shown_loss
        found[f"{unit.name}.turbidity"] = lambda f=unit: f.shown_turbidity
    return found


def beyond(kind: AlarmKind, value: float, limit: float, equals: tuple[int, ...]) -> bool:
    if kind is AlarmKind.STATE:
        return int(value) in equals
    return value > limit if kind in (AlarmKind.HIGH, AlarmKind.HIGH_HIGH) else value < limit


@pytest.mark.parametrize(
    "minutes", [10, pytest.param(24, marks=[pytest.mark.long, pytest.mark.timeout(300)], id="a whole day")]
)
def test_that_quiet_minutes_pass_without_an_alarm(plant: Plant, minutes: int) -> None:
    works = Waterworks(seed=1)
    read = measurements(works)
    rules = [r for r in plant.alarms if r.source in read]
    assert len(rules) > 90
    since: dict[str, float] = {}
    outside: dict[str, int] = {}
    bands = [t for t in plant.tags if t.normal is not None and t.name in read and not t.name.startswith("P-")]
    samples = 0
    for step in range(minutes * 600):
        works.step()
        if step % 10:
            continue
        samples += 1
        for rule in rules:
            if beyond(rule.kind, read[rule.source](), rule.limit, rule.equals):
                began = since.setdefault(rule.key, works.time_s)
                assert works.time_s - began <= rule.on_delay_us / 1e6, f"{rule.key} at {works.time_s:.0f} s"
            else:
                since.pop(rule.key, None)
        for tag in bands:
            value = read[tag.name]()
            assert tag.normal is not None
            outside[tag.name] = outside.get(tag.name, 0) + (not tag.normal[0] <= value <= tag.normal[1])
    often = {name: round(n / samples, 2) for name, n in outside.items() if n > samples * 0.25}
    assert not often, f"mostly outside their normal band: {often}"


def test_that_the_horizon_starts_at_the_values_of_the_look_guide(plant: Plant) -> None:
    works = Waterworks(seed=1)
    for _ in range(50):
        works.step()
    read = measurements(works)
    expected = {
        "LT-101": 2.31, "PDT-101": 4.1, "AT-102": 3.8, "FT-110": 412, "PT-110": 2.84, "VT-110": 1.9, "PDT-201": 0.31,
        "PDT-203": 0.33, "AT-210": 0.08, "LT-250": 3.87, "AT-265": 0.62, "FT-261": 1.82, "FT-310": 388, "PT-310": 5.38,
        "JT-310": 214, "PT-401": 5.21, "PT-402": 4.87, "AT-410": 0.41,
    }  # fmt: skip
    for name, value in expected.items():
        normal = plant.tag(name).normal
        assert normal is not None
        assert abs(read[name]() - value) < 0.3 * (normal[1] - normal[0]), name
