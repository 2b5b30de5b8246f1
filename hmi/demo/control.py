"""The controllers that run in the PLCs."""


class PiController:
    """A PI controller with limits that does not wind up."""

    def __init__(self, gain: float, reset_s: float, low: float, high: float, output: float) -> None:
        self._gain = gain
        self._reset_s = reset_s
        self._low = low
        self._high = high
        self._integral = output
        self.output = output

    def step(self, dt_s: float, error: float) -> float:
        """The new output for `error` = setpoint minus measurement."""
        wanted = self._integral + self._gain * error
        self.output = min(self._high, max(self._low, wanted))
        saturated = (wanted > self._high and error * self._gain > 0) or (wanted < self._low and error * self._gain < 0)
        if not saturated:
            self._integral += self._gain * error * dt_s / self._reset_s
            self._integral = min(self._high, max(self._low, self._integral))
        return self.output

    def follow(self, output: float) -> None:
        """Take over the output of something else, so that the return to automatic makes no jump."""
        self._integral = output
        self.output = output


class Staging:
    """How many pumps run: one more or one less only when the need has lasted."""

    def __init__(self, count: int, least: int, most: int, patience_s: float) -> None:
        self.count = count
        self._least = least
        self._most = most
        self._patience_s = patience_s
        self._waited_s = 0.0

    def step(self, dt_s: float, more: bool, less: bool) -> int:
        """The number of pumps wanted."""
        if not (more or less):
            self._waited_s = 0.0
            return self.count
        self._waited_s += dt_s
        if self._waited_s >= self._patience_s:
            self._waited_s = 0.0
            self.count = max(self._least, min(self._most, self.count + (1 if more else -1)))
        return self.count
