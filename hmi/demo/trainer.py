"""The trainer's desk: nodes of UA-1 that do to the simulated plant what bad luck does to a real one.

They are commands like any other, so that everything that can happen in a demo can be started from a screen.
"""

from collections.abc import Callable
from functools import partial

from hmi.demo.network import Zone
from hmi.demo.opcua_server import UaPoint
from hmi.demo.pump import Pump, PumpState
from hmi.demo.treatment import Filter
from hmi.demo.waterworks import Waterworks

CLOGGED = 1.9
MOST_LEAK = 200.0


def trainer_points(
    works: Waterworks, unplugged: Callable[[str], bool], unplug: Callable[[str, bool], bool]
) -> list[UaPoint]:
    """All nodes of the desk. `unplug` pulls the cable of a device (True) or plugs it in again (False)."""
    points = [_event(f"trip.{p.name}", partial(_tripped, p), p.trip) for p in works.pumps]
    points.append(_event("trip.CP-261", lambda: works.dosing.tripped, works.dosing.trip))
    points += [_event(f"clog.{f.name}", partial(_clogged, f), f.clog) for f in works.filters]
    points.append(_event("clog.SC-101", lambda: works.screen.dirt > CLOGGED, works.screen.clog))
    points += [_leak(works, zone) for zone in (works.north, works.south)]
    points += [_cable(device, unplugged, unplug) for device in ("PLC-1", "PLC-2")]
    return points


def _cable(device: str, unplugged: Callable[[str], bool], unplug: Callable[[str, bool], bool]) -> UaPoint:
    def write(value: float) -> bool:
        return unplug(device, bool(value))

    return UaPoint(f"Trainer.unplug.{device}", partial(unplugged, device), kind="Boolean", write=write, high=1)


def _tripped(pump: Pump) -> bool:
    return pump.state is PumpState.TRIPPED


def _clogged(unit: Filter) -> bool:
    return unit.dirt > CLOGGED


def _event(name: str, shown: Callable[[], float], happen: Callable[[], object]) -> UaPoint:
    def write(value: float) -> bool:
        # What has happened cannot be taken back here: it is mended in the plant.
        if not value:
            return False
        happen()
        return True

    return UaPoint(f"Trainer.{name}", shown, kind="Boolean", write=write, high=1)


def _leak(works: Waterworks, zone: Zone) -> UaPoint:
    def write(value: float) -> bool:
        works.leak(zone.name, value)
        return True

    return UaPoint(f"Trainer.leak.{zone.name}", partial(getattr, zone, "leak_at_nominal"), write=write, high=MOST_LEAK)
