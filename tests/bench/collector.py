"""What a sample costs in the collector between driver and spool: intake, table, ring and limits.

Peer: the same rules written plainly, one object and one comparison a value.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from hmi.collector.intake import Intake
from hmi.collector.judge import Judge
from hmi.collector.ring import Ring
from hmi.core.alarm import AlarmKind, AlarmRule, Priority
from hmi.core.batch import Batch, make_batch
from hmi.core.clock import SECOND
from hmi.core.table import Table
from hmi.core.tag import Tag
from tests.bench.figure import Figure

NOW = 1_700_000_000 * SECOND
TAGS = 1000
ROUNDS = 200


@dataclass(slots=True)
class _Last:
    time_us: int
    value: float
    status: int


def figures() -> Iterator[Figure]:
    """Cost per sample when all of a thousand tags change, and when none does; a fifth of the tags has a limit."""
    plain = _plain()
    for name, moving in (("road_changing_ns", True), ("road_unchanged_ns", False)):
        peer = _cost(plain, _batches(moving))
        yield Figure("collector", name, _cost(_ours(), _batches(moving)), "ns/sample", "one object a value", peer)
    small = [batch.take(slice(i, i + 10)) for batch in _batches(True)[:20] for i in range(0, TAGS, 10)]
    yield Figure("collector", "road_small_batch_us", _cost(_ours(), small) * 10 / 1000, "us/batch of 10")


def _batches(moving: bool) -> list[Batch]:
    tags = np.arange(TAGS, dtype=np.int32)
    values = np.linspace(0.0, 40.0, TAGS)
    return [make_batch(tags, NOW + i * SECOND // 10, values + (i % 7 if moving else 0)) for i in range(ROUNDS)]


def _cost(road: Callable[[Batch], None], batches: list[Batch]) -> float:
    road(batches[0])
    best = float("inf")
    for _ in range(3):
        started = time.process_time_ns()
        for batch in batches:
            road(batch)
        best = min(best, (time.process_time_ns() - started) / sum(map(len, batches)))
    return best


def _ours() -> Callable[[Batch], None]:
    tags = [Tag(f"T-{i}", i, deadband=0.5) for i in range(TAGS)]
    rules = [
        AlarmRule(f"T-{i}/high", i, f"T-{i}", AlarmKind.HIGH, Priority.HIGH, "high", 100.0) for i in range(0, TAGS, 5)
    ]
    intake, table, ring = Intake(tags, np.zeros(TAGS, np.bool_)), Table(TAGS), Ring(TAGS)
    judge = Judge(rules, TAGS)

    def road(batch: Batch) -> None:
        accepted = intake.accept(batch)
        table.apply(accepted)
        ring.add(accepted)
        judge.judge(accepted)

    return road


def _plain() -> Callable[[Batch], None]:
    last: dict[int, _Last] = {}
    limit = dict.fromkeys(range(0, TAGS, 5), 100.0)
    recent: list[_Last] = []

    def road(batch: Batch) -> None:
        for tag, time_us, value, status in zip(
            batch.tag.tolist(), batch.time_us.tolist(), batch.value.tolist(), batch.status.tolist(), strict=True
        ):
            before = last.get(tag)
            if before is None or status != before.status or abs(value - before.value) > 0.5:
                sample = _Last(time_us, value, status)
                last[tag] = sample
                recent.append(sample)
                if tag in limit and value >= limit[tag]:
                    raise AssertionError("no value of this bench reaches its limit")
        del recent[:-100_000]

    return road
