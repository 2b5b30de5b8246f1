"""Which blocks are read to get all tags of a Modbus device, and what was learnt about holes in its map. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from hmi.core.tag import Tag
from hmi.drivers.modbus_address import MAX_BITS, MAX_REGISTERS, Address, Area


@dataclass(frozen=True, slots=True)
class Item:
    """A tag and its place."""

    tag: Tag
    address: Address


@dataclass(frozen=True, slots=True)
class Block:
    """One request: `count` addresses from `start`, which hold all `items`."""

    area: Area
    start: int
    count: int
    period_us: int
    items: tuple[Item, ...]

    @property
    def end(self) -> int:
        return self.start + self.count

    def __str__(self) -> str:
        return f"{self.area} {self.start}" if self.count == 1 else f"{self.area} {self.start}–{self.end - 1}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How far blocks may grow. `max_gap` is how many addresses that nobody wants are read along to save a request."""

    max_gap: int = 16
    max_registers: int = MAX_REGISTERS
    max_bits: int = MAX_BITS

    def cap(self, area: Area) -> int:
        return self.max_bits if area.of_bits else self.max_registers


@dataclass(slots=True)
class DeviceMap:
    """What the device has taught: places that a block must not cross, and tags whose addresses it does not have.

    A wall at address n means that no block may hold both n - 1 and n.
    """

    walls: set[tuple[Area, int]] = field(default_factory=set)
    absent: set[int] = field(default_factory=set)
    _version: int = 0

    @property
    def version(self) -> int:
        """Rises with everything that is learnt or forgotten; another version means another plan."""
        return self._version

    def add_wall(self, area: Area, address: int) -> None:
        self.walls.add((area, address))
        self._version += 1

    def add_absent(self, items: Iterable[Item]) -> None:
        self.absent |= {item.tag.index for item in items}
        self._version += 1

    def forget_absent(self, items: Iterable[Item]) -> None:
        """Ask for these again."""
        self.absent -= {item.tag.index for item in items}
        self._version += 1

    def clear(self) -> None:
        self.walls.clear()
        self.absent.clear()
        self._version += 1

    def walls_of(self, area: Area) -> list[int]:
        """The walls in an area, lowest first."""
        return sorted(wall for wall_area, wall in self.walls if wall_area is area)


def make_plan(items: Iterable[Item], limits: Limits, device_map: DeviceMap | None = None) -> tuple[Block, ...]:
    """Every item that is not absent in exactly one block, blocks in the order of period, area and address."""
    known = device_map or DeviceMap()
    present = [item for item in items if item.tag.index not in known.absent]
    present.sort(key=_place)
    blocks: list[Block] = []
    for _, group in groupby(present, key=lambda item: (item.tag.period_us, item.address.area)):
        blocks += _coalesce(list(group), limits, known)
    return tuple(blocks)


def split(block: Block) -> tuple[Block, Block] | None:
    """Two halves of a block that the device refuses; None where nothing is left to take apart.

    Items that share addresses stay together.
    """
    clusters = _clusters(block.items)
    if len(clusters) == 1:
        return None
    middle = len(clusters) // 2
    left = [item for cluster in clusters[:middle] for item in cluster]
    right = [item for cluster in clusters[middle:] for item in cluster]
    return _block(left), _block(right)


def _place(item: Item) -> tuple[int, str, int, int, int]:
    address = item.address
    return (item.tag.period_us, address.area, address.start, address.end, item.tag.index)


def _coalesce(items: Sequence[Item], limits: Limits, known: DeviceMap) -> list[Block]:
    area = items[0].address.area
    cap = limits.cap(area)
    walls = known.walls_of(area)
    blocks: list[Block] = []
    current: list[Item] = []
    end = 0
    for item in items:
        address = item.address
        if current:
            start = current[0].address.start
            fits = address.start - end <= limits.max_gap and max(end, address.end) - start <= cap
            if not fits or _crosses(walls, start, address.start):
                blocks.append(_block(current))
                current, end = [], 0
        current.append(item)
        end = max(end, address.end)
    blocks.append(_block(current))
    return blocks


def _crosses(walls: Sequence[int], low: int, high: int) -> bool:
    """Whether a block that holds both addresses would cross a wall."""
    return bisect_right(walls, high) > bisect_right(walls, low)


def _clusters(items: Sequence[Item]) -> list[list[Item]]:
    clusters: list[list[Item]] = []
    end = -1
    for item in items:
        if item.address.start >= end:
            clusters.append([])
        clusters[-1].append(item)
        end = max(end, item.address.end)
    return clusters


def _block(items: Sequence[Item]) -> Block:
    start = items[0].address.start
    end = max(item.address.end for item in items)
    return Block(items[0].address.area, start, end - start, items[0].tag.period_us, tuple(items))
