"""The process of the demo plant: Ostbach Waterworks, from the river to the town.

Pure and seeded: the same seed and the same commands give the same plant. Nothing here knows of devices or of time of
day. Mass and energy add up in the true values; `shown` holds what the transmitters make of them.
"""

from random import Random

from hmi.demo.balance import meeting_point
from hmi.demo.control import PiController, Staging
from hmi.demo.network import NORTH, SOUTH, Zone, daily_demand, header_pressure
from hmi.demo.noise import Sensor, Wander, toward
from hmi.demo.pump import HIGH_LIFT, RAW_WATER, Pump, PumpMode
from hmi.demo.treatment import Dosing, Filter, FilterState, IntakeScreen

STEP_S = 0.1
TANK_AREA_M2 = 150.0
TANK_HEIGHT_M = 5.0
BAR_PER_M = 0.0981
SLUDGE_SHARE = 0.014
HILL_BAR = 1.98
MAIN_RESISTANCE = 2.6e-6
RATE_VALVE_BAR = 0.05
LEVEL_GAIN = 300.0


class UnknownEquipment(KeyError):
    """There is no such equipment, or that cannot happen to it."""


class Waterworks:
    """The whole plant. `step` moves it on by 100 ms."""

    def __init__(self, seed: int = 1) -> None:
        random = Random(seed)
        self.time_s = 0.0
        self.screen = IntakeScreen()
        self.v101_open = 1.0
        self.v101_target = 1.0
        self.raw_pumps = [
            Pump(f"P-10{i}", RAW_WATER, random, i < 3, quirk) for i, quirk in ((1, 1.0), (2, 1.04), (3, 1.0))
        ]
        self.filters = [Filter(f"F-20{i}", random, dirt) for i, dirt in ((1, 1.05), (2, 0.96), (3, 1.15), (4, 0.9))]
        self.dosing = Dosing(random)
        self.high_lift_pumps = [
            Pump(f"P-30{i}", HIGH_LIFT, random, i < 3, quirk) for i, quirk in ((1, 1.0), (2, 1.12), (3, 1.0))
        ]
        self.north = Zone("North", NORTH, "V-401", random, 0.41)
        self.south = Zone("South", SOUTH, "V-402", random, 0.40)
        self.level = 3.86
        self.level_setpoint = 3.90
        self.pressure_setpoint = 5.40
        self.header = 5.39
        self.raw_pressure = 2.84
        self.raw_flow = 408.0
        self.raw_flow_setpoint = 406.0
        self.filtered_flow = self.raw_flow * (1.0 - SLUDGE_SHARE)
        self.out_flow = 388.0
        self.energy_kwh = 1_284.0
        self.town_day_s = 0.0
        self._mean_out = 388.0
        self._suction = 0.11
        self._pressure_controller = PiController(3.5, 5.0, 42.0, 100.0, 74.2)
        self._flow_controller = PiController(0.05, 6.0, 55.0, 100.0, 82.0)
        self._raw_staging = Staging(2, 1, 3, 20.0)
        self._high_staging = Staging(2, 1, 3, 20.0)
        self._river = Wander(random, 0.05, 900.0)
        self._mud = Wander(random, 0.25, 600.0)
        self._weather = {name: Wander(random, *s) for name, s in _WEATHER.items()}
        self._sensors = {name: Sensor(random, *s) for name, s in _SENSORS.items()}
        self.river_level = 2.31
        self.shown: dict[str, float] = {}
        self._show(0.0)

    @property
    def pumps(self) -> list[Pump]:
        return [*self.raw_pumps, *self.high_lift_pumps]

    @property
    def wash_flow(self) -> float:
        """Clear water taken from the tank for washing filters, L/s."""
        return sum(f.wash_flow for f in self.filters)

    @property
    def station_power(self) -> float:
        """Electrical power of the high-lift station, kW."""
        return sum(p.power for p in self.high_lift_pumps)

    # --- what may happen
    def pump(self, name: str) -> Pump:
        """Raises `UnknownEquipment`."""
        for pump in self.pumps:
            if pump.name == name:
                return pump
        raise UnknownEquipment(name)

    def trip(self, name: str) -> None:
        """The motor of a pump switches off by overload. Raises `UnknownEquipment`."""
        if name == "CP-261":
            self.dosing.trip()
        else:
            self.pump(name).trip()

    def clog(self, name: str) -> None:
        """A filter, or the intake screen SC-101, clogs at once. Raises `UnknownEquipment`."""
        if name == "SC-101":
            self.screen.clog()
            return
        for f in self.filters:
            if f.name == name:
                f.clog()
                return
        raise UnknownEquipment(name)

    def leak(self, zone: str, flow: float = 90.0) -> None:
        """A main bursts in `North` or `South`: `flow` L/s at the usual pressure, 0 mends it.

        Raises `UnknownEquipment`.
        """
        for z in (self.north, self.south):
            if z.name.lower() == zone.lower():
                z.leak_at_nominal = max(0.0, flow)
                return
        raise UnknownEquipment(zone)

    # --- one step
    def step(self) -> None:
        """Move the plant on by 100 ms."""
        dt = STEP_S
        self.time_s += dt
        self.town_day_s = self.time_s % 1440.0
        self.river_level = 2.31 + self._river.step(dt)
        self._control(dt)
        self._raw_side(dt)
        self._clear_side(dt)
        self._show(dt)

    def _control(self, dt: float) -> None:
        self._mean_out += (self.out_flow - self._mean_out) * dt / 60.0
        # Water for washing is left to the tank, so that a backwash does not shake the raw-water pumps.
        need = self._mean_out / (1.0 - SLUDGE_SHARE)
        need += LEVEL_GAIN * (self.level_setpoint - self.level)
        self.raw_flow_setpoint = toward(self.raw_flow_setpoint, min(620.0, max(150.0, need)), 4.0, dt)
        count = self._raw_staging.count
        count = self._raw_staging.step(
            dt, self.raw_flow_setpoint > 250.0 * count, self.raw_flow_setpoint < 225.0 * (count - 1)
        )
        _allot(self.raw_pumps, count, self._flow_controller.step(dt, self.raw_flow_setpoint - self.raw_flow))
        # The error is bounded, so that the controller does not run away while the standby pump comes up.
        error = min(0.6, max(-0.6, self.pressure_setpoint - self.header))
        speed = self._pressure_controller.step(dt, error)
        count = self._high_staging.step(dt, speed > 97.0, speed < 58.0 and self._high_staging.count > 1)
        _allot(self.high_lift_pumps, count, speed)

    def _raw_side(self, dt: float) -> None:
        self.v101_open = toward(self.v101_open, self.v101_target, 0.2, dt)
        opening = max(self.v101_open, 0.02)
        loss = self.screen.loss_cm(self.raw_flow) * BAR_PER_M / 100.0 + 6.0e-8 * (self.raw_flow / opening) ** 2
        suction = (self.river_level - 1.1) * BAR_PER_M - loss
        self._suction += (max(-0.9, suction) - self._suction) * min(1.0, dt / 1.0)
        passing = min(1.0, 10.0 * self.v101_open)
        at_work = [f for f in self.filters if f.filtering]
        worst = max((f.dirt for f in at_work), default=0.0) * 0.31 / 103.0 / max(len(at_work), 1)
        self.raw_pressure = self._raw_header(worst, passing) if at_work else HILL_BAR
        lift = self.raw_pressure - self._suction
        flows = [passing * p.flow_against(lift) if at_work else 0.0 for p in self.raw_pumps]
        self.raw_flow = sum(flows)
        for pump, flow in zip(self.raw_pumps, flows, strict=True):
            pump.step(dt, flow, lift if flow > 0.0 else 0.0, self._suction)
        self.screen.step(dt, self.raw_flow)
        for f in self.filters:
            washing = any(o.state is FilterState.BACKWASH for o in self.filters)
            f.step(dt, self.raw_flow / len(at_work) if f in at_work else 0.0, not washing)
        self.filtered_flow = self.raw_flow * (1.0 - SLUDGE_SHARE)

    def _raw_header(self, bed: float, passing: float) -> float:
        def surplus(pressure: float) -> float:
            flow = passing * sum(p.flow_against(pressure - self._suction) for p in self.raw_pumps)
            return HILL_BAR + RATE_VALVE_BAR + MAIN_RESISTANCE * flow * flow + bed * flow - pressure

        return meeting_point(surplus, HILL_BAR, 8.0, self.raw_pressure, 0.1)

    def _clear_side(self, dt: float) -> None:
        demand = daily_demand(self.time_s)
        zones = [self.north, self.south]
        for zone in zones:
            zone.draw(dt, demand)
        suction = 0.54 + self.level * BAR_PER_M
        dry = self.level <= 0.05
        self.header = header_pressure([] if dry else self.high_lift_pumps, zones, suction, self.header)
        lift = self.header - suction
        self.out_flow = 0.0
        for pump in self.high_lift_pumps:
            flow = 0.0 if dry else pump.flow_against(lift)
            self.out_flow += flow
            pump.step(dt, flow, lift if flow > 0.0 else 0.0, suction)
        self.dosing.step(dt, self.filtered_flow)
        for zone in zones:
            zone.step(dt, self.header, self.dosing.residual)
        # What the tank cannot hold runs over; that is the only place where water may be lost.
        change = (self.filtered_flow - self.out_flow - self.wash_flow) * dt / 1000.0 / TANK_AREA_M2
        self.level = min(TANK_HEIGHT_M, max(0.0, self.level + change))
        self.energy_kwh += (self.station_power + sum(p.power for p in self.raw_pumps)) * dt / 3600.0

    def _show(self, dt: float) -> None:
        true = {
            "LT-101": self.river_level,
            "PDT-101": self.screen.loss_cm(self.raw_flow),
            "AT-102": 3.7 + self._mud.step(max(dt, 1e-6)),
            "AT-103": 7.62,
            "TT-101": 8.4,
            "FT-110": self.raw_flow,
            "PT-110": self.raw_pressure,
            "VT-110": max((p.vibration for p in self.raw_pumps), default=0.0),
            "PDT-201": 0.5 * (self.filters[0].loss + self.filters[1].loss),
            "PDT-203": 0.5 * (self.filters[2].loss + self.filters[3].loss),
            "AT-210": 0.078 + 0.012 * max(f.ripening for f in self.filters),
            "FT-210": self.filtered_flow,
            "FT-220": self.raw_flow * SLUDGE_SHARE,
            "FT-230": self.wash_flow,
            "LT-250": self.level,
            "TT-250": 9.1,
            "VT-250": 1.1,
            "FT-310": self.out_flow,
            "PT-310": self.header,
            "JT-310": self.station_power,
            "JT-110": sum(p.power for p in self.raw_pumps),
        }
        for name, value in true.items():
            shown = self._sensors[name].step(dt, value) if dt else value
            # Flow meters cut off what is near zero.
            self.shown[name] = 0.0 if name.startswith("FT") and value < 0.5 else shown
        for name, wander in self._weather.items():
            self.shown[name] = max(0.0, _WEATHER_MEAN[name] + wander.step(max(dt, 1e-6)))


def _allot(pumps: list[Pump], count: int, speed: float) -> None:
    """Let `count` pumps run: those in manual count, those in automatic make up the rest at one speed."""
    automatic = [p for p in pumps if p.mode is PumpMode.AUTO]
    by_hand = sum(p.wanted for p in pumps if p.mode is not PumpMode.AUTO)
    running = [p for p in automatic if p.wanted]
    idle = sorted((p for p in automatic if not p.wanted and p.ready), key=lambda p: p.run_hours)
    missing = count - by_hand - len(running)
    for pump in idle[: max(0, missing)]:
        pump.wanted = True
    for pump in sorted(running, key=lambda p: -p.run_hours)[: max(0, -missing)]:
        pump.wanted = False
    for pump in automatic:
        if pump.wanted:
            pump.speed_setpoint = speed


_SENSORS: dict[str, tuple[float, float]] = {
    "LT-101": (0.008, 2.0), "PDT-101": (0.12, 1.0), "AT-102": (0.06, 2.0), "AT-103": (0.01, 5.0),
    "TT-101": (0.03, 5.0), "FT-110": (1.2, 0.3), "PT-110": (0.008, 0.2), "VT-110": (0.06, 1.0),
    "PDT-201": (0.005, 1.0), "PDT-203": (0.005, 1.0), "AT-210": (0.003, 3.0), "FT-210": (1.2, 0.3),
    "FT-220": (0.08, 0.5), "FT-230": (0.3, 0.5), "LT-250": (0.003, 1.0), "TT-250": (0.02, 5.0),
    "VT-250": (0.04, 1.0), "FT-310": (1.2, 0.3), "PT-310": (0.008, 0.2), "JT-310": (0.6, 0.3), "JT-110": (0.5, 0.3),
}  # fmt: skip
"""Noise of each transmitter in its own unit, and its lag in seconds."""

_WEATHER: dict[str, tuple[float, float]] = {
    "Weather.temperature": (0.6, 1200.0), "Weather.humidity": (2.0, 900.0), "Weather.pressure": (0.6, 3600.0),
    "Weather.wind": (0.9, 60.0), "Weather.wind_direction": (18.0, 120.0), "Weather.rain": (0.05, 300.0),
    "Weather.radiation": (12.0, 300.0),
}  # fmt: skip
_WEATHER_MEAN: dict[str, float] = {
    "Weather.temperature": 6.8, "Weather.humidity": 84.0, "Weather.pressure": 1014.0, "Weather.wind": 3.1,
    "Weather.wind_direction": 245.0, "Weather.rain": 0.0, "Weather.radiation": 60.0,
}  # fmt: skip
