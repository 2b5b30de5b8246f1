"""Which element lies next in a direction, for the arrow keys."""

from collections.abc import Sequence

from hmi.mimic.drawable import Drawable

_ASIDE = 2.5


def nearest(start: Drawable | None, among: Sequence[Drawable], direction: tuple[int, int]) -> Drawable | None:
    """The nearest element that way: distance along the direction, and more than twice that aside."""
    if start is None:
        return among[0] if among else None
    dx, dy = direction
    origin = start.rect.center()
    best: Drawable | None = None
    best_cost = 0.0
    for drawable in among:
        if drawable is start:
            continue
        way = drawable.rect.center() - origin
        along = way.x() * dx + way.y() * dy
        if along <= 1:
            continue
        aside = abs(way.x() * dy) + abs(way.y() * dx)
        cost = along + _ASIDE * aside
        if best is None or cost < best_cost:
            best, best_cost = drawable, cost
    return best
