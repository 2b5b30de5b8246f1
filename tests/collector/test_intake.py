"""What intake lets through, and under which time."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hmi.collector.intake import Intake
from hmi.core.batch import Batch, join, make_batch
from hmi.core.clock import DAY, HOUR, MINUTE, SECOND
from hmi.core.status import (
    BAD_NO_COMMUNICATION,
    BAD_OUT_OF_RANGE,
    BAD_SENSOR_FAILURE,
    BAD_TYPE_MISMATCH,
    BAD_WAITING_FOR_INITIAL_DATA,
    GOOD,
    UNCERTAIN_LAST_USABLE_VALUE,
)
from hmi.core.tag import DataType, Tag
from tests.collector.plants import tags

NOW = 1_700_000_000 * SECOND


def intake_of(*wanted: dict[str, object], trust: bool = False) -> Intake:
    made = tags(*wanted)
    intake = Intake(made, np.full(len(made), trust))
    intake.begin(np.arange(len(made), dtype=np.int32), NOW - DAY)
    return intake


def one(value: float, time_us: int, status: int = GOOD, delay_us: int = 0, tag: int = 0) -> Batch:
    return make_batch([tag], time_us, [value], status, delay_us)


def test_that_a_value_within_the_deadband_of_the_last_accepted_one_is_dropped() -> None:
    intake = intake_of({"deadband": 0.5})
    values = [1.0, 1.3, 1.5, 1.6, 2.0]
    accepted = [v for i, v in enumerate(values) if len(intake.accept(one(v, NOW + i * SECOND)))]
    # A slow drift passes as soon as it has left the deadband of what was accepted, not of what was seen.
    assert accepted == [1.0, 1.6]


def test_that_a_change_of_status_passes_any_deadband() -> None:
    intake = intake_of({"deadband": 100.0})
    assert len(intake.accept(one(1.0, NOW)))
    changed = intake.accept(one(1.0, NOW + SECOND, BAD_SENSOR_FAILURE))
    assert changed.status.tolist() == [BAD_SENSOR_FAILURE]
    assert len(intake.accept(one(1.0, NOW + 2 * SECOND)))


def test_that_an_unchanged_value_is_told_again_after_its_heartbeat() -> None:
    intake = intake_of({"heartbeat_us": 10 * SECOND})
    told = [i for i in range(31) if len(intake.accept(one(7.0, NOW + i * SECOND)))]
    assert told == [0, 10, 20, 30]


def test_that_a_number_that_is_none_is_bad_and_told_once() -> None:
    intake = intake_of({})
    batches = [intake.accept(one(v, NOW + i * SECOND)) for i, v in enumerate([math.inf, math.nan, -math.inf])]
    first = batches[0]
    assert first.status.tolist() == [BAD_OUT_OF_RANGE]
    assert math.isnan(first.value[0])
    assert [len(b) for b in batches] == [1, 0, 0]


def test_that_a_bad_status_of_the_device_is_kept_as_it_came() -> None:
    intake = intake_of({})
    assert intake.accept(one(math.nan, NOW, BAD_SENSOR_FAILURE)).status.tolist() == [BAD_SENSOR_FAILURE]


def test_that_the_source_gives_the_time_only_where_its_clock_is_trusted() -> None:
    late = one(1.0, NOW - 2 * SECOND, delay_us=2 * SECOND)
    assert intake_of({}, trust=True).accept(late).time_us.tolist() == [NOW - 2 * SECOND]
    untrusted = intake_of({}).accept(late)
    assert untrusted.time_us.tolist() == [NOW]
    assert untrusted.delay_us.tolist() == [2 * SECOND]


def test_that_a_lost_source_clock_is_replaced_by_the_time_of_receipt() -> None:
    for source in (0, 946_684_799 * SECOND, NOW + 2 * DAY):
        intake = intake_of({}, trust=True)
        assert intake.accept(one(1.0, source, delay_us=NOW - source)).time_us.tolist() == [NOW]


def test_that_no_sample_is_keyed_before_its_device_was_there() -> None:
    intake = intake_of({}, trust=True)
    intake.begin(np.array([0], np.int32), NOW)
    source = NOW - 3600 * SECOND
    assert intake.accept(one(1.0, source, delay_us=NOW + 5 - source)).time_us.tolist() == [NOW]


def test_that_what_comes_twice_with_the_same_source_time_is_taken_once() -> None:
    intake = intake_of({"heartbeat_us": SECOND}, trust=True)
    assert len(intake.accept(one(1.0, NOW)))
    assert not len(intake.accept(one(1.0, NOW, delay_us=90 * SECOND)))
    twice = make_batch([0, 0], [NOW + SECOND, NOW + SECOND], [2.0, 3.0])
    assert intake.accept(twice).value.tolist() == [3.0]


def test_that_a_tag_is_told_anew_when_its_device_is_back() -> None:
    intake = intake_of({}, trust=True)
    tag = np.array([0], np.int32)
    intake.accept(one(5.0, NOW))
    lost = intake.mark(tag, BAD_NO_COMMUNICATION, NOW + SECOND, keep_value=False)
    assert lost.status.tolist() == [BAD_NO_COMMUNICATION]
    assert math.isnan(lost.value[0])
    assert not len(intake.mark(tag, BAD_NO_COMMUNICATION, NOW + 2 * SECOND, keep_value=False))
    intake.begin(tag, NOW + 3 * SECOND)
    back = intake.accept(one(5.0, NOW, delay_us=3 * SECOND + 10))
    assert back.value.tolist() == [5.0]
    assert back.time_us.tolist() == [NOW + 3 * SECOND]


def test_that_a_stale_value_keeps_its_number() -> None:
    intake = intake_of({})
    intake.accept(one(5.0, NOW))
    stale = intake.mark(np.array([0], np.int32), UNCERTAIN_LAST_USABLE_VALUE, NOW + MINUTE, keep_value=True)
    assert stale.value.tolist() == [5.0]
    # The next reading is fresh, although its value is the same.
    assert len(intake.accept(one(5.0, NOW + MINUTE + SECOND)))


def test_that_a_silent_tag_is_repeated_after_its_heartbeat() -> None:
    intake = intake_of({"heartbeat_us": MINUTE}, trust=True)
    tag = np.array([0], np.int32)
    assert not len(intake.heartbeat(tag, NOW))
    intake.accept(one(5.0, NOW))
    assert not len(intake.heartbeat(tag, NOW + MINUTE - 1))
    again = intake.heartbeat(tag, NOW + MINUTE)
    assert (again.value.tolist(), again.time_us.tolist()) == ([5.0], [NOW + MINUTE])
    assert not len(intake.accept(one(5.0, NOW, delay_us=2 * MINUTE)))


def test_that_a_derived_tag_that_waits_for_its_inputs_says_nothing() -> None:
    intake = Intake(tags({}), np.array([True]))
    assert not len(intake.accept(one(math.nan, NOW, BAD_WAITING_FOR_INITIAL_DATA)))
    assert len(intake.accept(one(1.0, NOW)))


def test_that_whole_numbers_beyond_2_to_the_53_are_told_apart() -> None:
    intake = intake_of({"data_type": DataType.INT64})
    big = 2**53
    for i, whole in enumerate((big, big + 1, big + 1)):
        batch = make_batch([0], NOW + i * SECOND, [float(whole)], whole=[whole])
        accepted = intake.accept(batch)
        assert len(accepted) == (i < 2)
        if i < 2:
            assert accepted.whole is not None
            assert accepted.whole.tolist() == [whole]


def test_that_text_is_cleaned_of_what_no_database_takes() -> None:
    intake = intake_of({"data_type": DataType.TEXT})

    def told(text: object, at: int) -> Batch:
        return intake.accept(make_batch([0], NOW + at, [math.nan], text=[text]))  # type: ignore[list-item]

    first = told("Charge\x00 7\ud800", 0)
    assert first.text is not None
    assert first.text.tolist() == ["Charge\ufffd 7?"]
    assert first.status.tolist() == [GOOD]
    assert not len(told("Charge\x00 7\ud800", SECOND))
    assert len(told("Charge 8", 2 * SECOND))
    assert told(None, 3 * SECOND).status.tolist() == [BAD_TYPE_MISMATCH]


def test_that_a_clock_that_runs_backwards_never_turns_history_back() -> None:
    intake = intake_of({}, trust=True)
    times = [NOW, NOW + 10 * SECOND, NOW + 4 * SECOND, NOW + 5 * SECOND, NOW + 30 * SECOND]
    keys: list[int] = []
    for i, source in enumerate(times):
        received = NOW + (10 + i) * SECOND
        keys += intake.accept(one(float(i), source, delay_us=received - source)).time_us.tolist()
    assert keys == sorted(set(keys))
    assert len(keys) == len(times)


def test_that_a_key_that_had_to_be_pushed_on_tells_the_true_time_by_its_delay() -> None:
    intake = intake_of({"deadband": 0.0})
    intake.accept(one(1.0, NOW))
    late = [intake.accept(one(2.0 + i, NOW - HOUR + i * SECOND)) for i in range(3)]
    assert [b.time_us[0] for b in late] == [NOW + 1, NOW + 2, NOW + 3]
    assert [b.time_us[0] + b.delay_us[0] for b in late] == [NOW - HOUR + i * SECOND for i in range(3)]
    marked = intake.mark(np.array([0], np.int32), BAD_NO_COMMUNICATION, NOW - HOUR + MINUTE, keep_value=False)
    assert marked.time_us[0] + marked.delay_us[0] == NOW - HOUR + MINUTE


def test_that_keys_follow_the_clock_again_when_intake_is_told_that_it_was_set_back() -> None:
    intake = intake_of({}, {})
    both = np.array([0, 1], np.int32)
    intake.accept(one(1.0, NOW))
    back_us = NOW - HOUR
    intake.set_back(back_us)
    aged = intake.age(both, back_us)
    # What was never read is still not told.
    assert (aged.tag.tolist(), aged.time_us.tolist()) == ([0], [back_us])
    again = [intake.accept(one(1.0 + i % 2, back_us + i * SECOND // 2)) for i in range(4)]
    assert [b.time_us[0] for b in again] == [back_us + 1, *(back_us + i * SECOND // 2 for i in range(1, 4))]
    assert intake.accept(one(7.0, back_us + 1, tag=1)).time_us.tolist() == [back_us + 1]


SAMPLES = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(-20, 20),
        st.sampled_from([0.0, 0.2, 1.0, 1.1, 5.0, math.nan, math.inf]),
        st.sampled_from([GOOD, UNCERTAIN_LAST_USABLE_VALUE, BAD_SENSOR_FAILURE]),
        st.integers(0, 3),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(samples=SAMPLES, sizes=st.lists(st.integers(1, 12), min_size=1, max_size=20), trust=st.booleans())
def test_that_intake_never_reorders_never_doubles_and_never_hides_a_change_of_status(
    samples: list[tuple[int, int, float, int, int]], sizes: list[int], trust: bool
) -> None:
    made: tuple[Tag, ...] = tags({}, {"deadband": 0.5}, {"deadband": 0.5, "heartbeat_us": 5 * SECOND})
    intake = Intake(made, np.full(3, trust))
    intake.begin(np.arange(3, dtype=np.int32), NOW)
    rows = [
        (tag, NOW + (i + shift) * SECOND, value, status, -shift * SECOND)
        for i, (tag, shift, value, status, _) in enumerate(samples)
    ]
    taken: list[Batch] = []
    start = 0
    for size in sizes * 60:
        part = rows[start : start + size]
        start += size
        if not part:
            break
        columns = list(zip(*part, strict=True))
        taken.append(intake.accept(make_batch(*columns)))
    accepted = join(taken)
    assert intake.accepted == len(accepted)
    assert intake.accepted + intake.dropped == len(rows)
    deadband = [0.0, 0.5, 0.5]
    for tag in range(3):
        mine = accepted.take(accepted.tag == tag)
        assert (np.diff(mine.time_us) > 0).all()
        assert (mine.time_us >= NOW).all()
        same_status = mine.status[1:] == mine.status[:-1]
        step = np.abs(np.diff(mine.value))
        both = ~np.isnan(mine.value[1:]) & ~np.isnan(mine.value[:-1])
        if tag < 2:
            assert (step[same_status & both] > deadband[tag]).all()
        # Order of acceptance is the order in which it came: the last sample's status is the last one accepted.
        came = [(s, v) for t, _, v, s, _ in rows if t == tag]
        if came:
            status, value = came[-1]
            promised = BAD_OUT_OF_RANGE if not math.isfinite(value) and status != BAD_SENSOR_FAILURE else status
            assert mine.status[-1] == promised
