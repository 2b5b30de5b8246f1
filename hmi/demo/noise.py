"""Seeded noise of sensors and of the weather."""

import math
from random import Random


class Wander:
    """A value that wanders about zero with a given spread and memory, as measured quantities do."""

    def __init__(self, random: Random, spread: float, memory_s: float) -> None:
        self._random = random
        self._spread = spread
        self._memory_s = memory_s
        self._dt_s = self._keep = self._kick = 0.0
        self.value = 0.0

    def step(self, dt_s: float) -> float:
        """Move on by `dt_s` and return the new value."""
        if dt_s != self._dt_s:
            self._dt_s = dt_s
            self._keep = math.exp(-dt_s / self._memory_s)
            self._kick = self._spread * math.sqrt(1.0 - self._keep**2)
        self.value = self.value * self._keep + self._kick * self._random.gauss(0.0, 1.0)
        return self.value


class Sensor:
    """What a transmitter shows of a true value: filtered a little, with noise of its own."""

    def __init__(self, random: Random, spread: float, lag_s: float = 0.5, start: float | None = None) -> None:
        self._fast = Wander(random, spread * 0.5, 0.4)
        self._slow = Wander(random, spread, 45.0)
        self._lag_s = lag_s
        self._filtered = start
        self.value = 0.0 if start is None else start

    def step(self, dt_s: float, true_value: float, low: float = 0.0) -> float:
        """Show `true_value`, never below `low`."""
        if self._filtered is None:
            self._filtered = true_value
        self._filtered += (true_value - self._filtered) * min(1.0, dt_s / self._lag_s)
        self.value = max(low, self._filtered + self._fast.step(dt_s) + self._slow.step(dt_s))
        return self.value


def toward(value: float, target: float, rate_per_s: float, dt_s: float) -> float:
    """`value` moved toward `target` at a limited rate."""
    step = rate_per_s * dt_s
    return min(target, value + step) if value < target else max(target, value - step)
