"""The intake screen, the filters and the dosing of chlorine."""

from enum import IntEnum
from random import Random

from hmi.demo.control import PiController
from hmi.demo.noise import Sensor, toward

CLEAN_SCREEN_CM = 4.0 / 412.0**2
CLEAN_BED_BAR = 0.31 / 103.0
BACKWASH_S = 60.0
WASH_FLOW = 32.0
WASH_AT = 1.25
FOUL_PATIENCE_S = 45.0


class ScreenState(IntEnum):
    CLEAN = 0
    RAKING = 1
    CLOGGED = 2


class IntakeScreen:
    """The bar screen at the river. Its rake runs when leaves have gathered, or when asked."""

    def __init__(self) -> None:
        self.dirt = 1.0
        self.raking = False
        self.rakings = 12
        self._wait_s = 0.0

    def loss_cm(self, flow: float) -> float:
        """Loss of level across the screen at a flow in L/s."""
        return CLEAN_SCREEN_CM * flow * flow * self.dirt

    @property
    def state(self) -> ScreenState:
        if self.raking:
            return ScreenState.RAKING
        return ScreenState.CLOGGED if self.dirt > 1.9 else ScreenState.CLEAN

    def rake(self) -> bool:
        """Start the rake now."""
        if not self.raking:
            self.raking = True
            self.rakings += 1
        return True

    def clog(self) -> None:
        """A raft of leaves."""
        self.dirt = 3.2
        self._wait_s = 0.0

    def step(self, dt_s: float, flow: float) -> None:
        if self.raking:
            self.dirt = toward(self.dirt, 0.85, 0.06, dt_s)
            if self.dirt <= 0.85:
                self.raking = False
            return
        self.dirt += 0.0008 * dt_s * flow / 412.0
        self._wait_s = self._wait_s + dt_s if self.dirt > 1.3 else 0.0
        if self._wait_s > FOUL_PATIENCE_S:
            self.rake()


class FilterState(IntEnum):
    STANDBY = 0
    FILTERING = 1
    BACKWASH = 2


class Filter:
    """One rapid filter. `dirt` multiplies the loss of a clean bed; the flow is set by its rate valve."""

    def __init__(self, name: str, random: Random, dirt: float) -> None:
        self.name = name
        self.state = FilterState.FILTERING
        self.auto = True
        self.dirt = dirt
        self.flow = 103.0
        self.run_s = 3600.0 * 22.0 * dirt
        self.backwashes = 214
        self.wash_left_s = 0.0
        self.ripening = 0.0
        self._foul_s = 0.0
        self._loss_sensor = Sensor(random, 0.006, 1.0)
        self._flow_sensor = Sensor(random, 0.6, 0.5)
        self._turbidity_sensor = Sensor(random, 0.003, 2.0)
        self.shown_loss = self.loss
        self.shown_flow = self.flow
        self.shown_turbidity = 0.08

    @property
    def filtering(self) -> bool:
        return self.state is FilterState.FILTERING

    @property
    def loss(self) -> float:
        """Loss of head of the bed, bar."""
        return CLEAN_BED_BAR * self.dirt * self.flow

    @property
    def wash_flow(self) -> float:
        """Clear water taken for washing, L/s."""
        return WASH_FLOW if self.state is FilterState.BACKWASH else 0.0

    def backwash(self) -> bool:
        """Begin to wash. Refused while washing."""
        if self.state is FilterState.BACKWASH:
            return False
        self.state = FilterState.BACKWASH
        self.wash_left_s = BACKWASH_S
        self.backwashes += 1
        return True

    def take_out(self, in_service: bool) -> bool:
        """Take the filter out of service, or put it back."""
        if self.state is FilterState.BACKWASH:
            return False
        self.state = FilterState.FILTERING if in_service else FilterState.STANDBY
        return True

    def clog(self) -> None:
        self.dirt = 2.4
        self._foul_s = 0.0

    def step(self, dt_s: float, flow: float, may_wash: bool) -> None:
        """Move on with the given flow. `may_wash`: no other filter is washing."""
        self.flow = flow
        if self.state is FilterState.BACKWASH:
            self.wash_left_s -= dt_s
            if self.wash_left_s <= 0.0:
                self.wash_left_s = 0.0
                self.dirt, self.run_s, self.ripening, self._foul_s = 0.74, 0.0, 1.0, 0.0
                self.state = FilterState.FILTERING
        elif self.filtering:
            self.run_s += dt_s
            self.dirt += 0.0004 * dt_s * flow / 103.0
            self._foul_s = self._foul_s + dt_s if self.dirt > WASH_AT else 0.0
            if self.auto and may_wash and self._foul_s > FOUL_PATIENCE_S:
                self.backwash()
        self.ripening -= self.ripening * dt_s / 60.0
        self.shown_loss = self._loss_sensor.step(dt_s, self.loss)
        self.shown_flow = self._flow_sensor.step(dt_s, flow) if flow > 0.0 else 0.0
        self.shown_turbidity = self._turbidity_sensor.step(dt_s, 0.078 + 0.03 * self.ripening, 0.01)


# No solution on the market is that strong: chosen so that a dose in L/h reads as on the drawings of the plant.
STRENGTH = 178.5
CONSUMED = 0.18
DAY_TANK_L = 200.0


class Dosing:
    """Chlorine: day tank T-261, dosing pump CP-261, controller AIC-265. Dose in L/h, concentration in mg/L."""

    def __init__(self, random: Random) -> None:
        self.setpoint = 0.60
        self.dose_setpoint = 1.80
        self.auto = True
        self.running = True
        self.tripped = False
        self.dose = 1.80
        self.stroke = 70.0
        self.stock_l = 0.62 * DAY_TANK_L
        self.residual = 0.60
        self._controller = PiController(1.2, 90.0, 0.3, 4.0, 1.8)
        self._dose_sensor = Sensor(random, 0.012, 0.5)
        self._residual_sensor = Sensor(random, 0.008, 2.0)
        self.shown_dose = self.dose
        self.shown_residual = self.residual

    def ask_run(self, run: bool) -> bool:
        if run and self.tripped:
            return False
        self.running = run
        return True

    def ask_dose(self, dose: float) -> bool:
        """A dose by hand; refused in automatic."""
        if self.auto:
            return False
        self.dose_setpoint = dose
        return True

    def ask_reset(self) -> bool:
        if self.tripped:
            self.tripped = False
            self.running = self.auto
        return True

    def trip(self) -> None:
        self.tripped = True
        self.running = False

    def step(self, dt_s: float, flow: float) -> None:
        if self.auto:
            # In proportion to the flow first; the controller only trims.
            self.dose_setpoint = self._controller.step(dt_s, self.setpoint - self.residual) * flow / 398.0
            self.dose_setpoint = min(4.0, max(0.2, self.dose_setpoint))
        else:
            self._controller.follow(self.dose_setpoint)
        target = self.dose_setpoint if self.running else 0.0
        self.dose = toward(self.dose, target, 0.3, dt_s)
        self.stock_l -= self.dose * dt_s / 3600.0
        if self.stock_l < 0.2 * DAY_TANK_L:
            self.stock_l = 0.9 * DAY_TANK_L
        mixed = max(0.0, self.dose * STRENGTH / max(flow, 20.0) - CONSUMED)
        self.residual += (mixed - self.residual) * dt_s / 40.0
        self.shown_dose = self._dose_sensor.step(dt_s, self.dose) if self.dose > 0.01 else 0.0
        self.shown_residual = self._residual_sensor.step(dt_s, self.residual)
