"""Clocks to which happens what happens to a computer: somebody sets them, or they stand still for a while."""

from hmi.core.clock import HandClock, SystemClock


class WallClock(HandClock):
    """Monotonic time goes on by `advance_us` alone, wall time also where somebody sets it."""

    def __init__(self, now_us: int) -> None:
        super().__init__(now_us)
        self._set_back_us = 0

    def now_us(self) -> int:
        return super().now_us() - self._set_back_us

    def set_back_us(self, by_us: int) -> None:
        self._set_back_us += by_us


class JumpingClock(SystemClock):
    """Goes on by itself. `halt_us` is what a program sees that was halted, `set_back_us` what somebody does to it."""

    def __init__(self) -> None:
        self._halted_us = 0
        self._set_back_us = 0

    def now_us(self) -> int:
        return super().now_us() + self._halted_us - self._set_back_us

    def monotonic_us(self) -> int:
        return super().monotonic_us() + self._halted_us

    def halt_us(self, for_us: int) -> None:
        self._halted_us += for_us

    def set_back_us(self, by_us: int) -> None:
        self._set_back_us += by_us
