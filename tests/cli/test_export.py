"""Export: what stands in the file is what was recorded, and nothing is filled in."""

import csv
import io
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from hmi.cli.export import _write
from hmi.core.batch import make_batch
from hmi.core.clock import MINUTE, SECOND
from hmi.core.event import COLLECTOR, Coverage
from hmi.core.plant import Plant
from hmi.core.status import BAD_NO_COMMUNICATION
from tests.collector.plants import plant
from tests.history.conftest import TAGS, Way

T0 = 1_790_000_000 * SECOND // MINUTE * MINUTE


@pytest.fixture
def recorded(way: Way) -> Plant:
    """Level 10, then 20 after 30 s; bad from 90 s to 120 s; nobody collected from 3 to 4 min."""
    way.spool.record_coverage([Coverage(COLLECTOR, T0, T0 + 3 * MINUTE, "stopped")])
    way.spool.record_coverage([Coverage(COLLECTOR, T0 + 4 * MINUTE, T0 + 5 * MINUTE)])
    nan = float("nan")
    way.spool.record(
        make_batch(
            [0] * 5,
            [T0, T0 + 30 * SECOND, T0 + 90 * SECOND, T0 + 120 * SECOND, T0 + 4 * MINUTE],
            [10.0, 20.0, nan, 30.0, 40.0],
            [0, 0, BAD_NO_COMMUNICATION, 0, 0],
        )
    )
    big = 2**60 + 1
    way.spool.record(make_batch([1], T0, [float(big)], whole=[big]))
    way.spool.record(make_batch([3], T0, [nan], text=['tank, "A"']))
    way.shipped()
    return replace(plant(TAGS), zone=ZoneInfo("Europe/Berlin"))


def exported(way: Way, plant: Plant, tags: list[int], end_us: int, every_us: int = 0) -> list[dict[str, str]]:
    file = io.StringIO()
    _write(file, plant, way.reader, [plant.tags[i] for i in tags], T0, end_us, every_us)
    return list(csv.DictReader(io.StringIO(file.getvalue())))


def test_that_every_sample_stands_in_the_file_with_its_quality(way: Way, recorded: Plant) -> None:
    rows = exported(way, recorded, [0], T0 + 5 * MINUTE)
    assert [row["value"] for row in rows] == ["10.0", "20.0", "", "30.0", "40.0"]
    assert [row["status"] for row in rows][2] == "BadNoCommunication"
    assert rows[0]["time"].endswith("+02:00")
    assert rows[0]["unit"] == "m"


def test_that_whole_numbers_are_exact_and_text_is_quoted(way: Way, recorded: Plant) -> None:
    rows = {row["tag"]: row["value"] for row in exported(way, recorded, [1, 3], T0 + MINUTE)}
    assert rows == {"pump.count": str(2**60 + 1), "batch.name": 'tank, "A"'}


def test_that_means_are_weighted_by_time_and_gaps_are_left_out(way: Way, recorded: Plant) -> None:
    rows = exported(way, recorded, [0], T0 + 5 * MINUTE, MINUTE)
    assert [(row["mean"], row["good_percent"]) for row in rows] == [
        ("15.0", "100.0"),
        ("20.0", "50.0"),
        ("30.0", "100.0"),
        ("", "0.0"),
        ("40.0", "100.0"),
    ]
    assert [(row["min"], row["max"]) for row in rows[:2]] == [("10.0", "20.0"), ("20.0", "20.0")]
