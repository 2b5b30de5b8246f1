"""What lies where in the two PLCs of the waterworks. The plant's tag files are written against this list.

Every PLC answers with exception 3 (illegal value) to a setpoint outside its range and to a command that the mode
forbids, and with exception 2 (illegal address) to a read that touches a hole. One register is known to be odd: PLC-2
accepts the stroke of dosing pump CP-261 and does not take it over, since a knob at the pump sets it.
"""

from collections.abc import Callable
from functools import partial

from hmi.core.tag import DataType
from hmi.demo.image import Point, Table
from hmi.demo.pump import LEAST_SPEED, Pump
from hmi.demo.treatment import DAY_TANK_L, Filter
from hmi.demo.waterworks import Waterworks

Count = Callable[[], float]

_H, _I, _C, _D = Table.HOLDING, Table.INPUT, Table.COIL, Table.DISCRETE
_U16, _I16, _U32, _F32, _BOOL = DataType.UINT16, DataType.INT16, DataType.UINT32, DataType.FLOAT32, DataType.BOOL


def _attribute(owner: object, name: str) -> Callable[[], float]:
    return partial(getattr, owner, name)


def _set(owner: object, name: str, convert: Callable[[float], object] = float) -> Callable[[float], bool]:
    def write(value: float) -> bool:
        setattr(owner, name, convert(value))
        return True

    return write


def _device(sequence: Count, uptime: Count, cycle: Count, version: str) -> list[Point]:
    return [
        Point(_H, 0, _U32, sequence),
        Point(_H, 2, _U32, uptime),
        Point(_H, 4, DataType.TEXT, lambda: version, length=8),
        Point(_H, 12, _U16, cycle, 0.01),
    ]


def _interlock_word(pump: Pump) -> float:
    return float(sum(bit << i for i, bit in enumerate(pump.interlocks)))


def _pump(pump: Pump, base: int, bit: int) -> list[Point]:
    at = partial(_attribute, pump)
    return [
        Point(_H, base, _U16, at("state")),
        Point(_H, base + 1, _U16, at("mode"), write=lambda v: pump.ask_mode(int(v)), high=2),
        Point(_H, base + 2, _U16, at("shown_speed"), 0.01),
        Point(_H, base + 3, _U16, at("speed_setpoint"), 0.01, lambda v: pump.ask_speed(v), LEAST_SPEED, 100.0),
        Point(_H, base + 4, _U16, at("shown_current"), 0.1),
        Point(_H, base + 5, _U16, at("shown_vibration"), 0.01),
        Point(_H, base + 6, _I16, at("bearing"), 0.1),
        Point(_H, base + 7, _I16, at("winding"), 0.1),
        Point(_H, base + 8, _I16, at("suction"), 0.001),
        Point(_H, base + 9, _U16, lambda: _interlock_word(pump)),
        Point(_H, base + 12, _F32, at("flow")),
        Point(_H, base + 14, _F32, at("power")),
        Point(_H, base + 16, _U32, at("run_hours"), 0.01),
        Point(_H, base + 18, _U32, at("starts")),
        Point(_H, base + 20, _U16, at("starts_today")),
        Point(_H, base + 21, _U16, at("hours_since_service")),
        Point(_H, base + 22, _U16, at("suction_valve")),
        Point(_H, base + 23, _U16, at("discharge_valve")),
        Point(_D, bit, _BOOL, at("running")),
        Point(_D, bit + 1, _BOOL, at("ready")),
        Point(_C, bit, _BOOL, at("wanted"), write=lambda v: pump.ask_run(bool(v))),
        Point(_C, bit + 1, _BOOL, lambda: 0.0, write=lambda v: pump.ask_reset()),
    ]


def _filter(unit: Filter, base: int, bit: int) -> list[Point]:
    at = partial(_attribute, unit)
    return [
        Point(_H, base, _U16, at("state")),
        Point(_H, base + 1, _U16, at("auto"), write=_set(unit, "auto", bool), high=1),
        Point(_H, base + 2, _U16, at("shown_loss"), 0.001),
        Point(_H, base + 3, _U16, at("shown_flow"), 0.1),
        Point(_H, base + 4, _U16, at("shown_turbidity"), 0.001),
        Point(_H, base + 5, _U16, lambda: unit.run_s / 3600.0, 0.1),
        Point(_H, base + 6, _U16, at("wash_left_s")),
        Point(_H, base + 8, _U32, at("backwashes")),
        Point(_D, bit, _BOOL, lambda: unit.wash_left_s > 0.0),
        Point(_D, bit + 1, _BOOL, at("filtering")),
        Point(_C, bit, _BOOL, lambda: unit.wash_left_s > 0.0, write=lambda v: bool(v) and unit.backwash()),
        Point(_C, bit + 1, _BOOL, at("filtering"), write=lambda v: unit.take_out(bool(v))),
    ]


def raw_water_points(works: Waterworks, sequence: Count, uptime: Count, cycle: Count) -> list[Point]:
    """PLC-1: intake, raw-water pumps and filters."""
    shown = works.shown
    inputs = (
        (0, "LT-101"), (2, "PDT-101"), (4, "AT-102"), (6, "AT-103"), (8, "TT-101"), (12, "FT-110"), (14, "PT-110"),
        (16, "VT-110"), (24, "PDT-201"), (26, "PDT-203"), (28, "AT-210"), (30, "FT-210"), (32, "FT-220"),
        (34, "FT-230"),
    )  # fmt: skip
    points = _device(sequence, uptime, cycle, "OWW raw 2.4.1")
    points += [Point(_I, address, _F32, partial(shown.__getitem__, name)) for address, name in inputs]
    points += [
        Point(_H, 20, _F32, _attribute(works, "raw_flow_setpoint")),
        Point(_H, 22, _U16, lambda: sum(p.turning for p in works.raw_pumps)),
        Point(_H, 30, _U16, _attribute(works.screen, "state")),
        Point(_H, 31, _U32, _attribute(works.screen, "rakings")),
        Point(_H, 33, _U16, lambda: _valve_word(works)),
        Point(_H, 34, _U16, lambda: works.v101_open * 100.0, 0.01),
        Point(_C, 0, _BOOL, lambda: works.v101_target > 0.5, write=_set(works, "v101_target", lambda v: float(v > 0))),
        Point(_C, 1, _BOOL, _attribute(works.screen, "raking"), write=lambda v: bool(v) and works.screen.rake()),
        Point(_D, 0, _BOOL, lambda: works.v101_open > 0.98),
        Point(_D, 1, _BOOL, lambda: works.v101_open < 0.02),
        Point(_D, 2, _BOOL, _attribute(works.screen, "raking")),
    ]
    for i, pump in enumerate(works.raw_pumps):
        points += _pump(pump, 100 + 40 * i, 16 + 8 * i)
    for i, unit in enumerate(works.filters):
        points += _filter(unit, 300 + 20 * i, 64 + 8 * i)
    return points


def _valve_word(works: Waterworks) -> float:
    if works.v101_open > 0.98:
        return 1.0
    return 0.0 if works.v101_open < 0.02 else 2.0


def clear_water_points(works: Waterworks, sequence: Count, uptime: Count, cycle: Count) -> list[Point]:
    """PLC-2: clear-water tank, chlorine and high-lift pumps."""
    shown, dosing = works.shown, works.dosing
    inputs = ((0, "LT-250"), (2, "TT-250"), (4, "VT-250"), (16, "FT-310"), (18, "PT-310"))
    points = _device(sequence, uptime, cycle, "OWW clear 3.0.7")
    points += [Point(_I, address, _F32, partial(shown.__getitem__, name)) for address, name in inputs]
    points += [
        Point(_I, 8, _F32, _attribute(dosing, "shown_residual")),
        Point(_I, 10, _F32, _attribute(dosing, "shown_dose")),
        Point(_H, 20, _F32, _attribute(works, "level_setpoint"), 1.0, _set(works, "level_setpoint"), 3.0, 4.4),
        Point(_H, 22, _F32, _attribute(works, "pressure_setpoint"), 1.0, _set(works, "pressure_setpoint"), 4.5, 6.0),
        Point(_H, 24, _U16, lambda: sum(p.turning for p in works.high_lift_pumps)),
        Point(_H, 40, _F32, _attribute(dosing, "setpoint"), 1.0, _set(dosing, "setpoint"), 0.2, 1.0),
        Point(_H, 42, _F32, _attribute(dosing, "dose_setpoint"), 1.0, dosing.ask_dose, 0.2, 4.0),
        # Accepted and not taken over: see the head of this file.
        Point(_H, 44, _U16, _attribute(dosing, "stroke"), 0.1, lambda _value: True, 0.0, 100.0),
        Point(_H, 45, _U16, lambda: 2.0 if dosing.tripped else float(dosing.running)),
        Point(_H, 46, _U16, _attribute(dosing, "auto"), 1.0, _set(dosing, "auto", bool), 0.0, 1.0),
        Point(_H, 47, _U16, lambda: dosing.stock_l / DAY_TANK_L * 100.0, 0.01),
        Point(_C, 0, _BOOL, _attribute(dosing, "running"), write=lambda v: dosing.ask_run(bool(v))),
        Point(_C, 1, _BOOL, lambda: 0.0, write=lambda v: dosing.ask_reset()),
        Point(_D, 0, _BOOL, _attribute(dosing, "running")),
        Point(_D, 1, _BOOL, lambda: not dosing.tripped),
    ]
    for i, pump in enumerate(works.high_lift_pumps):
        points += _pump(pump, 100 + 40 * i, 16 + 8 * i)
    return points
