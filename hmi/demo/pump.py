"""A pump with its motor, drive and valves, as its PLC sees it."""

import math
from dataclasses import dataclass
from enum import IntEnum
from random import Random

from hmi.demo.noise import Sensor, toward

AIR_TEMPERATURE_C = 24.0


class PumpState(IntEnum):
    STANDBY = 0
    RUNNING = 1
    TRIPPED = 2
    STARTING = 3
    STOPPING = 4
    STOPPED = 5


class PumpMode(IntEnum):
    MANUAL = 0
    AUTO = 1
    LOCAL = 2


class ValveState(IntEnum):
    CLOSED = 0
    OPEN = 1
    MOVING = 2


@dataclass(frozen=True, slots=True)
class PumpDesign:
    """Data sheet of a pump. Pressure in bar, flow in L/s; `best_flow` is at full speed."""

    shutoff_bar: float
    droop: float
    best_flow: float
    efficiency: float
    full_voltage: float
    usual_speed: float
    vibration: float
    bearing_rise: float
    winding_rise: float
    needed_suction: float


HIGH_LIFT = PumpDesign(12.0, 5.705e-5, 262.0, 0.812, 690.0, 74.2, 2.1, 34.0, 44.0, 0.40)
RAW_WATER = PumpDesign(6.2, 3.414e-5, 252.0, 0.79, 400.0, 82.0, 1.8, 29.0, 39.0, 0.05)

POWER_FACTOR = 0.94
RAMP_PER_S = 10.0
LEAST_SPEED = 40.0
COAST_S = 1.5
VALVE_TRAVEL_S = 1.5
SUCTION_PATIENCE_S = 3.0
MOST_WINDING_C = 110.0
MOST_VIBRATION = 7.1


class Pump:
    """One pump. Flow and pressure are solved by the station; all else happens here.

    Speeds are percent, flow L/s, power kW, current A, vibration mm/s, temperatures °C, pressures bar.
    """

    def __init__(self, name: str, design: PumpDesign, random: Random, running: bool, quirk: float = 1.0) -> None:
        self.name = name
        self.design = design
        self.mode = PumpMode.AUTO
        self.wanted = running
        self.state = PumpState.RUNNING if running else PumpState.STANDBY
        self.speed = design.usual_speed if running else 0.0
        self.speed_setpoint = design.usual_speed if running else LEAST_SPEED
        self.flow = 0.0
        self.lift = 0.0
        self.suction = 0.5
        self.power = 0.0
        self.current = 0.0
        self.emergency_stop = False
        self.suction_valve = ValveState.OPEN
        self.discharge_valve = ValveState.OPEN if running else ValveState.CLOSED
        self.run_hours = 12_418.0 if running else 9_731.0
        self.starts = 1_032 if running else 871
        self.starts_today = 1
        self.hours_since_service = 1_218.0 if running else 402.0
        self.vibration = design.vibration * quirk if running else 0.0
        self.bearing = AIR_TEMPERATURE_C + (design.bearing_rise * quirk if running else 0.0)
        self.winding = AIR_TEMPERATURE_C + (design.winding_rise * quirk if running else 0.0)
        self._quirk = quirk
        self._valve_s = 0.0
        self._dry_s = 0.0
        self._hydraulic_kw = 0.0
        self._speed_sensor = Sensor(random, 0.06, 0.2)
        self._vibration_sensor = Sensor(random, 0.10, 2.0)
        self._current_sensor = Sensor(random, 0.5, 0.3)
        self.shown_speed = self.speed
        self.shown_vibration = self.vibration
        self.shown_current = self.current

    # --- what an operator or the station's controller may ask
    def ask_run(self, run: bool) -> bool:
        """Start or stop from the control room. A start is refused in automatic; a stop takes the pump out of it."""
        if self.mode is PumpMode.LOCAL:
            return False
        if run:
            if self.mode is PumpMode.AUTO or self.state is PumpState.TRIPPED:
                return False
            self.wanted = True
            return True
        self.mode = PumpMode.MANUAL
        self.wanted = False
        return True

    def ask_mode(self, mode: int) -> bool:
        """Manual or automatic. Local is chosen at the pump only."""
        if self.mode is PumpMode.LOCAL or mode not in (PumpMode.MANUAL, PumpMode.AUTO):
            return False
        self.mode = PumpMode(mode)
        return True

    def ask_speed(self, speed: float) -> bool:
        """A speed setpoint, in manual only: in automatic the controller gives it."""
        if self.mode is not PumpMode.MANUAL or not LEAST_SPEED <= speed <= 100.0:
            return False
        self.speed_setpoint = speed
        return True

    def ask_reset(self) -> bool:
        """Clear a trip. The pump then stands by, in automatic, or stopped."""
        if self.state is PumpState.TRIPPED and not self.emergency_stop:
            self.wanted = False
            self.state = PumpState.STOPPING
        return True

    def trip(self) -> None:
        """Motor overload: the drive switches off."""
        if self.state is not PumpState.TRIPPED:
            self.state = PumpState.TRIPPED
            self.wanted = False
            self._dry_s = 0.0

    # --- what others ask about it
    @property
    def running(self) -> bool:
        return self.state is PumpState.RUNNING

    @property
    def turning(self) -> bool:
        return self.state in (PumpState.RUNNING, PumpState.STARTING)

    @property
    def ready(self) -> bool:
        """Whether it could run."""
        return self.state is not PumpState.TRIPPED and all(self.interlocks)

    @property
    def interlocks(self) -> tuple[bool, bool, bool, bool, bool]:
        """Suction, winding, discharge valve, vibration, emergency stop; true is clear."""
        return (
            self.suction > self.design.needed_suction,
            self.winding < MOST_WINDING_C,
            self.discharge_valve is ValveState.OPEN or not self.running,
            self.vibration < MOST_VIBRATION,
            not self.emergency_stop,
        )

    def flow_against(self, lift: float) -> float:
        """The flow at the present speed against a pressure difference; 0 where the check valve closes."""
        head = self.design.shutoff_bar * (self.speed / 100.0) ** 2 - lift
        return math.sqrt(head / self.design.droop) if head > 0.0 else 0.0

    @property
    def hydraulic_kw(self) -> float:
        """What the water receives: 1 bar at 1 L/s is 0.1 kW."""
        return self._hydraulic_kw

    @property
    def efficiency(self) -> float:
        """Wire to water, at the present point; 0 at a stop."""
        if self.speed < 1.0 or self.flow <= 0.0:
            return 0.0
        off = self.flow / (self.design.best_flow * self.speed / 100.0) - 1.0
        return self.design.efficiency * max(0.3, 1.0 - 0.6 * off * off)

    def step(self, dt_s: float, flow: float, lift: float, suction: float) -> None:
        """Move on by `dt_s` with the flow, lift and suction pressure that the station has solved."""
        self.flow, self.lift, self.suction = flow, lift, suction
        self._move(dt_s)
        share = self.speed / 100.0
        self._hydraulic_kw = 0.1 * max(lift, 0.0) * flow
        losses_at_no_flow = 12.0 * share**3 if self.turning else 0.0
        efficiency = self.efficiency
        self.power = self._hydraulic_kw / efficiency if efficiency > 0.0 and self.turning else losses_at_no_flow
        voltage = self.design.full_voltage * max(share, 0.1)
        self.current = self.power * 1000.0 / (math.sqrt(3.0) * voltage * POWER_FACTOR) if self.turning else 0.0
        self._warm(dt_s, share)
        if self.turning:
            self.run_hours += dt_s / 3600.0
            self.hours_since_service += dt_s / 3600.0
            self._dry_s = 0.0 if self.interlocks[0] else self._dry_s + dt_s
            too_hot, shaking = not self.interlocks[1], not self.interlocks[3]
            if self.emergency_stop or too_hot or shaking or self._dry_s > SUCTION_PATIENCE_S:
                self.trip()
        self.shown_speed = self._speed_sensor.step(dt_s, self.speed) if self.speed > 0.5 else 0.0
        self.shown_vibration = self._vibration_sensor.step(dt_s, self.vibration) if self.speed > 0.5 else 0.0
        self.shown_current = self._current_sensor.step(dt_s, self.current) if self.turning else 0.0

    def _move(self, dt_s: float) -> None:
        if self.state is PumpState.TRIPPED:
            self.speed -= self.speed * min(1.0, dt_s / COAST_S)
            if self.speed < 0.5:
                self.speed = 0.0
        elif self.wanted:
            if not self.turning:
                self.state = PumpState.STARTING
                self.starts += 1
                self.starts_today += 1
                self._valve_s = 0.0
            self.speed = toward(self.speed, self.speed_setpoint, RAMP_PER_S, dt_s)
            if self.state is PumpState.STARTING and self.speed >= min(self.speed_setpoint - 1.0, 50.0):
                self.state = PumpState.RUNNING
        elif self.speed > 0.0:
            self.state = PumpState.STOPPING
            self.speed = toward(self.speed, 0.0, 1.5 * RAMP_PER_S, dt_s)
        else:
            self.state = PumpState.STANDBY if self.mode is PumpMode.AUTO else PumpState.STOPPED
        self._move_valve(dt_s)

    def _move_valve(self, dt_s: float) -> None:
        target = ValveState.OPEN if self.turning else ValveState.CLOSED
        if self.discharge_valve is target or (not self.turning and self.speed > 0.0):
            return
        if self.discharge_valve is not ValveState.MOVING:
            self.discharge_valve = ValveState.MOVING
            self._valve_s = 0.0
        self._valve_s += dt_s
        if self._valve_s >= VALVE_TRAVEL_S:
            self.discharge_valve = target

    def _warm(self, dt_s: float, share: float) -> None:
        load = share / (self.design.usual_speed / 100.0)
        self.vibration += (self.design.vibration * self._quirk * load**2 - self.vibration) * min(1.0, dt_s / 1.5)
        bearing = AIR_TEMPERATURE_C + self.design.bearing_rise * self._quirk * load**1.5
        winding = AIR_TEMPERATURE_C + self.design.winding_rise * self._quirk * load**2
        self.bearing += (bearing - self.bearing) * min(1.0, dt_s / 300.0)
        self.winding += (winding - self.winding) * min(1.0, dt_s / 180.0)
