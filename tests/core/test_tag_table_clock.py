"""Tags as operators read them, the table of latest values, and clocks."""

import asyncio
import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmi.core.batch import join, make_batch
from hmi.core.clock import HandClock, SystemClock, from_datetime, to_datetime
from hmi.core.duration import duration_text, parse_duration
from hmi.core.problem import Place, Problem, did_you_mean
from hmi.core.status import BAD_WAITING_FOR_INITIAL_DATA, GOOD
from hmi.core.table import Table
from hmi.core.tag import DataType, Lane, Scale, Tag


@pytest.mark.parametrize(
    ("tag", "value", "text"),
    [
        (Tag("a", 0, decimals=1), 2.345, "2.3"),
        (Tag("a", 0), math.nan, ""),
        (Tag("a", 0), math.inf, ""),
        (Tag("a", 0, DataType.UINT16), 7.0, "7"),
        (Tag("a", 0, DataType.UINT16, scale=Scale(0.1)), 7.0, "7.00"),
        (Tag("a", 0, DataType.BOOL), 1.0, "on"),
        (Tag("a", 0, DataType.BOOL, states={0: "closed", 1: "open"}), 0.0, "closed"),
        (Tag("a", 0, DataType.UINT16, states={0: "standby"}), 5.0, "5"),
    ],
)
def test_that_a_value_reads_as_its_tag_says(tag: Tag, value: float, text: str) -> None:
    assert tag.format(value) == text


def test_that_a_scaled_integer_travels_as_a_float() -> None:
    assert Tag("a", 0, DataType.INT16).lane is Lane.INT
    assert Tag("a", 0, DataType.INT16, scale=Scale(2)).lane is Lane.FLOAT


def test_that_every_tag_of_a_new_table_was_never_read() -> None:
    table = Table(3)
    assert set(table.status.tolist()) == {BAD_WAITING_FOR_INITIAL_DATA}
    assert table.changed_since(0)[1].tolist() == []


def test_that_the_last_sample_of_a_batch_wins_and_only_touched_tags_are_new() -> None:
    table = Table(4)
    before = table.version
    table.apply(make_batch([1, 3, 1], [10, 11, 12], [1.0, 3.0, 2.0]))
    version, changed = table.changed_since(before)
    assert changed.tolist() == [1, 3]
    assert (table.value[1], table.time_us[1], table.status[1]) == (2.0, 12, GOOD)
    assert table.changed_since(version) == (version, pytest.approx([]))


@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.floats(-1, 1)), max_size=8), max_size=8))
def test_that_a_reader_who_asks_for_news_misses_nothing(batches: list[list[tuple[int, float]]]) -> None:
    table = Table(10)
    copy = np.full(10, np.nan)
    version = table.version
    for i, rows in enumerate(batches):
        table.apply(make_batch([t for t, _ in rows], i, [v for _, v in rows]))
        if i % 2:
            version, changed = table.changed_since(version)
            copy[changed] = table.value[changed]
    _, changed = table.changed_since(version)
    copy[changed] = table.value[changed]
    np.testing.assert_array_equal(copy, table.value)


def test_that_joined_batches_keep_texts_and_whole_numbers() -> None:
    joined = join([make_batch([0], 1, [1.0], whole=[2**60 + 1]), make_batch([1], 2, [math.nan], text=["x"])])
    assert joined.whole is not None
    assert joined.text is not None
    assert joined.whole.tolist() == [2**60 + 1, 0]
    assert joined.text.tolist() == [None, "x"]


@given(st.integers(-(10**15), 4 * 10**15))
def test_that_times_are_exact_to_the_microsecond_in_any_zone(time_us: int) -> None:
    for zone in (UTC, ZoneInfo("Europe/Berlin")):
        assert from_datetime(to_datetime(time_us, zone)) == time_us


def test_that_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time"):
        from_datetime(datetime(2026, 1, 1))


def test_that_a_clock_moved_by_hand_wakes_sleepers_in_order() -> None:
    async def run() -> list[str]:
        clock, woken = HandClock(), []

        async def sleeper(name: str, duration_us: int) -> None:
            await clock.sleep_us(duration_us)
            woken.append(name)

        tasks = [asyncio.create_task(sleeper(name, us)) for name, us in (("late", 30), ("soon", 10), ("never", 99))]
        await asyncio.sleep(0)
        clock.advance_us(30)
        for _ in range(3):
            await asyncio.sleep(0)
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return woken

    assert asyncio.run(run()) == ["soon", "late"]


def test_that_the_clock_of_the_computer_counts_microseconds_since_1970() -> None:
    clock = SystemClock()
    assert abs(clock.now_us() - from_datetime(datetime.now(UTC))) < 60_000_000  # noqa: TID251 - the clock itself is judged
    assert clock.monotonic_us() <= clock.monotonic_us()


@given(st.integers(0, 10**13))
def test_that_a_duration_is_read_back_as_it_was_written(duration_us: int) -> None:
    assert parse_duration(duration_text(duration_us)) == duration_us


def test_that_places_and_problems_read_like_those_of_a_compiler() -> None:
    problem = Problem(Place("screens/a.yaml", 3, 7), "tag-unknown", "unknown tag 'a'", did_you_mean("a.b", ["A.B"]))
    assert str(problem) == "screens/a.yaml:3:7: error: unknown tag 'a' (hint: did you mean 'A.B'?)"
    assert str(Place("tags/a.csv", 4, 0, "high")) == "tags/a.csv:4:high"
    assert str(Place("plant.yaml")) == "plant.yaml"
