"""What is read next: fast blocks before slow ones, each in its rhythm, missed turns left out."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from hmi.drivers.modbus_schedule import Schedule

PERIODS = st.lists(st.sampled_from([10, 20, 50, 100, 1000]), min_size=1, max_size=12)


def play(periods: list[int], duration_of_a_read: int, until: int, start: int = 5) -> list[tuple[int, int]]:
    """Time and number of each read, with reads of one length."""
    schedule = Schedule(periods, start)
    now = 0
    reads = []
    while now < until:
        block = schedule.next_block(now)
        if block is None:
            now = schedule.next_due_us
            continue
        reads.append((now, block))
        now += duration_of_a_read
        schedule.finished(block, now)
    return reads


@settings(max_examples=60, deadline=None)
@given(PERIODS, st.integers(0, 40))
def test_that_no_block_is_read_twice_within_one_turn(periods: list[int], duration: int) -> None:
    reads = play(periods, duration, 3000)
    for block, period in enumerate(periods):
        turns = [(time - 5) // period for time, number in reads if number == block]
        assert all(b > a for a, b in itertools.pairwise(turns))


@settings(max_examples=60, deadline=None)
@given(PERIODS)
def test_that_a_device_that_answers_at_once_is_read_in_every_turn(periods: list[int]) -> None:
    reads = play(periods, 0, 1000)
    for block, period in enumerate(periods):
        assert [time for time, number in reads if number == block] == list(range(5, 1000, period))


def test_that_a_hundred_slow_blocks_do_not_hold_up_a_fast_one() -> None:
    reads = play([100] + [10_000] * 100, 10, 2000)
    fast = [time for time, number in reads if number == 0]
    assert max(b - a for a, b in itertools.pairwise(fast)) <= 110
    assert len({number for _, number in reads}) == 101


def test_that_blocks_of_one_period_are_read_in_order() -> None:
    assert [number for _, number in play([100] * 5, 1, 100)] == [0, 1, 2, 3, 4]


def test_that_an_overloaded_device_still_gives_every_block_its_turn() -> None:
    reads = play([10] * 5 + [1000] * 5, 10, 20_000)
    assert {number for time, number in reads if time > 15_000} == set(range(10))
