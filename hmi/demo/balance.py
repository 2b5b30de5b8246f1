"""Finds where two curves meet: the pressure at which pumps deliver what the network takes."""

from collections.abc import Callable

TOLERANCE = 1e-7
MOST_TRIES = 60


def meeting_point(surplus: Callable[[float], float], low: float, high: float, near: float, reach: float) -> float:
    """The zero of a falling function between `low` and `high`, looked for within `reach` of `near` first.

    False position that halves the weight of an end that stays (Illinois): as sure as halving, and much quicker.
    """
    a, b = max(low, near - reach), min(high, near + reach)
    at_a, at_b = surplus(a), surplus(b)
    if at_a < 0.0:
        b, at_b, a = a, at_a, low
        at_a = surplus(a)
    elif at_b > 0.0:
        a, at_a, b = b, at_b, high
        at_b = surplus(b)
    if at_a <= 0.0:
        return a
    if at_b >= 0.0:
        return b
    middle = 0.5 * (a + b)
    for _ in range(MOST_TRIES):
        if b - a < TOLERANCE:
            break
        middle = (a * at_b - b * at_a) / (at_b - at_a)
        at_middle = surplus(middle)
        if abs(at_middle) < TOLERANCE:
            break
        if at_middle > 0.0:
            a, at_a, at_b = middle, at_middle, at_b * 0.5
        else:
            b, at_b, at_a = middle, at_middle, at_a * 0.5
    return middle
