"""The pressure zones and the water that the town draws."""

import math
from dataclasses import dataclass
from random import Random

from hmi.demo.balance import meeting_point
from hmi.demo.control import PiController
from hmi.demo.noise import Sensor, Wander, toward
from hmi.demo.pump import Pump, ValveState

DAY_S = 24 * 60.0
"""A day of the demo lasts 24 minutes: an hour each minute."""


def daily_demand(time_s: float) -> float:
    """The town's demand relative to its mean: low at night, two peaks by day."""
    turn = 2.0 * math.pi * time_s / DAY_S
    return 1.0 + 0.05 * math.sin(turn) + 0.025 * math.sin(2.0 * turn)


@dataclass(frozen=True, slots=True)
class ZoneDesign:
    """Mean demand L/s at the nominal pressure bar; height in bar; resistances in bar/(L/s)²."""

    demand: float
    nominal: float
    height: float
    pipe: float
    valve: float


NORTH = ZoneDesign(demand=214.0, nominal=5.2, height=0.0, pipe=2.0e-6, valve=1.05e-6)
SOUTH = ZoneDesign(demand=174.0, nominal=4.9, height=0.20, pipe=5.0e-6, valve=2.4e-6)


class ControlValve:
    """A zone's inlet valve. Position in percent open; in automatic it keeps the zone's pressure."""

    def __init__(self, name: str, setpoint: float) -> None:
        self.name = name
        self.auto = True
        self.position = 70.0
        self.position_setpoint = 70.0
        self.setpoint = setpoint
        self._controller = PiController(12.0, 40.0, 25.0, 100.0, 70.0)

    def ask_position(self, position: float) -> bool:
        """A position by hand; refused in automatic."""
        if self.auto:
            return False
        self.position_setpoint = position
        return True

    def ask_open(self, open_: bool) -> bool:
        """Open or close wholly; takes the valve out of automatic."""
        self.auto = False
        self.position_setpoint = 100.0 if open_ else 0.0
        return True

    @property
    def state(self) -> ValveState:
        if abs(self.position - self.position_setpoint) > 2.0 and self.position_setpoint in (0.0, 100.0):
            return ValveState.MOVING
        return ValveState.CLOSED if self.position < 2.0 else ValveState.OPEN

    def step(self, dt_s: float, pressure: float) -> None:
        if self.auto:
            self.position_setpoint = self._controller.step(dt_s, self.setpoint - pressure)
        else:
            self._controller.follow(self.position_setpoint)
        self.position = toward(self.position, self.position_setpoint, 8.0, dt_s)


class Zone:
    """One pressure zone with its demand, its leak and its instruments."""

    def __init__(self, name: str, design: ZoneDesign, valve: str, random: Random, chlorine: float) -> None:
        self.name = name
        self.design = design
        self.valve = ControlValve(valve, design.nominal)
        self.leak_at_nominal = 0.0
        self.flow = design.demand
        self.pressure = design.nominal
        self.chlorine = chlorine
        self.volume_m3 = 184_220.0
        self._mood = Wander(random, 0.006, 30.0)
        self._flow_sensor = Sensor(random, 0.7, 0.3)
        self._pressure_sensor = Sensor(random, 0.008, 0.2)
        self._chlorine_sensor = Sensor(random, 0.006, 3.0)
        self._draw = design.demand
        self.shown_flow = self.flow
        self.shown_pressure = self.pressure
        self.shown_chlorine = chlorine

    def draw(self, dt_s: float, demand: float) -> None:
        """The town asks for `demand` times the mean."""
        self._draw = self.design.demand * (demand + self._mood.step(dt_s))

    @property
    def leak_flow(self) -> float:
        """What is lost at the present pressure, L/s."""
        return self.leak_at_nominal * math.sqrt(max(self.pressure, 0.0) / self.design.nominal)

    @property
    def resistance(self) -> float:
        opening = max(self.valve.position, 0.5) / 100.0
        return self.design.pipe + self.design.valve / opening**2

    def flow_at(self, header: float) -> float:
        """The flow that the zone takes at a header pressure: what it draws falls with the root of its pressure."""
        head = header - self.design.height
        if head <= 0.0 or self.valve.position < 0.2:
            return 0.0
        wish = (self._draw + self.leak_at_nominal) / math.sqrt(self.design.nominal)
        return wish * math.sqrt(head / (1.0 + self.resistance * wish * wish))

    def step(self, dt_s: float, header: float, chlorine: float) -> None:
        self.flow = self.flow_at(header)
        self.pressure = max(0.0, header - self.design.height - self.resistance * self.flow**2)
        self.volume_m3 += self.flow * dt_s / 1000.0
        self.valve.step(dt_s, self.pressure)
        self.chlorine += (0.68 * chlorine - self.chlorine) * dt_s / 240.0
        self.shown_flow = self._flow_sensor.step(dt_s, self.flow) if self.flow > 0.0 else 0.0
        self.shown_pressure = self._pressure_sensor.step(dt_s, self.pressure)
        self.shown_chlorine = self._chlorine_sensor.step(dt_s, self.chlorine)


def header_pressure(pumps: list[Pump], zones: list[Zone], suction: float, before: float) -> float:
    """The pressure at which the pumps deliver what the zones take; `before` is what it was a step ago."""

    def surplus(pressure: float) -> float:
        given = sum(pump.flow_against(pressure - suction) for pump in pumps)
        return given - sum(zone.flow_at(pressure) for zone in zones)

    return meeting_point(surplus, 0.0, 16.0, before, 0.1)
